/* The drawing: every festival can be read in every theme and script, and texts fit. */
#include "actors/lib/picture/layout.h"
#include "actors/lib/picture/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Fontconfig keeps what it found until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

#define PICTURES "actors/painter/pictures"

struct world {
    struct fan_painter *painter;
    const struct fan_catalogue *catalogue;
    struct fan_buffer out;
    struct fan_picture_note note;
    struct fan_why why;
};

static int set_up(void **state)
{
    static struct world world;

    world = (struct world){ .painter = NULL };
    if (fan_painter_open(PICTURES, &world.painter, &world.why))
        fail_msg("%s: %s", world.why.field, world.why.text);
    world.catalogue = fan_painter_catalogue(world.painter);
    fan_buffer_init(&world.out, FAN_PICTURE_BYTES_MAX);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    fan_buffer_fini(&world->out);
    fan_painter_close(&world->painter);
    return 0;
}

static enum fan_err draw(struct world *world, const struct fan_picture_order *order)
{
    fan_buffer_clear(&world->out);
    world->out.overflowed = false;
    world->why = (struct fan_why){ 0 };
    return fan_painter_draw(world->painter, order, &world->out, &world->note, &world->why);
}

static const struct fan_picture_order plain = { .festival = FAN_LIT("diwali"),
    .theme = FAN_LIT("classic"),
    .size = FAN_LIT("banner"),
    .language = FAN_LIT("en"),
    .format = FAN_PICTURE_JPEG };

static void every_festival_can_be_read_in_every_theme(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < world->catalogue->festivals_len; i++) {
        for (size_t j = 0; j < world->catalogue->themes_len; j++) {
            struct fan_picture_order order = plain;

            order.festival = world->catalogue->festivals[i].id;
            order.theme = world->catalogue->themes[j].id;
            order.language = FAN_NO_BYTES;
            order.campaign = FAN_LIT("Sale");
            assert_int_equal(draw(world, &order), FAN_OK);
            if (world->note.contrast < 4.5)
                fail_msg("%.*s, %.*s: contrast %.2f", FAN_BYTES_ARG(order.festival),
                        FAN_BYTES_ARG(order.theme), world->note.contrast);
        }
    }
}

static void every_greeting_has_its_letters_and_fits(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < world->catalogue->festivals_len; i++) {
        const struct fan_festival *festival = &world->catalogue->festivals[i];

        for (size_t j = 0; j < festival->greetings_len; j++) {
            struct fan_picture_order order = plain;

            order.festival = festival->id;
            order.theme = FAN_LIT("minimal");
            order.language = festival->greetings[j].language;
            assert_int_equal(draw(world, &order), FAN_OK);
            if (world->note.missing_glyphs > 0 || world->note.shortened)
                fail_msg("%.*s in %.*s: %u letters missing, cut: %d", FAN_BYTES_ARG(festival->id),
                        FAN_BYTES_ARG(order.language), world->note.missing_glyphs,
                        world->note.shortened);
        }
    }
}

static void every_size_comes_out_as_it_says(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < fan_layouts_len; i++) {
        struct fan_picture_order order = plain;

        order.size = fan_bytes_of(fan_layouts[i].id);
        assert_int_equal(draw(world, &order), FAN_OK);
        assert_int_equal(world->note.width, fan_layouts[i].width);
        assert_int_equal(world->note.height, fan_layouts[i].height);
        assert_true(world->note.contrast >= 4.5);
        assert_memory_equal(world->out.at, "\xff\xd8\xff", 3);
    }
}

static void each_format_is_what_it_says(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;

    order.format = FAN_PICTURE_PNG;
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_memory_equal(world->out.at, "\x89PNG\r\n\x1a\n", 8);
    order.format = FAN_PICTURE_SVG;
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_memory_equal(world->out.at, "<?xml", 5);
    assert_non_null(memmem(world->out.at, world->out.len, "</svg>", 6));
    assert_int_equal(world->note.width, 1200);
}

static void the_same_order_gives_the_same_bytes_and_another_name_others(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;
    struct fan_buffer first;

    fan_buffer_init(&first, FAN_PICTURE_BYTES_MAX);
    order.name = FAN_LIT("Asha");
    assert_int_equal(draw(world, &order), FAN_OK);
    fan_buffer_add_bytes(&first, fan_buffer_bytes(&world->out));
    order.name = FAN_LIT("Ravi");
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_false(fan_bytes_eq(fan_buffer_bytes(&first), fan_buffer_bytes(&world->out)));
    order.name = FAN_LIT("Asha");
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_true(fan_bytes_eq(fan_buffer_bytes(&first), fan_buffer_bytes(&world->out)));
    fan_buffer_fini(&first);
}

static void a_long_text_shrinks_then_wraps_then_loses_its_end(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;
    char words[FAN_PICTURE_TEXT_MAX];

    order.greeting = FAN_LIT("A happy and prosperous new year to you and to your family");
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_false(world->note.shortened);
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = i % 9 == 8 ? ' ' : 'w';
    order.greeting = (struct fan_bytes){ words, sizeof words };
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_true(world->note.shortened);
    memset(words, 'w', sizeof words); /* one word */
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_true(world->note.shortened);
    order.greeting = FAN_NO_BYTES;
    order.campaign = (struct fan_bytes){ words, sizeof words };
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_true(world->note.shortened);
}

static void emoji_markup_and_mixed_directions_are_only_text(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;

    order.greeting = FAN_LIT(
            "<b>🎉</b> & 👩‍👩‍👧 🇮🇳 عيد שלום\nनमस्ते %s");
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_int_equal(world->note.missing_glyphs, 0);
}

static void a_character_that_no_font_has_is_counted(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;

    order.greeting = FAN_LIT("Hello \xf3\xb0\x80\x81"); /* for private use */
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_int_equal(world->note.missing_glyphs, 1);
}

static void a_logo_that_cannot_be_read_is_left_out(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;

    order.logo = FAN_LIT("\x89PNG\r\n\x1a\nnothing");
    for (int i = 0; i < 2; i++) { /* the second time from the kept layer */
        assert_int_equal(draw(world, &order), FAN_OK);
        assert_true(world->note.logo_left_out);
    }
    order.logo = FAN_NO_BYTES;
    assert_int_equal(draw(world, &order), FAN_OK);
    assert_false(world->note.logo_left_out);
}

static void what_cannot_be_drawn_is_refused_by_field(void **state)
{
    static char long_text[FAN_PICTURE_TEXT_MAX + 1];
    struct world *world = *state;
    struct fan_picture_order order = plain;

    memset(long_text, 'a', sizeof long_text);
    order.festival = FAN_LIT("none");
    assert_int_equal(draw(world, &order), FAN_NOT_FOUND);
    assert_string_equal(world->why.field, "festival");
    order = plain;
    order.theme = FAN_NO_BYTES;
    assert_int_equal(draw(world, &order), FAN_NOT_FOUND);
    assert_string_equal(world->why.field, "theme");
    order = plain;
    order.size = FAN_LIT("huge");
    assert_int_equal(draw(world, &order), FAN_NOT_FOUND);
    assert_string_equal(world->why.field, "size");
    order = plain;
    order.name = FAN_LIT("\xff");
    assert_int_equal(draw(world, &order), FAN_INVALID);
    assert_string_equal(world->why.field, "name");
    order = plain;
    order.greeting = (struct fan_bytes){ long_text, sizeof long_text };
    assert_int_equal(draw(world, &order), FAN_TOO_LARGE);
    assert_string_equal(world->why.field, "greeting");
}

static void layers_beyond_the_bound_make_room(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;
    char campaign[16];

    order.size = FAN_LIT("story");
    for (int i = 0; i < 16; i++) { /* of 8 MB each */
        snprintf(campaign, sizeof campaign, "No. %d", i);
        order.campaign = fan_bytes_of(campaign);
        assert_int_equal(draw(world, &order), FAN_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_festival_can_be_read_in_every_theme),
        cmocka_unit_test(every_greeting_has_its_letters_and_fits),
        cmocka_unit_test(every_size_comes_out_as_it_says),
        cmocka_unit_test(each_format_is_what_it_says),
        cmocka_unit_test(the_same_order_gives_the_same_bytes_and_another_name_others),
        cmocka_unit_test(a_long_text_shrinks_then_wraps_then_loses_its_end),
        cmocka_unit_test(emoji_markup_and_mixed_directions_are_only_text),
        cmocka_unit_test(a_character_that_no_font_has_is_counted),
        cmocka_unit_test(a_logo_that_cannot_be_read_is_left_out),
        cmocka_unit_test(what_cannot_be_drawn_is_refused_by_field),
        cmocka_unit_test(layers_beyond_the_bound_make_room),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

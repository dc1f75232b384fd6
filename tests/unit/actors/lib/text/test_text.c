/* actors/lib/text/text.c: fields in a text. */
#include "actors/lib/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct fan_bytes attributes[] = { FAN_LIT("location"), FAN_LIT("preferred_product") };

struct world {
    struct fan_arena *arena;
    struct fan_text_fields fields;
    struct fan_buffer out;
};

static int set_up(void **state)
{
    static struct world world;

    world.arena = fan_arena_new();
    world.fields = fan_text_fields_of((struct fan_texts){ .at = attributes, .len = 2 },
            FAN_LIT("{\"first_name\":\"Customer\"}"), world.arena);
    fan_buffer_init(&world.out, 4096);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    fan_buffer_fini(&world->out);
    fan_arena_free(&world->arena);
    return 0;
}

static const struct fan_text_program *compiled(struct world *world, const char *source)
{
    const struct fan_text_program *program;
    struct fan_why why;

    assert_int_equal(fan_text_compile(fan_bytes_of(source), FAN_SYNTAX_FIELD, &world->fields,
                             world->arena, &program, &why),
            FAN_OK);
    return program;
}

static void expect(struct world *world, const char *source, enum fan_text_escape escape,
        const char *wanted)
{
    struct fan_bytes values[FAN_SLOT_ATTRIBUTES + 2] = {
        [FAN_SLOT_LAST_NAME] = FAN_LIT("O'Hara & <Co>"),
        [FAN_SLOT_COMPANY] = FAN_LIT("two\r\nlines"),
        [FAN_SLOT_ATTRIBUTES] = FAN_LIT("Pune"),
    };

    fan_buffer_clear(&world->out);
    fan_text_run(compiled(world, source), values, escape, &world->out);
    if (!fan_bytes_eq_text(fan_buffer_bytes(&world->out), wanted))
        fail_msg("%s gave %.*s, not %s", source, FAN_BYTES_ARG(fan_buffer_bytes(&world->out)),
                wanted);
}

static void fields_are_replaced_and_the_rest_stays(void **state)
{
    static const struct {
        const char *source, *wanted;
    } cases[] = {
        { "", "" },
        { "plain", "plain" },
        { "{location}", "Pune" },
        { "In {location}: {location}!", "In Pune: Pune!" },
        { "{ Elsewhere } {1a} {} { {", "{ Elsewhere } {1a} {} { {" },
        { "b{color:red}", "b{color:red}" },
        { "{{location}}", "{Pune}" },
        { "{location", "{location" },
        { "{\"a\": 1}", "{\"a\": 1}" },
        { "नमस्ते {location}", "नमस्ते Pune" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(*state, cases[i].source, FAN_ESCAPE_NONE, cases[i].wanted);
}

static void a_missing_value_becomes_the_fallback_word_or_nothing(void **state)
{
    expect(*state, "Dear {first_name},", FAN_ESCAPE_NONE, "Dear Customer,");
    expect(*state, "Try {preferred_product}!", FAN_ESCAPE_NONE, "Try !");
}

static void values_are_escaped_and_the_authors_text_is_not(void **state)
{
    expect(*state, "<b>{last_name}</b>", FAN_ESCAPE_HTML, "<b>O&#39;Hara &amp; &lt;Co&gt;</b>");
    expect(*state, "{company}", FAN_ESCAPE_LINE, "two  lines");
}

static void a_fields_name_in_capitals_or_with_spaces_is_no_text(void **state)
{
    static const char *const meant[] = { "In { location}", "{Location}!",
        "{location} { LOCATION }" };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++) {
        const struct fan_text_program *program;
        struct fan_why why = { 0 };

        assert_int_equal(fan_text_compile(fan_bytes_of(meant[i]), FAN_SYNTAX_FIELD, &world->fields,
                                 world->arena, &program, &why),
                FAN_INVALID);
        assert_non_null(strstr(why.text, "{location}"));
    }
}

static void an_unknown_field_is_refused_with_the_valid_ones(void **state)
{
    struct world *world = *state;
    const struct fan_text_program *program;
    struct fan_why why;

    assert_int_equal(fan_text_compile(FAN_LIT("Hi {frist_name}"), FAN_SYNTAX_FIELD, &world->fields,
                             world->arena, &program, &why),
            FAN_INVALID);
    assert_non_null(strstr(why.text, "{frist_name}"));
    assert_non_null(strstr(why.text, "first_name, last_name"));
    assert_non_null(strstr(why.text, "preferred_product"));
}

static void a_program_says_which_fields_it_uses(void **state)
{
    struct world *world = *state;
    bool used[FAN_SLOT_ATTRIBUTES + 2] = { false };

    fan_text_uses(compiled(world, "{email} {location}"), used);
    assert_true(used[FAN_SLOT_EMAIL]);
    assert_true(used[FAN_SLOT_ATTRIBUTES]);
    assert_false(used[FAN_SLOT_PHONE]);
}

static void running_out_of_room_is_remembered(void **state)
{
    struct world *world = *state;
    struct fan_bytes values[FAN_SLOT_ATTRIBUTES + 2] = { [FAN_SLOT_ATTRIBUTES] = FAN_LIT("Pune") };
    struct fan_buffer small;

    fan_buffer_init(&small, 6);
    fan_text_run(compiled(world, "{location}, {location}"), values, FAN_ESCAPE_NONE, &small);
    assert_true(small.overflowed);
    fan_buffer_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields_are_replaced_and_the_rest_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fields_name_in_capitals_or_with_spaces_is_no_text, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_missing_value_becomes_the_fallback_word_or_nothing,
                set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_escaped_and_the_authors_text_is_not, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_field_is_refused_with_the_valid_ones, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_program_says_which_fields_it_uses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_room_is_remembered, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

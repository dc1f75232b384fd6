/*
 * Pictures and logos made in caged children (F13): a child that is killed, stopped or given a
 * hostile file costs one order and nothing else. Starts the real fanfare-painter.
 */
#include "actors/lib/picture/logo.h"
#include "actors/lib/studio/studio.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    char program[512], pictures[512];
    struct fan_studio *studio;
    struct fan_buffer out;
    struct fan_picture_note note;
    struct fan_why why;
};

static const struct fan_picture_order plain = { .festival = FAN_LIT("diwali"),
    .theme = FAN_LIT("night"),
    .size = FAN_LIT("banner"),
    .language = FAN_LIT("en"),
    .name = FAN_LIT("Asha"),
    .format = FAN_PICTURE_JPEG };

static void open_studio(struct world *world, int deadline_ms)
{
    struct fan_studio_settings settings = { world->program, world->pictures, deadline_ms };

    fan_studio_close(&world->studio);
    if (fan_studio_open(&settings, &world->studio, &world->why))
        fail_msg("%s", world->why.text);
}

static int set_up(void **state)
{
    static struct world world;
    const char *build = getenv("FAN_BUILD");

    world = (struct world){ .studio = NULL };
    snprintf(world.program, sizeof world.program, "%s/bin/fanfare-painter",
            build ? build : "build/test");
    snprintf(world.pictures, sizeof world.pictures, "%s/share/fanfare/pictures",
            build ? build : "build/test");
    fan_buffer_init(&world.out, FAN_PICTURE_BYTES_MAX);
    open_studio(&world, 0);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    fan_studio_close(&world->studio);
    fan_buffer_fini(&world->out);
    return 0;
}

static enum fan_err draw(struct world *world)
{
    fan_buffer_clear(&world->out);
    world->why = (struct fan_why){ 0 };
    return fan_studio_draw(world->studio, &plain, &world->out, &world->note, &world->why);
}

static void a_picture_comes_out_of_the_cage(void **state)
{
    struct world *world = *state;

    assert_int_equal(draw(world), FAN_OK);
    assert_memory_equal(world->out.at, "\xff\xd8\xff", 3);
    assert_int_equal(world->note.width, 1200);
    assert_int_equal(world->note.missing_glyphs, 0);
    assert_true(world->note.contrast >= 4.5);
}

static void a_refusal_comes_out_with_its_field(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;
    pid_t child = fan_studio_child(world->studio);

    order.festival = FAN_LIT("none");
    assert_int_equal(fan_studio_draw(world->studio, &order, &world->out, &world->note, &world->why),
            FAN_NOT_FOUND);
    assert_string_equal(world->why.field, "festival");
    assert_int_equal(fan_studio_child(world->studio), child);
}

static void a_child_that_was_killed_between_pictures_is_replaced_unnoticed(void **state)
{
    struct world *world = *state;
    pid_t child = fan_studio_child(world->studio);

    kill(child, SIGKILL);
    waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
    assert_int_equal(draw(world), FAN_OK);
    assert_int_not_equal(fan_studio_child(world->studio), child);
}

static void a_child_that_does_not_answer_is_killed_and_the_next_picture_is_drawn(void **state)
{
    struct world *world = *state;
    pid_t child;

    open_studio(world, 1500);
    child = fan_studio_child(world->studio);
    kill(child, SIGSTOP);
    assert_int_equal(draw(world), FAN_UNAVAILABLE);
    assert_non_null(strstr(world->why.text, "in time"));
    assert_int_equal(kill(child, 0), -1);
    open_studio(world, 0);
    assert_int_equal(draw(world), FAN_OK);
}

/* ---- without waiting ---- */

static enum fan_err hear(struct world *world)
{
    struct pollfd wait = { .events = POLLIN };
    enum fan_err err = FAN_OK;
    bool done = false;

    fan_buffer_clear(&world->out);
    while (!err && !done) {
        wait.fd = fan_studio_fd(world->studio);
        if (poll(&wait, 1, (int)fan_studio_patience(world->studio)) == 0)
            return fan_studio_give_up(world->studio, &world->why);
        err = fan_studio_hear(world->studio, &world->out, &world->note, &done, &world->why);
    }
    return err;
}

static void a_picture_is_asked_for_and_heard_without_waiting(void **state)
{
    struct world *world = *state;
    struct fan_studio_settings settings = { world->program, world->pictures, 0 };
    struct fan_picture_order order = plain;

    fan_studio_close(&world->studio);
    world->studio = fan_studio_new(&settings);
    assert_int_equal(fan_studio_fd(world->studio), -1);
    assert_int_equal(fan_studio_ask(world->studio, &plain, &world->why), FAN_OK);
    assert_int_equal(hear(world), FAN_OK); /* the child was started for it */
    assert_memory_equal(world->out.at, "\xff\xd8\xff", 3);
    assert_int_equal(fan_studio_patience(world->studio), 0);
    order.theme = FAN_LIT("none");
    assert_int_equal(fan_studio_ask(world->studio, &order, &world->why), FAN_OK);
    assert_int_equal(hear(world), FAN_NOT_FOUND);
    assert_string_equal(world->why.field, "theme");
}

static void a_child_that_ends_before_it_answers_fails_that_picture_alone(void **state)
{
    struct world *world = *state;
    pid_t child = fan_studio_child(world->studio);

    kill(child, SIGSTOP);
    assert_int_equal(fan_studio_ask(world->studio, &plain, &world->why), FAN_OK);
    kill(child, SIGKILL);
    assert_int_equal(hear(world), FAN_UNAVAILABLE);
    assert_non_null(strstr(world->why.text, "signal 9"));
    assert_int_equal(fan_studio_child(world->studio), 0);
    assert_int_equal(fan_studio_ask(world->studio, &plain, &world->why), FAN_OK);
    assert_int_equal(hear(world), FAN_OK);
    kill(fan_studio_child(world->studio), SIGSTOP);
    assert_int_equal(fan_studio_ask(world->studio, &plain, &world->why), FAN_OK);
    assert_int_equal(fan_studio_give_up(world->studio, &world->why), FAN_UNAVAILABLE);
    assert_non_null(strstr(world->why.text, "in time"));
    assert_int_equal(draw(world), FAN_OK);
}

static void a_wrong_catalogue_is_heard_by_whoever_waits_for_a_picture(void **state)
{
    struct world *world = *state;
    struct fan_studio_settings settings = { world->program, "/nonexistent", 0 };

    fan_studio_close(&world->studio);
    world->studio = fan_studio_new(&settings);
    assert_int_equal(fan_studio_ask(world->studio, &plain, &world->why), FAN_OK);
    assert_int_equal(hear(world), FAN_NOT_FOUND);
    assert_non_null(strstr(world->why.text, "/nonexistent/festivals.json"));
    open_studio(world, 0);
}

static void a_wrong_catalogue_is_an_error_at_the_start(void **state)
{
    struct world *world = *state;
    struct fan_studio_settings settings = { world->program, "/nonexistent", 0 };
    struct fan_studio *studio;

    assert_int_equal(fan_studio_open(&settings, &studio, &world->why), FAN_NOT_FOUND);
    assert_non_null(strstr(world->why.text, "/nonexistent/festivals.json"));
}

/* ---- logos ---- */

static enum fan_err clean(struct world *world, struct fan_bytes file)
{
    fan_buffer_clear(&world->out);
    world->why = (struct fan_why){ 0 };
    return fan_studio_logo(world->program, file, &world->out, &world->why);
}

static void a_logo_is_cleaned_and_drawn(void **state)
{
    struct world *world = *state;
    struct fan_picture_order order = plain;
    struct fan_buffer logo;

    assert_int_equal(clean(world,
                             FAN_LIT("<svg viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9z\"/></svg>")),
            FAN_OK);
    fan_buffer_init(&logo, FAN_LOGO_PNG_MAX);
    fan_buffer_add_bytes(&logo, fan_buffer_bytes(&world->out));
    order.logo = fan_buffer_bytes(&logo);
    fan_buffer_clear(&world->out);
    assert_int_equal(fan_studio_draw(world->studio, &order, &world->out, &world->note, &world->why),
            FAN_OK);
    assert_false(world->note.logo_left_out);
    fan_buffer_fini(&logo);
}

static void a_hostile_logo_costs_an_error_and_nothing_else(void **state)
{
    static const struct fan_bytes files[] = { FAN_LIT(""), FAN_LIT("MZ"),
        FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\6\0\0\0"),
        FAN_LIT("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x10\0\0\0\x10\0\x10\6\0\0\0\0\0\0\0"),
        FAN_LIT("\xff\xd8\xff\xc0\0\x11\x08\x10\0\x10\0\3\1\x11\0\2\x11\1\3\x11\1"),
        FAN_LIT("<svg><image href=\"file:///etc/passwd\"/></svg>"),
        FAN_LIT("<!DOCTYPE s [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><svg>&a;</svg>") };
    struct world *world = *state;
    pid_t child = fan_studio_child(world->studio);

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        enum fan_err err = clean(world, files[i]);

        if (err != FAN_INVALID && err != FAN_TOO_LARGE)
            fail_msg("no. %zu: %d, %s", i, err, world->why.text);
        assert_string_equal(world->why.field, "logo");
        assert_int_equal(world->out.len, 0);
    }
    assert_int_equal(draw(world), FAN_OK);
    assert_int_equal(fan_studio_child(world->studio), child);
}

static void the_whole_catalogue_fits_on_a_sheet(void **state)
{
    struct world *world = *state;
    const struct fan_sheet sheet = { .size = FAN_LIT("banner"),
        .columns = 9,
        .cell = 60,
        .format = FAN_PICTURE_PNG };

    fan_buffer_clear(&world->out);
    if (fan_studio_sheet(world->studio, &sheet, &world->out, &world->why))
        fail_msg("%s", world->why.text);
    assert_memory_equal(world->out.at, "\x89PNG", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_comes_out_of_the_cage),
        cmocka_unit_test(a_refusal_comes_out_with_its_field),
        cmocka_unit_test(a_child_that_was_killed_between_pictures_is_replaced_unnoticed),
        cmocka_unit_test(a_child_that_does_not_answer_is_killed_and_the_next_picture_is_drawn),
        cmocka_unit_test(a_picture_is_asked_for_and_heard_without_waiting),
        cmocka_unit_test(a_child_that_ends_before_it_answers_fails_that_picture_alone),
        cmocka_unit_test(a_wrong_catalogue_is_heard_by_whoever_waits_for_a_picture),
        cmocka_unit_test(a_wrong_catalogue_is_an_error_at_the_start),
        cmocka_unit_test(a_logo_is_cleaned_and_drawn),
        cmocka_unit_test(a_hostile_logo_costs_an_error_and_nothing_else),
        cmocka_unit_test(the_whole_catalogue_fits_on_a_sheet),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* gateway/body.c and problem.c: a client's JSON object, and how it hears what is wrong with it. */
#include "gateway/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct world {
    struct call call;
    struct fan_why why;
    struct body body;
};

static int set_up(void **state)
{
    static struct world world;

    world = (struct world){ .call = { .why = &world.why } };
    world.call.arena = world.call.lasting = fan_arena_new();
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    fan_arena_free(&world->call.arena);
    return 0;
}

static struct body *begin(struct world *world, const char *json)
{
    const struct fan_json *object;

    assert_int_equal(fan_json_parse(fan_bytes_of(json), world->call.arena, &object, &world->why),
            FAN_OK);
    body_begin(&world->body, &world->call, object, "");
    return &world->body;
}

static void expect_fault(struct world *world, size_t i, const char *field)
{
    assert_true(i < world->call.problem.faults_len);
    assert_string_equal(world->call.problem.faults[i].field, field);
}

static void good_fields_are_read(void **state)
{
    struct world *world = *state;
    struct body *body = begin(world,
            "{\"t\":\"x\",\"n\":7,\"r\":0.5,\"b\":false,\"at\":\"1970-01-01T00:00:01Z\","
            "\"w\":\"two\",\"l\":[\" a \"],\"i\":[3],\"none\":null}");
    static const char *const words[] = { "one", "two", NULL };
    struct fan_texts texts;
    struct fan_ids ids;

    assert_true(fan_bytes_eq_text(body_needs_text(body, "t", 1), "x"));
    assert_int_equal(body_i64(body, "n", 7, 7, 0), 7);
    assert_true(body_real(body, "r", 0, 1, 0) > 0.4);
    assert_false(body_bool(body, "b", true));
    assert_int_equal(body_time(body, "at", 0), FAN_SECOND);
    assert_int_equal(body_word(body, "w", words), 1);
    assert_true(body_texts(body, "l", 1, &texts));
    assert_true(fan_bytes_eq_text(texts.at[0], "a"));
    assert_true(body_ids(body, "i", 1, &ids));
    assert_null(body_text(body, "none", 9).at);
    body_end(body);
    assert_int_equal(call_check(&world->call), FAN_OK);
}

static void missing_fields_give_their_defaults(void **state)
{
    struct world *world = *state;
    struct body *body = begin(world, "{\"at\":null}");
    struct fan_texts texts;

    assert_null(body_text(body, "t", 9).at);
    assert_int_equal(body_i64(body, "n", 0, 9, 5), 5);
    assert_true(body_bool(body, "b", true));
    assert_int_equal(body_time(body, "other", 5), 5);
    assert_int_equal(body_time(body, "at", 5), 0); /* null takes it away */
    assert_false(body_texts(body, "l", 1, &texts));
    body_end(body);
    assert_int_equal(call_check(&world->call), FAN_OK);
}

static void every_fault_is_noted_and_the_reading_goes_on(void **state)
{
    struct world *world = *state;
    struct body *body = begin(world,
            "{\"t\":\"\",\"n\":10,\"r\":\"1\",\"b\":1,\"at\":\"now\",\"w\":\"x\",\"l\":[1],"
            "\"i\":[0],\"typo\":1}");
    static const char *const words[] = { "one", NULL };
    static const char *const wanted[] = { "need", "t", "n", "r", "b", "at", "w", "l[0]", "i[0]",
        "typo" };
    struct fan_texts texts;
    struct fan_ids ids;

    body_needs_text(body, "need", 9);
    body_text(body, "t", 9);
    body_i64(body, "n", 0, 9, 0);
    body_real(body, "r", 0, 9, 0);
    body_bool(body, "b", true);
    body_time(body, "at", 0);
    body_word(body, "w", words);
    body_texts(body, "l", 9, &texts);
    body_ids(body, "i", 9, &ids);
    body_end(body);
    assert_int_equal(world->call.problem.faults_len, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        expect_fault(world, i, wanted[i]);
    assert_int_equal(call_check(&world->call), FAN_DENIED);
    assert_int_equal(world->call.problem.status, 400);
}

static void faults_beyond_the_bound_are_not_told(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 2 * PROBLEM_FAULTS; i++)
        call_fault(&world->call, "x", "", "%d", i);
    assert_int_equal(world->call.problem.faults_len, PROBLEM_FAULTS);
}

static void a_problem_is_a_document(void **state)
{
    struct world *world = *state;
    struct fan_buffer out;

    fan_buffer_init(&out, 4096);
    call_fault(&world->call, "name", "a text", "not \"right\"");
    call_refuse(&world->call, 409, "cannot be");
    world->call.problem.run = 7;
    problem_write(&world->call.problem, "r-1", &out);
    assert_true(fan_bytes_eq_text(fan_buffer_bytes(&out),
            "{\"type\":\"urn:fanfare:problem:conflict\",\"title\":\"Conflict\",\"status\":409,"
            "\"detail\":\"cannot be\",\"errors\":[{\"field\":\"name\","
            "\"reason\":\"not \\\"right\\\"\",\"expected\":\"a text\"}],\"run_id\":7,"
            "\"request_id\":\"r-1\"}"));
    fan_buffer_fini(&out);
}

static void what_nobody_foresaw_tells_nothing(void **state)
{
    struct world *world = *state;
    struct problem problem = { .status = 0 };
    struct fan_why why;

    fan_fail_field(&why, FAN_INVALID, "some_check", "secret of the database");
    problem_of(&problem, FAN_INVALID, &why, world->call.arena);
    assert_int_equal(problem.status, 500);
    assert_null(strstr(problem.detail, "secret"));
    fan_fail_field(&why, FAN_INVALID, "channel_account_id_name_key", "secret");
    problem_of(&problem, FAN_INVALID, &why, world->call.arena);
    assert_int_equal(problem.status, 409);
    assert_string_equal(problem.faults[0].field, "name");
    problem_of(&problem, FAN_UNAVAILABLE, &why, world->call.arena);
    assert_int_equal(problem.status, 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_fields_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_fields_give_their_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_fault_is_noted_and_the_reading_goes_on, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(faults_beyond_the_bound_are_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_problem_is_a_document, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_foresaw_tells_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "broker/runtime/log.h"

#include "broker/runtime/actor.h"
#include "proto/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

struct capture {
    int pipe[2];
    int stderr_was;
};

static void begin(struct capture *capture)
{
    assert_int_equal(pipe(capture->pipe), 0);
    capture->stderr_was = dup(STDERR_FILENO);
    dup2(capture->pipe[1], STDERR_FILENO);
    close(capture->pipe[1]);
}

/* What was written since begin. */
static const char *end(struct capture *capture)
{
    static char text[16384];
    ssize_t n;

    dup2(capture->stderr_was, STDERR_FILENO); /* which closes the pipe's end */
    close(capture->stderr_was);
    n = read(capture->pipe[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    close(capture->pipe[0]);
    return text;
}

static const struct fan_json *parsed(const char *line, struct fan_arena *arena)
{
    const struct fan_json *json;
    struct fan_why why;

    assert_int_equal(fan_json_parse(fan_bytes_trim(fan_bytes_of(line)), arena, &json, &why),
            FAN_OK);
    return json;
}

static void assert_member(const struct fan_json *line, const char *name, const char *value)
{
    struct fan_bytes text = fan_json_get_text(line, name);

    if (!fan_bytes_eq_text(text, value))
        fail_msg("%s is \"%.*s\", not \"%s\"", name, FAN_BYTES_ARG(text), value);
}

static void a_line_is_one_json_object(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    const struct fan_json *line;
    struct capture capture;
    fan_time at;

    fan_log_open("renderer", FAN_INFO);
    begin(&capture);
    fan_log(NULL, FAN_WARN, "render.refused", "a \"quote\",\na line and %d", 42);
    line = parsed(end(&capture), arena);
    assert_member(line, "level", "warn");
    assert_member(line, "process", "renderer");
    assert_member(line, "event", "render.refused");
    assert_member(line, "text", "a \"quote\",\na line and 42");
    assert_true(fan_time_parse(fan_json_get_text(line, "at"), &at));
    assert_null(fan_json_get(line, "trace"));
    assert_null(fan_json_get(line, "account"));
    fan_arena_free(&arena);
}

static void a_turn_lends_its_trace_and_account(void **state)
{
    struct fan_turn turn = {
        .route = { .account = 7 },
        .trace = { .trace_id = FAN_LIT(
                           "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef") },
    };
    struct fan_arena *arena = fan_arena_new();
    const struct fan_json *line;
    struct capture capture;

    begin(&capture);
    fan_log(&turn, FAN_ERROR, "turn.failed", "no");
    line = parsed(end(&capture), arena);
    assert_member(line, "trace", "0123456789abcdef0123456789abcdef");
    assert_int_equal(fan_json_i64(fan_json_get(line, "account"), 0), 7);
    fan_arena_free(&arena);
}

static void a_less_important_line_is_not_written(void **state)
{
    struct capture capture;

    fan_log_open("renderer", FAN_WARN);
    begin(&capture);
    fan_log(NULL, FAN_INFO, "run.completed", "nobody asked");
    fan_log(NULL, FAN_DEBUG, "run.completed", "nobody asked");
    assert_string_equal(end(&capture), "");
}

static void a_text_that_is_too_long_or_no_utf8_still_makes_a_good_line(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    char text[8000];
    struct capture capture;

    memset(text, 0xc3, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    fan_log_open("renderer", FAN_INFO);
    begin(&capture);
    fan_log(NULL, FAN_INFO, "frame.dropped", "%s", text);
    assert_member(parsed(end(&capture), arena), "event", "frame.dropped");
    fan_arena_free(&arena);
}

static void levels_have_names(void **state)
{
    assert_int_equal(fan_log_level_of("error"), FAN_ERROR);
    assert_int_equal(fan_log_level_of("warn"), FAN_WARN);
    assert_int_equal(fan_log_level_of("debug"), FAN_DEBUG);
    assert_int_equal(fan_log_level_of("loud"), FAN_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_json_object),
        cmocka_unit_test(a_turn_lends_its_trace_and_account),
        cmocka_unit_test(a_less_important_line_is_not_written),
        cmocka_unit_test(a_text_that_is_too_long_or_no_utf8_still_makes_a_good_line),
        cmocka_unit_test(levels_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

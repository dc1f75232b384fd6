#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/cli/progress.h"

#include <stdlib.h>

static void check(struct fan_buffer *out, const char *expected)
{
    fan_buffer_add(out, "", 1);
    assert_string_equal(out->at, expected);
    fan_buffer_clear(out);
}

static void a_bar_shows_eighths(void **state)
{
    static const struct {
        int64_t done, total;
        const char *bar;
    } cases[] = {
        { 0, 0, "    " },
        { 0, 32, "    " },
        { 1, 32, "▏   " },
        { 8, 32, "█   " },
        { 13, 32, "█▋  " },
        { 31, 32, "███▉" },
        { 32, 32, "████" },
        { 40, 32, "████" },
    };
    struct fan_buffer out;

    fan_buffer_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fan_bar_add(&out, cases[i].done, cases[i].total, 4);
        check(&out, cases[i].bar);
    }
    fan_buffer_fini(&out);
}

static void thousands_are_set_apart(void **state)
{
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 1002003, "1,002,003" } };
    struct fan_buffer out;

    fan_buffer_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fan_number_add(&out, cases[i].number);
        check(&out, cases[i].text);
    }
    fan_buffer_fini(&out);
}

static void a_pace_is_that_of_the_last_looks(void **state)
{
    struct fan_pace pace = { 0 };

    assert_true(fan_pace_rate(&pace) == 0);
    fan_pace_look(&pace, FAN_SECOND, 10);
    assert_true(fan_pace_rate(&pace) == 0);
    fan_pace_look(&pace, 2 * FAN_SECOND, 110);
    assert_true(fan_pace_rate(&pace) == 100);
    for (int i = 3; i < 3 + FAN_PACE_LOOKS; i++)
        fan_pace_look(&pace, i * FAN_SECOND, 110 + (i - 2) * 7);
    assert_true(fan_pace_rate(&pace) == 7);
}

static void a_line_says_what_there_is_to_say(void **state)
{
    const struct fan_counts counts = { .total = 12000,
        .sent = 6000,
        .skipped = 1000,
        .delivered = 500,
        .pending = 5000 };
    struct fan_pace pace = { 0 };
    const struct fan_progress_line line = { .name = "SMS",
        .status = "running",
        .counts = &counts,
        .pace = &pace };
    struct fan_buffer out;

    fan_buffer_init(&out, 4096);
    fan_pace_look(&pace, 0, 6000);
    fan_pace_look(&pace, FAN_SECOND, 7000);
    fan_progress_add(&out, &line);
    check(&out,
            "SMS                running   ▕██████████████          ▏ 7,000/12,000  "
            "sent 6,000  delivered 500  skipped 1,000  1,000/s  6 s left");
    fan_buffer_fini(&out);
}

static void counters_are_read_and_summed(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    const struct fan_json *stats;
    struct fan_why why;
    struct fan_counts counts, sum = { .sent = 1 };

    assert_int_equal(fan_json_parse(FAN_LIT("{\"total\":10,\"sent\":4,\"failed\":1,\"skipped\":2,"
                                            "\"expired\":1,\"pending\":2,\"new\":99}"),
                             arena, &stats, &why),
            FAN_OK);
    counts = fan_counts_read(stats);
    assert_int_equal(fan_counts_settled(&counts), 8);
    fan_counts_add(&sum, &counts);
    assert_int_equal(sum.sent, 5);
    assert_int_equal(sum.total, 10);
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_shows_eighths),
        cmocka_unit_test(thousands_are_set_apart),
        cmocka_unit_test(a_pace_is_that_of_the_last_looks),
        cmocka_unit_test(a_line_says_what_there_is_to_say),
        cmocka_unit_test(counters_are_read_and_summed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

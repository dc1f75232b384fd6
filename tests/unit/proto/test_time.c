#include "proto/time.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define SIZE(rows) (sizeof rows / sizeof *rows)

/* Instants whose text reads back as itself. The numbers are those of date(1). */
static const struct {
    const char *text;
    fan_time at;
} instants[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "1970-01-01T00:00:00.000001Z", 1 },
    { "1969-12-31T23:59:59.999999Z", -1 },
    { "2026-11-20T06:42:14.123456Z", INT64_C(1795156934123456) },
    { "2000-02-29T12:00:00Z", INT64_C(951825600000000) },
    { "2000-03-01T00:00:00Z", INT64_C(951868800000000) },
    { "2100-03-01T00:00:00Z", INT64_C(4107542400000000) },
    { "1900-02-28T23:59:59Z", INT64_C(-2203891201000000) },
    { "0000-01-01T00:00:00Z", INT64_C(-62167219200000000) },
    { "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999) },
};

static void an_instant_has_one_text(void **state)
{
    char text[FAN_TIME_TEXT];

    for (size_t i = 0; i < SIZE(instants); i++)
        assert_string_equal(fan_time_text(instants[i].at, text), instants[i].text);
}

static void its_text_reads_back_as_the_instant(void **state)
{
    for (size_t i = 0; i < SIZE(instants); i++) {
        fan_time at = 5;
        assert_true(fan_time_parse(fan_bytes_of(instants[i].text), &at));
        assert_int_equal(at, instants[i].at);
    }
}

static void every_day_of_eight_centuries_comes_back(void **state)
{
    char text[FAN_TIME_TEXT];

    for (int64_t day = -146097; day < 146097; day++) {
        fan_time at = day * 86400 * FAN_SECOND, back = 5;
        assert_true(fan_time_parse(fan_bytes_of(fan_time_text(at, text)), &back));
        assert_int_equal(at, back);
    }
}

static void the_ends_of_the_scale_fit_their_room(void **state)
{
    char text[FAN_TIME_TEXT];

    assert_string_equal(fan_time_text(INT64_MAX, text), "294247-01-10T04:00:54.775807Z");
    assert_string_equal(fan_time_text(INT64_MIN, text), "-290308-12-21T19:59:05.224192Z");
}

static void one_instant_may_be_written_in_many_ways(void **state)
{
    static const char *const rows[] = {
        "2026-11-20T06:42:14.5Z",
        "2026-11-20t06:42:14.50z",
        "2026-11-20T12:12:14.5+05:30",
        "2026-11-19T23:42:14.500-07:00",
        "2026-11-20T06:42:14.5-00:00",
        "2026-11-20T06:42:14.5000009Z",
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        fan_time at;
        assert_true(fan_time_parse(fan_bytes_of(rows[i]), &at));
        assert_int_equal(at, INT64_C(1795156934500000));
    }
}

static void a_leap_second_falls_on_the_next_second(void **state)
{
    fan_time leap, next;

    assert_true(fan_time_parse(FAN_LIT("2016-12-31T23:59:60Z"), &leap));
    assert_true(fan_time_parse(FAN_LIT("2017-01-01T00:00:00Z"), &next));
    assert_int_equal(leap, next);
}

static void anything_else_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "2026",
        "2026-11-20",
        "2026-11-20T06:42:14",
        "2026-11-20 06:42:14Z",
        "2026-11-20T06:42Z",
        "2026-11-20T06:42:14.Z",
        "2026-11-20T06:42:14,5Z",
        "2026-11-20T06:42:14Z ",
        " 2026-11-20T06:42:14Z",
        "2026-11-20T06:42:14ZZ",
        "2026-11-20T06:42:14+0530",
        "2026-11-20T06:42:14+05",
        "2026-11-20T06:42:14+24:00",
        "2026-11-20T06:42:14+05:60",
        "2026-11-20T24:00:00Z",
        "2026-11-20T06:60:14Z",
        "2026-11-20T06:42:61Z",
        "2026-00-20T06:42:14Z",
        "2026-13-20T06:42:14Z",
        "2026-11-00T06:42:14Z",
        "2026-11-31T06:42:14Z",
        "2026-02-29T06:42:14Z",
        "2100-02-29T06:42:14Z",
        "26-11-20T06:42:14Z",
        "+2026-11-20T06:42:14Z",
        "2026-1-20T06:42:14Z",
        "2026-11-20T06:42:-4Z",
        "-026-11-20T06:42:14Z",
    };
    fan_time at;

    for (size_t i = 0; i < SIZE(rows); i++)
        assert_false(fan_time_parse(fan_bytes_of(rows[i]), &at));
    assert_false(fan_time_parse(FAN_LIT("2026-11-20T06:42:14Z\0"), &at));
    assert_false(fan_time_parse(FAN_NO_BYTES, &at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instant_has_one_text),
        cmocka_unit_test(its_text_reads_back_as_the_instant),
        cmocka_unit_test(every_day_of_eight_centuries_comes_back),
        cmocka_unit_test(the_ends_of_the_scale_fit_their_room),
        cmocka_unit_test(one_instant_may_be_written_in_many_ways),
        cmocka_unit_test(a_leap_second_falls_on_the_next_second),
        cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

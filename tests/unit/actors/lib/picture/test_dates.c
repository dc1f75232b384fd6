/* actors/lib/picture/dates.c and calendar.c, against published calendars. */
#include "actors/lib/picture/dates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct sample {
    const char *rule;
    struct fan_date from, day;
} samples[] = {
    { "fixed 12-25", { 2026, 12, 25 }, { 2026, 12, 25 } },
    { "fixed 12-25", { 2026, 12, 26 }, { 2027, 12, 25 } },
    { "weekday 4 thu 11", { 2026, 1, 1 }, { 2026, 11, 26 } },
    { "weekday -1 mon 5", { 2026, 1, 1 }, { 2026, 5, 25 } },
    { "weekday 2 sun 5", { 2027, 1, 1 }, { 2027, 5, 9 } },
    { "after 06-19 fri", { 2026, 1, 1 }, { 2026, 6, 19 } },
    { "after 06-19 fri", { 2027, 1, 1 }, { 2027, 6, 25 } },
    { "after 09-16 sat", { 2026, 1, 1 }, { 2026, 9, 19 } },
    { "easter +0", { 2025, 1, 1 }, { 2025, 4, 20 } },
    { "easter +0", { 2038, 1, 1 }, { 2038, 4, 25 } },
    { "easter -47", { 2026, 1, 1 }, { 2026, 2, 17 } },
    { "orthodox +0", { 2026, 1, 1 }, { 2026, 4, 12 } },
    { "orthodox +0", { 2027, 1, 1 }, { 2027, 5, 2 } },
    /* the days that follow the evening on which they begin */
    { "hebrew 07-01", { 2025, 1, 1 }, { 2025, 9, 23 } },
    { "hebrew 07-01", { 2026, 1, 1 }, { 2026, 9, 12 } },
    { "hebrew 07-01", { 2027, 1, 1 }, { 2027, 10, 2 } },
    { "hebrew 09-25", { 2024, 1, 1 }, { 2024, 12, 26 } },
    { "hebrew 09-25", { 2026, 1, 1 }, { 2026, 12, 5 } },
    { "hebrew 01-15", { 2026, 1, 1 }, { 2026, 4, 2 } },
    { "hebrew 01-15", { 2027, 1, 1 }, { 2027, 4, 22 } },
    { "hebrew 12-14", { 2026, 1, 1 }, { 2026, 3, 3 } },
    { "hebrew 12-14", { 2027, 1, 1 }, { 2027, 3, 23 } },
    /* Chinese New Year */
    { "newmoon 01-21 +0 +8", { 2024, 1, 1 }, { 2024, 2, 10 } },
    { "newmoon 01-21 +0 +8", { 2025, 1, 1 }, { 2025, 1, 29 } },
    { "newmoon 01-21 +0 +8", { 2026, 1, 1 }, { 2026, 2, 17 } },
    { "newmoon 01-21 +0 +8", { 2027, 1, 1 }, { 2027, 2, 6 } },
    { "newmoon 01-21 +0 +8", { 2028, 1, 1 }, { 2028, 1, 26 } },
    { "newmoon 01-21 +0 +8", { 2029, 1, 1 }, { 2029, 2, 13 } },
    { "newmoon 01-21 +0 +8", { 2030, 1, 1 }, { 2030, 2, 3 } },
    /* Korea's is a day later in 2027: the moon is new after its midnight */
    { "newmoon 01-21 +0 +9", { 2027, 1, 1 }, { 2027, 2, 7 } },
    /* Mid-Autumn, Dragon Boat */
    { "newmoon 08-24 +14 +8", { 2025, 1, 1 }, { 2025, 10, 6 } },
    { "newmoon 08-24 +14 +8", { 2026, 1, 1 }, { 2026, 9, 25 } },
    { "newmoon 08-24 +14 +8", { 2027, 1, 1 }, { 2027, 9, 15 } },
    { "newmoon 05-22 +4 +8", { 2025, 1, 1 }, { 2025, 5, 31 } },
    { "newmoon 05-22 +4 +8", { 2026, 1, 1 }, { 2026, 6, 19 } },
    /* Diwali, Holi, Ganesh Chaturthi, Raksha Bandhan, Maha Shivaratri */
    { "newmoon 10-17 +0 -12", { 2026, 1, 1 }, { 2026, 11, 8 } },
    { "newmoon 10-17 +0 -12", { 2027, 1, 1 }, { 2027, 10, 29 } },
    { "newmoon 10-17 +0 -12", { 2028, 1, 1 }, { 2028, 10, 17 } },
    { "fullmoon 02-26 +1 -12", { 2025, 1, 1 }, { 2025, 3, 14 } },
    { "fullmoon 02-26 +1 -12", { 2027, 1, 1 }, { 2027, 3, 22 } },
    { "newmoon 08-19 +4 -6", { 2025, 1, 1 }, { 2025, 8, 27 } },
    { "newmoon 08-19 +4 -6", { 2026, 1, 1 }, { 2026, 9, 14 } },
    { "fullmoon 08-01 +0 +5", { 2025, 1, 1 }, { 2025, 8, 9 } },
    { "fullmoon 08-01 +0 +5", { 2026, 1, 1 }, { 2026, 8, 28 } },
    { "newmoon 02-11 -2 +5", { 2025, 1, 1 }, { 2025, 2, 26 } },
    { "newmoon 02-11 -2 +5", { 2026, 1, 1 }, { 2026, 2, 15 } },
    { "any", { 2026, 1, 1 }, { 0, 0, 0 } },
};

static void each_rule_gives_the_published_day(void **state)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct sample *at = &samples[i];
        struct fan_date_rule rule;
        struct fan_date day;

        assert_int_equal(fan_date_rule_read(fan_bytes_of(at->rule), &rule, NULL), FAN_OK);
        day = fan_date_next(&rule, at->from);
        if (day.year != at->day.year || day.month != at->day.month || day.day != at->day.day)
            fail_msg("%s: %d-%d-%d, not %d-%d-%d", at->rule, day.year, day.month, day.day,
                    at->day.year, at->day.month, at->day.day);
    }
}

static long number(struct fan_date day)
{
    return day.year * 400L + day.month * 31L + day.day;
}

/* The tabular calendar differs from the published one by a day at most. */
static void islamic_days_are_right_to_a_day(void **state)
{
    static const struct sample days[] = {
        { "hijri 09-01", { 2025, 1, 1 }, { 2025, 3, 1 } },
        { "hijri 09-01", { 2026, 1, 1 }, { 2026, 2, 18 } },
        { "hijri 10-01", { 2026, 1, 1 }, { 2026, 3, 20 } },
        { "hijri 12-10", { 2026, 1, 1 }, { 2026, 5, 27 } },
        { "hijri 03-12", { 2025, 1, 1 }, { 2025, 9, 5 } },
        { "hijri 09-01", { 2030, 6, 1 }, { 2030, 12, 26 } },
    };

    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        struct fan_date_rule rule;
        struct fan_date day;

        assert_int_equal(fan_date_rule_read(fan_bytes_of(days[i].rule), &rule, NULL), FAN_OK);
        assert_true(rule.about);
        day = fan_date_next(&rule, days[i].from);
        if (labs(number(day) - number(days[i].day)) > 1)
            fail_msg("%s: %d-%d-%d", days[i].rule, day.year, day.month, day.day);
    }
}

static void a_day_is_never_before_the_one_asked_from(void **state)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct fan_date_rule rule;

        assert_int_equal(fan_date_rule_read(fan_bytes_of(samples[i].rule), &rule, NULL), FAN_OK);
        for (int year = 1950; year < 2100 && rule.kind != FAN_DATE_ANY; year++) {
            struct fan_date from = { year, 7, 14 }, day = fan_date_next(&rule, from);

            if (number(day) < number(from) || day.year > year + 1)
                fail_msg("%s from %d: %d-%d-%d", samples[i].rule, year, day.year, day.month,
                        day.day);
        }
    }
}

static void a_rule_that_is_none_is_refused(void **state)
{
    static const char *const wrong[] = { "", "fixed", "fixed 13-01", "fixed 12-32", "fixed 12-25 x",
        "weekday 6 mon 5", "weekday 0 mon 5", "weekday 1 day 5", "weekday 1 mon 13", "easter",
        "easter x", "hebrew 1", "newmoon 01-21", "newmoon 01-21 +0 +20", "after 06-19", "any day",
        "sometimes 01-01", "fixed 12-25                                                      " };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct fan_date_rule rule;
        struct fan_why why = { 0 };

        if (fan_date_rule_read(fan_bytes_of(wrong[i]), &rule, &why) != FAN_INVALID)
            fail_msg("accepted: %s", wrong[i]);
        assert_string_equal(why.field, "date");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_gives_the_published_day),
        cmocka_unit_test(islamic_days_are_right_to_a_day),
        cmocka_unit_test(a_day_is_never_before_the_one_asked_from),
        cmocka_unit_test(a_rule_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

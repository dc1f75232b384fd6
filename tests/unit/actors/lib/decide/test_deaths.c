#include "actors/lib/decide/deaths.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static const struct fan_deaths_rules usual = { .minute = 10, .percent = 1, .least = 3 };

static void ten_in_a_minute_or_a_part_of_a_run_are_too_many(void **state)
{
    static const struct {
        struct fan_deaths deaths;
        bool too_many;
    } cases[] = {
        { { 9, 9, true, 100000 }, false },
        { { 10, 10, true, 100000 }, true },
        { { 10, 10, false, 100000 }, true },
        { { 0, 999, true, 100000 }, false },
        { { 0, 1000, true, 100000 }, true },
        { { 0, 999, false, 500 }, false }, /* of the audience most may be missing */
        { { 2, 2, true, 2 }, false },      /* a few people's run does not stop for one of them */
        { { 3, 3, true, 300 }, true },
        { { 3, 3, true, 301 }, false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fan_deaths_are_too_many(&usual, &cases[i].deaths), cases[i].too_many);
}

static void a_bound_of_nothing_bounds_nothing(void **state)
{
    const struct fan_deaths all = { 500, 500, true, 500 };
    const struct fan_deaths few = { 9, 9, true, 10 };

    assert_false(fan_deaths_are_too_many(&(struct fan_deaths_rules){ 0, 0, 3 }, &all));
    assert_true(fan_deaths_are_too_many(&(struct fan_deaths_rules){ 10, 0, 3 }, &all));
    assert_false(fan_deaths_are_too_many(&(struct fan_deaths_rules){ 10, 0, 3 }, &few));
    assert_true(fan_deaths_are_too_many(&(struct fan_deaths_rules){ 0, 1, 3 }, &few));
}

static void fewer_than_the_least_need_not_be_looked_at(void **state)
{
    assert_int_equal(fan_deaths_least(&usual), 3);
    assert_int_equal(fan_deaths_least(&(struct fan_deaths_rules){ 2, 1, 3 }), 2);
    assert_int_equal(fan_deaths_least(&(struct fan_deaths_rules){ 10, 0, 3 }), 10);
    assert_int_equal(fan_deaths_least(&(struct fan_deaths_rules){ 0, 1, 3 }), 3);
    assert_int_equal(fan_deaths_least(&(struct fan_deaths_rules){ 0, 0, 3 }), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_in_a_minute_or_a_part_of_a_run_are_too_many),
        cmocka_unit_test(a_bound_of_nothing_bounds_nothing),
        cmocka_unit_test(fewer_than_the_least_need_not_be_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

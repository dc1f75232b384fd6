#include "actors/lib/decide/budget.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static struct fan_budget budget;
static fan_time now;

static int fresh(void **state)
{
    now = 5000 * FAN_SECOND;
    fan_budget_init(&budget, now);
    return 0;
}

/* As many as there are tokens for. */
static int take_all(void)
{
    int taken = 0;

    while (fan_budget_take(&budget, now))
        taken++;
    return taken;
}

static void a_minute_of_failures_repeats_a_tenth_of_the_first_ones_and_one_a_second(void **state)
{
    int repeated = 0;

    take_all();
    for (int second = 0; second < 60; second++) {
        for (int n = 0; n < 100; n++) {
            now += FAN_SECOND / 100;
            fan_budget_first(&budget, now);
        }
        repeated += take_all();
    }
    assert_in_range(repeated, 655, 660); /* of 6,000 first ones: 600, and 60 */
}

static void without_first_ones_one_a_second_is_left(void **state)
{
    assert_int_equal(take_all(), 60);
    for (int second = 0; second < 10; second++) {
        now += FAN_SECOND;
        assert_int_equal(take_all(), 1);
    }
}

static void it_saves_no_more_than_a_minutes_worth(void **state)
{
    now += 3600 * FAN_SECOND;
    assert_int_equal(take_all(), 60);
    for (int second = 0; second < 600; second++) {
        now += FAN_SECOND;
        for (int n = 0; n < 100; n++)
            fan_budget_first(&budget, now);
    }
    assert_in_range(take_all(), 640, 670);
}

static void what_works_gives_its_token_back(void **state)
{
    for (int n = 0; n < 100000; n++) {
        assert_true(fan_budget_take(&budget, now));
        fan_budget_return(&budget);
    }
}

static void it_says_how_long_to_wait(void **state)
{
    take_all();
    assert_in_range(fan_budget_wait(&budget), 1, FAN_SECOND);
    now += fan_budget_wait(&budget);
    assert_true(fan_budget_take(&budget, now));
    fan_budget_return(&budget);
    assert_int_equal(fan_budget_wait(&budget), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
                a_minute_of_failures_repeats_a_tenth_of_the_first_ones_and_one_a_second, fresh),
        cmocka_unit_test_setup(without_first_ones_one_a_second_is_left, fresh),
        cmocka_unit_test_setup(it_saves_no_more_than_a_minutes_worth, fresh),
        cmocka_unit_test_setup(what_works_gives_its_token_back, fresh),
        cmocka_unit_test_setup(it_says_how_long_to_wait, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

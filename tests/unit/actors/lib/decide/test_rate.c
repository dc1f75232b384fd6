#include "actors/lib/decide/rate.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void a_throttle_leaves_seven_tenths_of_the_rate(void **state)
{
    assert_int_equal(fan_rate_cut(7000, 7000, 1000), 10000);
    assert_int_equal(fan_rate_cut(10000, 7000, 1000), 14286);
    for (fan_time interval = 1; interval < 1000000; interval += 999) {
        double share = (double)interval / (double)fan_rate_cut(interval, interval, 0);
        assert_true(share <= 0.7 && share > 0.7 * (double)interval / (double)(interval + 1) - 1e-9);
    }
}

static void however_often_it_is_throttled_a_hundredth_is_left(void **state)
{
    fan_time interval = 12500;

    for (int n = 0; n < 1000; n++)
        interval = fan_rate_cut(interval, 12500, 80);
    assert_int_equal(interval, 1250000);
}

static void without_a_limit_one_is_learned_from_what_was_sent(void **state)
{
    assert_int_equal(fan_rate_cut(0, 0, 700), 2040);
    assert_int_equal(fan_rate_cut(0, 0, 0), FAN_SECOND);
    assert_int_equal(fan_rate_cut(FAN_SECOND, 0, 1), FAN_SECOND);
}

static void it_grows_by_two_percent_back_to_what_is_configured(void **state)
{
    fan_time interval = fan_rate_cut(10000, 10000, 100);
    int steps = 0;

    while (interval > 10000) {
        fan_time grown = fan_rate_grow(interval, 10000);
        assert_in_range(grown * 1000 / interval, 970, 990);
        interval = grown;
        steps++;
    }
    assert_int_equal(interval, 10000);
    assert_int_equal(fan_rate_grow(interval, 10000), 10000);
    assert_int_equal(steps, 18); /* of ten seconds each: three minutes */
}

static void a_limit_that_bounds_nothing_is_forgotten(void **state)
{
    fan_time interval = FAN_SECOND;
    int steps = 0;

    for (; interval > 0; steps++)
        interval = fan_rate_grow(interval, 0);
    assert_in_range(steps, 300, 600);
    assert_int_equal(fan_rate_grow(0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_throttle_leaves_seven_tenths_of_the_rate),
        cmocka_unit_test(however_often_it_is_throttled_a_hundredth_is_left),
        cmocka_unit_test(without_a_limit_one_is_learned_from_what_was_sent),
        cmocka_unit_test(it_grows_by_two_percent_back_to_what_is_configured),
        cmocka_unit_test(a_limit_that_bounds_nothing_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

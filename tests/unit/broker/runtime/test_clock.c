#include "broker/runtime/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <time.h>
#include <unistd.h>

static void now_is_the_time_of_day_in_microseconds(void **state)
{
    fan_time before = (fan_time)time(NULL) * FAN_SECOND;

    assert_in_range(fan_clock_now() - before, 0, 2 * FAN_SECOND);
}

static void elapsed_time_never_goes_back(void **state)
{
    fan_time last = fan_clock_elapsed();

    assert_true(last > 0);
    for (int i = 0; i < 1000; i++) {
        fan_time at = fan_clock_elapsed();

        assert_true(at >= last);
        last = at;
    }
}

static void elapsed_time_counts_microseconds(void **state)
{
    fan_time began = fan_clock_elapsed();

    usleep(20 * 1000);
    assert_in_range(fan_clock_elapsed() - began, 20 * FAN_MS, 2000 * FAN_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(now_is_the_time_of_day_in_microseconds),
        cmocka_unit_test(elapsed_time_never_goes_back),
        cmocka_unit_test(elapsed_time_counts_microseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

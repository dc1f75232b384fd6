#include "actors/lib/decide/start.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define AT (1000000 * FAN_SECOND)
#define HOUR (3600 * FAN_SECOND)

static void a_campaign_starts_within_its_grace_and_not_later(void **state)
{
    static const struct {
        fan_time late, grace, end_at;
        enum fan_start_act act;
    } cases[] = {
        { 0, HOUR, 0, FAN_START_GO },
        { HOUR, HOUR, 0, FAN_START_GO },
        { HOUR + 1, HOUR, 0, FAN_START_MISSED },
        { 0, 0, 0, FAN_START_GO },
        { 1, 0, 0, FAN_START_MISSED },
        { 10, HOUR, AT + 10, FAN_START_GO },
        { 11, HOUR, AT + 10, FAN_START_OVER },
        { 2 * HOUR, HOUR, AT + 10, FAN_START_OVER },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fan_start start = { AT + cases[i].late, AT, cases[i].grace, cases[i].end_at };
        assert_int_equal(fan_start_decide(&start), cases[i].act);
    }
}

static bool read_clock(struct fan_clock_watch *watch, fan_time database, fan_time elapsed)
{
    fan_time jumped;

    return fan_clock_watch_read(watch, AT + database * FAN_SECOND, elapsed * FAN_SECOND, &jumped);
}

static void a_clock_that_goes_as_it_should_holds_nothing(void **state)
{
    struct fan_clock_watch watch = { 0 };

    for (int i = 0; i < 100; i++)
        assert_false(read_clock(&watch, 3600 * i, 3600 * i + 5)); /* however far apart */
    assert_false(read_clock(&watch, 0, 3600 * 100));              /* put back: it only delays */
}

static void a_clock_put_forward_holds_starts_for_a_minute(void **state)
{
    struct fan_clock_watch watch = { 0 };
    fan_time jumped;

    assert_false(read_clock(&watch, 0, 10));
    assert_false(read_clock(&watch, 61, 11)); /* by a minute: nothing yet */
    assert_true(fan_clock_watch_read(&watch, AT + 10000 * FAN_SECOND, 12 * FAN_SECOND, &jumped));
    assert_int_equal(jumped, (10000 - 61 - 1) * FAN_SECOND);
    assert_true(read_clock(&watch, 10059, 71));
    assert_false(read_clock(&watch, 10060, 72));
}

static void a_first_reading_is_no_jump(void **state)
{
    struct fan_clock_watch watch = { 0 };

    assert_false(read_clock(&watch, 1000000, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_starts_within_its_grace_and_not_later),
        cmocka_unit_test(a_clock_that_goes_as_it_should_holds_nothing),
        cmocka_unit_test(a_clock_put_forward_holds_starts_for_a_minute),
        cmocka_unit_test(a_first_reading_is_no_jump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "actors/lib/decide/breaker.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static fan_time now;

static struct fan_breaker fresh(uint32_t connections)
{
    struct fan_breaker breaker;

    now = 1000 * FAN_SECOND;
    fan_breaker_init(&breaker, connections);
    return breaker;
}

static enum fan_health_reason note(struct fan_breaker *breaker, enum fan_channel_sign sign)
{
    return fan_breaker_note(breaker, sign, now);
}

static void a_cohort_of_troubles_in_a_row_opens_it(void **state)
{
    static const uint32_t cohorts[][2] = { { 1, 3 }, { 3, 3 }, { 16, 16 }, { 20, 20 }, { 64, 20 } };

    for (size_t i = 0; i < sizeof cohorts / sizeof *cohorts; i++) {
        struct fan_breaker breaker = fresh(cohorts[i][0]);

        for (uint32_t n = 1; n < cohorts[i][1]; n++)
            assert_int_equal(note(&breaker, FAN_SIGN_TROUBLE), FAN_HEALTH_FINE);
        assert_int_equal(note(&breaker, FAN_SIGN_TROUBLE), FAN_HEALTH_FAILING);
    }
}

static void a_call_that_works_breaks_the_row(void **state)
{
    struct fan_breaker breaker = fresh(4);

    for (int n = 0; n < 100; n++) {
        now += FAN_SECOND; /* slow enough that ten seconds hold too few to be judged */
        assert_int_equal(note(&breaker, n % 4 ? FAN_SIGN_TROUBLE : FAN_SIGN_GOOD), FAN_HEALTH_FINE);
    }
}

static void more_than_half_of_twenty_calls_in_ten_seconds_opens_it(void **state)
{
    struct fan_breaker breaker = fresh(20);
    int n;

    for (n = 0; n < 20; n++) {
        now += FAN_SECOND / 4;
        assert_int_equal(note(&breaker, n % 2 ? FAN_SIGN_TROUBLE : FAN_SIGN_GOOD), FAN_HEALTH_FINE);
    }
    assert_int_equal(note(&breaker, FAN_SIGN_TROUBLE), FAN_HEALTH_ERRORS);
}

static void troubles_of_long_ago_do_not_count(void **state)
{
    struct fan_breaker breaker = fresh(20);

    for (int n = 0; n < 19; n++)
        assert_int_equal(note(&breaker, FAN_SIGN_TROUBLE), FAN_HEALTH_FINE);
    assert_int_equal(note(&breaker, FAN_SIGN_GOOD), FAN_HEALTH_FINE);
    now += 10 * FAN_SECOND;
    for (int n = 0; n < 19; n++)
        assert_int_equal(note(&breaker, FAN_SIGN_TROUBLE), FAN_HEALTH_FINE);
}

static void a_channel_that_never_worked_is_believed_at_its_first_refusal(void **state)
{
    struct fan_breaker breaker = fresh(16);

    assert_int_equal(note(&breaker, FAN_SIGN_REFUSED), FAN_HEALTH_REFUSED);
}

static void one_that_worked_is_refused_ten_times(void **state)
{
    struct fan_breaker breaker = fresh(16);

    assert_int_equal(note(&breaker, FAN_SIGN_GOOD), FAN_HEALTH_FINE);
    for (int n = 1; n < 10; n++)
        assert_int_equal(note(&breaker, FAN_SIGN_REFUSED), FAN_HEALTH_FINE);
    assert_int_equal(note(&breaker, FAN_SIGN_REFUSED), FAN_HEALTH_REFUSED);
    fan_breaker_reset(&breaker);
    assert_int_equal(note(&breaker, FAN_SIGN_REFUSED), FAN_HEALTH_FINE);
}

static void single_refused_recipients_do_not_open_it(void **state)
{
    struct fan_breaker breaker = fresh(16);

    for (int n = 0; n < 1000; n++)
        assert_int_equal(note(&breaker, n % 10 ? FAN_SIGN_REFUSED : FAN_SIGN_GOOD),
                FAN_HEALTH_FINE);
}

static void what_a_call_says_depends_on_how_far_it_came(void **state)
{
    static const struct {
        enum fan_outcome_class outcome;
        bool throttled, reached;
        int status;
        enum fan_channel_sign sign;
    } cases[] = {
        { FAN_ACCEPTED, false, true, 201, FAN_SIGN_GOOD },
        { FAN_RECIPIENT_PERMANENT, false, true, 400, FAN_SIGN_GOOD },
        { FAN_RECIPIENT_PERMANENT, false, true, 550, FAN_SIGN_GOOD }, /* a mailbox, not the relay */
        { FAN_RECIPIENT_DEFERRED, false, true, 452, FAN_SIGN_GOOD },
        { FAN_CONTENT_PERMANENT, false, true, 400, FAN_SIGN_GOOD },
        { FAN_RETRY_LATER, true, true, 429, FAN_SIGN_GOOD },
        { FAN_RETRY_LATER, true, true, 503, FAN_SIGN_GOOD },
        { FAN_RETRY_LATER, false, true, 451, FAN_SIGN_GOOD }, /* greylisted */
        { FAN_RETRY_LATER, false, true, 503, FAN_SIGN_TROUBLE },
        { FAN_RETRY_LATER, false, false, 0, FAN_SIGN_TROUBLE },
        { FAN_AMBIGUOUS, false, true, 500, FAN_SIGN_TROUBLE },
        { FAN_AMBIGUOUS, false, true, 0, FAN_SIGN_TROUBLE },
        { FAN_AMBIGUOUS, false, true, 200, FAN_SIGN_TROUBLE }, /* an answer without sense */
        { FAN_CHANNEL_PAUSE, false, true, 401, FAN_SIGN_REFUSED },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fan_breaker_sign(cases[i].outcome, cases[i].throttled, cases[i].reached,
                                 cases[i].status),
                cases[i].sign);
}

static void pauses_double_up_to_five_minutes_with_full_jitter(void **state)
{
    fan_time bound = 5 * FAN_SECOND;

    for (uint32_t times = 1; times < 100; times++) {
        assert_int_equal(fan_breaker_pause(times, 0), FAN_SECOND / 2);
        assert_in_range(fan_breaker_pause(times, 0xffffffffu), bound - FAN_MS, bound);
        bound = 2 * bound < 300 * FAN_SECOND ? 2 * bound : 300 * FAN_SECOND;
    }
}

static void the_row_says_who_may_send(void **state)
{
    static const struct {
        struct fan_health health;
        bool trying;
        enum fan_health_act act;
    } cases[] = {
        { { .state = FAN_HEALTH_CLOSED }, false, FAN_HEALTH_GO },
        { { .state = FAN_HEALTH_OPEN, .until = 11 }, false, FAN_HEALTH_LEAVE },
        { { .state = FAN_HEALTH_OPEN, .until = 10 }, false, FAN_HEALTH_ASK },
        { { .state = FAN_HEALTH_HALF_OPEN, .until = 11 }, false, FAN_HEALTH_LEAVE },
        { { .state = FAN_HEALTH_HALF_OPEN, .until = 11, .ours = true }, false, FAN_HEALTH_ONE },
        { { .state = FAN_HEALTH_HALF_OPEN, .until = 11, .ours = true }, true, FAN_HEALTH_HOLD },
        { { .state = FAN_HEALTH_HALF_OPEN, .until = 10, .ours = true }, true, FAN_HEALTH_ASK },
        { { .state = FAN_HEALTH_HALF_OPEN, .until = 10 }, false, FAN_HEALTH_ASK },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fan_health_decide(&cases[i].health, cases[i].trying, 10), cases[i].act);
}

static void a_message_that_had_failed_before_makes_no_pause_longer(void **state)
{
    const struct fan_health closed = { .state = FAN_HEALTH_CLOSED };
    const struct fan_health tried = { .state = FAN_HEALTH_HALF_OPEN, .times = 3 };

    assert_int_equal(fan_health_times(&closed, false), 1);
    assert_int_equal(fan_health_times(&closed, true), 1);
    assert_int_equal(fan_health_times(&tried, false), 4);
    assert_int_equal(fan_health_times(&tried, true), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_that_had_failed_before_makes_no_pause_longer),
        cmocka_unit_test(a_cohort_of_troubles_in_a_row_opens_it),
        cmocka_unit_test(a_call_that_works_breaks_the_row),
        cmocka_unit_test(more_than_half_of_twenty_calls_in_ten_seconds_opens_it),
        cmocka_unit_test(troubles_of_long_ago_do_not_count),
        cmocka_unit_test(a_channel_that_never_worked_is_believed_at_its_first_refusal),
        cmocka_unit_test(one_that_worked_is_refused_ten_times),
        cmocka_unit_test(single_refused_recipients_do_not_open_it),
        cmocka_unit_test(what_a_call_says_depends_on_how_far_it_came),
        cmocka_unit_test(pauses_double_up_to_five_minutes_with_full_jitter),
        cmocka_unit_test(the_row_says_who_may_send),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

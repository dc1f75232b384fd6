#include "actors/lib/decide/retry.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { HALF = 0x80000000u, MOST = 0xffffffffu };

static struct fan_retry_decision decide(enum fan_outcome_class outcome, uint32_t attempt,
        fan_time asked_us, uint32_t random)
{
    return fan_retry_decide(&fan_retry_fast, outcome, attempt, asked_us, false, random);
}

static void every_class_has_its_state(void **state)
{
    static const struct {
        enum fan_outcome_class outcome;
        enum fan_message_state state;
        int reason;
    } cases[] = {
        { FAN_ACCEPTED, FAN_MESSAGE_SENT, 0 },
        { FAN_RETRY_LATER, FAN_MESSAGE_RETRY, 0 },
        { FAN_AMBIGUOUS, FAN_MESSAGE_UNKNOWN, 0 },
        { FAN_RECIPIENT_PERMANENT, FAN_MESSAGE_FAILED, FAN_REASON_PROVIDER },
        { FAN_RECIPIENT_DEFERRED, FAN_MESSAGE_RETRY, 0 },
        { FAN_CONTENT_PERMANENT, FAN_MESSAGE_FAILED, FAN_REASON_PROVIDER },
        { FAN_CHANNEL_PAUSE, FAN_MESSAGE_RETRY, 0 },
    };

    assert_int_equal(sizeof cases / sizeof *cases, FAN_OUTCOME_CLASS_COUNT - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fan_retry_decision next = decide(cases[i].outcome, 1, -1, HALF);
        assert_int_equal(next.state, cases[i].state);
        assert_int_equal(next.reason, cases[i].reason);
    }
}

static void what_may_have_been_accepted_is_never_tried_again(void **state)
{
    for (uint32_t attempt = 1; attempt < 100; attempt++)
        assert_int_equal(decide(FAN_AMBIGUOUS, attempt, 0, HALF).state, FAN_MESSAGE_UNKNOWN);
}

static void the_last_try_is_the_last(void **state)
{
    static const enum fan_outcome_class again[] = { FAN_RETRY_LATER, FAN_RECIPIENT_DEFERRED };

    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        assert_int_equal(decide(again[i], 2, -1, HALF).state, FAN_MESSAGE_RETRY);
        assert_int_equal(decide(again[i], 3, -1, HALF).state, FAN_MESSAGE_FAILED);
        assert_int_equal(decide(again[i], 3, -1, HALF).reason, FAN_REASON_TRIES_USED_UP);
    }
}

static void a_free_try_costs_none_but_not_for_ever(void **state)
{
    struct fan_retry_decision next;

    next = fan_retry_decide(&fan_retry_fast, FAN_RETRY_LATER, 3, -1, true, HALF);
    assert_int_equal(next.state, FAN_MESSAGE_RETRY);
    next = fan_retry_decide(&fan_retry_fast, FAN_RETRY_LATER, 50, -1, true, HALF);
    assert_int_equal(next.state, FAN_MESSAGE_FAILED);
    assert_int_equal(decide(FAN_CHANNEL_PAUSE, 49, -1, HALF).state, FAN_MESSAGE_RETRY);
    assert_int_equal(decide(FAN_CHANNEL_PAUSE, 50, -1, HALF).state, FAN_MESSAGE_FAILED);
}

static void delays_double_up_to_the_cap_with_full_jitter(void **state)
{
    const struct fan_retry_rules rules = { 40, FAN_SECOND, 60 * FAN_SECOND, 3600 * FAN_SECOND };
    fan_time bound = FAN_SECOND;

    for (uint32_t attempt = 1; attempt < 40; attempt++) {
        fan_time most =
                fan_retry_decide(&rules, FAN_RETRY_LATER, attempt, -1, false, MOST).delay_us;
        fan_time half =
                fan_retry_decide(&rules, FAN_RETRY_LATER, attempt, -1, false, HALF).delay_us;

        assert_in_range(most, bound - 1000, bound);
        assert_int_equal(half, bound / 2);
        assert_int_equal(decide(FAN_RETRY_LATER, 1, -1, 0).delay_us, 0);
        bound = 2 * bound < rules.cap_us ? 2 * bound : rules.cap_us;
    }
}

static void a_delay_never_undercuts_what_the_provider_asked_for(void **state)
{
    for (fan_time asked = 0; asked < 5000 * FAN_SECOND; asked += 7 * FAN_SECOND) {
        fan_time least = asked < 3600 * FAN_SECOND ? asked : 3600 * FAN_SECOND;
        assert_true(decide(FAN_RETRY_LATER, 1, asked, 0).delay_us >= least);
        assert_true(decide(FAN_RETRY_LATER, 1, asked, MOST).delay_us <= least + FAN_SECOND);
    }
}

static void an_unreachable_recipient_is_left_alone_for_long(void **state)
{
    assert_int_equal(decide(FAN_RECIPIENT_DEFERRED, 1, -1, 0).delay_us, 3600 * FAN_SECOND);
    assert_int_equal(decide(FAN_CHANNEL_PAUSE, 1, -1, 0).delay_us, 60 * FAN_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_its_state),
        cmocka_unit_test(what_may_have_been_accepted_is_never_tried_again),
        cmocka_unit_test(the_last_try_is_the_last),
        cmocka_unit_test(a_free_try_costs_none_but_not_for_ever),
        cmocka_unit_test(delays_double_up_to_the_cap_with_full_jitter),
        cmocka_unit_test(a_delay_never_undercuts_what_the_provider_asked_for),
        cmocka_unit_test(an_unreachable_recipient_is_left_alone_for_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

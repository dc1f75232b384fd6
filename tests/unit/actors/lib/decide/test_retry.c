#include "actors/lib/decide/retry.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

enum { HALF = 0x80000000u, MOST = 0xffffffffu };

static const struct fan_retry_rules *fast(void)
{
    return fan_retry_rules_of(FAN_RETRY_FAST, FAN_KIND_SMS);
}

/* @number: of the attempt that ended, from 1. */
static struct fan_retry_decision decide(enum fan_outcome_class outcome, uint32_t number,
        fan_time asked_us, uint32_t random)
{
    const struct fan_attempt attempt = { .outcome = outcome,
        .tries = number - 1,
        .asked_us = asked_us,
        .random = random };

    return fan_retry_decide(fast(), &attempt);
}

static struct fan_retry_decision decide_free(uint32_t tries, uint32_t free, uint32_t random)
{
    const struct fan_attempt attempt = { .outcome = FAN_RETRY_LATER,
        .tries = tries,
        .free = free,
        .unserved = true,
        .asked_us = -1,
        .random = random };

    return fan_retry_decide(fast(), &attempt);
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
    for (uint32_t number = 1; number < 100; number++)
        assert_int_equal(decide(FAN_AMBIGUOUS, number, 0, HALF).state, FAN_MESSAGE_UNKNOWN);
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
    const struct fan_attempt paused = { .outcome = FAN_CHANNEL_PAUSE, .free = 48, .tries = 2 };
    const struct fan_attempt paused_again = { .outcome = FAN_CHANNEL_PAUSE, .free = 49 };

    assert_int_equal(decide_free(2, 0, HALF).state, FAN_MESSAGE_RETRY);
    assert_true(decide_free(2, 0, HALF).free);
    assert_int_equal(decide_free(0, 48, HALF).state, FAN_MESSAGE_RETRY);
    assert_int_equal(decide_free(0, 49, HALF).state, FAN_MESSAGE_FAILED);
    assert_int_equal(decide_free(0, 49, HALF).reason, FAN_REASON_TRIES_USED_UP);
    assert_int_equal(fan_retry_decide(fast(), &paused).state, FAN_MESSAGE_RETRY);
    assert_true(fan_retry_decide(fast(), &paused).free);
    assert_int_equal(fan_retry_decide(fast(), &paused_again).state, FAN_MESSAGE_FAILED);
}

static void being_throttled_often_takes_nothing_from_the_tries(void **state)
{
    for (uint32_t free = 0; free < 200; free++) {
        const struct fan_attempt first = { .outcome = FAN_RETRY_LATER,
            .free = free,
            .asked_us = -1,
            .random = MOST };
        struct fan_retry_decision next = fan_retry_decide(fast(), &first);

        assert_int_equal(next.state, FAN_MESSAGE_RETRY);
        assert_false(next.free);
        assert_in_range(next.delay_us, 0, FAN_SECOND); /* as after any first try */
    }
}

static void delays_double_up_to_the_cap_with_full_jitter(void **state)
{
    const struct fan_retry_rules rules = { 40, 40, FAN_SECOND, 60 * FAN_SECOND, 3600 * FAN_SECOND };
    fan_time bound = FAN_SECOND;

    for (uint32_t before = 0; before < 39; before++) {
        struct fan_attempt attempt = { .outcome = FAN_RETRY_LATER, .asked_us = -1 };

        attempt.unserved = before % 2;
        *(attempt.unserved ? &attempt.free : &attempt.tries) = before;
        attempt.random = MOST;
        assert_in_range(fan_retry_decide(&rules, &attempt).delay_us, bound - 1000, bound);
        attempt.random = HALF;
        assert_int_equal(fan_retry_decide(&rules, &attempt).delay_us, bound / 2);
        attempt.random = 0;
        assert_int_equal(fan_retry_decide(&rules, &attempt).delay_us, 0);
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

static void mails_are_patient_and_everything_else_is_fast_unless_the_campaign_says(void **state)
{
    const struct fan_retry_rules *patient = fan_retry_rules_of(FAN_RETRY_PATIENT, FAN_KIND_SMS);

    for (int kind = FAN_KIND_SMS; kind < FAN_KIND_COUNT; kind++) {
        assert_ptr_equal(fan_retry_rules_of(FAN_RETRY_BY_KIND, kind),
                kind == FAN_KIND_EMAIL ? patient : fast());
        assert_ptr_equal(fan_retry_rules_of(FAN_RETRY_FAST, kind), fast());
        assert_ptr_equal(fan_retry_rules_of(FAN_RETRY_PATIENT, kind), patient);
    }
    assert_ptr_equal(fan_retry_rules_of((enum fan_retry_preset)99, FAN_KIND_SMS), fast());
    assert_true(patient->base_us > fast()->cap_us);
}

/* ---- docs/lifecycle.md ---- */

static void write_row(enum fan_outcome_class outcome, char *out, size_t size)
{
    static const char *const costs[] = { [FAN_TRY_COSTS] = "one",
        [FAN_TRY_IS_FREE] = "none",
        [FAN_TRY_FREE_UNSERVED] = "one; none when throttled or not reached" };
    static const char *const waits[] = { [FAN_WAIT_NONE] = "–",
        [FAN_WAIT_BACKOFF] = "back-off",
        [FAN_WAIT_CAP] = "the preset's longest",
        [FAN_WAIT_DEFERRED] = "an hour" };
    static const char *const signs[] = { [FAN_SIGN_GOOD] = "works",
        [FAN_SIGN_TROUBLE] = "trouble",
        [FAN_SIGN_REFUSED] = "refused",
        [FAN_SIGN_LOOK] = "trouble when not reached or after a 5xx, else works" };
    const struct fan_outcome_rule *rule = fan_outcome_rule_of(outcome);

    snprintf(out, size, "| %s | %s | %s | %s | %s |", fan_outcome_class_name(outcome),
            fan_message_state_name(rule->state), costs[rule->cost], waits[rule->wait],
            signs[rule->channel]);
}

static void the_manual_has_the_table_as_it_is(void **state)
{
    static char manual[65536];
    FILE *file = fopen("docs/lifecycle.md", "r");

    assert_non_null(file);
    manual[fread(manual, 1, sizeof manual - 1, file)] = '\0';
    fclose(file);
    for (int outcome = FAN_ACCEPTED; outcome < FAN_OUTCOME_CLASS_COUNT; outcome++) {
        char row[256];

        write_row((enum fan_outcome_class)outcome, row, sizeof row);
        if (!strstr(manual, row))
            fail_msg("docs/lifecycle.md lacks the row: %s", row);
    }
}

static void who_is_in_doubt_has_not_failed_when_its_tries_are_used_up(void **state)
{
    const struct fan_retry_rules *rules = fan_retry_rules_of(FAN_RETRY_FAST, FAN_KIND_API);
    struct fan_attempt attempt = { .outcome = FAN_RETRY_LATER, .tries = 2, .asked_us = -1 };

    assert_int_equal(fan_retry_decide(rules, &attempt).state, FAN_MESSAGE_FAILED);
    attempt.in_doubt = true;
    assert_int_equal(fan_retry_decide(rules, &attempt).state, FAN_MESSAGE_UNKNOWN);
    attempt.tries = 1;
    assert_int_equal(fan_retry_decide(rules, &attempt).state, FAN_MESSAGE_RETRY);
}

static void a_key_that_is_under_way_is_in_doubt_and_costs_nothing(void **state)
{
    const struct fan_attempt attempt = { .outcome = FAN_RETRY_LATER, .busy = true, .tries = 2 };
    struct fan_retry_decision next =
            fan_retry_decide(fan_retry_rules_of(FAN_RETRY_FAST, FAN_KIND_API), &attempt);

    assert_int_equal(next.state, FAN_MESSAGE_UNKNOWN);
    assert_true(next.free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_its_state),
        cmocka_unit_test(what_may_have_been_accepted_is_never_tried_again),
        cmocka_unit_test(the_last_try_is_the_last),
        cmocka_unit_test(a_free_try_costs_none_but_not_for_ever),
        cmocka_unit_test(being_throttled_often_takes_nothing_from_the_tries),
        cmocka_unit_test(delays_double_up_to_the_cap_with_full_jitter),
        cmocka_unit_test(a_delay_never_undercuts_what_the_provider_asked_for),
        cmocka_unit_test(an_unreachable_recipient_is_left_alone_for_long),
        cmocka_unit_test(mails_are_patient_and_everything_else_is_fast_unless_the_campaign_says),
        cmocka_unit_test(the_manual_has_the_table_as_it_is),
        cmocka_unit_test(who_is_in_doubt_has_not_failed_when_its_tries_are_used_up),
        cmocka_unit_test(a_key_that_is_under_way_is_in_doubt_and_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

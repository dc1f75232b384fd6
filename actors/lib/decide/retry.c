#include "actors/lib/decide/retry.h"

#include "proto/err.h"

#define ASKED_AT_MOST (3600 * FAN_SECOND)

static const struct fan_retry_rules presets[FAN_RETRY_PRESET_COUNT] = {
    [FAN_RETRY_FAST] = {
        .tries = 3,
        .free_tries = 50,
        .base_us = 1 * FAN_SECOND,
        .cap_us = 60 * FAN_SECOND,
        .deferred_us = 3600 * FAN_SECOND,
    },
    [FAN_RETRY_PATIENT] = {
        .tries = 3,
        .free_tries = 50,
        .base_us = 300 * FAN_SECOND,
        .cap_us = 300 * FAN_SECOND,
        .deferred_us = 3600 * FAN_SECOND,
    },
};

/* clang-format off */
static const struct fan_outcome_rule rules[FAN_OUTCOME_CLASS_COUNT] = {
    [FAN_ACCEPTED] =
        { FAN_MESSAGE_SENT,    0, FAN_TRY_COSTS, FAN_WAIT_NONE, FAN_SIGN_GOOD },
    [FAN_RETRY_LATER] =
        { FAN_MESSAGE_RETRY,   0, FAN_TRY_FREE_UNSERVED, FAN_WAIT_BACKOFF, FAN_SIGN_LOOK },
    [FAN_AMBIGUOUS] =
        { FAN_MESSAGE_UNKNOWN, 0, FAN_TRY_COSTS, FAN_WAIT_NONE, FAN_SIGN_TROUBLE },
    [FAN_RECIPIENT_PERMANENT] =
        { FAN_MESSAGE_FAILED,  FAN_REASON_PROVIDER, FAN_TRY_COSTS, FAN_WAIT_NONE, FAN_SIGN_GOOD },
    [FAN_RECIPIENT_DEFERRED] =
        { FAN_MESSAGE_RETRY,   0, FAN_TRY_COSTS, FAN_WAIT_DEFERRED, FAN_SIGN_GOOD },
    [FAN_CONTENT_PERMANENT] =
        { FAN_MESSAGE_FAILED,  FAN_REASON_PROVIDER, FAN_TRY_COSTS, FAN_WAIT_NONE, FAN_SIGN_GOOD },
    [FAN_CHANNEL_PAUSE] =
        { FAN_MESSAGE_RETRY,   0, FAN_TRY_IS_FREE, FAN_WAIT_CAP, FAN_SIGN_REFUSED },
};
/* clang-format on */

enum fan_retry_preset fan_retry_preset_for(enum fan_kind kind)
{
    return kind == FAN_KIND_EMAIL ? FAN_RETRY_PATIENT : FAN_RETRY_FAST;
}

const struct fan_retry_rules *fan_retry_rules_of(enum fan_retry_preset preset, enum fan_kind kind)
{
    if (preset <= FAN_RETRY_BY_KIND || preset >= FAN_RETRY_PRESET_COUNT)
        preset = fan_retry_preset_for(kind);
    return &presets[preset];
}

const struct fan_outcome_rule *fan_outcome_rule_of(enum fan_outcome_class outcome)
{
    FAN_ASSERT(outcome >= FAN_ACCEPTED && outcome < FAN_OUTCOME_CLASS_COUNT);
    return &rules[outcome];
}

/* Full jitter: anything up to the bound, which doubles with each attempt before. */
static fan_time backoff(const struct fan_retry_rules *how, uint32_t before, uint32_t random)
{
    fan_time bound = how->base_us;

    for (uint32_t i = 0; i < before && bound < how->cap_us; i++)
        bound *= 2;
    if (bound > how->cap_us)
        bound = how->cap_us;
    return (fan_time)((double)bound * random / 4294967296.0);
}

static fan_time delay_of(const struct fan_retry_rules *how, enum fan_try_wait wait,
        const struct fan_attempt *attempt, bool free)
{
    fan_time delay = backoff(how, free ? attempt->free : attempt->tries, attempt->random);
    fan_time asked = attempt->asked_us < ASKED_AT_MOST ? attempt->asked_us : ASKED_AT_MOST;
    fan_time least = wait == FAN_WAIT_DEFERRED ? how->deferred_us
            : wait == FAN_WAIT_CAP             ? how->cap_us
                                               : 0;

    if (delay < least)
        delay = least;
    return delay < asked ? asked : delay;
}

struct fan_retry_decision fan_retry_decide(const struct fan_retry_rules *how,
        const struct fan_attempt *attempt)
{
    const struct fan_outcome_rule *rule = fan_outcome_rule_of(attempt->outcome);
    bool free = rule->cost == FAN_TRY_IS_FREE ||
            (rule->cost == FAN_TRY_FREE_UNSERVED && attempt->unserved);
    bool used_up = free ? attempt->free + 1 >= how->free_tries : attempt->tries + 1 >= how->tries;
    struct fan_retry_decision next = { .state = rule->state, .reason = rule->reason, .free = free };

    if (attempt->busy)
        return (struct fan_retry_decision){ .state = FAN_MESSAGE_UNKNOWN, .free = true };
    if (next.state != FAN_MESSAGE_RETRY)
        return next;
    if (used_up && attempt->in_doubt) { /* this one failed; the earlier one may not have */
        next.state = FAN_MESSAGE_UNKNOWN;
        return next;
    }
    if (used_up) {
        next.state = FAN_MESSAGE_FAILED;
        next.reason = FAN_REASON_TRIES_USED_UP;
        return next;
    }
    next.delay_us = delay_of(how, rule->wait, attempt, free);
    return next;
}

#include "actors/lib/decide/retry.h"

#define ASKED_AT_MOST (3600 * FAN_SECOND)

/* Attempts that are nobody's fault cost no try, but not for ever. */
enum { FREE_TRIES = 50 };

const struct fan_retry_rules fan_retry_fast = {
    .tries = 3,
    .base_us = 1 * FAN_SECOND,
    .cap_us = 60 * FAN_SECOND,
    .deferred_us = 3600 * FAN_SECOND,
};

const struct fan_retry_rules fan_retry_patient = {
    .tries = 3,
    .base_us = 300 * FAN_SECOND,
    .cap_us = 300 * FAN_SECOND,
    .deferred_us = 3600 * FAN_SECOND,
};

/* Full jitter: anything up to the bound, which doubles with each attempt. */
static fan_time backoff(const struct fan_retry_rules *rules, uint32_t attempt, uint32_t random)
{
    fan_time bound = rules->base_us;

    for (uint32_t i = 1; i < attempt && bound < rules->cap_us; i++)
        bound *= 2;
    if (bound > rules->cap_us)
        bound = rules->cap_us;
    return (fan_time)((double)bound * random / 4294967296.0);
}

static struct fan_retry_decision again(const struct fan_retry_rules *rules, uint32_t attempt,
        fan_time least, fan_time asked_us, bool free_try, uint32_t random)
{
    uint32_t tries = free_try ? FREE_TRIES : rules->tries;
    fan_time delay = backoff(rules, attempt, random);

    if (attempt >= tries)
        return (struct fan_retry_decision){ FAN_MESSAGE_FAILED, FAN_REASON_TRIES_USED_UP, 0 };
    if (delay < least)
        delay = least;
    if (asked_us > ASKED_AT_MOST)
        asked_us = ASKED_AT_MOST;
    if (delay < asked_us)
        delay = asked_us;
    return (struct fan_retry_decision){ FAN_MESSAGE_RETRY, 0, delay };
}

struct fan_retry_decision fan_retry_decide(const struct fan_retry_rules *rules,
        enum fan_outcome_class outcome, uint32_t attempt, fan_time asked_us, bool free_try,
        uint32_t random)
{
    switch (outcome) {
    case FAN_ACCEPTED:
        return (struct fan_retry_decision){ FAN_MESSAGE_SENT, 0, 0 };
    case FAN_RETRY_LATER:
        return again(rules, attempt, 0, asked_us, free_try, random);
    case FAN_RECIPIENT_DEFERRED:
        return again(rules, attempt, rules->deferred_us, asked_us, false, random);
    case FAN_CHANNEL_PAUSE:
        return again(rules, attempt, rules->cap_us, asked_us, true, random);
    case FAN_RECIPIENT_PERMANENT:
    case FAN_CONTENT_PERMANENT:
        return (struct fan_retry_decision){ FAN_MESSAGE_FAILED, FAN_REASON_PROVIDER, 0 };
    case FAN_AMBIGUOUS:
    case FAN_OUTCOME_CLASS_COUNT:
        break;
    }
    return (struct fan_retry_decision){ FAN_MESSAGE_UNKNOWN, 0, 0 };
}

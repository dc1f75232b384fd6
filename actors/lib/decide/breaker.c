#include "actors/lib/decide/breaker.h"

#include <string.h>

enum { COHORT_LEAST = 3, COHORT_MOST = 20, REFUSALS = 10, CALLS_LEAST = 20 };

#define PAUSE_FIRST (5 * FAN_SECOND)
#define PAUSE_MOST (300 * FAN_SECOND)
#define PAUSE_LEAST (FAN_SECOND / 2)

void fan_breaker_init(struct fan_breaker *breaker, uint32_t connections)
{
    *breaker = (struct fan_breaker){
        .cohort = connections < COHORT_LEAST ? COHORT_LEAST
                : connections > COHORT_MOST  ? COHORT_MOST
                                             : connections,
    };
}

enum fan_channel_sign fan_breaker_sign(enum fan_outcome_class outcome, bool throttled, bool reached,
        int status)
{
    enum fan_channel_sign sign = fan_outcome_rule_of(outcome)->channel;

    if (throttled)
        return FAN_SIGN_GOOD; /* somebody is there, and he knows us */
    if (sign != FAN_SIGN_LOOK)
        return sign;
    return !reached || status >= 500 ? FAN_SIGN_TROUBLE : FAN_SIGN_GOOD;
}

static struct fan_breaker_second *this_second(struct fan_breaker *breaker, fan_time now)
{
    int64_t second = now / FAN_SECOND;
    struct fan_breaker_second *one = &breaker->seconds[(uint64_t)second % FAN_BREAKER_SECONDS];

    if (one->second != second)
        *one = (struct fan_breaker_second){ .second = second };
    return one;
}

/* More than half of enough calls within the last ten seconds. */
static bool mostly_troubles(const struct fan_breaker *breaker, fan_time now)
{
    int64_t oldest = now / FAN_SECOND - FAN_BREAKER_SECONDS;
    uint64_t calls = 0, troubles = 0;

    for (size_t i = 0; i < FAN_BREAKER_SECONDS; i++) {
        if (breaker->seconds[i].second <= oldest)
            continue;
        calls += breaker->seconds[i].calls;
        troubles += breaker->seconds[i].troubles;
    }
    return calls >= CALLS_LEAST && troubles * 2 > calls;
}

enum fan_health_reason fan_breaker_note(struct fan_breaker *breaker, enum fan_channel_sign sign,
        fan_time now)
{
    struct fan_breaker_second *second = this_second(breaker, now);

    second->calls++;
    switch (sign) {
    case FAN_SIGN_GOOD:
        breaker->troubles = breaker->refusals = 0;
        breaker->worked = true;
        return FAN_HEALTH_FINE;
    case FAN_SIGN_REFUSED:
        breaker->troubles = 0;
        breaker->refusals++;
        return !breaker->worked || breaker->refusals >= REFUSALS ? FAN_HEALTH_REFUSED
                                                                 : FAN_HEALTH_FINE;
    case FAN_SIGN_TROUBLE:
    case FAN_SIGN_LOOK:
        break;
    }
    second->troubles++;
    breaker->troubles++;
    if (breaker->troubles >= breaker->cohort)
        return FAN_HEALTH_FAILING;
    return mostly_troubles(breaker, now) ? FAN_HEALTH_ERRORS : FAN_HEALTH_FINE;
}

void fan_breaker_reset(struct fan_breaker *breaker)
{
    breaker->troubles = breaker->refusals = 0;
    memset(breaker->seconds, 0, sizeof breaker->seconds);
}

fan_time fan_breaker_pause(uint32_t times, uint32_t random)
{
    fan_time bound = PAUSE_FIRST;

    for (uint32_t i = 1; i < times && bound < PAUSE_MOST; i++)
        bound *= 2;
    if (bound > PAUSE_MOST)
        bound = PAUSE_MOST;
    return PAUSE_LEAST + (fan_time)((double)(bound - PAUSE_LEAST) * random / 4294967296.0);
}

enum fan_health_act fan_health_decide(const struct fan_health *health, bool trying, fan_time now)
{
    switch (health->state) {
    case FAN_HEALTH_CLOSED:
        return FAN_HEALTH_GO;
    case FAN_HEALTH_OPEN:
        return now < health->until ? FAN_HEALTH_LEAVE : FAN_HEALTH_ASK;
    case FAN_HEALTH_HALF_OPEN:
    case FAN_HEALTH_STATE_COUNT:
        break;
    }
    if (now >= health->until)
        return FAN_HEALTH_ASK;
    if (!health->ours)
        return FAN_HEALTH_LEAVE;
    return trying ? FAN_HEALTH_HOLD : FAN_HEALTH_ONE;
}

uint32_t fan_health_times(const struct fan_health *health, bool again)
{
    return health->state == FAN_HEALTH_HALF_OPEN && again && health->times > 0 ? health->times
                                                                               : health->times + 1;
}

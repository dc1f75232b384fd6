/*
 * decide/retry — what becomes of a message after an attempt: one table from outcome class to state.
 *
 * Pure. Delays are drawn with full jitter from a number that the caller drew, and never undercut
 * what the provider asked for.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_RETRY_H
#define FAN_ACTORS_LIB_DECIDE_RETRY_H

#include "proto/time.h"
#include "proto/words.h"

/* How a kind of channel tries again. */
struct fan_retry_rules {
    uint32_t tries;       /* attempts in all */
    fan_time base_us;     /* bound of the first delay; doubles with each attempt */
    fan_time cap_us;      /* largest delay that we choose */
    fan_time deferred_us; /* delay for a recipient who cannot be reached now */
};

extern const struct fan_retry_rules fan_retry_fast;    /* 3 tries: 1, 2, 4 s */
extern const struct fan_retry_rules fan_retry_patient; /* 3 tries, 5 minutes apart */

struct fan_retry_decision {
    enum fan_message_state state; /* sent, retry, unknown or failed */
    enum fan_reason reason;       /* 0: none */
    fan_time delay_us;            /* retry: until it is due */
};

/**
 * Decide.
 *
 * attempt   number of the attempt that just ended, from 1
 * asked_us  what the provider asked us to wait; -1: nothing
 * free_try  the provider refused because of our rate, or was not reached: that costs no try, up to
 *           fifty times. Nor does what pauses the whole channel
 * random    any 32 bits
 */
struct fan_retry_decision fan_retry_decide(const struct fan_retry_rules *rules,
        enum fan_outcome_class outcome, uint32_t attempt, fan_time asked_us, bool free_try,
        uint32_t random);

#endif

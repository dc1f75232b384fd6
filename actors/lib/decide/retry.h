/*
 * decide/retry — what becomes of a message after an attempt: one table from outcome class to state.
 *
 * Pure. Delays are drawn with full jitter from a number that the caller drew, and never undercut
 * what the provider asked for. The table stands in docs/lifecycle.md too; a test compares them.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_RETRY_H
#define FAN_ACTORS_LIB_DECIDE_RETRY_H

#include "proto/time.h"
#include "proto/words.h"

/* How messages are tried again. */
struct fan_retry_rules {
    uint32_t tries;       /* attempts in all */
    uint32_t free_tries;  /* further ones that cost none: nobody's fault, but not for ever */
    fan_time base_us;     /* bound of the first delay; doubles with each attempt of its sort */
    fan_time cap_us;      /* largest delay that we choose */
    fan_time deferred_us; /* delay for a recipient who cannot be reached now */
};

/** The rules of a preset; FAN_RETRY_BY_KIND: those that suit the kind of channel. */
const struct fan_retry_rules *fan_retry_rules_of(enum fan_retry_preset preset, enum fan_kind kind);

/** The preset that FAN_RETRY_BY_KIND means for a kind: patient for mails, fast for the rest. */
enum fan_retry_preset fan_retry_preset_for(enum fan_kind kind);

/* What a try costs. */
enum fan_try_cost {
    FAN_TRY_COSTS = 1,
    FAN_TRY_IS_FREE,
    FAN_TRY_FREE_UNSERVED, /* free when the provider refused because of our rate, or was not reached
                            */
};

/* How long a message in retry waits at least, beside the back-off. */
enum fan_try_wait { FAN_WAIT_NONE = 0, FAN_WAIT_BACKOFF, FAN_WAIT_CAP, FAN_WAIT_DEFERRED };

/* What an outcome says of its channel; see breaker.h. */
enum fan_channel_sign {
    FAN_SIGN_GOOD = 1, /* it works */
    FAN_SIGN_TROUBLE,  /* nobody there, or nothing that makes sense comes back */
    FAN_SIGN_REFUSED,  /* its login or its right to send */
    FAN_SIGN_LOOK,     /* trouble when the provider was not reached or has an error of its own */
};

/* A row of the table. */
struct fan_outcome_rule {
    enum fan_message_state state; /* sent, retry, unknown or failed */
    enum fan_reason reason;       /* failed: why */
    enum fan_try_cost cost;
    enum fan_try_wait wait;
    enum fan_channel_sign channel;
};

/** The row of a class. */
const struct fan_outcome_rule *fan_outcome_rule_of(enum fan_outcome_class outcome);

/* An attempt that has ended. */
struct fan_attempt {
    enum fan_outcome_class outcome;
    uint32_t tries;    /* that cost one, before this one */
    uint32_t free;     /* that cost none, before this one */
    bool unserved;     /* the provider refused because of our rate, or was not reached */
    bool busy;         /* the provider is still at an earlier request of this message */
    bool in_doubt;     /* an earlier request may have been taken: it is repeated for its key */
    fan_time asked_us; /* what the provider asked us to wait; -1: nothing. An hour at most counts */
    uint32_t random;   /* any 32 bits */
};

struct fan_retry_decision {
    enum fan_message_state state;
    enum fan_reason reason; /* 0: none */
    fan_time delay_us;      /* retry: until it is due */
    bool free;              /* the try cost none */
};

struct fan_retry_decision fan_retry_decide(const struct fan_retry_rules *rules,
        const struct fan_attempt *attempt);

#endif

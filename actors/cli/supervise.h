/*
 * supervise — when a process is started, restarted and stopped; pure: no clock, no signals.
 *
 * A slot is one process of the fleet. Whoever owns the real processes tells a slot what happened
 * (started, ready, ended) and asks what to do next. Instants are microseconds of one clock.
 */
#ifndef FAN_CLI_SUPERVISE_H
#define FAN_CLI_SUPERVISE_H

#include "proto/time.h"

#include <sys/types.h>

enum {
    FAN_BACKOFF_LEAST_MS = 500,
    FAN_BACKOFF_MOST_MS = 30000,
    FAN_STORM_FAILURES = 5, /* in a row, that a person should know of */
};

#define FAN_HEALTHY_AFTER (60 * FAN_SECOND) /* a process that ran so long has no past */

enum fan_slot_state {
    FAN_SLOT_WAITING = 1, /* for its turn, or for the end of its back-off */
    FAN_SLOT_STARTING,    /* runs, but has not said that it is ready */
    FAN_SLOT_READY,
    FAN_SLOT_STOPPING, /* was told to end */
    FAN_SLOT_DONE,     /* ended, and is not to be started again */
};

/* What a process is to the others. */
struct fan_slot_rules {
    bool once;           /* does one job; when that succeeded, it is done */
    bool gate;           /* those of later waves start only when it is ready (once: done) */
    uint8_t wave;        /* of starting; all of one wave start together */
    uint8_t leave;       /* order of stopping: 0 first */
    uint32_t stop_ms;    /* how long it may take to end before it is killed */
    uint32_t restart_ms; /* the longest pause before it is started again */
};

struct fan_slot {
    struct fan_slot_rules rules;
    enum fan_slot_state state;
    pid_t pid;           /* while it runs; otherwise 0 */
    fan_time since;      /* of this state */
    fan_time started;    /* of the process */
    fan_time not_before; /* WAITING: the end of the back-off */
    uint32_t failures;   /* in a row, without a healthy time between */
    uint32_t restarts;   /* in all */
    bool killed;         /* STOPPING: its time was over */
};

/** The pause before a start that follows @failures failures in a row (1 or more): doubled from one
 * to the next up to @most_ms, and moved by up to a fifth with @random, so that a fleet does not
 * come back in step. */
uint32_t fan_backoff_ms(uint32_t failures, uint32_t most_ms, uint32_t random);

void fan_slot_init(struct fan_slot *slot, struct fan_slot_rules rules);

/* ---- what happened ---- */

void fan_slot_started(struct fan_slot *slot, pid_t pid, fan_time now);
void fan_slot_ready(struct fan_slot *slot, fan_time now);
/** It was told to end. */
void fan_slot_stopping(struct fan_slot *slot, fan_time now);
/** It could not be started, or ended; @well: by itself with exit code 0. */
void fan_slot_ended(struct fan_slot *slot, bool well, fan_time now, uint32_t random);

/* ---- what to do ---- */

/** Whether slots[i] is to be started now. */
bool fan_slot_may_start(const struct fan_slot *slots, size_t count, size_t i, fan_time now);
/** Whether every slot is ready or done. */
bool fan_slots_ready(const struct fan_slot *slots, size_t count);
/** Stopping: whether slots[i] is to be told to end now, because all that leave before it are gone.
 */
bool fan_slot_may_stop(const struct fan_slot *slots, size_t count, size_t i);
/** Stopping: whether its time is over and it is to be killed. */
bool fan_slot_overdue(const struct fan_slot *slot, fan_time now);
bool fan_slots_gone(const struct fan_slot *slots, size_t count);
/** Whether it keeps ending without ever being healthy. */
bool fan_slot_storm(const struct fan_slot *slot);

/** "waiting", "starting", … */
const char *fan_slot_state_name(enum fan_slot_state state);

#endif

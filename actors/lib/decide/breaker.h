/*
 * decide/breaker — when a channel that is in trouble is left alone, for how long, and who tries it
 * again.
 *
 * Pure; the clock is passed in, and only differences count. A breaker is what one sender has seen
 * of a channel lately. Whether the channel is open stands in its row, so that all senders agree:
 *
 *   closed ──a breaker says so──▶ open ──its time is over──▶ half open: one sender, one message
 *     ▲                             ▲                            │
 *     └────────── it works ─────────┼────────────────────────────┤
 *                                   └─── it does not: longer ────┘
 *
 * A message that has not failed before tries it, where there is one: of a tail of messages that the
 * provider fails at each alone, every one would make the pause longer.
 *
 * Being throttled opens nothing: that is rate.h's.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_BREAKER_H
#define FAN_ACTORS_LIB_DECIDE_BREAKER_H

#include "actors/lib/decide/retry.h"

enum { FAN_BREAKER_SECONDS = 10 };

/* Calls that ended in one second. */
struct fan_breaker_second {
    int64_t second;
    uint32_t calls, troubles;
};

struct fan_breaker {
    uint32_t cohort;   /* so many troubles in a row open it */
    uint32_t troubles; /* in a row */
    uint32_t refusals; /* without a call that worked between them */
    bool worked;       /* some call did */
    struct fan_breaker_second seconds[FAN_BREAKER_SECONDS];
};

/** Begin: nothing is known. A cohort is what may be under way at once, at least 3 and at most 20.
 */
void fan_breaker_init(struct fan_breaker *breaker, uint32_t connections);

/** What the end of a call says of the channel. @status: 0 when no answer came */
enum fan_channel_sign fan_breaker_sign(enum fan_outcome_class outcome, bool throttled, bool reached,
        int status);

/**
 * Note the end of a call. Returns why the channel is to be opened; 0: it is not.
 *
 * Troubles open it when a cohort of them comes in a row, or when they are more than half of 20 or
 * more calls within ten seconds; refusals when there were ten without a call that worked between
 * them, and the first one when nothing has worked yet.
 */
enum fan_health_reason fan_breaker_note(struct fan_breaker *breaker, enum fan_channel_sign sign,
        fan_time now);

/** Forget all but whether it worked: for when the channel is opened or closed. */
void fan_breaker_reset(struct fan_breaker *breaker);

/** How long it stays open the @times-th time in a row, from 1: up to 5 s, doubling, up to 5 min,
 * with full jitter above half a second. */
fan_time fan_breaker_pause(uint32_t times, uint32_t random);

/* A channel's health as its row says. */
struct fan_health {
    enum fan_health_state state;
    enum fan_health_reason reason;
    uint32_t times; /* opened in a row */
    fan_time until; /* open: no call before. Half open: then somebody else may try */
    bool ours;      /* half open: by us */
};

enum fan_health_act {
    FAN_HEALTH_GO = 1, /* all may go */
    FAN_HEALTH_ONE,    /* one message may, and only one */
    FAN_HEALTH_HOLD,   /* one is under way: see what becomes of it */
    FAN_HEALTH_ASK,    /* ask for being the one who tries */
    FAN_HEALTH_LEAVE,  /* leave it alone: give back what is held for it */
};

/** What a sender may do. @trying: its one message is under way */
enum fan_health_act fan_health_decide(const struct fan_health *health, bool trying, fan_time now);

/**
 * How many times in a row it is open when it is opened now, for fan_breaker_pause.
 *
 * again  the message that tried it had failed before, and the provider answered it: that may be its
 *        recipient's fault, so the pause grows no longer
 */
uint32_t fan_health_times(const struct fan_health *health, bool again);

#endif

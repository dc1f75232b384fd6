/*
 * channel — a channel as a sender has it: its credentials and connections, its send slots, and what
 * is known of its health.
 */
#ifndef FAN_ACTORS_SENDER_CHANNEL_H
#define FAN_ACTORS_SENDER_CHANNEL_H

#include "actors/lib/decide/breaker.h"
#include "actors/lib/decide/budget.h"
#include "actors/lib/decide/rate.h"
#include "actors/lib/decide/slots.h"
#include "actors/lib/driver/view.h"
#include "broker/runtime/http_client.h"

struct sender;

/* A channel that messages go out on. */
struct channel {
    struct sender *sender;
    struct channel *next;
    fan_id account, id;
    struct fan_arena *arena;
    struct fan_channel_view view;
    const struct fan_provider *provider;
    struct fan_http_client *client;
    uint32_t connections;
    uint32_t in_flight;
    fan_time loaded; /* elapsed */
    bool stale;      /* its settings changed: the next claim loads it anew */
    bool retired;    /* another one has taken its place: it goes when its claims have ended */

    /* Send slots (all instants elapsed). No rate: no slots. */
    bool paced;
    struct fan_slots slots; /* granted, for messages to start */
    bool asking;            /* a block of slots is under way */
    fan_time ask_again;     /* not before */
    fan_time interval;
    uint32_t slice; /* messages in half a second, at most the setting */
    struct fan_timer *timer;

    fan_time held_until; /* the provider wants no calls before; with or without a rate */

    /* Health (health.c; instants elapsed). */
    struct fan_breaker breaker;
    struct fan_health health;
    bool looked;       /* what its row says is known */
    bool looking;      /* a look at it is under way */
    bool stepping;     /* a change of it is under way */
    bool trying;       /* half open, by us: the one message is under way */
    bool probe_failed; /* it had failed before */
    fan_id probe;      /* that one */
    uint32_t asked;    /* statements under way */
    fan_time learned;  /* interval that holds now */
    fan_time configured;
    fan_time cut; /* what we asked for last */
    fan_time told_at, grow_at;
    struct fan_budget budget;
    int64_t second; /* the one that calls are counted in */
    uint32_t calls, calls_before;
};

/* ---- channel.c ---- */

/** Find or load a channel. fails when it cannot be had now; it is asked again later. */
enum fan_err channel_get(struct sender *self, fan_id account, fan_id id, struct channel **out,
        struct fan_why *why);
/** The channel of that id as it was loaded last, or NULL. */
struct channel *channel_find(struct sender *self, fan_id account, fan_id id);
/** The one that has taken the place of @channel; @channel itself while it holds. */
struct channel *channel_current(struct channel *channel);
bool channel_is_used(const struct channel *channel);
/** How many messages may be opened now, at most @wanted; asks for more slots when they run out.
 * @waiting: how many are opened, or about to be, and not started. @again: they are another
 * attempt's; others try a channel first */
uint32_t channel_may_open(struct channel *channel, uint32_t wanted, uint32_t waiting, bool again);
/** Whether one message may start now; if so its slot and connection are taken. @again: it was tried
 * before */
bool channel_may_start(struct channel *channel, fan_id message, bool again);
/** Start and open nothing for so long. */
void channel_hold(struct channel *channel, fan_time wait);
/** Send no faster than with so much time between two messages; 0: no limit. */
void channel_set_pace(struct channel *channel, fan_time interval, fan_time configured);
void channel_changed(struct sender *self, fan_id account, fan_id id);

/* ---- health.c ---- */

/** A channel was loaded, in the place of @old (may be NULL). */
void health_begin(struct channel *channel, const struct channel *old);
/** What may go out on it. */
enum fan_health_act health_act(const struct channel *channel);
/** Ask to be the one whose message tries it. */
void health_try(struct channel *channel);
/** A call has ended. @reached: somebody answered, or may have */
void health_landed(struct channel *channel, fan_id message, enum fan_channel_sign sign,
        bool reached);
/** A message is done with, whatever its call said, if it had one: another may try the channel. */
void health_ended(struct channel *channel, fan_id message);
/** The provider says that we are too fast: hold, and let all senders be slower. */
void health_throttled(struct channel *channel, fan_time wait);
/** Look at the row now. */
void health_look(struct channel *channel);
/** Every second. */
void health_tick(struct sender *self);
void channels_free(struct sender *self);

#endif

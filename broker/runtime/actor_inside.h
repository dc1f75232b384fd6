/*
 * actor_inside — what the parts of a process's life share. Private to the runtime.
 *
 *   actor.c     from main to the exit code
 *   turn.c      turns, and what leaves with them
 *   work.c      frames and timers become turns
 *   dispatch.c  numbers to handlers
 *   standing.c  the process before its host: signals, parent, service manager
 *   status.c    GET /health and GET /metrics
 *   bus.c       brokers and frames
 */
#ifndef FAN_RUNTIME_ACTOR_INSIDE_H
#define FAN_RUNTIME_ACTOR_INSIDE_H

#include "broker/runtime/actor.h"
#include "broker/runtime/bus.h"
#include "broker/runtime/dispatch.h"
#include "broker/runtime/http_server.h"
#include "broker/runtime/standing.h"

struct fan_packet;

/* Frames that leave when the turn has committed, in order: out[len]. */
struct fan_outbox {
    struct fan_outgoing {
        enum fan_way way;
        struct fan_packet *packet;
    } * out;
    size_t len, room;
};

/* Counts and durations of one sort of turn; series are made when they are first needed. */
struct fan_turn_meter {
    const char *name; /* of the message or the timer */
    struct fan_metric *seconds;
    struct fan_metric *results[FAN_UNCERTAIN + 1];
};

struct fan_actor_tick { /* a running timer of the role */
    struct fan_actor *actor;
    const struct fan_tick *tick;
    struct fan_timer *timer;
    struct fan_turn_meter meter;
};

struct fan_actor {
    const struct fan_role *role;
    struct fan_common_settings common;
    void *settings;
    void *state;
    bool opened;               /* role->open went well: role->close is owed */
    struct fan_arena *lasting; /* settings, timers, meters: until the process ends */

    struct fan_loop *loop;
    struct fan_metrics *metrics;
    struct fan_db *db;
    struct fan_bus *bus;
    struct fan_http_server *status;
    struct fan_standing *standing;
    enum fan_kind kind;
    struct fan_actor_tick *ticks; /* ends with tick NULL; NULL: none */
    fan_time started;             /* of fan_clock_elapsed */

    bool draining;
    fan_time drain_until; /* of fan_clock_elapsed */
    struct fan_timer *drain_timer;
    int exit_code;

    uint64_t incarnation;
    uint64_t sequence;     /* of the last frame sent */
    uint64_t random;       /* state of the generator of trace ids */
    struct fan_turn *turn; /* under way, or NULL */
    struct fan_arena *arena;
    struct fan_outbox outbox;
    struct fan_buffer scratch;
    struct fan_turn_meter meters[FAN_MESSAGES]; /* by fan_dispatch_index */
    struct fan_turn_meter call_meter;
};

/* What a turn is about. */
struct fan_errand {
    struct fan_turn_meter *meter;
    struct fan_route route;
    struct fan_trace trace; /* absent: a root of its own */
    uint64_t from;
    bool quiet; /* the caller tells whoever asked: only our own troubles are logged */
    enum fan_err (*fn)(struct fan_turn *turn, void *context);
    void *context;
};

/** Run a turn, repeat it on FAN_CONFLICT, send what it emitted; count, time and log it. */
enum fan_err fan_turn_run(struct fan_actor *actor, const struct fan_errand *errand,
        struct fan_why *why);

/** A frame came from the bus. */
void fan_actor_on_frame(void *actor, const struct fan_frame *frame);

/** Start and stop the role's timers. */
void fan_actor_start_ticks(struct fan_actor *actor);
void fan_actor_stop_ticks(struct fan_actor *actor);

/** Open the status page, when the settings want one. */
enum fan_err fan_status_open(struct fan_actor *actor, struct fan_why *why) FAN_MUST_CHECK;

#endif

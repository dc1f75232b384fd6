/*
 * actor — the life of a process: settings, sockets, turns, drain.
 *
 * A process is a role (a table) and fan_actor_main. The runtime reads the settings, opens the log,
 * the database, the bus and the status page, says hello to every broker, grants credit, calls one
 * handler a frame, and leaves in good order on SIGTERM. A handler runs in a turn: what it emits
 * leaves, and what it wrote is committed, only when it returns FAN_OK. FAN_CONFLICT repeats the
 * turn (up to 3 times); any other failure is logged once and undone.
 */
#ifndef FAN_RUNTIME_ACTOR_H
#define FAN_RUNTIME_ACTOR_H

#include "broker/runtime/clock.h"
#include "broker/runtime/log.h"
#include "broker/runtime/loop.h"
#include "broker/runtime/metrics.h"
#include "broker/runtime/settings.h"
#include "proto/frame.h"
#include "sql/db.h"

struct fan_actor;

struct fan_turn {
    void *state; /* the role's own */
    struct fan_actor *actor;
    struct fan_arena *arena; /* dies with the turn */
    struct fan_db *db;       /* NULL when the role has none; set to the route's account */
    struct fan_route route;  /* of the frame; zero for timers. Emit with it or one of your own */
    struct fan_trace trace;
    uint64_t from;      /* incarnation of the frame's sender */
    struct fan_why why; /* fill it before you return a failure */
};

/* One slot a message: called with the decoded body. NULL: this role does not take it (PIPE) or want
 * it (NEWS). */
struct fan_handlers {
#define MESSAGE(name, number, way, doc) \
    enum fan_err (*name)(struct fan_turn * turn, const struct fan_##name *message);
#include "proto/messages.def"
};

/* A timer that is a turn. The interval must not be 0; first call one interval after the start. */
struct fan_tick {
    uint32_t interval_ms;
    const char *name; /* for logs and metrics */
    enum fan_err (*fn)(struct fan_turn *turn);
};

struct fan_role {
    const char *name;                   /* "renderer": settings, database role fan_renderer, log */
    const char *summary;                /* one sentence, for --help */
    const struct fan_setting *settings; /* NULL: none of its own */
    size_t settings_size;
    size_t state_size;
    enum fan_db_use db_use;
    bool no_database;
    bool no_bus;            /* neither brokers nor frames */
    uint32_t credit_urgent; /* frames it can hold at once, by lane; 0 and 0 when it takes none */
    uint32_t credit_normal;
    bool manual_credit; /* the credit of a frame whose handler returned FAN_OK comes back with
                           fan_actor_done; of one that failed by itself, as without this */
    const struct fan_tick *ticks; /* ends with interval 0; NULL: none */
    struct fan_handlers on;

    /** Fill the zeroed state. Settings are in fan_actor_settings. fails: the process exits and says
     * why. NULL: nothing. */
    enum fan_err (*open)(struct fan_actor *actor, void *state, struct fan_why *why);
    /** SIGTERM came: stop taking new work. Credit is no longer granted. NULL: nothing. */
    void (*drain)(struct fan_actor *actor, void *state);
    /** Whether work is still in flight; asked until false or drain_ms is over. NULL: none. */
    bool (*busy)(struct fan_actor *actor, void *state);
    /** Let go of everything. NULL: nothing. */
    void (*close)(struct fan_actor *actor, void *state);
    /** More for GET /health: write named values into an open JSON object; return false when not
     * healthy. NULL: nothing. */
    bool (*health)(struct fan_actor *actor, void *state, struct fan_buffer *json_members);
};

/** Run the process; returns its exit code: 0 after a clean stop, 64 wrong usage, 70 cannot go on,
 * 75 drain ran out. */
int fan_actor_main(const struct fan_role *role, int argc, char **argv);

/* ---- what an actor may ask for; all of these from the loop's thread ---- */

void *fan_actor_state(struct fan_actor *actor);
const void *fan_actor_settings(const struct fan_actor *actor);
const struct fan_common_settings *fan_actor_common(const struct fan_actor *actor);
struct fan_loop *fan_actor_loop(struct fan_actor *actor);
struct fan_metrics *fan_actor_metrics(struct fan_actor *actor);
uint64_t fan_actor_incarnation(const struct fan_actor
                *actor); /* drawn at start; below 2^63, never 0 */
bool fan_actor_draining(const struct fan_actor *actor);
/** The kind of channel this worker serves, told to brokers in hello. Call from open only; 0 (any)
 * otherwise. */
void fan_actor_serves(struct fan_actor *actor, enum fan_kind kind);
/** Another connection with this role's login (a sender's pipelined one, …); free it. */
struct fan_db *fan_actor_new_db(struct fan_actor *actor, enum fan_db_use use);
/** Give back a frame's credit (manual_credit). */
void fan_actor_done(struct fan_actor *actor, enum fan_lane lane);
/** Stop the process in good order, as SIGTERM does. */
void fan_actor_stop(struct fan_actor *actor);

/** Run @fn as a turn: for finished requests, HTTP handlers and the like; never within a turn.
 * Returns what became of it, after commit; it is logged only when the database was away. */
enum fan_err fan_actor_turn(struct fan_actor *actor, const struct fan_route *route,
        enum fan_err (*fn)(struct fan_turn *turn, void *context), void *context,
        struct fan_why *why);

/* ---- inside a turn ---- */

/** Commit now and let what was emitted go; the turn continues in a new transaction. */
enum fan_err fan_turn_commit(struct fan_turn *turn) FAN_MUST_CHECK;

/** Work for another account from the next statement on, which turn->route names too; commit first.
 */
void fan_turn_account(struct fan_turn *turn, fan_id account);

/** Emit a message when the turn has committed. PIPE goes to one worker by the route's kind and lane
 * (nowhere if no broker is there: the row will ask again); NEWS to all who asked. fails
 * FAN_TOO_LARGE */
enum fan_err fan_emit(struct fan_turn *turn, const struct fan_schema *schema,
        const struct fan_route *route, const void *message) FAN_MUST_CHECK;

/** The same outside a turn, at once; failures are counted, not told: a frame is only a hint. */
void fan_actor_emit(struct fan_actor *actor, const struct fan_schema *schema,
        const struct fan_route *route, const void *message);

/* fan_emit_render_request(turn, &route, &message), … */
#define MESSAGE(name, number, way, doc) \
    static inline enum fan_err fan_emit_##name(struct fan_turn *turn, \
            const struct fan_route *route, const struct fan_##name *message) \
    { \
        return fan_emit(turn, &fan_schema_##name, route, message); \
    }
#include "proto/messages.def"

#endif

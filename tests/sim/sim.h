/*
 * sim — one campaign from its first chunk to its last message, in simulated time and drawn from a
 * seed: a scheduler, a renderer, senders, two brokers, an ingester and a provider, with frames that
 * are lost, doubled and late, processes that are killed and paused, commits whose replies are lost,
 * journals that are lost or torn, callbacks that come early, late and twice.
 *
 * What is decided is decided by the code of the product: fan_window_decide, fan_routing_next with
 * queues and registry, fan_capacity_…, fan_retry_decide, fan_evidence_of, the journal's records and
 * what is read from them, words_merge. The rows are rows.h. The order of a sender's steps is
 * sender.c's here, after actors/sender/claim_batch.c.
 *
 *   sim.c     time, chance, what must hold after every event
 *   wire.c    brokers, and the links to them
 *   sender.c  claims
 *   graves.c  journals of the dead, replays
 *   others.c  scheduler, renderer, provider, ingester
 */
#ifndef FAN_TESTS_SIM_SIM_H
#define FAN_TESTS_SIM_SIM_H

#include "actors/ingester/words.h"
#include "actors/lib/decide/retry.h"
#include "actors/lib/decide/window.h"
#include "actors/sender/journal.h"
#include "broker/daemon/routing.h"
#include "broker/runtime/capacity.h"
#include "tests/sim/rows.h"

enum {
    SIM_BROKERS = 2,
    SIM_SENDERS = 3,
    SIM_WORKERS = SIM_SENDERS + 1,
    SIM_RENDERER = SIM_SENDERS
};
enum { SIM_HOLDS = 8, SIM_GRAVES = 16, SIM_EVENTS = 8192, SIM_WORDS = 1024 };
enum { SIM_RENDER_REQUEST = 0x0201, SIM_SEND_REQUEST = 0x0202 };

struct sim;

/* A frame; brokers see it as a packet that they do not look into. */
struct sim_frame {
    uint32_t number, epoch;
    fan_id chunk;
    uint64_t met; /* the acquaintance through whose endpoint it goes to a worker */
};

struct sim_event {
    fan_time at;
    uint64_t order; /* of equals, the first made comes first */
    void (*happen)(struct sim *sim, const struct sim_event *event);
    int who, what; /* worker or broker; anything */
    uint64_t life; /* of whom it is meant for; 0: whoever it is */
    void *about;   /* malloc'ed, or NULL */
};

enum sim_known { SIM_WAITING = 0, SIM_STARTED, SIM_SETTLED };
enum sim_hold_state { SIM_FREE = 0, SIM_TAKING, SIM_OPEN, SIM_ENDING, SIM_OVER };

/* A chunk that a sender holds; see struct claim. */
struct sim_hold {
    enum sim_hold_state state;
    struct fan_claim claim;
    struct journal_slot *slot;
    uint32_t size, opened, started, in_flight;
    fan_time open_until, renew_at, retry_at;
    bool busy, closed_out, lost;
    uint8_t known[ROWS_ITEMS]; /* enum sim_known */
    uint8_t tries[ROWS_ITEMS], free[ROWS_ITEMS];
    struct row_word results[ROWS_ITEMS], recording[ROWS_ITEMS];
    size_t results_len, recording_len;
};

/* A sender, or the renderer. */
struct sim_worker {
    uint64_t life; /* incarnation; 0: dead */
    fan_time paused_until;
    struct fan_capacity capacity;
    uint64_t knows[SIM_BROKERS]; /* the broker's incarnation that it says hello to; 0: none */
    uint64_t met[SIM_BROKERS];   /* which acquaintance it is */
    fan_time heard[SIM_BROKERS];
    uint32_t held; /* frames in hand */
    struct sim_hold hold[SIM_HOLDS];
};

struct sim_broker {
    uint64_t life;
    struct fan_queues queues;
    struct fan_registry registry;
};

/* What is left of a dead sender. */
struct sim_grave {
    struct journal_slot *slot;
    uint64_t owner, reader; /* reader: the life of who replays it; 0: nobody */
    bool same_boot;
};

struct sim_truth {
    int maybe;           /* requests that may have been processed */
    int unsure;          /* of those, ambiguous ones */
    int progress, flags; /* what callbacks have said */
    bool accepted, begun;
};

struct sim {
    uint64_t seed, random, lives;
    fan_time now, calm_at; /* nothing goes wrong after calm_at */
    uint64_t events, made;
    struct sim_event heap[SIM_EVENTS];
    size_t heap_len;
    struct rows rows;
    struct sim_truth truth[ROWS_HOMES][ROWS_SIZE];
    struct sim_worker worker[SIM_WORKERS];
    struct sim_broker broker[SIM_BROKERS];
    struct sim_grave grave[SIM_GRAVES];
    int graves;
    struct fan_window *window;
    uint64_t scheduler; /* life; 0: dead */
    bool waking;
    struct word word[SIM_WORDS]; /* spooled, not yet applied */
    size_t words;
    struct fan_arena *arena;
    int kills, takes_back; /* of all senders; of claims */
    int lost;              /* journals, whole or in part */
    bool cancel;           /* the run will be cancelled */
    uint32_t frames;       /* that a worker can hold */
    uint32_t window_most;  /* chunks on their way */
    int senders;
    char what[200]; /* what went wrong; "": nothing */
};

/* ---- sim.c ---- */

uint32_t sim_draw(struct sim *sim, uint32_t below);
bool sim_chance(struct sim *sim, uint32_t permille);
/** The same while faults happen; never in the calm. */
bool sim_mishap(struct sim *sim, uint32_t permille);
/** Between @least and three times that. */
fan_time sim_wait(struct sim *sim, fan_time least);
void sim_after(struct sim *sim, fan_time wait, struct sim_event event);
void sim_wrong(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct sim_truth *sim_truth(struct sim *sim, fan_id message);
/** Let one campaign happen; false: sim->what says what went wrong. */
bool sim_run(struct sim *sim, uint64_t seed);
/** Whether it may happen now: whom it is meant for lives and is awake. Otherwise it is put off, or
 * forgotten with what it is about. */
bool sim_may(struct sim *sim, const struct sim_event *event);

/* ---- wire.c ---- */

void wire_begin(struct sim *sim);
void wire_end(struct sim *sim);
/** Hand a frame to some broker. */
void wire_emit(struct sim *sim, uint32_t number, fan_id chunk, uint32_t epoch);
/** A worker is done with a frame. */
void wire_done(struct sim *sim, int worker);
/** Every second: hellos, credit, silence. */
void wire_beat(struct sim *sim);
void wire_kill_broker(struct sim *sim, int broker);
/** At rest every broker may send what the workers can hold, and no more. */
void wire_check_rest(struct sim *sim);

/* ---- sender.c ---- */

void sender_take(struct sim *sim, int worker, const struct sim_frame *frame);
void sender_kill(struct sim *sim, int worker);
/** Every second: leases, replays. */
void sender_tick(struct sim *sim, int worker);
void senders_end(struct sim *sim);

/* ---- others.c ---- */

void renderer_take(struct sim *sim, int worker, const struct sim_frame *frame);
void scheduler_begin(struct sim *sim);
void scheduler_wake(struct sim *sim);
void scheduler_gone(struct sim *sim, uint64_t worker);
/** The bytes are out: what the provider does, and what it will answer. */
enum fan_outcome_class provider_decide(struct sim *sim, fan_id message);
/** Apply what callbacks have said so far. */
void ingester_forward(struct sim *sim);

#endif

/*
 * registry — the workers a broker knows: what each takes, how much it may still be sent, when it
 * was last heard.
 *
 * Credit is a total since the worker's hello; what may be sent is that total less what was sent.
 * Frames that did not come through, as the worker's own counts show, are given back. Pure: instants
 * are passed in.
 */
#ifndef FAN_DAEMON_REGISTRY_H
#define FAN_DAEMON_REGISTRY_H

#include "proto/frame.h"

struct fan_broker;
struct fan_socket;

enum {
    FAN_TAKES_MAX = 32,
    FAN_WORKERS_MAX = 1000, /* ZeroMQ has 1,023 sockets, and each worker needs one */
    FAN_SILENT_MS = 3000,
};

struct fan_worker_lane {
    uint64_t granted; /* frames since hello */
    uint64_t used;    /* frames sent */
    uint64_t marked;  /* what used was at marked_at */
    fan_time marked_at;
};

struct fan_worker {
    uint64_t incarnation;
    char role[33];
    enum fan_kind kind; /* of channel that it serves; 0: any */
    uint32_t takes[FAN_TAKES_MAX];
    size_t takes_len;
    struct fan_worker_lane lane[FAN_LANE_COUNT];
    fan_time heard;
    uint64_t served;           /* when it was last chosen, counted in choices */
    uint32_t place;            /* n of its endpoint */
    bool met;                  /* a frame has come through its endpoint: it may be sent more */
    bool is_full;              /* its socket took no more; until there is room again */
    struct fan_socket *socket; /* the daemon's; NULL: it only gives */
    struct fan_broker *broker; /* the daemon's */
};

struct fan_registry {
    struct fan_worker *at[FAN_WORKERS_MAX]; /* at[len] */
    size_t len;
    uint64_t choices;
    fan_time looked; /* when silent ones were last looked for */
};

void fan_registry_fini(struct fan_registry *registry);

/** NULL: nobody by that incarnation. */
struct fan_worker *fan_registry_find(const struct fan_registry *registry, uint64_t incarnation);
/** NULL: there are FAN_WORKERS_MAX already. */
struct fan_worker *fan_registry_add(struct fan_registry *registry, const struct fan_hello *hello,
        fan_time now);
void fan_registry_remove(struct fan_registry *registry, struct fan_worker **worker);

/**
 * The worker for a frame: of those that take it and have credit the one with most, of equals the
 * one that waits longest. NULL: none.
 */
struct fan_worker *fan_registry_choose(struct fan_registry *registry, uint32_t number,
        enum fan_kind kind, enum fan_lane lane);

/** A worker from which nothing was heard for FAN_SILENT_MS, or NULL. Ask until NULL. */
struct fan_worker *fan_registry_silent(struct fan_registry *registry, fan_time now);

/** Frames of @lane that the worker may still be sent. */
uint64_t fan_worker_left(const struct fan_worker *worker, enum fan_lane lane);

/** A frame went out to it. */
void fan_worker_sent(struct fan_worker *worker, enum fan_lane lane);

/** Take its word on credit. Returns how many frames turned out to be lost on the way. */
uint64_t fan_worker_credit(struct fan_worker *worker, const struct fan_credit *credit,
        fan_time now);

#endif

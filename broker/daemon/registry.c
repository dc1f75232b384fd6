#include "broker/daemon/registry.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LOST_MS = 5000,     /* a frame that has not come after so long, has not been on its way */
    OVERSLEPT_MS = 1000 /* between two looks: it is the broker that was away */
};

void fan_registry_fini(struct fan_registry *registry)
{
    for (size_t i = 0; i < registry->len; i++)
        free(registry->at[i]);
    registry->len = 0;
}

struct fan_worker *fan_registry_find(const struct fan_registry *registry, uint64_t incarnation)
{
    for (size_t i = 0; i < registry->len; i++) {
        if (registry->at[i]->incarnation == incarnation)
            return registry->at[i];
    }
    return NULL;
}

struct fan_worker *fan_registry_add(struct fan_registry *registry, const struct fan_hello *hello,
        fan_time now)
{
    struct fan_worker *worker;

    if (registry->len == FAN_WORKERS_MAX)
        return NULL;
    worker = calloc(1, sizeof(*worker));
    if (!worker)
        fan_die("out of memory: a worker");
    worker->incarnation = hello->worker;
    snprintf(worker->role, sizeof(worker->role), "%.*s", FAN_BYTES_ARG(hello->role));
    worker->kind = (enum fan_kind)hello->kind;
    for (size_t i = 0; i < hello->takes.len && i < FAN_TAKES_MAX; i++)
        worker->takes[worker->takes_len++] = (uint32_t)hello->takes.at[i];
    worker->heard = now;
    registry->at[registry->len++] = worker;
    return worker;
}

void fan_registry_remove(struct fan_registry *registry, struct fan_worker **worker)
{
    for (size_t i = 0; i < registry->len; i++) {
        if (registry->at[i] != *worker)
            continue;
        registry->at[i] = registry->at[--registry->len];
        break;
    }
    free(*worker);
    *worker = NULL;
}

/* ---- choosing ---- */

static bool takes(const struct fan_worker *worker, uint32_t number, enum fan_kind kind)
{
    if (!worker->met || worker->is_full || (worker->kind && kind && worker->kind != kind))
        return false;
    for (size_t i = 0; i < worker->takes_len; i++) {
        if (worker->takes[i] == number)
            return true;
    }
    return false;
}

static bool is_better(const struct fan_worker *one, const struct fan_worker *other,
        enum fan_lane lane)
{
    uint64_t left = fan_worker_left(one, lane);
    uint64_t others = other ? fan_worker_left(other, lane) : 0;

    return left > others || (left && left == others && one->served < other->served);
}

struct fan_worker *fan_registry_choose(struct fan_registry *registry, uint32_t number,
        enum fan_kind kind, enum fan_lane lane)
{
    struct fan_worker *best = NULL;

    for (size_t i = 0; i < registry->len; i++) {
        struct fan_worker *worker = registry->at[i];

        if (takes(worker, number, kind) && is_better(worker, best, lane))
            best = worker;
    }
    if (best)
        best->served = ++registry->choices;
    return best;
}

/* ---- who is silent ---- */

/* When the broker itself was stopped for a while, everybody's heartbeats still wait to be read. */
static void forgive(struct fan_registry *registry, fan_time now)
{
    bool overslept = now - registry->looked > OVERSLEPT_MS * FAN_MS;

    registry->looked = now;
    for (size_t i = 0; overslept && i < registry->len; i++)
        registry->at[i]->heard = now;
}

struct fan_worker *fan_registry_silent(struct fan_registry *registry, fan_time now)
{
    forgive(registry, now);
    for (size_t i = 0; i < registry->len; i++) {
        if (now - registry->at[i]->heard > FAN_SILENT_MS * FAN_MS)
            return registry->at[i];
    }
    return NULL;
}

/* ---- credit ---- */

uint64_t fan_worker_left(const struct fan_worker *worker, enum fan_lane lane)
{
    const struct fan_worker_lane *at = &worker->lane[lane];

    return at->granted > at->used ? at->granted - at->used : 0;
}

void fan_worker_sent(struct fan_worker *worker, enum fan_lane lane)
{
    worker->lane[lane].used++;
}

/* Whatever had been sent at the last mark, long enough ago, and has not come is lost. A frame that
 * comes after all is counted again. */
static uint64_t find_lost(struct fan_worker_lane *lane, uint64_t came, fan_time now)
{
    uint64_t lost = 0;

    if (came > lane->used)
        lane->used = came;
    if (now - lane->marked_at < LOST_MS * FAN_MS)
        return 0;
    if (came < lane->marked && lane->marked <= lane->used)
        lost = lane->marked - came;
    lane->used -= lost;
    lane->marked = lane->used;
    lane->marked_at = now;
    return lost;
}

static uint64_t take_word(struct fan_worker_lane *lane, uint64_t granted, uint64_t came,
        fan_time now)
{
    if (granted > lane->granted)
        lane->granted = granted;
    return find_lost(lane, came, now);
}

uint64_t fan_worker_credit(struct fan_worker *worker, const struct fan_credit *credit, fan_time now)
{
    struct fan_worker_lane *lane = worker->lane;

    return take_word(&lane[FAN_LANE_URGENT], credit->urgent, credit->urgent_came, now) +
            take_word(&lane[FAN_LANE_NORMAL], credit->normal, credit->normal_came, now);
}

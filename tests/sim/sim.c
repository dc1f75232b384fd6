#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FAULTS (20 * FAN_SECOND)
#define TOO_LONG (2000 * FAN_SECOND)

/* ---- chance ---- */

uint32_t sim_draw(struct sim *sim, uint32_t below)
{
    uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

bool sim_chance(struct sim *sim, uint32_t permille)
{
    return sim_draw(sim, 1000) < permille;
}

bool sim_mishap(struct sim *sim, uint32_t permille)
{
    return sim->now < sim->calm_at && sim_chance(sim, permille);
}

fan_time sim_wait(struct sim *sim, fan_time least)
{
    return least + sim_draw(sim, (uint32_t)(2 * least));
}

void sim_wrong(struct sim *sim, const char *format, ...)
{
    va_list args;

    if (sim->what[0])
        return;
    va_start(args, format);
    vsnprintf(sim->what, sizeof sim->what, format, args);
    va_end(args);
}

struct sim_truth *sim_truth(struct sim *sim, fan_id message)
{
    return &sim->truth[(message >> 9) - sim->rows.first][message & 511];
}

/* ---- time: a heap, the soonest event first ---- */

static bool is_sooner(const struct sim_event *a, const struct sim_event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void put(struct sim *sim, struct sim_event event)
{
    size_t at = sim->heap_len++;

    FAN_ASSERT(sim->heap_len <= SIM_EVENTS);
    for (; at > 0 && is_sooner(&event, &sim->heap[(at - 1) / 2]); at = (at - 1) / 2)
        sim->heap[at] = sim->heap[(at - 1) / 2];
    sim->heap[at] = event;
}

static struct sim_event take(struct sim *sim)
{
    struct sim_event first = sim->heap[0], last = sim->heap[--sim->heap_len];
    size_t at = 0, next;

    while ((next = 2 * at + 1) < sim->heap_len) {
        next += next + 1 < sim->heap_len && is_sooner(&sim->heap[next + 1], &sim->heap[next]);
        if (!is_sooner(&sim->heap[next], &last))
            break;
        sim->heap[at] = sim->heap[next];
        at = next;
    }
    sim->heap[at] = last;
    return first;
}

void sim_after(struct sim *sim, fan_time wait, struct sim_event event)
{
    event.at = sim->now + wait;
    event.order = sim->made++;
    put(sim, event);
}

bool sim_may(struct sim *sim, const struct sim_event *event)
{
    const struct sim_worker *worker = &sim->worker[event->who];

    if (worker->life != event->life) {
        free(event->about);
        return false;
    }
    if (worker->paused_until > sim->now) {
        sim_after(sim, worker->paused_until - sim->now, *event);
        return false;
    }
    return true;
}

/* ---- what goes wrong by itself ---- */

static void on_mishap(struct sim *sim, const struct sim_event *event)
{
    int sender = (int)sim_draw(sim, SIM_SENDERS);

    if (sim_mishap(sim, 350) && sim->worker[sender].life)
        sender_kill(sim, sender);
    if (sim_mishap(sim, 250)) /* from a moment to past the lease */
        sim->worker[sim_draw(sim, SIM_WORKERS)].paused_until =
                sim->now + sim_draw(sim, (uint32_t)(12 * FAN_SECOND));
    if (sim_mishap(sim, 80))
        wire_kill_broker(sim, (int)sim_draw(sim, SIM_BROKERS));
    if (sim_mishap(sim, 100)) {
        sim->scheduler = 0;
        fan_window_free(&sim->window);
        scheduler_begin(sim); /* another one takes over, and remembers nothing */
    }
    if (sim_mishap(sim, 100))
        rows_message(&sim->rows,
                (sim->rows.first + (fan_id)sim_draw(sim, (uint32_t)sim->rows.homes)) * 512 +
                        sim_draw(sim, sim->rows.chunk[0].size))
                ->suppressed = true;
    if (sim->cancel && sim_mishap(sim, 100))
        sim->rows.cancelled = true;
    if (sim->now < sim->calm_at)
        sim_after(sim, sim_wait(sim, 300 * FAN_MS), *event);
}

static void on_beat(struct sim *sim, const struct sim_event *event)
{
    wire_beat(sim);
    for (int i = 0; i < SIM_SENDERS; i++)
        sender_tick(sim, i);
    ingester_forward(sim);
    sim_after(sim, FAN_SECOND, *event);
}

/* ---- what must hold ---- */

/* After every event. */
static void check(struct sim *sim)
{
    const char *wrong = rows_wrong(&sim->rows);

    if (wrong)
        sim_wrong(sim, "%s differ from a recount", wrong);
    for (int h = 0; h < sim->rows.homes; h++) {
        for (uint32_t p = 0; p < sim->rows.chunk[h].size; p++) {
            if (sim->rows.message[h][p].state == FAN_MESSAGE_SENT && !sim->truth[h][p].accepted)
                sim_wrong(sim, "message %lld is called sent, and nobody accepted it",
                        (long long)sim->rows.message[h][p].id);
        }
    }
    for (int i = 0; i < SIM_WORKERS; i++) {
        uint32_t most = sim->worker[i].capacity.frames + SIM_BROKERS;
        if (sim->worker[i].held > most)
            sim_wrong(sim, "worker %d holds %u frames, and can hold %u", i, sim->worker[i].held,
                    sim->worker[i].capacity.frames);
    }
}

/* In the end: what was accepted is called sent or at least not denied. */
static void check_end(struct sim *sim)
{
    for (int h = 0; h < sim->rows.homes; h++) {
        for (uint32_t p = 0; p < sim->rows.chunk[h].size; p++) {
            enum fan_message_state state = sim->rows.message[h][p].state;
            const struct sim_truth *truth = &sim->truth[h][p];
            bool denied = state != FAN_MESSAGE_SENT && state != FAN_MESSAGE_UNKNOWN_FINAL;

            bool heard = sim->rows.message[h][p].progress == truth->progress &&
                    (sim->rows.message[h][p].flags & 63) == truth->flags;

            if (state == FAN_MESSAGE_SENT && sim->words == 0 && !heard)
                sim_wrong(sim, "message %lld does not show what callbacks said of it",
                        (long long)sim->rows.message[h][p].id);
            if (state == FAN_MESSAGE_UNKNOWN_FINAL && !truth->begun && !sim->lost)
                sim_wrong(sim, "message %lld was never started and is unknown",
                        (long long)sim->rows.message[h][p].id);
            if (denied && truth->accepted && !(sim->rows.message[h][p].flags & 64))
                sim_wrong(sim, "message %lld was accepted and is %s",
                        (long long)sim->rows.message[h][p].id, fan_message_state_name((int)state));
        }
    }
    wire_check_rest(sim);
}

static void begin(struct sim *sim, uint64_t seed)
{
    struct fan_arena *arena = sim->arena;

    *sim = (struct sim){ .seed = seed, .random = seed, .arena = arena };
    rows_init(&sim->rows, 1, 1 + (int)sim_draw(sim, ROWS_HOMES), 1 + (int)sim_draw(sim, ROWS_SIZE));
    sim->frames = 1 + sim_draw(sim, 3); /* fewer than slots, so that too much credit shows */
    sim->window_most = 1 + sim_draw(sim, ROWS_HOMES);
    sim->senders = 1 + (int)sim_draw(sim, SIM_SENDERS);
    sim->rows.at_least_once = sim_chance(sim, 300);
    sim->rows.unknown_wait = 60 * FAN_SECOND;
    sim->cancel = sim_chance(sim, 200);
    sim->calm_at = sim_chance(sim, 50) ? 0 : FAULTS;
    wire_begin(sim);
    scheduler_begin(sim);
    sim_after(sim, FAN_SECOND, (struct sim_event){ .happen = on_mishap });
    sim_after(sim, 0, (struct sim_event){ .happen = on_beat });
}

bool sim_run(struct sim *sim, uint64_t seed)
{
    fan_time rest = 0;

    begin(sim, seed);
    while (!sim->what[0] && !(rest && sim->now > rest)) {
        struct sim_event event = take(sim);

        sim->now = event.at;
        sim->events++;
        event.happen(sim, &event);
        check(sim);
        if (sim->now > TOO_LONG)
            sim_wrong(sim, "it does not end");
        /* Frames and late words settle before the last look. */
        if (!rest && sim->now > sim->calm_at && rows_final(&sim->rows))
            rest = sim->now + 60 * FAN_SECOND;
    }
    if (!sim->what[0])
        check_end(sim);
    senders_end(sim);
    wire_end(sim);
    fan_window_free(&sim->window);
    fan_arena_reset(sim->arena);
    return !sim->what[0];
}

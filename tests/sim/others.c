/* The scheduler, the renderer, the provider and the ingester. */
#include "tests/sim/sim.h"

#include <stdlib.h>

/* ---- scheduler ---- */

static size_t see(struct sim *sim, struct fan_window_chunk *seen, size_t most)
{
    static const enum fan_chunk_state order[] = { FAN_CHUNK_CLAIMED, FAN_CHUNK_RENDERED,
        FAN_CHUNK_PLANNED };
    size_t count = 0;

    for (size_t s = 0; s < sizeof order / sizeof *order; s++) {
        for (int c = 0; c < sim->rows.chunks && count < most; c++) {
            const struct row_chunk *chunk = &sim->rows.chunk[c];
            if (chunk->state == order[s])
                seen[count++] = (struct fan_window_chunk){ chunk->id, chunk->epoch, chunk->state,
                    chunk->state == FAN_CHUNK_CLAIMED && chunk->lease_until < sim->now };
        }
    }
    return count;
}

static void act(struct sim *sim, const struct fan_window_chunk *chunk, enum fan_window_act what)
{
    switch (what) {
    case FAN_WINDOW_RENDER:
        wire_emit(sim, SIM_RENDER_REQUEST, chunk->chunk, chunk->epoch);
        break;
    case FAN_WINDOW_SEND:
        wire_emit(sim, SIM_SEND_REQUEST, chunk->chunk, chunk->epoch);
        break;
    case FAN_WINDOW_TAKE_BACK:
        sim->takes_back += rows_take_back(&sim->rows, sim->now, chunk->chunk, chunk->epoch, false);
        break;
    }
}

static void look(struct sim *sim)
{
    enum { SEEN = 12, SIZE = 5 };
    const struct fan_window_rules rules = { .chunks = sim->window_most,
        .ask_again_us = 3 * FAN_SECOND,
        .grace_us = 2 * FAN_SECOND };
    struct fan_window_chunk seen[SEEN];
    struct fan_window_todo todo[SEEN];
    size_t count, todos;
    bool idle;

    if (sim->rows.cancelled)
        rows_cancel(&sim->rows);
    else
        rows_promote(&sim->rows, sim->now, SIZE);
    rows_settle(&sim->rows, sim->now);
    count = see(sim, seen, SEEN);
    todos = fan_window_decide(sim->window, &rules, seen, count, sim->now, todo, &idle);
    if (idle != (count == 0))
        sim_wrong(sim, "the window calls a run idle that is not, or the other way round");
    for (size_t i = 0; i < todos; i++)
        act(sim, &seen[todo[i].index], todo[i].act);
}

static void on_sweep(struct sim *sim, const struct sim_event *event)
{
    if (sim->scheduler != event->life)
        return;
    look(sim);
    sim_after(sim, FAN_SECOND, *event);
}

void scheduler_begin(struct sim *sim)
{
    sim->scheduler = ++sim->lives;
    sim->window = fan_window_new();
    sim_after(sim, sim_draw(sim, (uint32_t)(3 * FAN_SECOND)),
            (struct sim_event){ .happen = on_sweep, .life = sim->scheduler });
}

void scheduler_gone(struct sim *sim, uint64_t worker)
{
    if (sim_mishap(sim, 200)) /* news get lost */
        return;
    for (int c = 0; c < sim->rows.chunks; c++) {
        const struct row_chunk *chunk = &sim->rows.chunk[c];
        if (chunk->state == FAN_CHUNK_CLAIMED && chunk->owner == worker)
            sim->takes_back += rows_take_back(&sim->rows, sim->now, chunk->id, chunk->epoch, true);
    }
}

/* ---- renderer ---- */

static void on_rendered(struct sim *sim, const struct sim_event *event)
{
    const struct sim_frame *frame = event->about;

    if (!sim_may(sim, event))
        return;
    if (!sim_mishap(sim, 50) && !sim->rows.cancelled &&
            rows_render(&sim->rows, frame->chunk, frame->epoch) && !sim_mishap(sim, 50))
        wire_emit(sim, SIM_SEND_REQUEST, frame->chunk, frame->epoch);
    wire_done(sim, event->who);
    free(event->about);
}

void renderer_take(struct sim *sim, int worker, const struct sim_frame *frame)
{
    struct sim_frame *kept = malloc(sizeof *kept);

    if (!kept)
        fan_die("out of memory: a frame");
    *kept = *frame;
    sim_after(sim, sim_wait(sim, FAN_MS),
            (struct sim_event){ .happen = on_rendered,
                    .who = worker,
                    .life = sim->worker[worker].life,
                    .about = kept });
}

/* ---- provider ---- */

struct callback {
    fan_id message;
    enum fan_progress progress;
    int flags;
};

static void on_callback(struct sim *sim, const struct sim_event *event)
{
    const struct callback *said = event->about;
    struct sim_truth *truth = sim_truth(sim, said->message);
    struct word *word = &sim->word[sim->words];

    FAN_ASSERT(sim->words < SIM_WORDS);
    if (truth->progress < (int)said->progress)
        truth->progress = (int)said->progress;
    truth->flags |= said->flags;
    *word = (struct word){ .account = 1,
        .message = said->message,
        .progress = said->progress,
        .flags = said->flags,
        .at = sim->now };
    sim->words++;
    free(event->about);
}

/* In any order, and some of them twice. */
static void call_back(struct sim *sim, fan_id message)
{
    for (uint32_t i = sim_draw(sim, 4); i > 0; i--) {
        struct callback said = { message, (enum fan_progress)sim_draw(sim, 4),
            sim_chance(sim, 300) ? 1 << sim_draw(sim, 5) : 0 };

        for (int times = sim_chance(sim, 200) ? 2 : 1; times > 0; times--) {
            struct callback *kept = malloc(sizeof *kept);

            if (!kept)
                fan_die("out of memory: a callback");
            *kept = said;
            sim_after(sim,
                    sim_chance(sim, 300) ? sim_draw(sim, 20000) : sim_wait(sim, 10 * FAN_SECOND),
                    (struct sim_event){ .happen = on_callback, .about = kept });
        }
    }
}

static enum fan_outcome_class draw_outcome(struct sim *sim)
{
    static const struct {
        uint32_t percent;
        enum fan_outcome_class outcome;
    } fates[] = { { 58, FAN_ACCEPTED }, { 12, FAN_RETRY_LATER }, { 12, FAN_AMBIGUOUS },
        { 6, FAN_RECIPIENT_PERMANENT }, { 2, FAN_CONTENT_PERMANENT }, { 4, FAN_RECIPIENT_DEFERRED },
        { 6, FAN_CHANNEL_PAUSE } };
    uint32_t at = sim_draw(sim, 100);
    size_t i = 0;

    if (sim->now >= sim->calm_at)
        return FAN_ACCEPTED;
    while (at >= fates[i].percent)
        at -= fates[i++].percent;
    return fates[i].outcome;
}

enum fan_outcome_class provider_decide(struct sim *sim, fan_id message)
{
    enum fan_outcome_class outcome = draw_outcome(sim);
    struct sim_truth *truth = sim_truth(sim, message);
    int most = sim->rows.at_least_once ? sim->kills + sim->takes_back + truth->unsure : 0;

    if (truth->maybe > most)
        sim_wrong(sim, "message %lld is requested again after %d requests that may have arrived",
                (long long)message, truth->maybe);
    if (rows_message(&sim->rows, message)->state == FAN_MESSAGE_CANCELLED &&
            !sim->rows.at_least_once)
        sim_wrong(sim, "message %lld is cancelled and requested", (long long)message);
    if (outcome != FAN_ACCEPTED && outcome != FAN_AMBIGUOUS)
        return outcome;
    truth->maybe++;
    truth->unsure += outcome == FAN_AMBIGUOUS;
    if (outcome == FAN_ACCEPTED || sim_chance(sim, 500)) {
        truth->accepted = true;
        call_back(sim, message);
    }
    return outcome;
}

/* ---- ingester ---- */

void ingester_forward(struct sim *sim)
{
    struct words words = { .at = sim->word, .len = sim->words };
    struct fan_receipt_rows said;

    if (sim->words == 0 || sim_mishap(sim, 300))
        return;
    words_sort(&words);
    words_merge(words.at, words.len, sim->arena, &said);
    rows_receipts(&sim->rows, &said);
    fan_arena_reset(sim->arena);
    if (!sim_mishap(sim, 200)) /* killed before the spool moved on: all of it comes again */
        sim->words = 0;
}

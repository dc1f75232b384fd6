/* A sender's claims, in the order of actors/sender/claim.c and claim_batch.c. */
#include "tests/sim/sender.h"

#include "actors/lib/decide/evidence.h"

#include <stdlib.h>

enum { SLICE = 3, CONNECTIONS = 2 };

#define LEASE (2 * FAN_SECOND)
#define SEND_TTL (1 * FAN_SECOND)
#define AWAY (250 * FAN_MS)

static const struct fan_retry_rules rules = { .tries = 3,
    .free_tries = 6,
    .base_us = FAN_SECOND,
    .cap_us = 8 * FAN_SECOND,
    .deferred_us = 20 * FAN_SECOND };

static void pump(struct sim *sim, int index, int number);

static struct sim_hold *hold_of(struct sim *sim, int index, int number)
{
    return &sim->worker[index].hold[number];
}

static void *room(size_t size)
{
    void *at = calloc(1, size);

    if (!at)
        fan_die("out of memory: a simulated sender");
    return at;
}

/* ---- what PostgreSQL does ---- */

static void take_tries(struct sim *sim, struct tx *tx)
{
    const struct row_chunk *chunk = rows_chunk(&sim->rows, tx->claim.chunk);

    for (int p = (int)tx->watermark; p < tx->open; p++) {
        const struct row_message *message = rows_message(&sim->rows, rows_item(chunk, (uint32_t)p));
        tx->tries[p] = (uint8_t)(message->attempt - message->free_tries);
        tx->free[p] = (uint8_t)message->free_tries;
    }
}

static void run_turn(struct sim *sim, struct tx *tx)
{
    struct rows *rows = &sim->rows;

    if (tx->close != NONE)
        tx->close = rows_close(rows, sim->now, &tx->claim, tx->words, tx->words_len);
    if (tx->renew != NONE)
        tx->renew = rows_renew(rows, sim->now, &tx->claim, LEASE);
    if (tx->open != NONE) {
        tx->open = rows_open(rows, sim->now, &tx->claim, tx->watermark, tx->count, tx->unsendable);
        take_tries(sim, tx);
    }
    if (tx->release != NONE)
        tx->release = rows_release(rows, sim->now, tx->claim.chunk, tx->claim.epoch,
                tx->claim.owner, tx->release_to, false);
}

static void run(struct sim *sim, struct tx *tx)
{
    const struct row_chunk *chunk = rows_chunk(&sim->rows, tx->claim.chunk);

    switch (tx->kind) {
    case TX_TAKE:
        tx->refused = !rows_claim(&sim->rows, sim->now, &tx->claim, LEASE);
        tx->watermark = chunk->watermark;
        tx->size = chunk->size;
        break;
    case TX_SAY:
    case TX_REPLAY_SAY:
        rows_evidence(&sim->rows, sim->now, &tx->claim, tx->words, tx->words_len);
        break;
    case TX_TURN:
    case TX_RENEW:
    case TX_REPLAY_END:
        run_turn(sim, tx);
        break;
    }
}

static void on_answer(struct sim *sim, const struct sim_event *event);

/* It happens whether or not the one who asked still lives. */
static void on_asked(struct sim *sim, const struct sim_event *event)
{
    struct sim_event answer = *event;
    struct tx *tx = event->about;

    if (sim_mishap(sim, 30)) {
        tx->err = FAN_UNAVAILABLE;
    } else {
        run(sim, tx);
        tx->err = sim_mishap(sim, 40) ? FAN_UNCERTAIN : FAN_OK;
    }
    answer.happen = on_answer;
    sim_after(sim, sim_wait(sim, 500), answer);
}

void tx_submit(struct sim *sim, int index, int number, struct tx *tx)
{
    sim_after(sim, sim_mishap(sim, 40) ? sim_wait(sim, 2 * FAN_SECOND) : sim_wait(sim, 300),
            (struct sim_event){ .happen = on_asked,
                    .who = index,
                    .what = number,
                    .life = sim->worker[index].life,
                    .about = tx });
}

struct tx *tx_new(const struct fan_claim *claim, enum tx_kind kind)
{
    struct tx *tx = room(sizeof *tx);

    tx->kind = kind;
    tx->claim = *claim;
    tx->close = tx->open = tx->release = tx->renew = NONE;
    return tx;
}

/* ---- flights ---- */

enum { AT_HOLD = 1000, AT_POSITION = 20 };

static void settle(struct sim *sim, int index, int number, struct row_word word, uint32_t position)
{
    struct sim_hold *hold = hold_of(sim, index, number);

    FAN_ASSERT(hold->results_len < hold->size);
    hold->known[position] = SIM_SETTLED;
    hold->results[hold->results_len++] = word;
}

static void land(struct sim *sim, const struct sim_event *event, enum fan_outcome_class outcome,
        bool unserved)
{
    int number = event->what / AT_HOLD;
    uint32_t position = (uint32_t)(event->what % AT_HOLD / AT_POSITION);
    struct sim_hold *hold = hold_of(sim, event->who, number);
    const struct fan_attempt attempt = { .outcome = outcome,
        .tries = hold->tries[position],
        .free = hold->free[position],
        .unserved = unserved,
        .asked_us = -1,
        .random = sim_draw(sim, UINT32_MAX) };
    struct fan_retry_decision next = fan_retry_decide(&rules, &attempt);

    journal_answered(hold->slot, position,
            &(struct journal_answer){ next.state, outcome, next.reason, next.free, FAN_NO_BYTES });
    hold->in_flight--;
    settle(sim, event->who, number,
            (struct row_word){ hold->slot->items[position], next.state, next.delay_us, next.free },
            position);
    pump(sim, event->who, number);
}

static void on_answered(struct sim *sim, const struct sim_event *event)
{
    if (sim_may(sim, event))
        land(sim, event, (enum fan_outcome_class)(event->what % AT_POSITION), sim_chance(sim, 200));
}

/* The first byte leaves. A pause between the last look at the clock and the byte is possible. */
static void on_leave(struct sim *sim, const struct sim_event *event)
{
    struct sim_hold *hold = hold_of(sim, event->who, event->what / AT_HOLD);
    struct sim_event reply = *event;
    uint32_t position = (uint32_t)(event->what % AT_HOLD / AT_POSITION);

    if (!sim_may(sim, event))
        return;
    if (sim->now > hold->open_until && !sim_mishap(sim, 300)) {
        land(sim, event, FAN_RETRY_LATER, true);
        return;
    }
    reply.what += (int)provider_decide(sim, hold->slot->items[position]);
    reply.happen = on_answered;
    sim_after(sim, sim_mishap(sim, 400) ? sim_wait(sim, FAN_SECOND) : sim_wait(sim, 20 * FAN_MS),
            reply);
}

static void start_flight(struct sim *sim, int index, int number, uint32_t position)
{
    struct sim_hold *hold = hold_of(sim, index, number);

    hold->known[position] = SIM_STARTED;
    hold->in_flight++;
    journal_started(hold->slot, position);
    sim_truth(sim, hold->slot->items[position])->begun = true;
    sim_after(sim, sim_draw(sim, 2000),
            (struct sim_event){ .happen = on_leave,
                    .who = index,
                    .what = number * AT_HOLD + (int)position * AT_POSITION,
                    .life = sim->worker[index].life });
}

/* ---- a claim's life ---- */

static void forget(struct sim *sim, int index, int number)
{
    struct sim_hold *hold = hold_of(sim, index, number);

    free(hold->slot);
    *hold = (struct sim_hold){ 0 };
    wire_done(sim, index);
}

void sender_take(struct sim *sim, int index, const struct sim_frame *frame)
{
    const struct fan_claim asked = { 1, frame->chunk, frame->epoch, sim->worker[index].life,
        false };
    int number = 0;

    while (number < SIM_HOLDS && hold_of(sim, index, number)->state != SIM_FREE)
        number++;
    if (number == SIM_HOLDS) { /* the row will ask again */
        wire_done(sim, index);
        return;
    }
    *hold_of(sim, index, number) = (struct sim_hold){ .state = SIM_TAKING, .claim = asked };
    hold_of(sim, index, number)->busy = true;
    tx_submit(sim, index, number, tx_new(&asked, TX_TAKE));
}

static void begin(struct sim *sim, struct sim_hold *hold, const struct tx *tx)
{
    const struct row_chunk *chunk = rows_chunk(&sim->rows, tx->claim.chunk);
    struct journal_slot *slot = room(sizeof *slot);

    hold->claim = tx->claim;
    hold->slot = slot;
    hold->size = tx->size;
    hold->opened = hold->started = tx->watermark;
    hold->renew_at = sim->now + LEASE / 3;
    hold->state = SIM_OPEN;
    for (uint32_t p = 0; p < tx->size; p++)
        slot->items[p] = rows_item(chunk, p);
    for (uint32_t p = 0; p < tx->watermark; p++)
        slot->records[p].word = JOURNAL_STARTED;
    slot->chunk = tx->claim.chunk;
    slot->epoch = tx->claim.epoch;
    slot->is_retry = tx->claim.is_retry;
    slot->size = tx->size;
    slot->opened = tx->watermark;
    journal_begin(slot);
}

static void say(struct sim *sim, int index, int number)
{
    struct sim_hold *hold = hold_of(sim, index, number);
    struct tx *tx = tx_new(&hold->claim, TX_SAY);

    for (size_t i = 0; i < hold->recording_len; i++) {
        struct row_word word = hold->recording[i];
        enum fan_message_state said = fan_evidence_of(word.state);

        word.free = word.free || said != word.state;
        word.state = said;
        if (said)
            tx->words[tx->words_len++] = word;
    }
    hold->busy = true;
    tx_submit(sim, index, number, tx);
}

static void forsake(struct sim_hold *hold)
{
    for (uint32_t p = hold->started; p < hold->slot->opened; p++) {
        if (hold->known[p] != SIM_WAITING)
            continue;
        hold->known[p] = SIM_SETTLED;
        hold->recording[hold->recording_len++] =
                (struct row_word){ hold->slot->items[p], FAN_MESSAGE_RETRY, 0, true };
    }
}

static void take_opened(struct sim *sim, int index, int number, const struct tx *tx)
{
    struct sim_hold *hold = hold_of(sim, index, number);

    if (tx->open < 0) {
        hold->closed_out = true;
        return;
    }
    hold->opened = (uint32_t)tx->open;
    hold->open_until = tx->opened_at + SEND_TTL;
    for (uint32_t p = tx->watermark; p < hold->opened; p++) {
        hold->tries[p] = tx->tries[p];
        hold->free[p] = tx->free[p];
        if (!tx->unsendable[p - tx->watermark] || hold->known[p] != SIM_WAITING)
            continue;
        journal_answered(hold->slot, p, &(struct journal_answer){ .state = FAN_MESSAGE_SKIPPED });
        settle(sim, index, number,
                (struct row_word){ hold->slot->items[p], FAN_MESSAGE_SKIPPED, 0, false }, p);
    }
}

static void take_turn(struct sim *sim, int index, int number, const struct tx *tx)
{
    struct sim_hold *hold = hold_of(sim, index, number);

    if (tx->err) {
        hold->state = SIM_OPEN;
        hold->retry_at = sim->now + AWAY;
        if (tx->err == FAN_UNCERTAIN && tx->open != NONE)
            hold->closed_out = true;
        return;
    }
    if (tx->close != NONE) {
        if (tx->close < 0 && !hold->claim.is_retry)
            hold->closed_out = hold->lost = true;
        if (tx->close == (int)hold->recording_len)
            hold->recording_len = 0;
    }
    if (tx->renew != NONE)
        hold->renew_at = sim->now + LEASE / 3;
    if (tx->release != NONE) {
        hold->state = SIM_OVER;
        if (tx->release < 0)
            forsake(hold);
    }
    if (tx->open != NONE)
        take_opened(sim, index, number, tx);
    if (hold->recording_len > 0)
        say(sim, index, number);
}

static void on_answer(struct sim *sim, const struct sim_event *event)
{
    struct tx *tx = event->about;
    struct sim_hold *hold = hold_of(sim, event->who, event->what);

    if (!sim_may(sim, event))
        return;
    if (tx->kind >= TX_REPLAY_END) {
        grave_read(sim, event->who, tx);
        free(tx);
        return;
    }
    hold->busy = false;
    if (tx->kind == TX_TAKE && (tx->err || tx->refused))
        forget(sim, event->who, event->what);
    else if (tx->kind == TX_TAKE)
        begin(sim, hold, tx);
    else if (tx->kind == TX_TURN)
        take_turn(sim, event->who, event->what, tx);
    else if (tx->err)
        hold->retry_at = sim->now + AWAY;
    else if (tx->kind == TX_SAY)
        hold->recording_len = 0;
    else if (tx->renew > 0)
        hold->renew_at = sim->now + LEASE / 3;
    else
        hold->closed_out = hold->lost = true;
    free(tx);
    pump(sim, event->who, event->what);
}

static void add_close(struct sim_hold *hold, struct tx *tx)
{
    if (hold->recording_len == 0) {
        memcpy(hold->recording, hold->results, sizeof hold->recording);
        hold->recording_len = hold->results_len;
        hold->results_len = 0;
    }
    if (hold->recording_len == 0)
        return;
    memcpy(tx->words, hold->recording, sizeof tx->words);
    tx->words_len = hold->recording_len;
    tx->close = 0;
}

static uint32_t want_open(const struct sim_hold *hold)
{
    uint32_t left = hold->size - hold->opened;

    if (hold->closed_out || hold->opened - hold->started >= SLICE)
        return 0;
    return left < SLICE ? left : SLICE;
}

static void batch(struct sim *sim, int index, int number)
{
    struct sim_hold *hold = hold_of(sim, index, number);
    bool end = hold->in_flight == 0 && (hold->started == hold->size || hold->closed_out) &&
            (hold->recording_len == 0 || hold->results_len == 0);
    uint32_t open = end ? 0 : want_open(hold);
    struct tx *tx;

    if (!open && !end && !hold->recording_len && !hold->results_len)
        return;
    tx = tx_new(&hold->claim, TX_TURN);
    add_close(hold, tx);
    if (end) {
        hold->state = SIM_ENDING;
        tx->release = 0;
        tx->release_to = !hold->closed_out     ? -1
                : hold->started < hold->opened ? (int)hold->started
                                               : (int)hold->opened;
    } else if (sim->now >= hold->renew_at) {
        tx->renew = 0;
    }
    if (open) {
        hold->slot->opened = hold->opened + open; /* the intent */
        tx->open = 0;
        tx->watermark = hold->opened;
        tx->count = open;
        tx->opened_at = sim->now;
    }
    hold->busy = true;
    tx_submit(sim, index, number, tx);
}

static void start_what_may(struct sim *sim, int index, int number)
{
    struct sim_hold *hold = hold_of(sim, index, number);

    while (hold->started < hold->opened) {
        if (hold->known[hold->started] != SIM_WAITING) {
            hold->started++;
            continue;
        }
        if (hold->lost || hold->closed_out || hold->in_flight >= CONNECTIONS)
            return;
        if (sim->now > hold->open_until || sim_mishap(sim, 10)) { /* too late; a drain */
            hold->closed_out = true;
            return;
        }
        start_flight(sim, index, number, hold->started++);
    }
}

static void pump(struct sim *sim, int index, int number)
{
    struct sim_hold *hold = hold_of(sim, index, number);

    if (hold->busy && hold->state != SIM_OPEN)
        return;
    if (hold->state == SIM_OVER) {
        if (hold->recording_len == 0)
            forget(sim, index, number);
        else if (sim->now >= hold->retry_at)
            say(sim, index, number);
        return;
    }
    if (hold->state != SIM_OPEN)
        return;
    start_what_may(sim, index, number);
    if (!hold->busy && sim->now >= hold->retry_at)
        batch(sim, index, number);
}

/* ---- death and birth ---- */

static void on_born(struct sim *sim, const struct sim_event *event)
{
    struct sim_worker *worker = &sim->worker[event->who];

    *worker = (struct sim_worker){ .life = ++sim->lives, .capacity.frames = sim->frames };
}

void sender_kill(struct sim *sim, int index)
{
    struct sim_worker *worker = &sim->worker[index];

    sim->kills++;
    for (int i = 0; i < SIM_HOLDS; i++) {
        if (worker->hold[i].slot)
            grave_bury(sim, worker->hold[i].slot, worker->life);
    }
    *worker = (struct sim_worker){ .capacity.frames = sim->frames };
    sim_after(sim, sim_wait(sim, FAN_SECOND),
            (struct sim_event){ .happen = on_born, .who = index });
}

static void renew(struct sim *sim, int index, int number)
{
    struct sim_hold *hold = hold_of(sim, index, number);
    struct tx *tx = tx_new(&hold->claim, TX_RENEW);

    tx->renew = 0;
    hold->busy = true;
    tx_submit(sim, index, number, tx);
}

void sender_tick(struct sim *sim, int index)
{
    struct sim_worker *worker = &sim->worker[index];

    if (!worker->life || worker->paused_until > sim->now)
        return;
    for (int i = 0; i < SIM_HOLDS; i++) {
        struct sim_hold *hold = &worker->hold[i];

        if (hold->state == SIM_OPEN && !hold->busy && sim->now >= hold->renew_at &&
                sim->now >= hold->retry_at)
            renew(sim, index, i);
        pump(sim, index, i);
    }
    if (sim_chance(sim, 500))
        grave_replay_one(sim, index);
}

void senders_end(struct sim *sim)
{
    for (int w = 0; w < SIM_SENDERS; w++) {
        for (int i = 0; i < SIM_HOLDS; i++)
            free(sim->worker[w].hold[i].slot);
    }
    for (int i = 0; i < sim->graves; i++)
        free(sim->grave[i].slot);
}

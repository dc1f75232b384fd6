/*
 * Batches of a claim: record what is known, and open the next slice or end the claim in the same
 * transaction.
 *
 * One batch at a time is under way for a claim. Batches are safe to repeat, so a lost reply is
 * answered by sending again:
 *   - a close that had happened closes nothing the second time, what it did not close is
 * evidence that changes nothing, and no second event is written;
 *   - an open that had happened is refused the second time (the watermark is another one); the
 * claim then ends, and its owner lowers the watermark over what it never started.
 */
#include "actors/sender/sender.h"

#include "actors/lib/decide/evidence.h"
#include "proto/fault.h"
#include <stdlib.h>

enum { AWAY_MS = 250, REFUSALS_MOST = 3, TELL_MS = 100 };

static void submit(struct claim *claim, struct fan_batch **batch, fan_batch_done *done,
        void *context)
{
    claim->busy = true;
    fan_db_submit(claim->sender->db, batch, done, context);
    fan_db_watch_kick(claim->sender->watch);
}

static struct fan_route route_of(const struct claim *claim)
{
    return (struct fan_route){ claim->taken.claim.account, claim->taken.run, claim->lane,
        claim->taken.kind, 0 };
}

static void announce_done(const struct claim *claim)
{
    const struct fan_chunk_done done = {
        .chunk = claim->taken.claim.chunk,
        .finished = claim->opened == claim->taken.size,
    };
    struct fan_route route = route_of(claim);

    fan_actor_emit(claim->sender->actor, &fan_schema_chunk_done, &route, &done);
}

static struct fan_claim_outcomes outcomes_of(const struct claim *claim, struct fan_arena *arena)
{
    struct fan_claim_outcomes out = fan_claim_outcomes_room(claim->recording_len, arena);

    out.count = claim->recording_len;
    for (size_t i = 0; i < out.count; i++) {
        const struct result *result = &claim->recording[i];
        const struct copy *copy = &claim->copies[result->position];

        out.messages[i] = copy->message;
        out.states[i] = result->state;
        out.outcomes[i] = result->outcome;
        out.reasons[i] = result->reason;
        out.attempts[i] = (int16_t)(copy->attempts + 1);
        out.free[i] = result->free;
        out.codes[i] = result->code;
        out.provider_ids[i] = result->provider_id;
        out.delays[i] = result->delay;
        out.instants[i] = result->at;
        out.suppress[i] = result->suppress;
    }
    return out;
}

static struct fan_messages_settled tally(const struct claim *claim)
{
    struct fan_messages_settled tally = { .chunk = claim->taken.claim.chunk };
    uint32_t *const counts[FAN_MESSAGE_STATE_COUNT] = {
        [FAN_MESSAGE_SENT] = &tally.sent,
        [FAN_MESSAGE_FAILED] = &tally.failed,
        [FAN_MESSAGE_RETRY] = &tally.retry,
        [FAN_MESSAGE_UNKNOWN] = &tally.unknown,
        [FAN_MESSAGE_SKIPPED] = &tally.skipped,
        [FAN_MESSAGE_CANCELLED] = &tally.cancelled,
    };

    for (size_t i = 0; i < claim->recording_len; i++) {
        uint32_t *count = counts[claim->recording[i].state];
        if (count)
            ++*count;
    }
    return tally;
}

/* ---- one batch: record, then open or end ---- */

/* Which answers a batch holds, by index; -1: it holds none. */
struct turn {
    struct claim *claim;
    int closed, renewed, opened, copies, released;
    bool plain; /* released: in the way that finds nothing left */
    uint32_t open_count;
    fan_time opened_at;
};

static void on_evidence(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct claim *claim = context;

    (void)rows;
    (void)count;
    (void)why;
    claim->busy = false;
    if (err && err != FAN_INVALID) { /* still to be said */
        claim->retry_at = fan_clock_elapsed() + AWAY_MS * FAN_MS;
        return;
    }
    claim->recording_len = 0;
    FAN_FAULT("sender.said_evidence");
    claims_pump_soon(claim->sender);
}

/* The claim is over, or a callback was first: say it as evidence, which changes nothing that is
 * known already. */
void claim_say(struct claim *claim)
{
    struct fan_batch *batch = fan_batch_new(claim->taken.claim.account);
    struct fan_claim_outcomes outcomes = outcomes_of(claim, fan_batch_arena(batch));
    size_t kept = 0;

    for (size_t i = 0; i < outcomes.count; i++) {
        const int word = fan_evidence_of((enum fan_message_state)outcomes.states[i]);

        if (!word)
            continue;
        outcomes.messages[kept] = outcomes.messages[i];
        outcomes.free[kept] = word == outcomes.states[i] ? outcomes.free[i] : 1;
        outcomes.states[kept] = (int16_t)word;
        outcomes.provider_ids[kept] = outcomes.provider_ids[i];
        outcomes.delays[kept] = outcomes.delays[i];
        outcomes.instants[kept++] = outcomes.instants[i];
    }
    outcomes.count = kept;
    fan_claim_add_evidence(batch, &claim->taken.claim, &outcomes);
    submit(claim, &batch, on_evidence, claim);
}

static void mark_unsendable(struct claim *claim, struct fan_ids ids)
{
    for (size_t i = 0; i < ids.len; i++) {
        for (uint32_t p = claim->started; p < claim->opened; p++) {
            struct copy *copy = &claim->copies[p];
            struct result result = {
                .position = (uint16_t)p,
                .state = FAN_MESSAGE_SKIPPED,
                .reason = FAN_REASON_SUPPRESSED,
                .at = fan_clock_now(),
            };

            if (copy->message != ids.at[i] || copy->position != POSITION_WAITING)
                continue;
            journal_answered(claim->slot, p,
                    &(struct journal_answer){ .state = result.state, .reason = result.reason });
            claim_settle(claim, &result);
        }
    }
}

/* What the frame did not carry comes with the open: positions without a row have nothing to send.
 */
static void take_copies(struct claim *claim, const struct turn *turn, const struct fan_rows *rows)
{
    uint32_t to = claim->opened + turn->open_count;

    for (uint32_t p = claim->opened, row = 0; p < to; p++) {
        struct copy *copy = &claim->copies[p];
        struct fan_claim_copy read = { 0 };

        if ((int)row < rows->count)
            fan_claim_read_copy(rows, (int)row, &read);
        if (read.message != copy->message) {
            copy->position = POSITION_ABSENT;
            continue;
        }
        copy_load(copy, &read);
        row++;
    }
}

static void take_opened(struct claim *claim, const struct turn *turn, const struct fan_rows *rows)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_ids unsendable = { 0 };
    int watermark = fan_claim_read_open(&rows[turn->opened], arena, &unsendable);

    FAN_FAULT("sender.opened");
    claim->opening = 0;
    if (watermark < 0) {
        claim->closed_out =
                true; /* it moved on, is paused, or was opened by a batch whose reply was lost */
    } else {
        if (turn->copies >= 0)
            take_copies(claim, turn, &rows[turn->copies]);
        for (uint32_t i = claim->opened; i < (uint32_t)watermark; i++)
            claim->copies[i].start_until =
                    turn->opened_at + claim->sender->set->send_ttl_ms * FAN_MS;
        claim->opened = (uint32_t)watermark;
        mark_unsendable(claim, unsendable);
    }
    fan_arena_free(&arena);
}

/* The news only wake whoever shows or sums up what the rows say: those of a tenth of a second go
 * out together. */
void claim_tell(struct claim *claim, bool now)
{
    struct fan_route route = route_of(claim);
    fan_time at = fan_clock_elapsed();

    if (claim->untold.chunk == 0 || (!now && at < claim->told_at + TELL_MS * FAN_MS))
        return;
    fan_actor_emit(claim->sender->actor, &fan_schema_messages_settled, &route, &claim->untold);
    claim->untold = (struct fan_messages_settled){ 0 };
    claim->told_at = at;
}

static void add_untold(struct claim *claim)
{
    const struct fan_messages_settled settled = tally(claim);
    struct fan_messages_settled *sum = &claim->untold;

    sum->chunk = settled.chunk;
    sum->sent += settled.sent;
    sum->failed += settled.failed;
    sum->retry += settled.retry;
    sum->unknown += settled.unknown;
    sum->skipped += settled.skipped;
    sum->cancelled += settled.cancelled;
}

static void take_closed(struct claim *claim, const struct turn *turn, const struct fan_rows *rows)
{
    size_t closed = fan_claim_read_closed(&rows[turn->closed]);

    FAN_FAULT("sender.closed");
    /* A first attempt's claim answers with a row while it holds; a retry's only when it closed. */
    if (rows[turn->closed].count == 0 && !claim->taken.claim.is_retry)
        claim->closed_out = claim->lost = true;
    if (closed == claim->recording_len) {
        add_untold(claim);
        claim->recording_len = 0;
        claim_tell(claim, false);
    }
}

/* What the database refuses twice it would refuse for ever. So the outcomes go unrecorded, which
 * makes them unknown; if that is not it, the claim is left to its lease. */
static void database_refused(struct claim *claim, const struct fan_why *why)
{
    fan_log(NULL, FAN_ERROR, "claim.refused", "chunk %lld: %s", (long long)claim->taken.claim.chunk,
            why->text);
    claim->closed_out = true;
    if (++claim->refusals > 1)
        claim->recording_len = 0;
    if (claim->refusals < REFUSALS_MOST || claim->in_flight > 0)
        return;
    claim->results_len = 0;
    claim->state = CLAIM_OVER;
}

/* Nothing was done, or it may have been: the same is tried again after a moment. */
static void database_away(struct claim *claim, const struct turn *turn, enum fan_err err,
        const struct fan_why *why)
{
    if (claim->state == CLAIM_ENDING)
        claim->state = CLAIM_OPEN;
    claim->opening = 0;
    claim->retry_at = fan_clock_elapsed() + AWAY_MS * FAN_MS;
    if (err == FAN_UNCERTAIN)
        claim->closed_out = turn->open_count > 0 || claim->closed_out;
    if (err == FAN_INVALID)
        database_refused(claim, why);
}

/* The claim was over before it was given up: what we opened has become unknown, and nobody but us
 * knows what of it was never started. */
static void forsake(struct claim *claim)
{
    for (uint32_t p = claim->started; p < claim->slot->opened; p++) {
        if (claim->copies[p].position != POSITION_WAITING)
            continue;
        FAN_ASSERT(claim->recording_len < claim->taken.size);
        claim->copies[p].position = POSITION_SETTLED;
        claim->recording[claim->recording_len++] = (struct result){ .position = (uint16_t)p,
            .state = FAN_MESSAGE_RETRY,
            .free = true,
            .outcome = FAN_RETRY_LATER };
    }
}

static void take_released(struct claim *claim, const struct turn *turn, const struct fan_rows *rows)
{
    FAN_FAULT("sender.released");
    if (turn->plain && rows[turn->released].count == 0) {
        claim->state = CLAIM_OPEN;
        claim->thorough = true;
        return;
    }
    claim_tell(claim, true);
    announce_done(claim);
    claim->state = CLAIM_OVER; /* what could not be closed is evidence still to be given */
    if (rows[turn->released].count == 0)
        forsake(claim);
}

static void on_turn(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct turn turn = *(struct turn *)context;
    struct claim *claim = turn.claim;

    (void)count;
    free(context);
    claim->busy = false;
    if (err) {
        database_away(claim, &turn, err, why);
        return;
    }
    if (turn.closed >= 0)
        take_closed(claim, &turn, rows);
    if (turn.renewed >= 0)
        claim->renew_at = fan_clock_elapsed() + claim->sender->set->lease_ms * FAN_MS / 3;
    if (turn.released >= 0)
        take_released(claim, &turn, rows);
    if (turn.opened >= 0)
        take_opened(claim, &turn, rows);
    if (claim->recording_len > 0)
        claim_say(claim);
    claims_pump_soon(claim->sender);
}

static void add_close(struct claim *claim, struct fan_batch *batch, struct turn *turn)
{
    struct fan_claim_outcomes outcomes;
    struct fan_messages_settled settled;

    if (claim->recording_len == 0) {
        struct result *spare = claim->recording;
        claim->recording = claim->results;
        claim->recording_len = claim->results_len;
        claim->results = spare;
        claim->results_len = 0;
    }
    if (claim->recording_len == 0)
        return;
    settled = tally(claim);
    outcomes = outcomes_of(claim, fan_batch_arena(batch));
    outcomes.run = claim->taken.run;
    outcomes.event = &settled;
    turn->closed = fan_claim_add_close(batch, &claim->taken.claim, &outcomes, claim->taken.kind);
    FAN_FAULT("sender.before_close");
}

/* The lowest position from which on nothing was started. */
static uint32_t never_started_from(const struct claim *claim)
{
    return claim->started < claim->opened ? claim->started : claim->opened;
}

static bool may_end(const struct claim *claim)
{
    bool all = claim->started == claim->taken.size;
    bool one_batch =
            claim->recording_len == 0 || claim->results_len == 0; /* records all that is known */

    return claim->in_flight == 0 && (all || claim->closed_out) && one_batch;
}

/* What is open on a channel and not started, in all claims of this lane and of more urgent ones: it
 * may still leave after a pause, and is given back when it waits too long. */
static uint32_t waiting_on(const struct channel *channel, enum fan_lane lane)
{
    uint32_t waiting = 0;

    for (const struct claim *one = channel->sender->claims; one; one = one->next) {
        if (one->channel == channel && one->state == CLAIM_OPEN && !one->closed_out &&
                one->lane <= lane)
            waiting += one->opened - one->started + one->opening;
    }
    return waiting;
}

/* Two slices at most wait to be started. They are filled up when a quarter is left, which lasts
 * until the answer comes: many messages share a transaction. */
static uint32_t want_open(const struct claim *claim)
{
    struct channel *channel = claim->channel;
    uint32_t left = claim->taken.size - claim->opened, most = 2 * channel->slice, waiting;

    if (claim->closed_out || left == 0)
        return 0;
    /* What is less urgent may wait: it starts later. */
    waiting = waiting_on(channel, claim->lane);
    if (waiting > most / 4)
        return 0;
    return channel_may_open(channel, left < most - waiting ? left : most - waiting,
            waiting_on(channel, FAN_LANE_NORMAL), claim->taken.claim.is_retry);
}

/* Whether there is reason for a batch now: a slice to open, enough to record, or the end. */
static bool worth_a_batch(const struct claim *claim, uint32_t open, bool end, bool flush)
{
    return open > 0 || end || claim->recording_len > 0 ||
            claim->results_len >= 2 * claim->sender->set->slice ||
            (flush && claim->results_len > 0);
}

static void add_open(struct claim *claim, struct fan_batch *batch, struct turn *turn, uint32_t open)
{
    const struct fan_claim *key = &claim->taken.claim;
    uint32_t to = claim->opened + open;

    turn->open_count = claim->opening = open;
    turn->opened_at = fan_clock_elapsed();
    claim->slot->opened = to; /* the intent, before the statement can commit */
    turn->opened = fan_claim_add_open(batch, key, turn->closed >= 0, claim->opened, open,
            claim->taken.items, claim->taken.kind);
    if (!claim->carried)
        turn->copies = fan_claim_add_copies(batch, key, claim->opened, to, claim->taken.items);
    FAN_FAULT("sender.before_open");
}

/* Whether, as far as is known here, nothing of the chunk is left. */
static bool ends_plainly(const struct claim *claim)
{
    return !claim->thorough && !claim->closed_out && !claim->taken.claim.is_retry &&
            claim->taken.watermark == 0;
}

static void add_release(struct claim *claim, struct fan_batch *batch, struct turn *turn)
{
    const struct fan_claim *key = &claim->taken.claim;

    claim->state = CLAIM_ENDING;
    FAN_FAULT("sender.before_release");
    turn->released = turn->plain ? fan_claim_add_done(batch, key)
                                 : fan_claim_add_release(batch, key,
                                           claim->closed_out ? (int)never_started_from(claim) : -1);
}

void claim_batch(struct claim *claim, bool flush)
{
    bool end = may_end(claim);
    uint32_t open = end ? 0 : want_open(claim);
    struct fan_batch *batch;
    struct turn *turn;

    if (!worth_a_batch(claim, open, end, flush))
        return;
    turn = calloc(1, sizeof *turn);
    if (!turn)
        fan_die("out of memory: a claim's batch");
    *turn = (struct turn){ .claim = claim,
        .closed = -1,
        .renewed = -1,
        .opened = -1,
        .copies = -1,
        .released = -1 };
    turn->plain = ends_plainly(claim);
    batch = fan_batch_new(claim->taken.claim.account);
    if (end && !turn->plain)
        fan_claim_add_lock(batch, &claim->taken.claim);
    add_close(claim, batch, turn);
    if (end) {
        add_release(claim, batch, turn);
    } else {
        /* A claim that is always busy must not lose its lease over it. */
        if (fan_clock_elapsed() >= claim->renew_at)
            turn->renewed = fan_claim_add_renew(batch, &claim->taken.claim,
                    claim->sender->set->lease_ms * FAN_MS);
        if (open > 0)
            add_open(claim, batch, turn, open);
    }
    submit(claim, &batch, on_turn, turn);
    FAN_FAULT("sender.batch_sent");
}

/* ---- the lease ---- */

static void on_renewed(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct claim *claim = context;
    fan_time now = fan_clock_elapsed();

    (void)count;
    (void)why;
    claim->busy = false;
    if (err) {
        claim->retry_at = now + AWAY_MS * FAN_MS;
        return;
    }
    claim->renew_at = now + claim->sender->set->lease_ms * FAN_MS / 3;
    if (rows[0].count == 0)
        claim->closed_out = claim->lost = true;
    claims_pump_soon(claim->sender);
}

void claim_renew(struct claim *claim)
{
    struct fan_batch *batch = fan_batch_new(claim->taken.claim.account);

    FAN_FAULT("sender.before_renew");
    fan_claim_add_renew(batch, &claim->taken.claim, claim->sender->set->lease_ms * FAN_MS);
    submit(claim, &batch, on_renewed, claim);
}

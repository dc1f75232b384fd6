#include "actors/sender/replay.h"

#include "actors/sender/sender.h"
#include "proto/fault.h"

#include <stdlib.h>

enum { LOOK_EVERY_MS = 2000 };

/* The journal does not say how long a retry was to wait. */
#define RETRY_AFTER (30 * FAN_SECOND)

struct replay {
    struct sender *sender;
    struct fan_timer *timer;
    struct journal_left left;
    bool reading;  /* left is open */
    uint32_t next; /* slot to be looked at */
    uint32_t chunks;
    fan_id culprit; /* of that slot: the message that the sender died of; 0: none */
};

static char *journal_dir(const struct sender *sender, struct fan_arena *arena)
{
    return fan_arena_printf(arena, "%s/journal", fan_actor_common(sender->actor)->state_dir);
}

static struct fan_claim claim_of(const struct replay *self, const struct journal_slot *slot)
{
    return (struct fan_claim){ slot->account, slot->chunk, slot->epoch, self->left.owner,
        slot->is_retry != 0 };
}

/* Put down what is to be said of one position. */
static void add(struct fan_claim_outcomes *out, const struct journal_slot *slot, uint32_t position,
        enum fan_message_state state)
{
    const struct journal_record *record = &slot->records[position];
    size_t i = out->count++;

    out->messages[i] = slot->items[position];
    out->instants[i] = fan_clock_now();
    out->states[i] = (int16_t)state;
    if (record->word == JOURNAL_NOTHING || record->state != state) { /* it was never started */
        out->outcomes[i] = FAN_RETRY_LATER;
        out->free[i] = 1;
        return;
    }
    out->free[i] = record->free != 0;
    out->outcomes[i] = record->outcome;
    out->reasons[i] = record->reason;
    out->delays[i] = state == FAN_MESSAGE_RETRY ? RETRY_AFTER : 0;
    if (record->id_len > 0)
        out->provider_ids[i] = (struct fan_bytes){ record->id, record->id_len };
}

static struct fan_claim_outcomes what_it_knew(const struct replay *self,
        const struct journal_slot *slot, bool evidence, struct fan_arena *arena)
{
    uint32_t opened = journal_opened(slot);
    struct fan_claim_outcomes out = fan_claim_outcomes_room(opened, arena);

    for (uint32_t i = 0; i < opened; i++) {
        enum fan_message_state state = journal_says(slot, i, self->left.same_boot, evidence);

        if (state)
            add(&out, slot, i, state);
    }
    return out;
}

/* The position to lower the watermark to; -1: what was never started cannot be known. */
static int never_started_from(const struct replay *self, const struct journal_slot *slot)
{
    return self->left.same_boot ? (int)journal_begun(slot) : -1;
}

/* The message that the sender died of, as far as can be known; 0: none. */
static fan_id culprit(const struct replay *self, const struct journal_slot *slot)
{
    int position = self->left.same_boot ? journal_died_writing(slot) : -1;

    if (position < 0)
        return 0;
    fan_log(NULL, FAN_WARN, "message.suspected", "a sender died while it wrote message %lld",
            (long long)slot->items[position]);
    return slot->items[position];
}

static void next_slot(struct replay *self);

/* A chunk that the database refuses would be refused again: the others must not wait for it. */
static void pass_over(struct replay *self, const struct fan_why *why)
{
    fan_log(NULL, FAN_ERROR, "replay.refused", "chunk %lld of a dead sender: %s",
            (long long)self->left.slots[self->next].chunk, why->text);
    self->next++;
    next_slot(self);
}

static void give_up(struct replay *self, const struct fan_why *why)
{
    fan_log(NULL, FAN_WARN, "replay.failed", "a dead sender's journal stays for another try: %s",
            why->text);
    journal_left_close(&self->left, false);
    self->reading = false;
}

static void on_evidence(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct replay *self = context;

    (void)rows;
    (void)count;
    if (err == FAN_INVALID) {
        pass_over(self, why);
        return;
    }
    if (err) {
        give_up(self, why);
        return;
    }
    FAN_FAULT("sender.replayed");
    self->next++;
    next_slot(self);
}

/* Whatever happened under the claim, say it again as evidence: what is settled already stays as it
 * is. */
static void on_ended(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct replay *self = context;
    const struct journal_slot *slot;
    struct fan_claim_outcomes known;
    struct fan_batch *batch;
    struct fan_claim claim;

    (void)rows;
    (void)count;
    if (err == FAN_INVALID) {
        pass_over(self, why);
        return;
    }
    if (err) {
        give_up(self, why);
        return;
    }
    FAN_FAULT("sender.replay_closed");
    slot = &self->left.slots[self->next];
    claim = claim_of(self, slot);
    batch = fan_batch_new(slot->account);
    known = what_it_knew(self, slot, true, fan_batch_arena(batch));
    known.crashed = self->culprit;
    fan_claim_add_evidence(batch, &claim, &known);
    fan_db_submit(self->sender->db, &batch, on_evidence, self);
    fan_db_watch_kick(self->sender->watch);
}

static void replay_slot(struct replay *self, const struct journal_slot *slot)
{
    struct fan_batch *batch = fan_batch_new(slot->account);
    struct fan_claim claim = claim_of(self, slot);
    struct fan_claim_outcomes known = what_it_knew(self, slot, false, fan_batch_arena(batch));

    self->chunks++;
    FAN_FAULT("sender.before_replay");
    fan_claim_add_lock(batch, &claim);
    if (known.count > 0)
        fan_claim_add_close(batch, &claim, &known, (enum fan_kind)slot->kind);
    self->culprit = culprit(self, slot);
    if (self->culprit)
        fan_claim_add_crashed(batch, &claim, self->culprit);
    fan_claim_add_release(batch, &claim, never_started_from(self, slot));
    fan_db_submit(self->sender->db, &batch, on_ended, self);
    fan_db_watch_kick(self->sender->watch);
}

static void next_slot(struct replay *self)
{
    for (; self->next < self->left.slots_len; self->next++) {
        const struct journal_slot *slot = &self->left.slots[self->next];
        if (slot->used == 1 && slot->size <= JOURNAL_POSITIONS) {
            replay_slot(self, slot);
            return;
        }
    }
    if (self->chunks > 0)
        fan_log(NULL, FAN_INFO, "journal.replayed", "%u chunks of a dead sender", self->chunks);
    journal_left_close(&self->left, true);
    self->reading = false;
}

static void look(void *context)
{
    struct replay *self = context;
    struct fan_arena *arena;

    if (self->reading || fan_actor_draining(self->sender->actor))
        return;
    arena = fan_arena_new();
    self->reading = journal_find_left(journal_dir(self->sender, arena), &self->left);
    fan_arena_free(&arena);
    if (!self->reading)
        return;
    self->next = 0;
    self->chunks = 0;
    next_slot(self);
}

struct replay *replay_new(struct sender *sender)
{
    struct replay *self = calloc(1, sizeof *self);

    if (!self)
        fan_die("out of memory: a replay");
    self->sender = sender;
    self->timer = fan_loop_every(fan_actor_loop(sender->actor), LOOK_EVERY_MS, look, self);
    fan_loop_soon(fan_actor_loop(sender->actor), look, self);
    return self;
}

void replay_free(struct replay **replay)
{
    struct replay *self = *replay;

    if (!self)
        return;
    fan_loop_cancel(&self->timer);
    if (self->reading)
        journal_left_close(&self->left, false);
    free(self);
    *replay = NULL;
}

/* A chunk's life in this sender: taken, its messages started as slots and connections allow,
 * settled, given up. */
#include "actors/sender/sender.h"

#include "proto/fault.h"

#include <stdlib.h>

enum { FLUSH_MS = 10 };

/* A channel that is held for longer has its chunks given back: others need the room. */
#define HELD_MOST (5 * FAN_SECOND)

/* More than a channel sends in so long is not taken: its row asks again well before it is through.
 */
#define BACKLOG_MOST (20 * FAN_SECOND)

/* ---- copies ---- */

static void copy_forget(struct copy *copy)
{
    free(copy->owned);
    copy->owned = NULL;
}

void copy_load(struct copy *copy, const struct fan_claim_copy *read)
{
    copy->owned = malloc(read->address.len + read->body.len + 1);
    if (!copy->owned)
        fan_die("out of memory: a message's body");
    if (read->address.len)
        memcpy(copy->owned, read->address.at, read->address.len);
    if (read->body.len)
        memcpy(copy->owned + read->address.len, read->body.at, read->body.len);
    copy->address = (struct fan_bytes){ copy->owned, read->address.len };
    copy->body = (struct fan_bytes){ copy->owned + read->address.len, read->body.len };
    copy->format = (uint8_t)read->format;
    copy->key_until = read->key_left < 0 ? 0 : fan_clock_elapsed() + read->key_left;
    copy->tries = (uint8_t)(read->tries < UINT8_MAX ? read->tries : UINT8_MAX);
    copy->free = (uint8_t)(read->free_tries < UINT8_MAX ? read->free_tries : UINT8_MAX);
    copy->attempts = (uint16_t)read->attempts;
}

/* ---- the end ---- */

void claim_forget(struct claim *claim)
{
    struct sender *self = claim->sender;
    struct claim **link = &self->claims;

    while (*link != claim)
        link = &(*link)->next;
    *link = claim->next;
    self->claims_len--;
    fan_metric_set(self->held, self->claims_len);
    for (uint32_t i = 0; claim->copies && i < claim->taken.size; i++)
        copy_forget(&claim->copies[i]);
    if (claim->slot)
        journal_release(claim->slot);
    fan_actor_done(self->actor, claim->lane);
    fan_arena_free(&claim->arena);
    free(claim->results);
    free(claim->recording);
    free(claim);
}

/* ---- the beginning ---- */

/* Ids by position, and what the frame carried. */
static void lay_out(struct claim *claim)
{
    uint32_t size = claim->taken.size;
    struct copy *copies = fan_arena_array(claim->arena, size, sizeof *copies);

    claim->results = calloc(size, sizeof *claim->results);
    claim->recording = calloc(size, sizeof *claim->recording);
    if (!claim->results || !claim->recording)
        fan_die("out of memory: the outcomes of a chunk");
    for (uint32_t p = 0; p < size; p++) {
        copies[p].message = claim->taken.claim.is_retry
                ? claim->taken.items.at[p]
                : fan_message_id(claim->taken.claim.chunk, p);
        copies[p].position = claim->carried ? POSITION_ABSENT : POSITION_WAITING;
        claim->slot->items[p] = copies[p].message;
    }
    for (size_t i = 0; claim->carried && i < claim->frame.len; i++) {
        const struct fan_copy *one = &claim->frame.at[i];
        uint32_t p = (uint32_t)(one->message & 511);

        if (p >= size || copies[p].message != one->message)
            continue; /* a frame is only a hint */
        copies[p].address = one->address;
        copies[p].body = one->body;
        copies[p].format = (uint8_t)one->format;
        copies[p].position = POSITION_WAITING;
    }
    claim->copies = copies;
}

static void begin_journal(struct claim *claim)
{
    const struct fan_claim *key = &claim->taken.claim;
    struct journal_slot *slot = claim->slot;

    slot->account = key->account;
    slot->chunk = key->chunk;
    slot->epoch = key->epoch;
    slot->is_retry = key->is_retry;
    slot->size = claim->taken.size;
    slot->opened = slot->begun = claim->taken.watermark;
    slot->kind = claim->taken.kind;
}

/* Below the watermark somebody else opened; what became of it there is not ours to say. */
static void begin(struct claim *claim)
{
    claim->retry = fan_retry_rules_of(claim->taken.retry, claim->taken.kind);
    claim->carried = claim->frame.len > 0 && !claim->taken.claim.is_retry;
    claim->opened = claim->started = claim->taken.watermark;
    claim->renew_at = fan_clock_elapsed() + claim->sender->set->lease_ms * FAN_MS / 3;
    lay_out(claim);
    for (uint32_t p = 0; p < claim->taken.watermark; p++)
        claim->slot->records[p].word = JOURNAL_STARTED; /* as if: a replay must not speak of it */
    begin_journal(claim);
    journal_begin(claim->slot);
    claim->state = CLAIM_LOADING;
}

static void load_channel(struct claim *claim)
{
    struct fan_why why = { 0 };
    enum fan_err err = channel_get(claim->sender, claim->taken.claim.account, claim->taken.channel,
            &claim->channel, &why);

    if (!err) {
        claim->state = CLAIM_OPEN;
        return;
    }
    claim->channel = NULL;
    claim->retry_at = fan_clock_elapsed() + FAN_SECOND;
    /* With PostgreSQL away it waits; a channel that is at fault itself is not waited for, or the
     * chunks of one would keep everybody else's out. */
    claim->closed_out = err != FAN_UNAVAILABLE && err != FAN_UNCERTAIN && err != FAN_CONFLICT;
    fan_log(NULL, FAN_WARN, "channel.unusable", "chunk %lld %s: %s",
            (long long)claim->taken.claim.chunk, claim->closed_out ? "goes back" : "waits",
            why.text);
}

static void on_taken(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct claim *claim = context;
    struct fan_claim asked = claim->taken.claim;

    (void)count;
    (void)why;
    claim->busy = false;
    /* After a lost reply the claim may be ours all the same: its lease ends, and the scheduler
     * takes it back. */
    if (err || !fan_claim_read_take(&rows[0], &asked, claim->arena, &claim->taken)) {
        claim_forget(claim);
        return;
    }
    begin(claim);
    FAN_FAULT("sender.claimed");
    claim_pump(claim);
}

/* The frame dies with its turn: what it carried is kept by the claim. */
static struct fan_copy_list keep(const struct fan_copy_list *list, struct fan_arena *arena)
{
    struct fan_copy *copies = fan_arena_array(arena, list->len, sizeof *copies);

    for (size_t i = 0; i < list->len; i++) {
        copies[i] = list->at[i];
        copies[i].address = fan_bytes_dup(list->at[i].address, arena);
        copies[i].body = fan_bytes_dup(list->at[i].body, arena);
    }
    return (struct fan_copy_list){ copies, list->len };
}

/* Whether a channel has so much to send here that a further chunk would only keep others' out. */
static bool is_backed_up(const struct sender *self, fan_id account, fan_id channel)
{
    fan_time takes = 0;

    for (const struct claim *one = self->claims; one; one = one->next) {
        const struct channel *its = one->channel;
        if (its && its->id == channel && its->account == account && its->paced)
            takes += (fan_time)(one->taken.size - one->started) * its->interval;
    }
    return takes > BACKLOG_MOST;
}

/* The oldest first: a chunk that was begun is ended before another one gets the channel. */
static void append(struct sender *self, struct claim *claim)
{
    struct claim **link = &self->claims;

    while (*link)
        link = &(*link)->next;
    *link = claim;
    self->claims_len++;
}

static bool is_not_wanted(struct sender *self, fan_id account, fan_id id)
{
    const struct channel *channel = channel_find(self, account, id);

    return channel && health_act(channel) == FAN_HEALTH_LEAVE;
}

void claim_take(struct sender *self, const struct fan_route *route,
        const struct fan_send_request *request)
{
    bool refused = fan_actor_draining(self->actor) || !sender_can_write(self) ||
            is_not_wanted(self, route->account, request->channel) ||
            (route->lane != FAN_LANE_URGENT &&
                    is_backed_up(self, route->account, request->channel));
    struct journal_slot *slot = refused ? NULL : journal_take(self->journal);
    struct fan_batch *batch;
    struct claim *claim;

    if (!slot) { /* the row will ask again */
        fan_actor_done(self->actor, route->lane);
        return;
    }
    claim = calloc(1, sizeof *claim);
    if (!claim)
        fan_die("out of memory: a claim");
    slot->used = 2; /* taken, nothing in it that a replay could read */
    claim->slot = slot;
    claim->sender = self;
    claim->arena = fan_arena_new();
    claim->lane = route->lane;
    claim->frame = keep(&request->copies, claim->arena);
    claim->taken.claim = (struct fan_claim){
        route->account,
        request->chunk,
        request->epoch,
        fan_actor_incarnation(self->actor),
        false,
    };
    append(self, claim);
    fan_metric_set(self->held, self->claims_len);
    batch = fan_batch_new(route->account);
    fan_claim_add_take(batch, &claim->taken.claim, self->set->lease_ms * FAN_MS);
    claim->busy = true;
    fan_db_submit(self->db, &batch, on_taken, claim);
    fan_db_watch_kick(self->watch);
}

/* ---- starting ---- */

/* A slice that waited too long (this process was paused, the provider is slow) is not begun any
 * more. */
static bool too_late(const struct copy *copy, fan_time now)
{
    return now > copy->start_until;
}

static void start_what_may(struct claim *claim, fan_time now)
{
    while (claim->started < claim->opened) {
        uint32_t position = claim->started;

        if (claim->copies[position].position != POSITION_WAITING) {
            claim->started++;
            continue;
        }
        if (claim->lost || claim->closed_out)
            return;
        if (too_late(&claim->copies[position], now)) {
            claim->closed_out = true;
            return;
        }
        if (!channel_may_start(claim->channel, claim->copies[position].message,
                    claim->copies[position].tries > 0))
            return;
        claim->started++;
        flight_start(claim, position);
    }
}

/* Its chunks go back: others need the room. */
static bool is_left_alone(struct channel *channel, fan_time now)
{
    return channel->held_until > now + HELD_MOST ||
            health_act(channel_current(channel)) == FAN_HEALTH_LEAVE;
}

void claim_pump(struct claim *claim)
{
    fan_time now = fan_clock_elapsed();

    if (claim->busy && claim->state != CLAIM_OPEN)
        return;
    switch (claim->state) {
    case CLAIM_TAKING:
        return;
    case CLAIM_LOADING:
        if (now >= claim->retry_at && !claim->closed_out)
            load_channel(claim);
        if (claim->closed_out)
            claim->state = CLAIM_OPEN; /* to be given back, which takes no channel */
        if (claim->state != CLAIM_OPEN)
            return;
        break;
    case CLAIM_OVER:
        if (claim->recording_len == 0)
            claim_forget(claim);
        else if (now >= claim->retry_at)
            claim_say(claim);
        return;
    case CLAIM_OPEN:
    case CLAIM_ENDING:
        break;
    }
    if ((claim->channel && is_left_alone(claim->channel, now)) || !sender_can_write(claim->sender))
        claim->closed_out = true;
    start_what_may(claim, now);
    if (!claim->busy && now >= claim->retry_at)
        claim_batch(claim, false);
}

/* ---- all claims ---- */

void claim_settle(struct claim *claim, const struct result *result)
{
    FAN_ASSERT(claim->results_len < claim->taken.size);
    claim->copies[result->position].position = POSITION_SETTLED;
    copy_forget(&claim->copies[result->position]);
    claim->results[claim->results_len++] = *result;
    FAN_FAULT("sender.noted");
    claims_pump_soon(claim->sender);
}

/* Urgent ones first, also in the channel's send slots and connections. */
void claims_pump(struct sender *self, const struct channel *channel)
{
    for (int lane = FAN_LANE_URGENT; lane < FAN_LANE_COUNT; lane++) {
        struct claim *next;

        for (struct claim *claim = self->claims; claim; claim = next) {
            next = claim->next;
            if ((int)claim->lane == lane && (!channel || claim->channel == channel))
                claim_pump(claim);
        }
    }
}

/* Outcomes that did not fill a slice are recorded a moment later. */
static void on_flush(void *context)
{
    struct sender *self = context;

    self->flush_timer = NULL;
    for (struct claim *claim = self->claims; claim; claim = claim->next) {
        if (claim->state == CLAIM_OPEN && !claim->busy && claim->results_len > 0 &&
                fan_clock_elapsed() >= claim->retry_at)
            claim_batch(claim, true);
    }
}

static void on_pump(void *context)
{
    struct sender *self = context;

    self->pump_timer = NULL;
    claims_pump(self, NULL);
    for (const struct claim *claim = self->claims; claim && !self->flush_timer;
            claim = claim->next) {
        if (claim->results_len > 0 && !claim->busy)
            self->flush_timer =
                    fan_loop_after(fan_actor_loop(self->actor), FLUSH_MS, on_flush, self);
    }
}

void claims_pump_soon(struct sender *self)
{
    if (!self->pump_timer)
        self->pump_timer = fan_loop_after(fan_actor_loop(self->actor), 0, on_pump, self);
}

void claims_tick(struct sender *self)
{
    fan_time now = fan_clock_elapsed();

    health_tick(self);
    sender_mend(self);
    for (struct claim *claim = self->claims; claim; claim = claim->next) {
        bool held = claim->state == CLAIM_OPEN || claim->state == CLAIM_LOADING;

        if (held && !claim->busy && now >= claim->renew_at && now >= claim->retry_at)
            claim_renew(claim);
        claim_tell(claim, false);
    }
    claims_pump_soon(self);
}

void claims_halt(struct sender *self, fan_id account, fan_id run)
{
    for (struct claim *claim = self->claims; claim; claim = claim->next) {
        bool meant = run == 0 || (claim->taken.run == run && claim->taken.claim.account == account);

        /* One that is only being taken opens after these news, and is refused. */
        if (meant && claim->state != CLAIM_TAKING)
            claim->closed_out = claim->halted = true;
    }
    claims_pump_soon(self);
}

void claims_drain(struct sender *self)
{
    for (struct claim *claim = self->claims; claim; claim = claim->next)
        claim->closed_out = true;
    claims_pump_soon(self);
}

void claims_free(struct sender *self)
{
    fan_loop_cancel(&self->pump_timer);
    fan_loop_cancel(&self->flush_timer);
    for (struct claim *claim = self->claims, *next; claim; claim = next) {
        next = claim->next;
        claim_forget(claim);
    }
}

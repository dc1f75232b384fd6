/*
 * sender — hands messages to providers, each at most once an attempt.
 *
 * takes   send_request and lookup_request of its kind
 * gives   provider calls; outcomes, committed; messages_settled, chunk_done
 * keeps   a journal of what it opened, started and got answers for, in its state folder
 * scales  any number per kind, on any host; the channel's send slots are shared through its row
 * fails   killed, its journal is replayed by the next sender on the host, and what it had not begun
 * goes to another; a database that is away stops the opening of slices, not what is under way
 */
#include "actors/sender/replay.h"
#include "actors/sender/sender.h"

static const struct fan_setting settings[] = {
    FAN_SET_TEXT(struct sender_settings, kind, NULL,
            "kind of channel to serve: sms, whatsapp, email, …"),
    FAN_SET_U32(struct sender_settings, chunks, "16", 1, 256, "chunks held at once"),
    FAN_SET_U32(struct sender_settings, slice, "64", 1, 500,
            "messages of a slice, at most; two slices may be open"),
    FAN_SET_U32(struct sender_settings, lease_ms, "30000", 1000, 600000,
            "milliseconds that a claim holds without renewal"),
    FAN_SET_U32(struct sender_settings, send_ttl_ms, "10000", 100, 600000,
            "milliseconds from a slice's opening until a message's first byte must have left"),
    FAN_SET_U32(struct sender_settings, request_ms, "30000", 100, 600000,
            "milliseconds that a provider may take"),
    FAN_SET_TEXT(struct sender_settings, public_url, "http://127.0.0.1:8081",
            "where providers and recipients reach the ingester: part of their links"),
    FAN_SET_TEXT(struct sender_settings, ca_file, "",
            "certificate authorities to trust, as PEM; empty: the system's"),
    FAN_SET_END,
};

enum { TICK_MS = 1000, MEND_S = 2 };

static void on_tick(void *context)
{
    claims_tick(context);
}

static void make_metrics(struct sender *self)
{
    struct fan_metrics *metrics = fan_actor_metrics(self->actor);
    struct fan_arena *arena = fan_arena_new();

    for (int i = 1; i < FAN_OUTCOME_CLASS_COUNT; i++)
        self->outcomes[i] = fan_metric_counter(metrics, "fanfare_attempts_total",
                fan_arena_printf(arena, "kind=\"%s\",outcome=\"%s\"", self->set->kind,
                        fan_outcome_class_name(i)),
                "Attempts to send, by outcome");
    self->latency = fan_metric_histogram(metrics, "fanfare_provider_seconds", "",
            "How long providers took to answer");
    for (int i = 1; i < FAN_HEALTH_REASON_COUNT; i++)
        self->paused[i] = fan_metric_counter(metrics, "fanfare_channel_pauses_total",
                fan_arena_printf(arena, "reason=\"%s\"", fan_health_reason_name(i)),
                "Channels that this sender found to be left alone");
    self->channels_paused = fan_metric_gauge(metrics, "fanfare_channels_paused", "",
            "Channels that are left alone, or tried with one message");
    self->channels_slowed = fan_metric_gauge(metrics, "fanfare_channels_slowed", "",
            "Channels that send slower than configured, because their providers throttled them");
    self->cuts = fan_metric_counter(metrics, "fanfare_rate_cuts_total", "",
            "Times that this sender made a channel slower");
    self->budget_waits = fan_metric_counter(metrics, "fanfare_retry_waits_total", "",
            "Times that repeated attempts waited for their channel's budget");
    self->found = fan_metric_counter(metrics, "fanfare_lookups_found_total", "",
            "Messages whose answer was lost and that their provider said it had taken");
    self->unwritable = fan_metric_gauge(metrics, "fanfare_journal_broken", "",
            "1 while the journal cannot be written, and so nothing is sent");
    self->held = fan_metric_gauge(metrics, "fanfare_claims", "", "Chunks held");
    fan_arena_free(&arena);
}

uint32_t sender_draw(struct sender *self)
{
    self->random = self->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(self->random >> 32);
}

static enum fan_err open_keys(struct sender *self, struct fan_arena *arena, struct fan_why *why)
{
    const char *keys = fan_arena_printf(arena, "%s/keys", fan_actor_common(self->actor)->state_dir);
    enum fan_err err = fan_seal_secret_load(keys, "sender", &self->secret, why);

    return err ? err : fan_token_key_load(keys, &self->tokens, why);
}

static enum fan_err open_journal(struct sender *self, struct fan_arena *arena, struct fan_why *why)
{
    return journal_create(fan_arena_printf(arena, "%s/journal",
                                  fan_actor_common(self->actor)->state_dir),
            fan_actor_incarnation(self->actor), self->set->chunks, &self->journal, why);
}

bool sender_can_write(const struct sender *self)
{
    return self->journal && !journal_is_broken(self->journal);
}

/* Also at the start: a disk may be full of the journals of the dead, whose replay makes room. */
void sender_mend(struct sender *self)
{
    fan_time now = fan_clock_elapsed();
    bool again = self->mend_at > 0;
    struct fan_why why = { 0 };
    struct fan_arena *arena;

    if (self->journal)
        journal_look(self->journal);
    fan_metric_set(self->unwritable, !sender_can_write(self));
    if (sender_can_write(self) || now < self->mend_at)
        return;
    if (self->journal)
        fan_log(NULL, FAN_ERROR, "journal.broken",
                "the journal cannot be written: nothing is sent until another one can be made");
    self->mend_at = now + MEND_S * FAN_SECOND;
    if (self->claims)
        return;
    journal_remove(&self->journal);
    arena = fan_arena_new();
    if (open_journal(self, arena, &why))
        fan_log(NULL, FAN_ERROR, "journal.unwritable", "nothing is sent: %s", why.text);
    else if (again)
        fan_log(NULL, FAN_WARN, "journal.mended", "there is another journal: sending goes on");
    fan_metric_set(self->unwritable, !sender_can_write(self));
    fan_arena_free(&arena);
}

static enum fan_err open_sender(struct fan_actor *actor, void *state, struct fan_why *why)
{
    struct sender *self = state;
    struct fan_arena *arena = fan_arena_new();
    enum fan_err err;
    int kind;

    self->actor = actor;
    self->set = fan_actor_settings(actor);
    self->random = fan_actor_incarnation(actor);
    kind = fan_kind_of(fan_bytes_of(self->set->kind));
    if (kind < 0) {
        fan_arena_free(&arena);
        return fan_fail_field(why, FAN_INVALID, "kind", "\"%s\" is no kind of channel",
                self->set->kind);
    }
    self->kind = (enum fan_kind)kind;
    fan_actor_serves(actor, self->kind);
    make_metrics(self);
    err = open_keys(self, arena, why);
    fan_arena_free(&arena);
    if (err)
        return err;
    sender_mend(self);
    self->db = fan_actor_new_db(actor, FAN_DB_HOT);
    self->watch = fan_db_watch_new(fan_actor_loop(actor), self->db);
    self->replay = replay_new(self);
    fan_loop_every(fan_actor_loop(actor), TICK_MS, on_tick, self);
    return FAN_OK;
}

static void drain_sender(struct fan_actor *actor, void *state)
{
    (void)actor;
    claims_drain(state);
}

static bool busy_sender(struct fan_actor *actor, void *state)
{
    const struct sender *self = state;

    (void)actor;
    return self->claims != NULL;
}

/* With claims left, the journal stays: it knows what this process cannot say any more. */
static void close_sender(struct fan_actor *actor, void *state)
{
    struct sender *self = state;
    bool clean = self->claims == NULL;

    (void)actor;
    replay_free(&self->replay);
    fan_db_watch_free(&self->watch);
    fan_db_free(&self->db);
    if (clean) {
        claims_free(self);
        journal_remove(&self->journal);
    }
    channels_free(self);
    lookups_free(self);
    flights_free(self);
    fan_seal_secret_free(&self->secret);
    fan_token_key_free(&self->tokens);
}

static enum fan_err on_send_request(struct fan_turn *turn, const struct fan_send_request *req)
{
    claim_take(turn->state, &turn->route, req);
    return FAN_OK;
}

static enum fan_err on_lookup_request(struct fan_turn *turn, const struct fan_lookup_request *req)
{
    lookup_begin(turn->state, &turn->route, req);
    return FAN_OK;
}

static enum fan_err on_channel_changed(struct fan_turn *turn,
        const struct fan_channel_changed *news)
{
    channel_changed(turn->state, turn->route.account, news->channel);
    return FAN_OK;
}

static enum fan_err on_control_changed(struct fan_turn *turn,
        const struct fan_control_changed *news)
{
    (void)news;
    claims_halt(turn->state, turn->route.account, turn->route.run);
    return FAN_OK;
}

static enum fan_err on_channel_health_changed(struct fan_turn *turn,
        const struct fan_channel_health_changed *news)
{
    struct channel *channel = channel_find(turn->state, turn->route.account, news->channel);

    if (channel)
        health_look(channel);
    return FAN_OK;
}

static const struct fan_role sender = {
    .name = "sender",
    .summary = "hands messages to providers, each at most once an attempt",
    .settings = settings,
    .settings_size = sizeof(struct sender_settings),
    .state_size = sizeof(struct sender),
    .db_use = FAN_DB_HOT,
    .credit_urgent = 8,
    .credit_normal = 8,
    .manual_credit = true,
    .open = open_sender,
    .drain = drain_sender,
    .busy = busy_sender,
    .close = close_sender,
    .on = {
        .send_request = on_send_request,
        .lookup_request = on_lookup_request,
        .channel_changed = on_channel_changed,
        .control_changed = on_control_changed,
        .channel_health_changed = on_channel_health_changed,
    },
};

int main(int argc, char **argv)
{
    return fan_actor_main(&sender, argc, argv);
}

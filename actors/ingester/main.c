/*
 * ingester — takes what the outside world sends without a login: providers' callbacks and
 * recipients' unsubscriptions.
 *
 * takes   HTTP: /hooks/<account>/<channel>, /u/<token>, /media/<token>/<name>
 * gives   receipts and suppressions, committed; receipts_applied
 * keeps   a spool on its own disk: whoever was answered with 2xx stands there until the database
 *         has it
 * scales  any number behind a proxy, each with a name and a spool of its own
 * fails   killed, the next one of this name continues with its spool; a database that is away stops
 *         nothing but the applying
 */
#include "actors/ingester/ingester.h"

#include "actors/lib/media/media.h"

static const struct fan_setting settings[] = {
    FAN_SET_TEXT(struct ingester_settings, listen, "127.0.0.1:8081", "where to listen for HTTP"),
    FAN_SET_TEXT(struct ingester_settings, public_url, "http://127.0.0.1:8081",
            "how the outside world writes our address: part of what providers sign"),
    FAN_SET_U32(struct ingester_settings, connections, "512", 1, 65536, "HTTP connections at once"),
    FAN_SET_U32(struct ingester_settings, body_kb, "3072", 64, 4000,
            "KiB of one request's body, at most"),
    FAN_SET_U32(struct ingester_settings, bodies_mb, "32", 4, 4096,
            "MiB of large bodies held at once"),
    FAN_SET_U32(struct ingester_settings, spool_mb, "4096", 1, 1048576,
            "MiB of the spool; beyond 95 % of it nothing more is taken"),
    FAN_SET_U32(struct ingester_settings, segment_mb, "64", 1, 1024,
            "MiB of one file of the spool"),
    FAN_SET_U32(struct ingester_settings, free_percent, "5", 0, 90,
            "percent of the spool's disk that are left to others"),
    FAN_SET_U32(struct ingester_settings, sync_ms, "2", 0, 100,
            "milliseconds between two waits for the disk; callbacks that come meanwhile share one"),
    FAN_SET_U32(struct ingester_settings, batch, "1000", 1, 10000, "receipts applied at once"),
    FAN_SET_U32(struct ingester_settings, gather_ms, "20", 0, 1000,
            "milliseconds to wait for more of them"),
    FAN_SET_U32(struct ingester_settings, channel_fresh_s, "60", 1, 3600,
            "seconds after which a channel's settings are read again"),
    FAN_SET_END,
};

static enum fan_err open_keys(struct ingester *self, struct fan_arena *arena, struct fan_why *why)
{
    const char *keys = fan_arena_printf(arena, "%s/keys", fan_actor_common(self->actor)->state_dir);
    enum fan_err err = fan_seal_secret_load(keys, "ingester", &self->secret, why);

    return err ? err : fan_token_key_load(keys, &self->tokens, why);
}

static enum fan_err open_spool(struct ingester *self, struct fan_arena *arena, struct fan_why *why)
{
    const struct fan_common_settings *common = fan_actor_common(self->actor);
    const struct spool_options options = {
        .dir = fan_arena_printf(arena, "%s/spool/%s", common->state_dir, common->name),
        .cap = (uint64_t)self->set->spool_mb << 20,
        .segment = (uint64_t)self->set->segment_mb << 20,
        .free_percent = self->set->free_percent,
        .sync_ms = self->set->sync_ms,
    };

    return spool_open(fan_actor_loop(self->actor), &options, &self->spool, why);
}

static void on_second(void *context)
{
    struct ingester *self = context;

    fan_metric_set(self->spool_bytes, (double)spool_bytes(self->spool));
    fan_metric_set(self->spool_waiting, (double)spool_waiting(self->spool));
}

static enum fan_err open_ingester(struct fan_actor *actor, void *state, struct fan_why *why)
{
    struct ingester *self = state;
    struct fan_arena *arena = fan_arena_new();
    enum fan_err err;

    self->actor = actor;
    self->set = fan_actor_settings(actor);
    err = open_keys(self, arena, why);
    if (!err)
        err = open_spool(self, arena, why);
    if (!err)
        err = fan_media_open(fan_actor_loop(actor), fan_actor_common(actor), &self->media, why);
    fan_arena_free(&arena);
    if (err)
        return err;
    self->spool_bytes = fan_metric_gauge(fan_actor_metrics(actor), "fanfare_spool_bytes", "",
            "Bytes of the spool on the disk.");
    self->spool_waiting = fan_metric_gauge(fan_actor_metrics(actor), "fanfare_spool_waiting_bytes",
            "", "Bytes of the spool that were not yet applied.");
    fan_loop_every(fan_actor_loop(actor), 1000, on_second, self);
    self->channels = channels_new(self);
    self->forwarder = forwarder_start(self);
    return door_open(self, &self->door, why);
}

static void drain_ingester(struct fan_actor *actor, void *state)
{
    struct ingester *self = state;

    (void)actor;
    door_quiesce(self->door);
}

static bool busy_ingester(struct fan_actor *actor, void *state)
{
    const struct ingester *self = state;

    (void)actor;
    return door_busy(self->door);
}

static void close_ingester(struct fan_actor *actor, void *state)
{
    struct ingester *self = state;

    (void)actor;
    door_close(&self->door);
    forwarder_stop(&self->forwarder);
    fan_media_close(&self->media);
    channels_free(&self->channels);
    spool_close(&self->spool);
    fan_seal_secret_free(&self->secret);
    fan_token_key_free(&self->tokens);
}

static bool health_of_ingester(struct fan_actor *actor, void *state, struct fan_buffer *members)
{
    const struct ingester *self = state;

    (void)actor;
    fan_buffer_printf(members, "\"spool_bytes\":%llu,\"spool_waiting\":%llu",
            (unsigned long long)spool_bytes(self->spool),
            (unsigned long long)spool_waiting(self->spool));
    return true;
}

static enum fan_err on_channel_changed(struct fan_turn *turn,
        const struct fan_channel_changed *news)
{
    struct ingester *self = turn->state;

    channels_changed(self->channels, turn->route.account, news->channel);
    return FAN_OK;
}

static const struct fan_role ingester = {
    .name = "ingester",
    .summary = "takes providers' callbacks and recipients' unsubscriptions",
    .settings = settings,
    .settings_size = sizeof(struct ingester_settings),
    .state_size = sizeof(struct ingester),
    .db_use = FAN_DB_HOT,
    .open = open_ingester,
    .drain = drain_ingester,
    .busy = busy_ingester,
    .close = close_ingester,
    .health = health_of_ingester,
    .on = { .channel_changed = on_channel_changed },
};

int main(int argc, char **argv)
{
    return fan_actor_main(&ingester, argc, argv);
}

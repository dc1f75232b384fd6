/*
 * gateway — the HTTP API: campaigns, contacts, channels, imports, live progress.
 *
 * takes   HTTP from people and programs
 * gives   rows; resolve_request, import_request, image_request; news of what they changed
 * keeps   keys that were verified a moment ago, clients of the progress stream
 * scales  start any number; they share nothing
 * fails   without the database every route but /health answers 503; an upload that is cut leaves an
 *         import that says so
 */
#include "gateway/call.h"
#include "gateway/live.h"
#include "actors/lib/seal/token.h"
#include "gateway/media.h"
#include "gateway/pictures.h"
#include "gateway/upload.h"

#include <stdio.h>

static const struct fan_setting settings[] = {
    FAN_SET_TEXT(struct gateway_settings, listen, "127.0.0.1:8080", "where the API is"),
    FAN_SET_U32(struct gateway_settings, connections, "1024", 1, 65536, "clients at once"),
    FAN_SET_U32(struct gateway_settings, body_kib, "1024", 1, 16384, "KiB of a JSON body"),
    FAN_SET_U32(struct gateway_settings, upload_mib, "512", 1, 4096, "MiB of a contact list"),
    FAN_SET_U32(struct gateway_settings, key_cache_ms, "5000", 0, 5000,
            "how long a revoked key may still work"),
    FAN_SET_U32(struct gateway_settings, page_size_max, "100", 1, 200, "rows of a page"),
    FAN_SET_U32(struct gateway_settings, operator_account, "1", 0, UINT32_MAX,
            "account whose owners may stop all sending; 0: none"),
    FAN_SET_U32(struct gateway_settings, picture_wait_ms, "20000", 100, 120000,
            "milliseconds that the preview of a picture may take"),
    FAN_SET_TEXT(struct gateway_settings, pictures, "",
            "folder of the catalogue; empty: FANFARE_PICTURES, or this installation's"),
    FAN_SET_U32(struct gateway_settings, streams, "256", 1, 65536, "clients that watch progress"),
    FAN_SET_TEXT(struct gateway_settings, public_url, "http://127.0.0.1:8081",
            "where the outside world reaches the ingester: links to media begin with it"),
    FAN_SET_U32(struct gateway_settings, media_link_days, "365", 1, 3650,
            "days for which a link to media works"),
    FAN_SET_U32(struct gateway_settings, media_account_mib, "10240", 1, UINT32_MAX,
            "MiB of media that an account may keep"),
    FAN_SET_END,
};

/* ---- news: whoever watches that account should look ---- */

#define WAKES_ON(name) \
    static enum fan_err on_##name(struct fan_turn *turn, const struct fan_##name *message) \
    { \
        struct gateway *gateway = turn->state; \
\
        (void)message; \
        live_wake(gateway->live, turn->route.account); \
        return FAN_OK; \
    }

WAKES_ON(run_changed)
WAKES_ON(chunks_planned)
WAKES_ON(messages_settled)
WAKES_ON(receipts_applied)
WAKES_ON(import_changed)
WAKES_ON(campaign_changed)

static enum fan_err on_image_ready(struct fan_turn *turn, const struct fan_image_ready *message)
{
    struct gateway *gateway = turn->state;

    pictures_take(gateway->pictures, message);
    return FAN_OK;
}

static enum fan_err on_live_tick(struct fan_turn *turn)
{
    struct gateway *gateway = turn->state;

    return live_look(gateway->live, turn);
}

static enum fan_err on_beat_tick(struct fan_turn *turn)
{
    struct gateway *gateway = turn->state;

    live_beat(gateway->live);
    return FAN_OK;
}

static const struct fan_tick ticks[] = {
    { .interval_ms = 250, .name = "live", .fn = on_live_tick },
    { .interval_ms = 1000, .name = "beat", .fn = on_beat_tick },
    { .interval_ms = 0 },
};

/* ---- the process ---- */

static void open_metrics(struct gateway *gateway)
{
    struct fan_metrics *metrics = fan_actor_metrics(gateway->actor);

    for (int class = 2; class <= 5; class ++) {
        char label[24];

        snprintf(label, sizeof label, "status=\"%dxx\"", class);
        gateway->requests[class] = fan_metric_counter(metrics, "fanfare_gateway_requests_total",
                label, "API requests by their answer.");
    }
    gateway->seconds = fan_metric_histogram(metrics, "fanfare_gateway_request_seconds", "",
            "How long API requests took.");
}

/* ---- bodies that are taken in parts ---- */

/* Whoever takes them. */
struct taker {
    fan_http_part_fn *part;
    void *context;
};

static bool on_head(void *context, struct fan_http_request *request, void **part_context)
{
    struct taker *taker = fan_arena_alloc(fan_http_arena(request), sizeof *taker);

    *part_context = taker;
    taker->part = upload_part;
    if (upload_head(context, request, &taker->context))
        return true;
    taker->part = media_part;
    return media_head(context, request, &taker->context);
}

static bool on_part(void *part_context, struct fan_http_request *request, struct fan_bytes part,
        bool last)
{
    struct taker *taker = part_context;

    return taker->part(taker->context, request, part, last);
}

/* Links need a key that is made with the others; without it there are none. */
static enum fan_err open_media(struct gateway *gateway, struct fan_why *why)
{
    const struct fan_common_settings *common = fan_actor_common(gateway->actor);
    struct fan_arena *arena = fan_arena_new();
    enum fan_err err = fan_token_key_load(fan_arena_printf(arena, "%s/keys", common->state_dir),
            &gateway->tokens, why);

    fan_arena_free(&arena);
    if (err == FAN_NOT_FOUND)
        fan_log(NULL, FAN_WARN, "media.unlinked", "media has no links: %s", why->text);
    else if (err)
        return err;
    return fan_media_open(fan_actor_loop(gateway->actor), common, &gateway->media, why);
}

static enum fan_err open_gateway(struct fan_actor *actor, void *state, struct fan_why *why)
{
    struct gateway *gateway = state;
    struct fan_http_server_options options;
    enum fan_err err;

    gateway->actor = actor;
    gateway->settings = fan_actor_settings(actor);
    gateway->started = fan_clock_elapsed();
    gateway->keys = keys_new(gateway->settings->key_cache_ms);
    gateway->live = live_new(gateway);
    gateway->pictures = pictures_new(gateway);
    open_metrics(gateway);
    err = open_media(gateway, why);
    if (err)
        return err;
    options = (struct fan_http_server_options){
        .listen = gateway->settings->listen,
        .connections = gateway->settings->connections,
        .body_cap = gateway->settings->body_kib * 1024,
    };
    err = fan_http_server_open(fan_actor_loop(actor), &options, call_serve, gateway,
            &gateway->server, why);
    if (err)
        return err;
    fan_http_server_parts(gateway->server, on_head, on_part);
    fan_log(NULL, FAN_INFO, "gateway.opened", "listening on port %u",
            fan_http_server_port(gateway->server));
    return FAN_OK;
}

static void drain_gateway(struct fan_actor *actor, void *state)
{
    struct gateway *gateway = state;

    (void)actor;
    fan_http_server_quiesce(gateway->server);
    live_end(gateway->live);
}

static bool gateway_is_busy(struct fan_actor *actor, void *state)
{
    struct gateway *gateway = state;

    (void)actor;
    return fan_http_server_open_requests(gateway->server) > 0;
}

static void close_gateway(struct fan_actor *actor, void *state)
{
    struct gateway *gateway = state;

    (void)actor;
    fan_media_close(&gateway->media); /* nobody is called back into a request that is gone */
    fan_http_server_close(&gateway->server);
    fan_token_key_free(&gateway->tokens);
    pictures_free(&gateway->pictures);
    live_free(&gateway->live);
    keys_free(&gateway->keys);
}

static const struct fan_role gateway_role = {
    .name = "gateway",
    .summary = "the HTTP API: campaigns, contacts, channels, imports, live progress",
    .settings = settings,
    .settings_size = sizeof(struct gateway_settings),
    .state_size = sizeof(struct gateway),
    .db_use = FAN_DB_FREE,
    .ticks = ticks,
    .open = open_gateway,
    .drain = drain_gateway,
    .busy = gateway_is_busy,
    .close = close_gateway,
    .on = {
        .run_changed = on_run_changed,
        .chunks_planned = on_chunks_planned,
        .messages_settled = on_messages_settled,
        .receipts_applied = on_receipts_applied,
        .import_changed = on_import_changed,
        .campaign_changed = on_campaign_changed,
        .image_ready = on_image_ready,
    },
};

int main(int argc, char **argv)
{
    return fan_actor_main(&gateway_role, argc, argv);
}

/*
 * sandbox — stands where the providers stand: takes what senders would send them, answers as they
 * do, and calls back.
 *
 * takes   Twilio's Messages API, Meta's Cloud API for WhatsApp, an API with keys (HTTP), e-mail
 *         (SMTP)
 * gives   their answers; signed status callbacks to whoever asked for them; a journal of what came
 * keeps   messages whose callbacks are to come, in memory, bounded; nothing else
 * scales  one is enough for tests and demonstrations; several may share a journal
 * fails   on request: see docs/providers/sandbox.md
 */
#include "actors/sandbox/callback.h"
#include "actors/sandbox/patience.h"
#include "actors/sandbox/smtp.h"
#include "actors/sandbox/templates.h"
#include "proto/json.h"

#define SETTINGS struct fan_sandbox_settings

static const struct fan_setting settings[] = {
    FAN_SET_TEXT(SETTINGS, listen, "127.0.0.1:9800", "where the HTTP providers are; port 0: any"),
    FAN_SET_TEXT(SETTINGS, smtp_listen, "127.0.0.1:9825", "where the mail relay is; empty: off"),
    FAN_SET_TEXT(SETTINGS, journal, "", "a file that gets a line for every message; empty: none"),
    FAN_SET_TEXT(SETTINGS, twilio_account_sid, "AC00000000000000000000000000000001",
            "the only account there is"),
    FAN_SET_SECRET(SETTINGS, twilio_auth_token, "sandbox-auth-token",
            "its token, which also signs callbacks"),
    FAN_SET_SECRET(SETTINGS, meta_access_token, "sandbox-access-token", "the only access token"),
    FAN_SET_SECRET(SETTINGS, meta_app_secret, "sandbox-app-secret", "signs Meta's callbacks"),
    FAN_SET_TEXT(SETTINGS, meta_phone_number_id, "106540352242922", "the only phone number"),
    FAN_SET_TEXT(SETTINGS, meta_webhook_url, "", "where statuses go; empty: none are sent"),
    FAN_SET_TEXT(SETTINGS, meta_templates,
            "hello_world:en_US:0,greeting:en_US:1,offer:en_US:2,festival_greeting:en_US:1:image",
            "approved templates, each name:language:variables[:header]"),
    FAN_SET_SECRET(SETTINGS, api_token, "sandbox-api-token", "the only token of the API with keys"),
    FAN_SET_U32(SETTINGS, api_key_ttl_s, "86400", 1, 8640000,
            "seconds for which it remembers an idempotency key"),
    FAN_SET_U32(SETTINGS, api_work_ms, "0", 0, 600000,
            "milliseconds that a request is under way there, be its connection gone"),
    FAN_SET_TEXT(SETTINGS, smtp_username, "sandbox", "the login; empty: none is asked for"),
    FAN_SET_SECRET(SETTINGS, smtp_password, "sandbox", "its password"),
    FAN_SET_U32(SETTINGS, smtp_size_cap, "26214400", 1024, 1073741824, "bytes of a mail"),
    FAN_SET_U32(SETTINGS, deliver_percent, "97", 0, 100, "accepted messages that are delivered"),
    FAN_SET_U32(SETTINGS, read_percent, "60", 0, 100, "delivered WhatsApp messages that are read"),
    FAN_SET_U32(SETTINGS, fail_percent, "1", 0, 100, "accepted messages that fail later"),
    FAN_SET_U32(SETTINGS, delay_ms, "200", 0, 3600000, "before each callback; up to twice as long"),
    FAN_SET_U32(SETTINGS, latency_ms, "0", 0, 60000, "before each answer"),
    FAN_SET_U32(SETTINGS, seed, "1", 0, 4294967295, "of everything that is drawn"),
    FAN_SET_U32(SETTINGS, reject_percent, "0", 0, 100, "requests that are refused for good"),
    FAN_SET_U32(SETTINGS, remember, "10000", 0, 10000000,
            "Twilio's messages that can be asked for afterwards"),
    FAN_SET_U32(SETTINGS, throttle, "0", 0, 1000000,
            "messages a second, beyond which they are told to come later; 0: no bound"),
    FAN_SET_BOOL(SETTINGS, fault_patterns, "false",
            "whether recipients ending in 0429, 0500 and 0999 fail"),
    FAN_SET_U32(SETTINGS, callback_connections, "16", 1, 1024, "callbacks at once"),
    FAN_SET_U32(SETTINGS, callback_batch, "50", 1, 1000, "statuses in one of Meta's callbacks"),
    FAN_SET_U32(SETTINGS, callback_backlog, "2000000", 1, 100000000,
            "messages that may wait for callbacks; beyond it, senders are told to come later"),
    FAN_SET_U32(SETTINGS, callback_tries, "10", 1, 1000, "of each callback"),
    FAN_SET_END,
};

/* ---- HTTP ---- */

static void add_tally(struct fan_json_writer *json, const char *name,
        const struct fan_sandbox_tally *tally)
{
    fan_json_object_open(json, name);
    fan_json_add_i64(json, "accepted", (int64_t)tally->accepted);
    fan_json_add_i64(json, "refused", (int64_t)tally->refused);
    fan_json_add_i64(json, "throttled", (int64_t)tally->throttled);
    fan_json_add_i64(json, "failed", (int64_t)tally->failed);
    if (tally->known > 0)
        fan_json_add_i64(json, "known", (int64_t)tally->known);
    fan_json_object_close(json);
}

static void write_tallies(const struct fan_sandbox *sandbox, struct fan_json_writer *json)
{
    struct fan_callback_tally callbacks = fan_callbacks_tally(sandbox->callbacks);

    add_tally(json, "twilio", &sandbox->tally[FAN_SANDBOX_TWILIO]);
    add_tally(json, "meta", &sandbox->tally[FAN_SANDBOX_META]);
    add_tally(json, "smtp", &sandbox->tally[FAN_SANDBOX_SMTP]);
    add_tally(json, "api", &sandbox->tally[FAN_SANDBOX_API]);
    fan_json_object_open(json, "callbacks");
    fan_json_add_i64(json, "delivered", (int64_t)callbacks.delivered);
    fan_json_add_i64(json, "failed", (int64_t)callbacks.failed);
    fan_json_add_i64(json, "given_up", (int64_t)callbacks.given_up);
    fan_json_add_i64(json, "waiting", callbacks.waiting);
    fan_json_object_close(json);
}

static void answer_stats(struct fan_sandbox *sandbox, struct fan_http_request *request)
{
    struct fan_json_writer json;
    struct fan_buffer out;

    fan_buffer_init(&out, 16 * 1024);
    fan_json_begin(&json, &out);
    fan_json_object_open(&json, NULL);
    write_tallies(sandbox, &json);
    fan_json_object_close(&json);
    fan_http_answer(request, 200, "application/json", fan_buffer_bytes(&out));
    fan_buffer_fini(&out);
}

static void on_request(void *context, struct fan_http_request *request)
{
    struct fan_bytes path = fan_http_path(request);

    if (fan_sandbox_is_twilio(path))
        fan_sandbox_twilio(context, request);
    else if (fan_sandbox_is_meta(path))
        fan_sandbox_meta(context, request);
    else if (fan_sandbox_is_api(path))
        fan_sandbox_api(context, request);
    else if (fan_bytes_eq_text(path, "/stats"))
        answer_stats(context, request);
    else
        fan_http_answer(request, 404, "text/plain", FAN_LIT("No provider is there.\n"));
}

/* ---- the life of the process ---- */

static void set_faults(struct fan_sandbox *sandbox)
{
    const struct fan_sandbox_settings *set = sandbox->settings;

    sandbox->faults = (struct fan_faults){
        .seed = set->seed,
        .patterns = set->fault_patterns,
        .reject_percent = set->reject_percent,
        .throttle = set->throttle,
        .deliver_percent = set->deliver_percent,
        .read_percent = set->read_percent,
        .fail_percent = set->fail_percent,
    };
}

static enum fan_err open_doors(struct fan_sandbox *sandbox, struct fan_why *why)
{
    const struct fan_sandbox_settings *set = sandbox->settings;
    const struct fan_http_server_options options = { .listen = set->listen, .connections = 8192 };
    enum fan_err err;

    err = fan_http_server_open(sandbox->loop, &options, on_request, sandbox, &sandbox->server, why);
    if (!err && *set->smtp_listen)
        err = fan_smtp_sink_open(sandbox, &sandbox->smtp, why);
    if (!err)
        fan_log(NULL, FAN_INFO, "sandbox.opened", "HTTP on port %u, SMTP on port %u",
                fan_http_server_port(sandbox->server),
                sandbox->smtp ? fan_smtp_sink_port(sandbox->smtp) : 0);
    return err;
}

static void close_sandbox(struct fan_actor *actor, void *state)
{
    struct fan_sandbox *sandbox = state;

    (void)actor;
    fan_http_server_close(&sandbox->server);
    fan_smtp_sink_close(&sandbox->smtp);
    fan_callbacks_free(&sandbox->callbacks);
    fan_sandbox_memory_free(&sandbox->memory);
    fan_sandbox_keys_free(&sandbox->keys);
    fan_sandbox_patience_free(&sandbox->patience);
    fan_sandbox_journal_close(&sandbox->journal);
    fan_arena_free(&sandbox->arena);
}

static enum fan_err open_parts(struct fan_actor *actor, struct fan_sandbox *sandbox,
        struct fan_why *why)
{
    const struct fan_sandbox_settings *set = fan_actor_settings(actor);
    enum fan_err err;

    sandbox->settings = set;
    sandbox->loop = fan_actor_loop(actor);
    sandbox->session = fan_actor_incarnation(actor);
    sandbox->arena = fan_arena_new();
    set_faults(sandbox);
    err = fan_sandbox_journal_open(&sandbox->journal, set->journal, why);
    if (!err)
        err = fan_sandbox_templates_read(fan_bytes_of(set->meta_templates), sandbox->arena,
                &sandbox->templates, why);
    if (err)
        return err;
    if (set->latency_ms > 0)
        sandbox->patience = fan_sandbox_patience_new(sandbox->loop, set->latency_ms);
    sandbox->callbacks = fan_callbacks_new(sandbox);
    sandbox->memory = fan_sandbox_memory_new(set->remember);
    sandbox->keys = fan_sandbox_keys_new(set->api_key_ttl_s * FAN_SECOND);
    return open_doors(sandbox, why);
}

static enum fan_err open_sandbox(struct fan_actor *actor, void *state, struct fan_why *why)
{
    enum fan_err err = open_parts(actor, state, why);

    if (err)
        close_sandbox(actor, state);
    return err;
}

static void drain(struct fan_actor *actor, void *state)
{
    struct fan_sandbox *sandbox = state;

    (void)actor;
    fan_http_server_quiesce(sandbox->server);
    fan_smtp_sink_quiesce(sandbox->smtp);
}

static bool busy(struct fan_actor *actor, void *state)
{
    struct fan_sandbox *sandbox = state;

    (void)actor;
    return fan_http_server_open_requests(sandbox->server) > 0;
}

static bool health(struct fan_actor *actor, void *state, struct fan_buffer *json_members)
{
    struct fan_json_writer json;

    (void)actor;
    fan_json_begin(&json, json_members);
    write_tallies(state, &json);
    return true;
}

static const struct fan_role sandbox = {
    .name = "sandbox",
    .summary = "stands in for Twilio, Meta, an API with idempotency keys and a mail relay",
    .settings = settings,
    .settings_size = sizeof(struct fan_sandbox_settings),
    .state_size = sizeof(struct fan_sandbox),
    .no_database = true,
    .no_bus = true,
    .open = open_sandbox,
    .drain = drain,
    .busy = busy,
    .close = close_sandbox,
    .health = health,
};

int main(int argc, char **argv)
{
    return fan_actor_main(&sandbox, argc, argv);
}

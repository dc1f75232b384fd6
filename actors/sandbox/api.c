/*
 * A plain HTTP API that takes a message with one JSON request, and drops the second of two with one
 * idempotency key.
 *
 * source  draft-ietf-httpapi-idempotency-key-header: a key that is under way is answered with 409,
 * one that came with another body with 422, a known one with what was answered before
 *
 * Checks stand in the order in which such APIs have them: who calls, the key, the body.
 */
#include "actors/lib/driver/driver.h"
#include "actors/sandbox/keys.h"
#include "actors/sandbox/sandbox.h"
#include "proto/json.h"

enum { TEXT_CAP = 4096 /* code points */, KEY_CAP = 255 };

#define PATH "/api/messages"

struct error {
    int status;
    const char *code, *text;
    const char *verdict;
};

static const struct error unauthorized = { 401, "unauthorized", "the token is wrong", "refused" };
static const struct error wrong_method = { 405, "method", "messages are POSTed", "refused" };
static const struct error no_json = { 400, "bad_json", "the body is not JSON", "refused" };
static const struct error bad_to = { 400, "bad_number", "to is not a phone number", "refused" };
static const struct error no_text = { 400, "no_text", "text is missing", "refused" };
static const struct error long_text = { 413, "too_long", "text is too long", "refused" };
static const struct error bad_key = { 400, "bad_key", "the key is too long", "refused" };
static const struct error landline = { 400, "landline", "to takes no messages", "refused" };
static const struct error too_many = { 429, "too_many", "too many requests", "throttled" };
static const struct error broken = { 500, "internal", "internal error", "failed" };
static const struct error under_way = { 409, "key_under_way",
    "a request with this key is under way", "busy" };
static const struct error reused = { 422, "key_reused", "this key came with another request before",
    "reused" };

struct call {
    struct fan_sandbox *sandbox;
    struct fan_http_request *request;
    struct fan_arena *arena;
    struct fan_bytes to, text, token, key;
};

bool fan_sandbox_is_api(struct fan_bytes path)
{
    return fan_bytes_eq_text(path, PATH);
}

static void note(const struct call *call, const char *verdict, struct fan_bytes id, int status)
{
    fan_sandbox_note(call->sandbox,
            &(struct fan_sandbox_verdict){
                    .provider = FAN_SANDBOX_API,
                    .to = call->to,
                    .token = call->token,
                    .verdict = verdict,
                    .id = id,
                    .status = status,
                    .key = call->key,
            });
}

static void refuse(const struct call *call, const struct error *error)
{
    struct fan_buffer *out = fan_arena_buffer(call->arena, 4096);
    struct fan_json_writer json;

    note(call, error->verdict, fan_bytes_of(error->code), error->status);
    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_object_open(&json, "error");
    fan_json_add_text(&json, "code", fan_bytes_of(error->code));
    fan_json_add_text(&json, "text", fan_bytes_of(error->text));
    fan_json_object_close(&json);
    fan_json_object_close(&json);
    fan_sandbox_answer(call->sandbox, call->request, error->status, fan_buffer_bytes(out));
}

static void answer(const struct call *call, uint64_t serial, bool again)
{
    struct fan_bytes id = fan_sandbox_sid(call->sandbox->session, serial, call->arena);
    struct fan_buffer *out = fan_arena_buffer(call->arena, 4096);
    struct fan_json_writer json;

    if (again) {
        note(call, "replayed", id, 201);
        fan_http_add_header(call->request, "Idempotency-Replayed", "true");
    }
    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_object_open(&json, "message");
    fan_json_add_text(&json, "id", id);
    fan_json_add_text(&json, "status", FAN_LIT("queued"));
    fan_json_object_close(&json);
    fan_json_object_close(&json);
    fan_sandbox_answer(call->sandbox, call->request, 201, fan_buffer_bytes(out));
}

static const struct error *check_caller(const struct call *call)
{
    const char *right =
            fan_arena_printf(call->arena, "Bearer %s", call->sandbox->settings->api_token);

    if (!fan_bytes_eq_text(fan_http_method(call->request), "POST"))
        return &wrong_method;
    return fan_bytes_eq_text(fan_http_header(call->request, "Authorization"), right)
            ? NULL
            : &unauthorized;
}

/* Everything is read even when something fails, so that the journal can name recipient and token.
 */
static const struct error *read_body(struct call *call)
{
    const struct fan_json *body;
    uint64_t number;

    if (fan_json_parse(fan_http_body(call->request), call->arena, &body, NULL) ||
            fan_json_type(body) != FAN_JSON_OBJECT)
        return &no_json;
    call->to = fan_json_get_text(body, "to");
    call->text = fan_json_get_text(body, "text");
    call->token = fan_json_get_text(body, "id");
    if (!fan_sandbox_phone(call->to, true, &number))
        return &bad_to;
    if (call->text.len == 0)
        return &no_text;
    return fan_text_points(call->text) > TEXT_CAP ? &long_text : NULL;
}

/* Whether the key has decided what is answered. */
static bool is_known(const struct call *call)
{
    const struct fan_sandbox_settings *set = call->sandbox->settings;
    fan_time now = fan_clock_elapsed();
    const struct fan_sandbox_key *known;

    if (call->key.len == 0)
        return false;
    known = fan_sandbox_keys_find(call->sandbox->keys, call->key, now);
    if (!known)
        return false;
    if (known->since + set->api_work_ms * FAN_MS > now) {
        fan_http_add_header(call->request, "Retry-After", "1");
        refuse(call, &under_way);
    } else if (known->body != fan_sandbox_keys_hash(fan_http_body(call->request))) {
        refuse(call, &reused);
    } else {
        answer(call, known->serial, true);
    }
    return true;
}

static void accept(const struct call *call, bool silent)
{
    struct fan_sandbox *sandbox = call->sandbox;
    uint64_t serial = ++sandbox->serial;

    note(call, "accepted", fan_sandbox_sid(sandbox->session, serial, call->arena),
            silent ? 0 : 201);
    if (call->key.len > 0)
        fan_sandbox_keys_add(sandbox->keys, call->key, fan_http_body(call->request), serial,
                fan_clock_elapsed());
    if (silent)
        fan_http_drop(call->request);
    else
        answer(call, serial, false);
}

static void decide(const struct call *call)
{
    switch (fan_faults_decide(&call->sandbox->faults, call->to, call->token, fan_clock_elapsed())) {
    case FAN_FAULT_THROTTLED:
        fan_http_add_header(call->request, "Retry-After", "1");
        refuse(call, &too_many);
        break;
    case FAN_FAULT_SERVER:
        refuse(call, &broken);
        break;
    case FAN_FAULT_REJECTED:
        refuse(call, &landline);
        break;
    case FAN_FAULT_SILENT:
        accept(call, true);
        break;
    case FAN_FAULT_NONE:
        accept(call, false);
        break;
    }
}

void fan_sandbox_api(struct fan_sandbox *sandbox, struct fan_http_request *request)
{
    struct call call = {
        .sandbox = sandbox,
        .request = request,
        .arena = fan_http_arena(request),
    };
    const struct error *error = check_caller(&call), *unread = read_body(&call);

    call.key = fan_http_header(request, "Idempotency-Key");
    if (!error && call.key.len > KEY_CAP)
        error = &bad_key;
    if (!error && is_known(&call))
        return;
    if (!error)
        error = unread;
    if (error)
        refuse(&call, error);
    else
        decide(&call);
}

/*
 * Meta's Cloud API for WhatsApp as the sandbox speaks it: the messages endpoint of one phone
 * number.
 *
 * source  developers.facebook.com/docs/whatsapp/cloud-api/reference/messages and its error codes
 */
#include "actors/lib/driver/driver.h"
#include "actors/sandbox/callback.h"
#include "actors/sandbox/meta_check.h"

#include <inttypes.h>

/* One request, as far as it was read. */
struct call {
    struct fan_sandbox *sandbox;
    struct fan_http_request *request;
    struct fan_arena *arena;
    struct fan_meta_message message;
};

/* "/v23.0/106540352242922/messages": the version and what follows it. */
static bool split_path(struct fan_bytes path, struct fan_bytes *rest)
{
    size_t i = 2, dots = 0;

    if (!fan_bytes_starts(path, FAN_LIT("/v")))
        return false;
    for (; i < path.len && path.at[i] != '/'; i++) {
        dots += path.at[i] == '.';
        if (path.at[i] != '.' && (path.at[i] < '0' || path.at[i] > '9'))
            return false;
    }
    *rest = (struct fan_bytes){ path.at + i, path.len - i };
    return dots == 1;
}

bool fan_sandbox_is_meta(struct fan_bytes path)
{
    struct fan_bytes rest;

    return split_path(path, &rest);
}

/* ---- answers ---- */

static struct fan_bytes write_error(const struct fan_meta_error *error, struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, 16 * 1024);
    struct fan_json_writer json;

    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_object_open(&json, "error");
    fan_json_add_text(&json, "message",
            fan_bytes_of(fan_arena_printf(arena, "(#%d) %s", error->code, error->text)));
    fan_json_add_text(&json, "type", FAN_LIT("OAuthException"));
    fan_json_add_i64(&json, "code", error->code);
    if (error->subcode)
        fan_json_add_i64(&json, "error_subcode", error->subcode);
    if (error->code > 1000) {
        fan_json_object_open(&json, "error_data");
        fan_json_add_text(&json, "messaging_product", FAN_LIT("whatsapp"));
        fan_json_add_text(&json, "details", fan_bytes_of(error->text));
        fan_json_object_close(&json);
    }
    fan_json_add_text(&json, "fbtrace_id", FAN_LIT("Az8or2yhqkZfEZ-_4Qn_Bam"));
    fan_json_object_close(&json);
    fan_json_object_close(&json);
    return fan_buffer_bytes(out);
}

static struct fan_bytes write_message(const struct call *call, struct fan_bytes wamid)
{
    struct fan_buffer *out = fan_arena_buffer(call->arena, 16 * 1024);
    struct fan_json_writer json;

    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "messaging_product", FAN_LIT("whatsapp"));
    fan_json_array_open(&json, "contacts");
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "input", call->message.to);
    fan_json_add_text(&json, "wa_id",
            fan_bytes_of(fan_arena_printf(call->arena, "%" PRIu64, call->message.number)));
    fan_json_object_close(&json);
    fan_json_array_close(&json);
    fan_json_array_open(&json, "messages");
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "id", wamid);
    if (call->message.is_template)
        fan_json_add_text(&json, "message_status", FAN_LIT("accepted"));
    fan_json_object_close(&json);
    fan_json_array_close(&json);
    fan_json_object_close(&json);
    return fan_buffer_bytes(out);
}

/* ---- checks ---- */

static bool check_caller(const struct call *call, struct fan_meta_error *error)
{
    const struct fan_sandbox_settings *settings = call->sandbox->settings;
    struct fan_bytes given = fan_http_header(call->request, "Authorization");
    const char *right = fan_arena_printf(call->arena, "Bearer %s", settings->meta_access_token);

    if (fan_bytes_eq_text(given, right))
        return true;
    *error = (struct fan_meta_error){ 401, 190, 0,
        "Invalid OAuth access token - Cannot parse access token" };
    return false;
}

static bool check_path(const struct call *call, struct fan_meta_error *error)
{
    struct fan_bytes rest = FAN_NO_BYTES;
    const char *right = fan_arena_printf(call->arena, "/%s/messages",
            call->sandbox->settings->meta_phone_number_id);

    (void)split_path(fan_http_path(call->request), &rest);
    if (fan_bytes_eq_text(fan_http_method(call->request), "POST") && fan_bytes_eq_text(rest, right))
        return true;
    *error = (struct fan_meta_error){ 400, 100, 33,
        "Unsupported request. Object does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation" };
    return false;
}

/* ---- verdicts ---- */

static void note(const struct call *call, const char *verdict, struct fan_bytes id, int status)
{
    fan_sandbox_note(call->sandbox,
            &(struct fan_sandbox_verdict){
                    .provider = FAN_SANDBOX_META,
                    .to = call->message.to,
                    .token = call->message.token,
                    .verdict = verdict,
                    .id = id,
                    .status = status,
            });
}

static void refuse(const struct call *call, const char *verdict, const struct fan_meta_error *error)
{
    note(call, verdict, fan_bytes_of(fan_arena_printf(call->arena, "%d", error->code)),
            error->status);
    fan_sandbox_answer(call->sandbox, call->request, error->status,
            write_error(error, call->arena));
}

static void accept(struct call *call, bool silent)
{
    struct fan_sandbox *sandbox = call->sandbox;
    uint64_t serial = ++sandbox->serial, number = call->message.number;
    struct fan_bytes wamid = fan_sandbox_wamid(sandbox->session, serial, number, call->arena);

    note(call, "accepted", wamid, silent ? 0 : 200);
    fan_callbacks_meta(sandbox->callbacks, serial, number, call->message.token);
    if (silent)
        fan_http_drop(call->request);
    else
        fan_sandbox_answer(sandbox, call->request, 200, write_message(call, wamid));
}

static void decide(struct call *call)
{
    static const struct fan_meta_error too_many = { 400, 130429, 0, "Rate limit hit" };
    static const struct fan_meta_error broken = { 500, 131000, 0, "Something went wrong" };
    static const struct fan_meta_error rejected = { 400, 131026, 0, "Message undeliverable" };
    enum fan_fault fault = fan_faults_decide(&call->sandbox->faults, call->message.to,
            call->message.token, fan_clock_elapsed());

    if (fault == FAN_FAULT_NONE && !fan_callbacks_room(call->sandbox->callbacks))
        fault = FAN_FAULT_THROTTLED;
    switch (fault) {
    case FAN_FAULT_THROTTLED:
        refuse(call, "throttled", &too_many);
        break;
    case FAN_FAULT_SERVER:
        refuse(call, "failed", &broken);
        break;
    case FAN_FAULT_REJECTED:
        refuse(call, "refused", &rejected);
        break;
    case FAN_FAULT_SILENT:
    case FAN_FAULT_NONE:
        accept(call, fault == FAN_FAULT_SILENT);
        break;
    }
}

void fan_sandbox_meta(struct fan_sandbox *sandbox, struct fan_http_request *request)
{
    struct call call = {
        .sandbox = sandbox,
        .request = request,
        .arena = fan_http_arena(request),
    };
    struct fan_meta_error error;

    if (check_caller(&call, &error) && check_path(&call, &error) &&
            fan_meta_check(fan_http_body(request), &sandbox->templates, call.arena, &call.message,
                    &error))
        decide(&call);
    else
        refuse(&call, "refused", &error);
}

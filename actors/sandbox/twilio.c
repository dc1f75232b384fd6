/*
 * Twilio's Messages API as the sandbox speaks it.
 *
 * source  twilio.com/docs/messaging/api/message-resource, /docs/api/errors; the magic numbers are
 * those of Twilio's test credentials
 *
 * Checks stand in Twilio's order: who calls, which account, the parameters. The first one that
 * fails is the answer.
 */
#include "actors/lib/driver/driver.h"
#include "actors/lib/driver/form.h"
#include "actors/sandbox/callback.h"
#include "proto/json.h"

#include <time.h>

enum { BODY_CAP = 1600 /* code points */, MEDIA_CAP = 10, DATE_TEXT = 40, LIST_CAP = 50 };

#define ROOT "/2010-04-01/Accounts/"

struct error {
    int status, code;
    const char *text;
};

static const struct error unauthorized = { 401, 20003, "Authenticate" };
static const struct error not_found = { 404, 20404, "The requested resource was not found" };
static const struct error wrong_method = { 405, 20004, "Method not allowed" };
static const struct error too_many = { 429, 20429, "Too Many Requests" };
static const struct error broken = { 500, 20500, "Internal Server Error" };
static const struct error no_form = { 400, 20001, "The body is not a form" };

static const struct error to_missing = { 400, 21604, "A 'To' phone number is required." };
static const struct error to_invalid = { 400, 21211,
    "The 'To' number is not a valid phone number." };
static const struct error to_unroutable = { 400, 21612,
    "The 'To' number is not reachable by the 'From' number." };
static const struct error to_foreign = { 400, 21408,
    "Permission to send an SMS has not been enabled for the region." };
static const struct error to_opted_out = { 400, 21610,
    "Attempt to send to unsubscribed recipient" };
static const struct error to_landline = { 400, 21614, "'To' number is not a valid mobile number" };
static const struct error from_missing = { 400, 21603, "A 'From' phone number is required." };
static const struct error from_invalid = { 400, 21212,
    "The 'From' number is not a valid phone number." };
static const struct error from_foreign = { 400, 21606,
    "The 'From' phone number is not owned by this account." };
static const struct error from_full = { 400, 21611,
    "This 'From' number has exceeded its maximum number of queued messages" };
static const struct error body_missing = { 400, 21602, "Message body is required." };
static const struct error body_long = { 400, 21617,
    "The concatenated message body exceeds the 1600 character limit." };
static const struct error media_invalid = { 400, 21620, "Invalid media URL(s)" };
static const struct error media_many = { 400, 21623,
    "Number of media files exceeds allowed limit" };
static const struct error callback_invalid = { 400, 21609,
    "The 'StatusCallback' URL is not a valid URL." };

/* Numbers that fail in a way of their own. */
static const struct {
    const char *number;
    const struct error *error;
} magic_to[] = {
    { "+15005550001", &to_invalid },   { "+15005550002", &to_unroutable },
    { "+15005550003", &to_foreign },   { "+15005550004", &to_opted_out },
    { "+15005550009", &to_landline },
}, magic_from[] = {
    { "+15005550001", &from_invalid }, { "+15005550007", &from_foreign },
    { "+15005550008", &from_full },
};

/* One request, as far as it was read. */
struct call {
    struct fan_sandbox *sandbox;
    struct fan_http_request *request;
    struct fan_arena *arena;
    struct fan_form form;
    struct fan_bytes to, from, service, body, callback, token;
    uint64_t number; /* of the recipient */
    size_t media;
};

bool fan_sandbox_is_twilio(struct fan_bytes path)
{
    return fan_bytes_starts(path, FAN_LIT(ROOT));
}

/* ---- answers ---- */

static struct fan_bytes write_error(const struct error *error, struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, 4096);
    struct fan_json_writer json;

    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_add_i64(&json, "code", error->code);
    fan_json_add_text(&json, "message", fan_bytes_of(error->text));
    fan_json_add_text(&json, "more_info",
            fan_bytes_of(fan_arena_printf(arena, "https://www.twilio.com/docs/errors/%d",
                    error->code)));
    fan_json_add_i64(&json, "status", error->status);
    fan_json_object_close(&json);
    return fan_buffer_bytes(out);
}

static struct fan_bytes rfc2822_date(struct fan_arena *arena)
{
    time_t now = (time_t)(fan_clock_now() / FAN_SECOND);
    char *text = fan_arena_alloc(arena, DATE_TEXT);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, DATE_TEXT, "%a, %d %b %Y %H:%M:%S +0000", &tm);
    return fan_bytes_of(text);
}

static struct fan_bytes or_absent(struct fan_bytes text)
{
    return text.len > 0 ? text : FAN_NO_BYTES;
}

static void write_links(struct fan_json_writer *json, const char *uri, struct fan_arena *arena)
{
    fan_json_object_open(json, "subresource_uris");
    fan_json_add_text(json, "media", fan_bytes_of(fan_arena_printf(arena, "%s/Media.json", uri)));
    fan_json_object_close(json);
    fan_json_add_text(json, "uri", fan_bytes_of(fan_arena_printf(arena, "%s.json", uri)));
}

static struct fan_bytes write_message(const struct call *call, struct fan_bytes sid)
{
    struct fan_buffer *out = fan_arena_buffer(call->arena, 64 * 1024);
    struct fan_bytes date = rfc2822_date(call->arena);
    struct fan_bytes account = fan_bytes_of(call->sandbox->settings->twilio_account_sid);
    const char *uri = fan_arena_printf(call->arena, ROOT "%.*s/Messages/%.*s",
            FAN_BYTES_ARG(account), FAN_BYTES_ARG(sid));
    bool pooled = call->service.len > 0;
    struct fan_json_writer json;

    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "account_sid", account);
    fan_json_add_text(&json, "api_version", FAN_LIT("2010-04-01"));
    fan_json_add_text(&json, "body", call->body.at ? call->body : FAN_LIT(""));
    fan_json_add_text(&json, "date_created", date);
    fan_json_add_null(&json, "date_sent");
    fan_json_add_text(&json, "date_updated", date);
    fan_json_add_text(&json, "direction", FAN_LIT("outbound-api"));
    fan_json_add_null(&json, "error_code");
    fan_json_add_null(&json, "error_message");
    fan_json_add_text(&json, "from", or_absent(call->from));
    fan_json_add_text(&json, "messaging_service_sid", or_absent(call->service));
    fan_json_add_text(&json, "num_media",
            fan_bytes_of(fan_arena_printf(call->arena, "%zu", call->media)));
    fan_json_add_text(&json, "num_segments", pooled ? FAN_LIT("0") : FAN_LIT("1"));
    fan_json_add_null(&json, "price");
    fan_json_add_null(&json, "price_unit");
    fan_json_add_text(&json, "sid", sid);
    fan_json_add_text(&json, "status", pooled ? FAN_LIT("accepted") : FAN_LIT("queued"));
    write_links(&json, uri, call->arena);
    fan_json_add_text(&json, "to", call->to);
    fan_json_object_close(&json);
    return fan_buffer_bytes(out);
}

/* ---- checks: each gives the error it found, or NULL ---- */

static const struct error *check_caller(const struct call *call)
{
    const struct fan_sandbox_settings *settings = call->sandbox->settings;
    struct fan_bytes given = fan_http_header(call->request, "Authorization");
    struct fan_bytes pair = fan_bytes_of(fan_arena_printf(call->arena, "%s:%s",
            settings->twilio_account_sid, settings->twilio_auth_token));
    struct fan_buffer *right = fan_arena_buffer(call->arena, 4096);

    fan_buffer_add_text(right, "Basic ");
    fan_buffer_add_base64(right, pair);
    return fan_bytes_eq(given, fan_buffer_bytes(right)) ? NULL : &unauthorized;
}

static bool is_question(const struct call *call)
{
    return fan_bytes_eq_text(fan_http_method(call->request), "GET");
}

static const struct error *check_path(const struct call *call)
{
    const char *right = fan_arena_printf(call->arena, ROOT "%s/Messages.json",
            call->sandbox->settings->twilio_account_sid);

    if (!fan_bytes_eq_text(fan_http_path(call->request), right))
        return &not_found;
    return fan_bytes_eq_text(fan_http_method(call->request), "POST") || is_question(call)
            ? NULL
            : &wrong_method;
}

/* The host of an http or https URL; empty or absent for anything else. */
static struct fan_bytes host_of(struct fan_bytes url)
{
    struct fan_bytes scheme, rest = fan_bytes_split(url, ':', &scheme), host;

    if (!fan_bytes_starts(rest, FAN_LIT("//")) || memchr(url.at, ' ', url.len) ||
            (!fan_bytes_eq_text(scheme, "http") && !fan_bytes_eq_text(scheme, "https")))
        return FAN_NO_BYTES;
    (void)fan_bytes_split((struct fan_bytes){ rest.at + 2, rest.len - 2 }, '/', &host);
    return host;
}

static const struct error *check_to(struct call *call)
{
    call->to = fan_form_get(&call->form, "To");
    if (call->to.len == 0)
        return &to_missing;
    if (!fan_sandbox_phone(call->to, true, &call->number))
        return &to_invalid;
    for (size_t i = 0; i < sizeof(magic_to) / sizeof(magic_to[0]); i++)
        if (fan_bytes_eq_text(call->to, magic_to[i].number))
            return magic_to[i].error;
    return NULL;
}

static bool is_sender(struct fan_bytes from)
{
    uint64_t number;
    size_t digits = 0;

    if (fan_bytes_starts(from, FAN_LIT("+")))
        return fan_sandbox_phone(from, true, &number);
    for (size_t i = 0; i < from.len; i++)
        digits += from.at[i] >= '0' && from.at[i] <= '9';
    if (digits == from.len)
        return digits >= 3 && digits <= 8; /* a short code */
    return from.len <= 11;                 /* a name */
}

static const struct error *check_from(struct call *call)
{
    call->from = fan_form_get(&call->form, "From");
    call->service = fan_form_get(&call->form, "MessagingServiceSid");
    if (call->from.len == 0)
        return call->service.len > 0 ? NULL : &from_missing;
    if (!is_sender(call->from))
        return &from_invalid;
    for (size_t i = 0; i < sizeof(magic_from) / sizeof(magic_from[0]); i++)
        if (fan_bytes_eq_text(call->from, magic_from[i].number))
            return magic_from[i].error;
    return NULL;
}

static const struct error *check_content(struct call *call)
{
    call->body = fan_form_get(&call->form, "Body");
    for (size_t i = 0; i < call->form.len; i++) {
        if (!fan_bytes_eq_text(call->form.at[i].name, "MediaUrl"))
            continue;
        if (host_of(call->form.at[i].value).len == 0)
            return &media_invalid;
        call->media++;
    }
    if (call->media > MEDIA_CAP)
        return &media_many;
    if (call->body.len == 0 && call->media == 0 && !fan_form_get(&call->form, "ContentSid").at)
        return &body_missing;
    return fan_text_points(call->body) > BODY_CAP ? &body_long : NULL;
}

static const struct error *check_callback(struct call *call)
{
    struct fan_bytes url = fan_form_get(&call->form, "StatusCallback");
    struct fan_bytes path, host, query = fan_bytes_split(url, '?', &path);
    struct fan_form fields;

    if (url.len == 0)
        return NULL;
    host = host_of(path);
    if (host.len == 0 || memchr(host.at, '_', host.len))
        return &callback_invalid;
    call->callback = url;
    if (fan_form_read(query, call->arena, &fields))
        call->token = fan_form_get(&fields, "m");
    return NULL;
}

/* Everything is read even when something fails, so that the journal can name recipient and token.
 */
static const struct error *check_parameters(struct call *call)
{
    const struct error *errors[4];

    if (!fan_form_read(fan_http_body(call->request), call->arena, &call->form))
        return &no_form;
    errors[0] = check_to(call);
    errors[1] = check_from(call);
    errors[2] = check_content(call);
    errors[3] = check_callback(call);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i])
            return errors[i];
    return NULL;
}

/* ---- verdicts ---- */

static void note(const struct call *call, const char *verdict, struct fan_bytes id, int status)
{
    fan_sandbox_note(call->sandbox,
            &(struct fan_sandbox_verdict){
                    .provider = FAN_SANDBOX_TWILIO,
                    .to = call->to,
                    .token = call->token,
                    .verdict = verdict,
                    .id = id,
                    .status = status,
            });
}

static void refuse(const struct call *call, const char *verdict, const struct error *error)
{
    note(call, verdict, fan_bytes_of(fan_arena_printf(call->arena, "%d", error->code)),
            error->status);
    fan_sandbox_answer(call->sandbox, call->request, error->status,
            write_error(error, call->arena));
}

static void accept(struct call *call, bool silent)
{
    struct fan_sandbox *sandbox = call->sandbox;
    uint64_t serial = ++sandbox->serial;
    struct fan_bytes sid = fan_sandbox_sid(sandbox->session, serial, call->arena);
    struct fan_bytes message = write_message(call, sid);

    note(call, "accepted", sid, silent ? 0 : 201);
    fan_callbacks_twilio(sandbox->callbacks, serial, call->number,
            call->service.len > 0 ? call->service : call->from, call->callback, call->token);
    fan_sandbox_memory_add(sandbox->memory, call->to, message);
    if (silent)
        fan_http_drop(call->request);
    else
        fan_sandbox_answer(sandbox, call->request, 201, message);
}

static void decide(struct call *call)
{
    enum fan_fault fault =
            fan_faults_decide(&call->sandbox->faults, call->to, call->token, fan_clock_elapsed());

    if (fault == FAN_FAULT_NONE && !fan_callbacks_room(call->sandbox->callbacks))
        fault = FAN_FAULT_THROTTLED;
    switch (fault) {
    case FAN_FAULT_THROTTLED:
        fan_http_add_header(call->request, "Retry-After", "1");
        refuse(call, "throttled", &too_many);
        break;
    case FAN_FAULT_SERVER:
        refuse(call, "failed", &broken);
        break;
    case FAN_FAULT_REJECTED:
        refuse(call, "refused", &to_landline);
        break;
    case FAN_FAULT_SILENT:
    case FAN_FAULT_NONE:
        accept(call, fault == FAN_FAULT_SILENT);
        break;
    }
}

/* One page, newest first; the filter by date is left to who asks. */
static void list_messages(struct call *call)
{
    struct fan_buffer *out = fan_arena_buffer(call->arena, 1024 * 1024);
    struct fan_json_writer json;
    struct fan_bytes message, to;
    size_t cursor = 0, count = 0;

    to = fan_http_query(call->request, "To");
    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_array_open(&json, "messages");
    while (count++ < LIST_CAP &&
            fan_sandbox_memory_next(call->sandbox->memory, to, &cursor, &message))
        fan_json_add_raw(&json, NULL, message);
    fan_json_array_close(&json);
    fan_json_add_null(&json, "next_page_uri");
    fan_json_object_close(&json);
    fan_sandbox_answer(call->sandbox, call->request, 200, fan_buffer_bytes(out));
}

void fan_sandbox_twilio(struct fan_sandbox *sandbox, struct fan_http_request *request)
{
    struct call call = {
        .sandbox = sandbox,
        .request = request,
        .arena = fan_http_arena(request),
    };
    const struct error *error = check_caller(&call);

    if (!error)
        error = check_path(&call);
    if (!error && is_question(&call)) {
        list_messages(&call);
        return;
    }
    if (!error)
        error = check_parameters(&call);
    if (error)
        refuse(&call, "refused", error);
    else
        decide(&call);
}

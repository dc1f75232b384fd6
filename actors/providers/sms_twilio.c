/*
 * sms_twilio — SMS and MMS through Twilio's Messages API.
 *
 * source  twilio.com/docs/messaging/api/message-resource, /docs/api/errors, /docs/usage/security
 *
 * A message carries its token in the query of its StatusCallback, so that a callback settles even a
 * send whose answer was lost; the list of messages may do so earlier. The API has no idempotency
 * key.
 */
#include "actors/lib/driver/driver.h"
#include "actors/lib/driver/form.h"
#include "actors/lib/driver/twilio_sign.h"
#include "proto/json.h"

enum { TEXT_CAP = 1600 /* code points */, SID_CAP = 64, PAGE = 100 /* messages looked at */ };

#define SID(prefix) "^" prefix "[0-9a-fA-F]{32}$"
#define NO_SID "0123456789abcdef0123456789abcdef"

static const struct fan_provider_field fields[] = {
    { .name = "account_sid",
            .doc = "the account",
            .required = true,
            .pattern = SID("AC"),
            .example = "AC" NO_SID },
    { .name = "auth_token",
            .doc = "the account's primary auth token; also checks callbacks",
            .required = true,
            .readers = FAN_READER_SENDER | FAN_READER_INGESTER,
            .example = NO_SID },
    { .name = "api_key_sid",
            .doc = "an API key to send with instead of the auth token",
            .pattern = SID("SK"),
            .example = "SK" NO_SID },
    { .name = "api_key_secret", .doc = "that key's secret", .readers = FAN_READER_SENDER },
    { .name = "from",
            .doc = "the sender: a number, short code or name; or give a service",
            .pattern = "^([+][1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 _+&-]{1,11})$",
            .example = "+15005550006" },
    { .name = "messaging_service_sid",
            .doc = "a messaging service that picks the sender",
            .pattern = SID("MG"),
            .example = "MG" NO_SID },
    { .name = "base_url",
            .doc = "where the API is",
            .otherwise = "https://api.twilio.com",
            .pattern = "^https?://[^/?#]+(/[^?#]*)?$",
            .example = "https://api.twilio.com" },
    { .name = NULL },
};

static const struct fan_code_rule rules[] = {
    { 20003, 0, FAN_CHANNEL_PAUSE, 0, 0 },     /* authentication failed, account suspended */
    { 20004, 20006, FAN_CHANNEL_PAUSE, 0, 0 }, /* not allowed, account inactive, access denied */
    { 20008, 0, FAN_CHANNEL_PAUSE, 0, 0 },     /* wants live, not test credentials */
    { 20010, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 20404, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* no such account */
    { 90010, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* account inactive */
    { 30002, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* suspended between queue and send */
    { 21609, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* our callback URL is no URL to it */
    { 21212, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* sender invalid, not ours, missing, pool empty */
    { 21603, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 21606, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 21703, 21704, FAN_CHANNEL_PAUSE, 0, 0 },
    { 30032, 30034, FAN_CHANNEL_PAUSE, 0, 0 }, /* sender or campaign not registered, suspended */
    { 21729, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 63051, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* WhatsApp business account locked */

    { 20429, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED | FAN_CODE_UNPROCESSED, 0 },
    { 20500, 0, FAN_RETRY_LATER, 0, 0 }, /* server errors: ambiguous when they are a 5xx */
    { 20503, 0, FAN_RETRY_LATER, 0, 0 },
    { 14107, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 60 }, /* the sender's queue is full */
    { 21611, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 60 },
    { 30001, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 60 },
    { 30017, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 0 },        /* carrier congestion */
    { 30022, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 0 },        /* 10DLC rate */
    { 30023, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 6 * 3600 }, /* daily caps */
    { 30027, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 6 * 3600 },
    { 30020, 30021, FAN_RETRY_LATER, 0, 0 }, /* internal */
    { 30410, 0, FAN_RETRY_LATER, 0, 0 },     /* provider timeout */
    { 63010, 0, FAN_RETRY_LATER, 0, 0 },
    { 63012, 0, FAN_RETRY_LATER, 0, 0 },
    { 63017, 63018, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 0 },

    { 21211, 0, FAN_RECIPIENT_PERMANENT, 0, 0 }, /* To invalid, unreachable, missing */
    { 21214, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },
    { 21217, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },
    { 21604, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },
    { 21408, 0, FAN_RECIPIENT_PERMANENT, 0, 0 }, /* no permission for that country: others go on */
    { 21610, 0, FAN_RECIPIENT_PERMANENT, FAN_CODE_SUPPRESS, 0 }, /* opted out with STOP */
    { 21612, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },                 /* not routable, no mobile */
    { 21614, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },
    { 30004, 30006, FAN_RECIPIENT_PERMANENT, 0, 0 }, /* blocked, unknown handset, landline */
    { 63003, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },
    { 63024, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },
    { 63032, 63033, FAN_RECIPIENT_PERMANENT, 0, 0 },

    { 30003, 0, FAN_RECIPIENT_DEFERRED, 0, 0 }, /* handset off or roaming */
    { 30008, 0, FAN_RECIPIENT_DEFERRED, 0, 0 }, /* unknown */
    { 63016, 0, FAN_RECIPIENT_DEFERRED, 0, 0 }, /* outside the 24-hour window */

    { 30007, 0, FAN_CONTENT_PERMANENT, 0, 0 }, /* filtered as spam */
    { 21602, 0, FAN_CONTENT_PERMANENT, 0, 0 }, /* no body, too long, bad or too large media */
    { 21617, 0, FAN_CONTENT_PERMANENT, 0, 0 },
    { 21620, 0, FAN_CONTENT_PERMANENT, 0, 0 },
    { 21623, 0, FAN_CONTENT_PERMANENT, 0, 0 },
    { 30011, 0, FAN_CONTENT_PERMANENT, 0, 0 },
    { 30019, 0, FAN_CONTENT_PERMANENT, 0, 0 },
    { 63027, 63028, FAN_CONTENT_PERMANENT, 0, 0 }, /* template missing, wrong, paused, off */
    { 63041, 63042, FAN_CONTENT_PERMANENT, 0, 0 },
    { 0 },
};

static struct fan_bytes field(const struct fan_channel_view *channel, const char *name)
{
    return fan_channel_field(channel, fields, name);
}

/* Twilio refuses callback hosts with '_'; better to hear it when the channel is set up. */
static bool host_has_underscore(struct fan_bytes url)
{
    struct fan_bytes host, rest;

    rest = fan_bytes_split(url, ':', &host);
    while (rest.len > 0 && rest.at[0] == '/')
        rest.at++, rest.len--;
    (void)fan_bytes_split(rest, '/', &host);
    return host.len > 0 && memchr(host.at, '_', host.len);
}

static enum fan_err check(const struct fan_channel_view *channel, struct fan_why *why)
{
    if (field(channel, "from").len == 0 && field(channel, "messaging_service_sid").len == 0)
        return fan_fail_field(why, FAN_INVALID, "from",
                "either from or messaging_service_sid must be set");
    if (host_has_underscore(channel->hook_url))
        return fan_fail_field(why, FAN_INVALID, "hook_url",
                "Twilio does not call hosts with an underscore in their name");
    return FAN_OK;
}

static enum fan_err check_content(const struct fan_content *content, struct fan_why *why)
{
    if (content->text.len == 0 && content->media_url.len == 0)
        return fan_fail_field(why, FAN_INVALID, "text", "there is neither text nor media");
    if (fan_text_points(content->text) > TEXT_CAP)
        return fan_fail_field(why, FAN_INVALID, "text", "the text has more than %d characters",
                TEXT_CAP);
    return FAN_OK;
}

static struct fan_bytes write_form(const struct fan_sending *sending, struct fan_arena *arena)
{
    const struct fan_channel_view *channel = sending->channel;
    struct fan_buffer *form = fan_arena_buffer(arena, FAN_REQUEST_CAP);

    fan_form_add(form, "To", sending->address);
    fan_form_add(form, "From", field(channel, "from"));
    fan_form_add(form, "MessagingServiceSid", field(channel, "messaging_service_sid"));
    if (sending->content.text.len > 0)
        fan_form_add(form, "Body", sending->content.text);
    fan_form_add(form, "MediaUrl", sending->content.media_url);
    if (channel->hook_url.len > 0) {
        fan_form_add(form, "StatusCallback", channel->hook_url);
        fan_buffer_add_percent(form, FAN_LIT("?m="));
        fan_buffer_add_percent(form, sending->token);
    }
    return fan_buffer_bytes(form);
}

static struct fan_request request_to(const struct fan_channel_view *channel,
        struct fan_bytes method, const char *query, struct fan_arena *arena)
{
    struct fan_bytes account = field(channel, "account_sid");
    bool by_key = field(channel, "api_key_sid").len > 0 && field(channel, "api_key_secret").len > 0;

    return (struct fan_request){
        .method = method,
        .url = fan_bytes_of(fan_arena_printf(arena, "%.*s/2010-04-01/Accounts/%.*s/Messages.json%s",
                FAN_BYTES_ARG(fan_url_base(field(channel, "base_url"))), FAN_BYTES_ARG(account),
                query)),
        .username = by_key ? field(channel, "api_key_sid") : account,
        .password = field(channel, by_key ? "api_key_secret" : "auth_token"),
    };
}

static enum fan_err send(const struct fan_sending *sending, struct fan_arena *arena,
        struct fan_request *out, struct fan_why *why)
{
    enum fan_err err = check_content(&sending->content, why);

    if (err)
        return err;
    *out = request_to(sending->channel, FAN_LIT("POST"), "", arena);
    out->body = write_form(sending, arena);
    fan_request_header(out, arena, "Content-Type: application/x-www-form-urlencoded");
    return FAN_OK;
}

static void judge(const struct fan_sending *sending, const struct fan_response *response,
        struct fan_arena *arena, struct fan_outcome *out)
{
    const struct fan_json *answer = NULL;
    struct fan_bytes sid;
    int64_t code;

    (void)sending;
    fan_outcome_by_status(response, out);
    if (!response->complete || fan_json_parse(response->body, arena, &answer, NULL))
        return;
    sid = fan_json_get_text(answer, "sid");
    if (response->status >= 200 && response->status < 300) {
        if (sid.len > 0 && sid.len <= SID_CAP)
            *out = (struct fan_outcome){ .outcome = FAN_ACCEPTED,
                .provider_id = sid,
                .delay_ms = -1 };
        return;
    }
    code = fan_json_i64(fan_json_get(answer, "code"), 0);
    if (code > 0 && response->status >= 400)
        fan_outcome_by_code(rules, code, response, arena, out);
}

/* ---- look-up ---- */

/* A list of messages does not tell our callback's URL, so a lost one is known by its recipient, its
 * text and its time. Days are as fine as the filter goes. */
static enum fan_err look_up(const struct fan_lost *lost, struct fan_arena *arena,
        struct fan_request *out, struct fan_why *why)
{
    const struct fan_sending *sending = lost->sending;
    const struct fan_channel_view *channel = sending->channel;
    char since[FAN_TIME_TEXT];
    struct fan_buffer *to = fan_arena_buffer(arena, FAN_REQUEST_CAP);

    (void)why;
    fan_time_text(lost->since, since);
    fan_buffer_add_percent(to, sending->address);
    *out = request_to(channel, FAN_LIT("GET"),
            fan_arena_printf(arena, "?To=%.*s&DateSent%%3E=%.10s&PageSize=%d",
                    FAN_BYTES_ARG(fan_buffer_bytes(to)), since, PAGE),
            arena);
    return FAN_OK;
}

/* "Fri, 20 Nov 2026 10:33:07 +0000"; 0: it is nothing like that. */
static fan_time read_date(struct fan_bytes text, struct fan_arena *arena)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
        "Sep", "Oct", "Nov", "Dec" };
    struct fan_bytes weekday, day, month, year, clock, zone = text;
    fan_time at;

    zone = fan_bytes_split(zone, ' ', &weekday);
    zone = fan_bytes_split(zone, ' ', &day);
    zone = fan_bytes_split(zone, ' ', &month);
    zone = fan_bytes_split(zone, ' ', &year);
    zone = fan_bytes_split(zone, ' ', &clock);
    if (!fan_bytes_eq(zone, FAN_LIT("+0000")))
        return 0;
    for (int i = 0; i < 12; i++) {
        if (fan_bytes_eq_text(month, months[i]))
            return fan_time_parse(fan_bytes_of(fan_arena_printf(arena, "%.*s-%02d-%.*sT%.*sZ",
                                          FAN_BYTES_ARG(year), i + 1, FAN_BYTES_ARG(day),
                                          FAN_BYTES_ARG(clock))),
                           &at)
                    ? at
                    : 0;
    }
    return 0;
}

static bool is_lost_one(const struct fan_lost *lost, const struct fan_json *message,
        struct fan_arena *arena)
{
    struct fan_bytes sid = fan_json_get_text(message, "sid");
    struct fan_bytes created = fan_json_get_text(message, "date_created");

    for (size_t i = 0; i < lost->others.len; i++)
        if (fan_bytes_eq(lost->others.at[i], sid))
            return false;
    return sid.len > 0 && sid.len <= SID_CAP &&
            fan_bytes_eq(fan_json_get_text(message, "to"), lost->sending->address) &&
            fan_bytes_eq(fan_json_get_text(message, "body"), lost->sending->content.text) &&
            read_date(created, arena) >= lost->since / FAN_SECOND * FAN_SECOND;
}

/* Two that look like it prove nothing about either. */
static bool found(const struct fan_lost *lost, const struct fan_response *response,
        struct fan_arena *arena, struct fan_bytes *provider_id)
{
    const struct fan_json *answer, *messages;
    size_t matches = 0;

    if (!response->complete || response->status != 200 ||
            fan_json_parse(response->body, arena, &answer, NULL))
        return false;
    messages = fan_json_get(answer, "messages");
    for (size_t i = 0; i < fan_json_size(messages); i++) {
        const struct fan_json *message = fan_json_at(messages, i);

        if (!is_lost_one(lost, message, arena))
            continue;
        *provider_id = fan_json_get_text(message, "sid");
        matches++;
    }
    return matches == 1;
}

/* ---- hooks ---- */

static enum fan_err hook_check(const struct fan_channel_view *channel, const struct fan_hook *hook,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_bytes signature = fan_hook_header(hook, "X-Twilio-Signature");
    struct fan_bytes auth_token = field(channel, "auth_token");

    if (auth_token.len == 0)
        return fan_fail(why, FAN_DENIED, "the channel has no auth token to check callbacks with");
    if (signature.len == 0)
        return fan_fail(why, FAN_DENIED, "there is no X-Twilio-Signature");
    if (!fan_twilio_signed(hook, auth_token, signature, arena))
        return fan_fail(why, FAN_DENIED, "X-Twilio-Signature is wrong for this URL and body");
    return FAN_OK;
}

static const struct {
    const char *status;
    enum fan_progress progress;
} words[] = {
    { "accepted", FAN_PROGRESS_NONE },
    { "scheduled", FAN_PROGRESS_NONE },
    { "queued", FAN_PROGRESS_NONE },
    { "sending", FAN_PROGRESS_NONE },
    { "sent", FAN_PROGRESS_NONE },
    { "partially_delivered", FAN_PROGRESS_NONE },
    { "delivered", FAN_PROGRESS_DELIVERED },
    { "read", FAN_PROGRESS_READ },
    { "undelivered", FAN_PROGRESS_UNDELIVERED },
    { "failed", FAN_PROGRESS_UNDELIVERED },
    { "canceled", FAN_PROGRESS_UNDELIVERED },
};

static bool find_progress(struct fan_bytes status, enum fan_progress *out)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (fan_bytes_eq_text(status, words[i].status)) {
            *out = words[i].progress;
            return true;
        }
    }
    return false;
}

static void read_failure(struct fan_bytes status, struct fan_bytes code, struct fan_receipt *out)
{
    const struct fan_code_rule *rule;
    int64_t number;

    out->code = code.len > 0 ? code : status;
    rule = fan_bytes_i64(code, &number) ? fan_code_find(rules, number) : NULL;
    out->suppress = rule && (rule->what & FAN_CODE_SUPPRESS);
}

static enum fan_err hook_read(const struct fan_channel_view *channel, const struct fan_hook *hook,
        struct fan_arena *arena, struct fan_receipt_list *out, struct fan_why *why)
{
    struct fan_form form, query;
    struct fan_bytes sid, status;
    struct fan_receipt *receipt;
    enum fan_progress progress;

    (void)channel;
    *out = (struct fan_receipt_list){ 0 };
    if (!fan_form_read(hook->body, arena, &form) || !fan_form_read(hook->query, arena, &query))
        return fan_fail(why, FAN_INVALID, "the form has too many fields");
    sid = fan_form_get(&form, "MessageSid");
    status = fan_form_get(&form, "MessageStatus");
    if (sid.len == 0 || sid.len > SID_CAP)
        return fan_fail_field(why, FAN_INVALID, "MessageSid", "a callback names its message");
    if (!find_progress(status, &progress))
        return FAN_OK; /* an incoming message, or a status from the future */
    receipt = fan_receipt_add(out, arena);
    *receipt = (struct fan_receipt){
        .token = fan_form_get(&query, "m"),
        .provider_id = sid,
        .progress = progress,
        .key = fan_bytes_of(fan_arena_printf(arena, "%.*s:%.*s", FAN_BYTES_ARG(sid),
                FAN_BYTES_ARG(status))),
    };
    if (progress == FAN_PROGRESS_UNDELIVERED)
        read_failure(status, fan_form_get(&form, "ErrorCode"), receipt);
    return FAN_OK;
}

const struct fan_provider fan_provider_sms_twilio = {
    .name = "twilio",
    .kind = FAN_KIND_SMS,
    .summary = "SMS and MMS through Twilio's Messages API",
    .fields = fields,
    .limits = { .rate = 100, .connections = 64, .text_cap = TEXT_CAP },
    .check = check,
    .send = send,
    .judge = judge,
    .look_up = look_up,
    .found = found,
    .hook_check = hook_check,
    .hook_read = hook_read,
};

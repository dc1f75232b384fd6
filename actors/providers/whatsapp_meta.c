/*
 * whatsapp_meta — WhatsApp through Meta's Cloud API.
 *
 * source  developers.facebook.com/docs/whatsapp/cloud-api: messages, error codes, webhooks
 *
 * Free text reaches only people who wrote within 24 hours; others need an approved template. A
 * message carries its token as biz_opaque_callback_data, which every status repeats, so that a
 * status settles even a send whose answer was lost. The API has no idempotency key.
 */
#include "actors/lib/driver/driver.h"
#include "actors/lib/driver/form.h"
#include "actors/lib/hash/hash.h"
#include "proto/json.h"

enum { TEXT_CAP = 4096, CAPTION_CAP = 1024 /* code points */, ID_CAP = 256, SPACES_CAP = 4 };

static const struct fan_provider_field fields[] = {
    { .name = "phone_number_id",
            .doc = "id of the phone number that sends",
            .required = true,
            .pattern = "^[0-9]{5,20}$",
            .example = "106540352242922" },
    { .name = "access_token",
            .doc = "a system user's token with whatsapp_business_messaging",
            .required = true,
            .readers = FAN_READER_SENDER,
            .example = "EAAG…" },
    { .name = "app_secret",
            .doc = "the app's secret; checks callbacks",
            .required = true,
            .readers = FAN_READER_INGESTER },
    { .name = "verify_token",
            .doc = "a word of yours, told to Meta when the webhook is set up",
            .readers = FAN_READER_INGESTER },
    { .name = "language",
            .doc = "of templates, where a message names none",
            .otherwise = "en_US",
            .pattern = "^[a-z]{2,3}(_[A-Za-z]{2,4})?$",
            .example = "en_US" },
    { .name = "api_version",
            .doc = "of the Graph API",
            .otherwise = "v23.0",
            .pattern = "^v[0-9]+[.][0-9]+$",
            .example = "v23.0" },
    { .name = "base_url",
            .doc = "where the API is",
            .otherwise = "https://graph.facebook.com",
            .pattern = "^https?://[^/?#]+(/[^?#]*)?$",
            .example = "https://graph.facebook.com" },
    { .name = NULL },
};

static const struct fan_code_rule rules[] = {
    { 0, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* token invalid or expired */
    { 190, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 3, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* permission missing or revoked */
    { 10, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 200, 299, FAN_CHANNEL_PAUSE, 0, 0 },
    { 131005, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 368, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* blocked or locked for policy */
    { 131031, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 131042, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* payment */
    { 131044, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 131037, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* display name or number not registered */
    { 131045, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 33, 0, FAN_CHANNEL_PAUSE, 0, 0 }, /* no such phone number id */
    { 133010, 0, FAN_CHANNEL_PAUSE, 0, 0 },
    { 131048, 0, FAN_CHANNEL_PAUSE, 0, 0 },      /* limited for spam: an operator must look */
    { 131063, 131064, FAN_CHANNEL_PAUSE, 0, 0 }, /* marketing off, template class violations */

    { 4, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 60 }, /* calls of the app, of the account */
    { 613, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 60 },
    { 80007, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 60 },
    { 130429, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED | FAN_CODE_UNPROCESSED, 2 },
    { 131056, 0, FAN_RETRY_LATER, FAN_CODE_UNPROCESSED, 6 }, /* too many to this one recipient */
    { 132069, 0, FAN_RETRY_LATER, FAN_CODE_THROTTLED, 60 },
    { 133016, 0, FAN_RETRY_LATER, 0, 72 * 3600 },
    { 1, 2, FAN_RETRY_LATER, 0, 0 }, /* unknown, temporary, maintenance, generic */
    { 131000, 0, FAN_RETRY_LATER, 0, 0 },
    { 131016, 0, FAN_RETRY_LATER, 0, 0 },
    { 131057, 0, FAN_RETRY_LATER, 0, 0 },
    { 135000, 0, FAN_RETRY_LATER, 0, 0 },

    { 131026, 0, FAN_RECIPIENT_PERMANENT, 0, 0 }, /* undeliverable: not on WhatsApp, … */
    { 131021, 0, FAN_RECIPIENT_PERMANENT, 0, 0 }, /* the recipient is the sender */
    { 131030, 0, FAN_RECIPIENT_PERMANENT, 0, 0 }, /* not on the list of test numbers */
    { 131050, 0, FAN_RECIPIENT_PERMANENT, FAN_CODE_SUPPRESS, 0 }, /* stopped our marketing */
    { 130472, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },                 /* in an experiment */
    { 130497, 0, FAN_RECIPIENT_PERMANENT, 0, 0 }, /* we may not write to that country */
    { 131062, 0, FAN_RECIPIENT_PERMANENT, 0, 0 },

    { 131047, 0, FAN_RECIPIENT_DEFERRED, 0, 0 }, /* 24 hours are over: needs a template */
    { 131049, 0, FAN_RECIPIENT_DEFERRED, 0, 0 }, /* has had enough marketing for now */
    { 137000, 0, FAN_RECIPIENT_DEFERRED, 0, 0 },

    { 100, 0, FAN_CONTENT_PERMANENT, 0, 0 }, /* bad, missing or unknown parameter or type */
    { 131008, 131009, FAN_CONTENT_PERMANENT, 0, 0 },
    { 131051, 131053, FAN_CONTENT_PERMANENT, 0, 0 }, /* also: media could not be fetched */
    { 132000, 132001, FAN_CONTENT_PERMANENT, 0, 0 }, /* parameter count, no such template */
    { 132005, 0, FAN_CONTENT_PERMANENT, 0, 0 },      /* too long, policy, format */
    { 132007, 132008, FAN_CONTENT_PERMANENT, 0, 0 },
    { 132012, 0, FAN_CONTENT_PERMANENT, 0, 0 },
    { 132015, 132016, FAN_CONTENT_PERMANENT, 0, 0 }, /* template paused, disabled */
    { 132068, 0, FAN_CONTENT_PERMANENT, 0, 0 },
    { 0 },
};

enum { NO_OBJECT = 100, NO_OBJECT_SUBCODE = 33 };

static struct fan_bytes field(const struct fan_channel_view *channel, const char *name)
{
    return fan_channel_field(channel, fields, name);
}

/* ---- sending ---- */

/*
 * A variable as templates take it: Meta refuses line ends, tabs and more than four spaces in a row.
 * Returned is what becomes of @text, in @arena.
 */
static struct fan_bytes clean(struct fan_bytes text, struct fan_arena *arena)
{
    char *out = fan_arena_alloc(arena, text.len + 1);
    size_t len = 0, spaces = 0;

    text = fan_bytes_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        char c = (unsigned char)text.at[i] < ' ' ? ' ' : text.at[i];

        spaces = c == ' ' ? spaces + 1 : 0;
        if (spaces <= SPACES_CAP)
            out[len++] = c;
    }
    return (struct fan_bytes){ out, len };
}

/* What kind of message a link makes, told by its ending; anything else is an image. */
static const char *media_type(struct fan_bytes url)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        { ".mp4", "video" },
        { ".3gp", "video" },
        { ".pdf", "document" },
        { ".mp3", "audio" },
        { ".m4a", "audio" },
        { ".aac", "audio" },
        { ".amr", "audio" },
        { ".ogg", "audio" },
    };
    struct fan_bytes path;

    (void)fan_bytes_split(url, '?', &path);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (fan_bytes_ends(path, fan_bytes_of(types[i].ending)))
            return types[i].type;
    return "image";
}

static enum fan_err check_template(const struct fan_content *content, struct fan_why *why)
{
    for (size_t i = 0; i < content->variables.len; i++)
        if (fan_bytes_trim(content->variables.at[i]).len == 0)
            return fan_fail_field(why, FAN_INVALID, "variables",
                    "variable %zu of the template is empty", i + 1);
    return FAN_OK;
}

static enum fan_err check_content(const struct fan_content *content, struct fan_why *why)
{
    bool captioned = content->media_url.len > 0;
    size_t cap = captioned ? CAPTION_CAP : TEXT_CAP;

    if (content->template_name.len > 0)
        return check_template(content, why);
    if (content->text.len == 0 && !captioned)
        return fan_fail_field(why, FAN_INVALID, "text",
                "there is neither text nor media nor a template");
    if (fan_text_points(content->text) > cap)
        return fan_fail_field(why, FAN_INVALID, "text", "the text has more than %zu characters",
                cap);
    if (captioned && content->text.len > 0 && strcmp(media_type(content->media_url), "audio") == 0)
        return fan_fail_field(why, FAN_INVALID, "text", "audio takes no text");
    return FAN_OK;
}

static void write_link(struct fan_json_writer *json, const char *type, struct fan_bytes link,
        struct fan_bytes caption)
{
    fan_json_object_open(json, type);
    fan_json_add_text(json, "link", link);
    if (caption.len > 0)
        fan_json_add_text(json, "caption", caption);
    fan_json_object_close(json);
}

static void write_header(struct fan_json_writer *json, struct fan_bytes link)
{
    const char *type = media_type(link);

    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "type", FAN_LIT("header"));
    fan_json_array_open(json, "parameters");
    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "type", fan_bytes_of(type));
    write_link(json, type, link, FAN_NO_BYTES);
    fan_json_object_close(json);
    fan_json_array_close(json);
    fan_json_object_close(json);
}

static void write_body(struct fan_json_writer *json, struct fan_texts variables,
        struct fan_arena *arena)
{
    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "type", FAN_LIT("body"));
    fan_json_array_open(json, "parameters");
    for (size_t i = 0; i < variables.len; i++) {
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "type", FAN_LIT("text"));
        fan_json_add_text(json, "text", clean(variables.at[i], arena));
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
    fan_json_object_close(json);
}

static void write_components(struct fan_json_writer *json, const struct fan_content *content,
        struct fan_arena *arena)
{
    fan_json_array_open(json, "components");
    if (content->media_url.len > 0)
        write_header(json, content->media_url);
    if (content->variables.len > 0)
        write_body(json, content->variables, arena);
    fan_json_array_close(json);
}

static void write_template(struct fan_json_writer *json, const struct fan_sending *sending,
        struct fan_arena *arena)
{
    const struct fan_content *content = &sending->content;

    fan_json_add_text(json, "type", FAN_LIT("template"));
    fan_json_object_open(json, "template");
    fan_json_add_text(json, "name", content->template_name);
    fan_json_object_open(json, "language");
    fan_json_add_text(json, "code",
            content->language.len > 0 ? content->language : field(sending->channel, "language"));
    fan_json_object_close(json);
    if (content->media_url.len > 0 || content->variables.len > 0)
        write_components(json, content, arena);
    fan_json_object_close(json);
}

static void write_free_form(struct fan_json_writer *json, const struct fan_content *content)
{
    const char *type = content->media_url.len > 0 ? media_type(content->media_url) : "text";

    fan_json_add_text(json, "type", fan_bytes_of(type));
    if (content->media_url.len > 0) {
        write_link(json, type, content->media_url, content->text);
        return;
    }
    fan_json_object_open(json, "text");
    fan_json_add_text(json, "body", content->text);
    fan_json_object_close(json);
}

static struct fan_bytes write_message(const struct fan_sending *sending, struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, FAN_REQUEST_CAP);
    struct fan_bytes to = sending->address;
    struct fan_json_writer json;

    if (fan_bytes_starts(to, FAN_LIT("+")))
        to.at++, to.len--;
    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "messaging_product", FAN_LIT("whatsapp"));
    fan_json_add_text(&json, "recipient_type", FAN_LIT("individual"));
    fan_json_add_text(&json, "to", to);
    if (sending->content.template_name.len > 0)
        write_template(&json, sending, arena);
    else
        write_free_form(&json, &sending->content);
    fan_json_add_text(&json, "biz_opaque_callback_data", sending->token);
    fan_json_object_close(&json);
    return fan_buffer_bytes(out);
}

static enum fan_err send(const struct fan_sending *sending, struct fan_arena *arena,
        struct fan_request *out, struct fan_why *why)
{
    const struct fan_channel_view *channel = sending->channel;
    enum fan_err err = check_content(&sending->content, why);

    if (err)
        return err;
    *out = (struct fan_request){
        .method = FAN_LIT("POST"),
        .url = fan_bytes_of(fan_arena_printf(arena, "%.*s/%.*s/%.*s/messages",
                FAN_BYTES_ARG(fan_url_base(field(channel, "base_url"))),
                FAN_BYTES_ARG(field(channel, "api_version")),
                FAN_BYTES_ARG(field(channel, "phone_number_id")))),
        .body = write_message(sending, arena),
    };
    fan_request_header(out, arena, "Authorization: Bearer %.*s",
            FAN_BYTES_ARG(field(channel, "access_token")));
    fan_request_header(out, arena, "Content-Type: application/json");
    return FAN_OK;
}

/* ---- the answer ---- */

static void judge_error(const struct fan_json *error, const struct fan_response *response,
        struct fan_arena *arena, struct fan_outcome *out)
{
    int64_t code = fan_json_i64(fan_json_get(error, "code"), -1);
    int64_t subcode = fan_json_i64(fan_json_get(error, "error_subcode"), 0);

    if (code < 0 || response->status < 400)
        return;
    if (code == NO_OBJECT && subcode == NO_OBJECT_SUBCODE)
        code = NO_OBJECT_SUBCODE; /* the phone number id is wrong, not this message */
    fan_outcome_by_code(rules, code, response, arena, out);
}

static void judge(const struct fan_sending *sending, const struct fan_response *response,
        struct fan_arena *arena, struct fan_outcome *out)
{
    const struct fan_json *answer = NULL;
    struct fan_bytes id;

    (void)sending;
    fan_outcome_by_status(response, out);
    if (!response->complete || fan_json_parse(response->body, arena, &answer, NULL))
        return;
    if (response->status < 200 || response->status > 299) {
        judge_error(fan_json_get(answer, "error"), response, arena, out);
        return;
    }
    id = fan_json_get_text(fan_json_at(fan_json_get(answer, "messages"), 0), "id");
    if (id.len > 0 && id.len <= ID_CAP)
        *out = (struct fan_outcome){ .outcome = FAN_ACCEPTED, .provider_id = id, .delay_ms = -1 };
}

/* ---- what comes in ---- */

static bool hook_greet(const struct fan_channel_view *channel, const struct fan_hook *hook,
        struct fan_arena *arena, struct fan_hook_answer *out)
{
    struct fan_bytes verify_token = field(channel, "verify_token");
    struct fan_form query;

    if (!fan_bytes_eq_text(hook->method, "GET"))
        return false;
    *out = (struct fan_hook_answer){ .status = 403, .type = "text/plain" };
    if (verify_token.len > 0 && fan_form_read(hook->query, arena, &query) &&
            fan_bytes_eq_text(fan_form_get(&query, "hub.mode"), "subscribe") &&
            fan_constant_eq(fan_form_get(&query, "hub.verify_token"), verify_token)) {
        out->status = 200;
        out->body = fan_form_get(&query, "hub.challenge");
    }
    return true;
}

static enum fan_err hook_check(const struct fan_channel_view *channel, const struct fan_hook *hook,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_bytes signature = fan_hook_header(hook, "X-Hub-Signature-256");
    struct fan_bytes secret = field(channel, "app_secret");
    struct fan_buffer *right = fan_arena_buffer(arena, 128);
    unsigned char mac[FAN_SHA256_SIZE];

    if (secret.len == 0)
        return fan_fail(why, FAN_DENIED, "the channel has no app secret to check callbacks with");
    if (signature.len == 0)
        return fan_fail(why, FAN_DENIED, "there is no X-Hub-Signature-256");
    fan_hmac_sha256(secret, hook->body, mac);
    fan_buffer_add_text(right, "sha256=");
    fan_buffer_add_hex(right, (struct fan_bytes){ (const char *)mac, sizeof mac });
    if (!fan_constant_eq(fan_buffer_bytes(right), signature))
        return fan_fail(why, FAN_DENIED, "X-Hub-Signature-256 is wrong for this body");
    return FAN_OK;
}

static bool find_progress(struct fan_bytes status, enum fan_progress *out)
{
    static const struct {
        const char *status;
        enum fan_progress progress;
    } words[] = {
        { "sent", FAN_PROGRESS_NONE },
        { "delivered", FAN_PROGRESS_DELIVERED },
        { "read", FAN_PROGRESS_READ },
        { "played", FAN_PROGRESS_READ },
        { "failed", FAN_PROGRESS_UNDELIVERED },
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (fan_bytes_eq_text(status, words[i].status)) {
            *out = words[i].progress;
            return true;
        }
    }
    return false;
}

static fan_time read_timestamp(const struct fan_json *value)
{
    int64_t seconds = fan_json_i64(value, 0);

    if (fan_json_type(value) == FAN_JSON_STRING && !fan_bytes_i64(fan_json_text(value), &seconds))
        return 0;
    return seconds > 0 && seconds < INT64_MAX / FAN_SECOND ? seconds * FAN_SECOND : 0;
}

static void read_failure(const struct fan_json *status, struct fan_arena *arena,
        struct fan_receipt *out)
{
    const struct fan_json *error = fan_json_at(fan_json_get(status, "errors"), 0);
    int64_t code = fan_json_i64(fan_json_get(error, "code"), -1);
    const struct fan_code_rule *rule = fan_code_find(rules, code);

    out->code = code < 0 ? FAN_LIT("failed")
                         : fan_bytes_of(fan_arena_printf(arena, "%lld", (long long)code));
    out->suppress = rule && (rule->what & FAN_CODE_SUPPRESS);
}

static void read_status(const struct fan_json *status, struct fan_arena *arena,
        struct fan_receipt_list *out)
{
    struct fan_bytes id = fan_json_get_text(status, "id");
    struct fan_bytes word = fan_json_get_text(status, "status");
    struct fan_receipt *receipt;
    enum fan_progress progress;

    if (id.len == 0 || id.len > ID_CAP || !find_progress(word, &progress))
        return;
    receipt = fan_receipt_add(out, arena);
    *receipt = (struct fan_receipt){
        .token = fan_json_get_text(status, "biz_opaque_callback_data"),
        .provider_id = id,
        .progress = progress,
        .at = read_timestamp(fan_json_get(status, "timestamp")),
        .key = fan_bytes_of(fan_arena_printf(arena, "%.*s:%.*s", FAN_BYTES_ARG(id),
                FAN_BYTES_ARG(word))),
    };
    if (progress == FAN_PROGRESS_UNDELIVERED)
        read_failure(status, arena, receipt);
}

static void read_entry(const struct fan_json *entry, struct fan_arena *arena,
        struct fan_receipt_list *out)
{
    const struct fan_json *changes = fan_json_get(entry, "changes");

    for (size_t i = 0; i < fan_json_size(changes); i++) {
        const struct fan_json *change = fan_json_at(changes, i);
        const struct fan_json *statuses = fan_json_get(fan_json_get(change, "value"), "statuses");

        for (size_t j = 0; j < fan_json_size(statuses); j++)
            read_status(fan_json_at(statuses, j), arena, out);
    }
}

static enum fan_err hook_read(const struct fan_channel_view *channel, const struct fan_hook *hook,
        struct fan_arena *arena, struct fan_receipt_list *out, struct fan_why *why)
{
    const struct fan_json *body, *entries;
    enum fan_err err = fan_json_parse(hook->body, arena, &body, why);

    (void)channel;
    *out = (struct fan_receipt_list){ 0 };
    if (err)
        return err;
    entries = fan_json_get(body, "entry");
    if (fan_json_type(entries) != FAN_JSON_ARRAY)
        return fan_fail_field(why, FAN_INVALID, "entry", "a delivery has a list of entries");
    for (size_t i = 0; i < fan_json_size(entries); i++)
        read_entry(fan_json_at(entries, i), arena, out);
    return FAN_OK;
}

const struct fan_provider fan_provider_whatsapp_meta = {
    .name = "meta",
    .kind = FAN_KIND_WHATSAPP,
    .summary = "WhatsApp through Meta's Cloud API",
    .fields = fields,
    .limits = { .rate = 80, .connections = 64, .text_cap = TEXT_CAP },
    .send = send,
    .judge = judge,
    .hook_greet = hook_greet,
    .hook_check = hook_check,
    .hook_read = hook_read,
};

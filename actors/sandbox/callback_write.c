#include "actors/sandbox/callback_write.h"

#include "actors/lib/driver/driver.h"
#include "actors/lib/driver/form.h"
#include "actors/lib/driver/twilio_sign.h"
#include "actors/lib/hash/hash.h"
#include "proto/json.h"

#include <inttypes.h>
#include <time.h>

enum { STEPS = 3, TWILIO_FIELDS = 12 };

/* The words of each fate, in order. */
static const char *const twilio_words[][STEPS] = {
    [FAN_FATE_SENT] = { "sent" },
    [FAN_FATE_DELIVERED] = { "sent", "delivered" },
    [FAN_FATE_READ] = { "sent", "delivered" }, /* texts are never known to be read */
    [FAN_FATE_FAILED] = { "sent", "undelivered" },
};
static const char *const meta_words[][STEPS] = {
    [FAN_FATE_SENT] = { "sent" },
    [FAN_FATE_DELIVERED] = { "sent", "delivered" },
    [FAN_FATE_READ] = { "sent", "delivered", "read" },
    [FAN_FATE_FAILED] = { "failed" },
};

/* Why messages fail after they were accepted. */
static const char *const twilio_codes[] = { "30003", "30005", "30006", "30007", "30008" };
static const struct {
    int code;
    const char *title;
} meta_codes[] = {
    { 131026, "Message undeliverable" },
    { 131049, "This message was not delivered to maintain healthy ecosystem engagement." },
    { 131053, "Media upload error" },
};

static const char *word_of(enum fan_sandbox_provider provider, enum fan_fate fate, uint8_t step)
{
    return provider == FAN_SANDBOX_TWILIO ? twilio_words[fate][step] : meta_words[fate][step];
}

bool fan_callback_has_step(enum fan_sandbox_provider provider, enum fan_fate fate, uint8_t step)
{
    return step < STEPS && word_of(provider, fate, step);
}

static struct fan_bytes token_of(const struct fan_pending *pending)
{
    return (struct fan_bytes){ pending->token, strnlen(pending->token, FAN_PENDING_TOKEN) };
}

/* ---- Twilio ---- */

static void add(struct fan_form *form, const char *name, struct fan_bytes value)
{
    FAN_ASSERT(form->len < TWILIO_FIELDS);
    if (value.len > 0)
        form->at[form->len++] = (struct fan_form_field){ fan_bytes_of(name), value };
}

static struct fan_bytes report_date(struct fan_arena *arena)
{
    time_t now = (time_t)(fan_clock_now() / FAN_SECOND);
    char *text = fan_arena_alloc(arena, 16);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, 16, "%Y%m%d%H%M", &tm);
    return fan_bytes_of(text + 2); /* without the century */
}

static void add_outcome(const struct fan_sandbox *sandbox, const struct fan_pending *pending,
        const char *word, struct fan_arena *arena, struct fan_form *form)
{
    size_t count = sizeof(twilio_codes) / sizeof(twilio_codes[0]);

    if (strcmp(word, "undelivered") == 0)
        add(form, "ErrorCode",
                fan_bytes_of(twilio_codes[fan_faults_choice(&sandbox->faults, pending->serial,
                        count)]));
    if (strcmp(word, "sent") != 0)
        add(form, "RawDlrDoneDate", report_date(arena));
}

static struct fan_bytes encode(const struct fan_form *form, struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, FAN_REQUEST_CAP);

    for (size_t i = 0; i < form->len; i++)
        fan_form_add(out, form->at[i].name.at, form->at[i].value);
    return fan_buffer_bytes(out);
}

void fan_callback_write_twilio(const struct fan_sandbox *sandbox, const struct fan_pending *pending,
        struct fan_bytes url, struct fan_bytes from, struct fan_arena *arena,
        struct fan_callback_text *out)
{
    const char *word = word_of(FAN_SANDBOX_TWILIO, pending->fate, pending->step);
    struct fan_bytes sid = fan_sandbox_sid(sandbox->session, pending->serial, arena);
    struct fan_form_field fields[TWILIO_FIELDS];
    struct fan_form form = { .at = fields };
    struct fan_bytes secret = fan_bytes_of(sandbox->settings->twilio_auth_token);

    add(&form, "AccountSid", fan_bytes_of(sandbox->settings->twilio_account_sid));
    add(&form, "ApiVersion", FAN_LIT("2010-04-01"));
    add(&form, fan_bytes_starts(from, FAN_LIT("MG")) ? "MessagingServiceSid" : "From", from);
    add(&form, "MessageSid", sid);
    add(&form, "MessageStatus", fan_bytes_of(word));
    add(&form, "SmsSid", sid);
    add(&form, "SmsStatus", fan_bytes_of(word));
    add(&form, "To", fan_bytes_of(fan_arena_printf(arena, "+%" PRIu64, pending->to)));
    add_outcome(sandbox, pending, word, arena, &form);
    out->url = url;
    out->body = encode(&form, arena);
    out->headers[0] = FAN_LIT("Content-Type: application/x-www-form-urlencoded; charset=UTF-8");
    out->headers[1] = fan_bytes_of(fan_arena_printf(arena, "X-Twilio-Signature: %.*s",
            FAN_BYTES_ARG(fan_twilio_sign(secret, url, &form, arena))));
}

/* ---- Meta ---- */

static void write_errors(const struct fan_sandbox *sandbox, const struct fan_pending *pending,
        struct fan_json_writer *json)
{
    size_t count = sizeof(meta_codes) / sizeof(meta_codes[0]);
    size_t choice = fan_faults_choice(&sandbox->faults, pending->serial, count);
    struct fan_bytes title = fan_bytes_of(meta_codes[choice].title);

    fan_json_array_open(json, "errors");
    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "code", meta_codes[choice].code);
    fan_json_add_text(json, "title", title);
    fan_json_add_text(json, "message", title);
    fan_json_object_open(json, "error_data");
    fan_json_add_text(json, "details", title);
    fan_json_object_close(json);
    fan_json_add_text(json, "href",
            FAN_LIT("https://developers.facebook.com/docs/whatsapp/"
                    "cloud-api/support/error-codes/"));
    fan_json_object_close(json);
    fan_json_array_close(json);
}

static void write_pricing(struct fan_json_writer *json)
{
    fan_json_object_open(json, "pricing");
    fan_json_add_bool(json, "billable", true);
    fan_json_add_text(json, "pricing_model", FAN_LIT("PMP"));
    fan_json_add_text(json, "category", FAN_LIT("marketing"));
    fan_json_object_close(json);
}

static void write_status(const struct fan_sandbox *sandbox, const struct fan_pending *pending,
        struct fan_json_writer *json, struct fan_arena *arena)
{
    const char *word = word_of(FAN_SANDBOX_META, pending->fate, pending->step);
    int64_t seconds = fan_clock_now() / FAN_SECOND;
    struct fan_bytes token = token_of(pending);

    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "id",
            fan_sandbox_wamid(sandbox->session, pending->serial, pending->to, arena));
    fan_json_add_text(json, "status", fan_bytes_of(word));
    fan_json_add_text(json, "timestamp",
            fan_bytes_of(fan_arena_printf(arena, "%" PRId64, seconds)));
    fan_json_add_text(json, "recipient_id",
            fan_bytes_of(fan_arena_printf(arena, "%" PRIu64, pending->to)));
    if (strcmp(word, "failed") == 0)
        write_errors(sandbox, pending, json);
    else
        write_pricing(json);
    if (token.len > 0)
        fan_json_add_text(json, "biz_opaque_callback_data", token);
    fan_json_object_close(json);
}

static struct fan_bytes write_delivery(const struct fan_sandbox *sandbox,
        const struct fan_pending *const *pending, size_t count, struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, FAN_REQUEST_CAP);
    struct fan_json_writer json;

    fan_json_begin(&json, out);
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "object", FAN_LIT("whatsapp_business_account"));
    fan_json_array_open(&json, "entry");
    fan_json_object_open(&json, NULL);
    fan_json_add_text(&json, "id", FAN_LIT("102290129340398"));
    fan_json_array_open(&json, "changes");
    fan_json_object_open(&json, NULL);
    fan_json_object_open(&json, "value");
    fan_json_add_text(&json, "messaging_product", FAN_LIT("whatsapp"));
    fan_json_object_open(&json, "metadata");
    fan_json_add_text(&json, "display_phone_number", FAN_LIT("15550783881"));
    fan_json_add_text(&json, "phone_number_id",
            fan_bytes_of(sandbox->settings->meta_phone_number_id));
    fan_json_object_close(&json);
    fan_json_array_open(&json, "statuses");
    for (size_t i = 0; i < count; i++)
        write_status(sandbox, pending[i], &json, arena);
    fan_json_array_close(&json);
    fan_json_object_close(&json);
    fan_json_add_text(&json, "field", FAN_LIT("messages"));
    fan_json_object_close(&json);
    fan_json_array_close(&json);
    fan_json_object_close(&json);
    fan_json_array_close(&json);
    fan_json_object_close(&json);
    return fan_buffer_bytes(out);
}

void fan_callback_write_meta(const struct fan_sandbox *sandbox,
        const struct fan_pending *const *pending, size_t count, struct fan_arena *arena,
        struct fan_callback_text *out)
{
    struct fan_buffer *hex = fan_arena_buffer(arena, 2 * FAN_SHA256_SIZE);
    unsigned char mac[FAN_SHA256_SIZE];

    out->url = fan_bytes_of(sandbox->settings->meta_webhook_url);
    out->body = write_delivery(sandbox, pending, count, arena);
    fan_hmac_sha256(fan_bytes_of(sandbox->settings->meta_app_secret), out->body, mac);
    fan_buffer_add_hex(hex, (struct fan_bytes){ (const char *)mac, sizeof(mac) });
    out->headers[0] = FAN_LIT("Content-Type: application/json");
    out->headers[1] = fan_bytes_of(fan_arena_printf(arena, "X-Hub-Signature-256: sha256=%.*s",
            FAN_BYTES_ARG(fan_buffer_bytes(hex))));
}

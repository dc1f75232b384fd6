#include "actors/cli/demo.h"

#include "actors/cli/fleet.h"
#include "actors/cli/sandbox_keys.h"

#include <signal.h>
#include <stdlib.h>

/* Messages a second on each channel: high, so that a demo does not last. */
enum { RATE = 2000, CONNECTIONS = 32, BODY = 64 * 1024 };

/* Writes a JSON object, which ends as a text in the demo's arena. */
struct object {
    struct fan_buffer text;
    struct fan_json_writer json;
};

static void begin(struct object *object)
{
    fan_buffer_init(&object->text, BODY);
    fan_json_begin(&object->json, &object->text);
    fan_json_object_open(&object->json, NULL);
}

static const char *finish(struct object *object, struct fan_arena *arena)
{
    const char *text;

    fan_json_object_close(&object->json);
    text = fan_bytes_cstr(fan_buffer_bytes(&object->text), arena);
    fan_buffer_fini(&object->text);
    return text;
}

static void add(struct object *object, const char *name, const char *value)
{
    fan_json_add_text(&object->json, name, fan_bytes_of(value));
}

/* ---- channels ---- */

static void add_key(struct fan_demo *demo, struct object *object, const char *name, const char *key)
{
    add(object, name, fan_sandbox_key(&demo->home, key, demo->arena));
}

static const char *sandbox_url(struct fan_demo *demo)
{
    return fan_arena_printf(demo->arena, "http://127.0.0.1:%u", demo->port + FAN_PORT_SANDBOX);
}

static void add_twilio(struct fan_demo *demo, struct object *object)
{
    add_key(demo, object, "account_sid", "TWILIO_ACCOUNT_SID");
    add_key(demo, object, "auth_token", "TWILIO_AUTH_TOKEN");
    add(object, "from", "+15005550006");
    add(object, "base_url", sandbox_url(demo));
}

static void add_meta(struct fan_demo *demo, struct object *object)
{
    add_key(demo, object, "phone_number_id", "META_PHONE_NUMBER_ID");
    add_key(demo, object, "access_token", "META_ACCESS_TOKEN");
    add_key(demo, object, "app_secret", "META_APP_SECRET");
    add(object, "base_url", sandbox_url(demo));
}

static void add_smtp(struct fan_demo *demo, struct object *object)
{
    add(object, "host", "127.0.0.1");
    add(object, "port", fan_arena_printf(demo->arena, "%u", demo->port + FAN_PORT_SANDBOX_SMTP));
    add(object, "tls", "none");
    add_key(demo, object, "username", "SMTP_USERNAME");
    add_key(demo, object, "password", "SMTP_PASSWORD");
    add(object, "from_email", "news@fanfare.example");
    add(object, "from_name", "Fanfare demo");
}

static void add_sms_content(struct object *object)
{
    add(object, "message",
            "Hello {first_name}, {preferred_product} is back in {city}. "
            "Reply STOP to end.");
}

static void add_whatsapp_content(struct object *object)
{
    fan_json_object_open(&object->json, "template");
    add(object, "name", "offer");
    add(object, "language", "en_US");
    fan_json_array_open(&object->json, "variables");
    add(object, NULL, "{first_name}");
    add(object, NULL, "{preferred_product}");
    fan_json_array_close(&object->json);
    fan_json_object_close(&object->json);
}

static void add_email_content(struct object *object)
{
    add(object, "subject", "{first_name}, something for you in {city}");
    add(object, "message",
            "Hello {first_name} {last_name},\n\n{preferred_product} is back in "
            "{city}.\n\nYour Fanfare\n");
    add(object, "html",
            "<p>Hello {first_name} {last_name},</p><p><b>{preferred_product}</b> is "
            "back in {city}.</p><p>Your Fanfare</p>");
}

static const struct {
    const char *kind, *provider, *driver, *channel, *campaign;
    void (*add_settings)(struct fan_demo *demo, struct object *object);
    void (*add_content)(struct object *object);
} parts[FAN_DEMO_CAMPAIGNS] = {
    { "whatsapp", "meta", "meta", "Sandbox WhatsApp", "Demo by WhatsApp", add_meta,
            add_whatsapp_content },
    { "sms", "twilio", "twilio", "Sandbox SMS", "Demo by SMS", add_twilio, add_sms_content },
    { "email", "smtp", "smtp", "Sandbox e-mail", "Demo by e-mail", add_smtp, add_email_content },
};

/* 0: there is none of that name. */
static int64_t find_channel(const struct fan_json *list, const char *name)
{
    for (size_t i = 0; i < fan_json_size(list); i++) {
        const struct fan_json *channel = fan_json_at(list, i);

        if (fan_bytes_eq_text(fan_json_get_text(channel, "name"), name))
            return fan_json_i64(fan_json_get(channel, "id"), 0);
    }
    return 0;
}

static enum fan_err put_channel(struct fan_demo *demo, int part, int64_t id, struct fan_why *why)
{
    struct fan_api_call call = { .method = id ? "PATCH" : "POST", .path = "/api/v1/channels" };
    const struct fan_json *answer;
    struct object body;
    enum fan_err err;

    begin(&body);
    add(&body, "name", parts[part].channel);
    if (!id) {
        add(&body, "kind", parts[part].kind);
        add(&body, "provider", parts[part].driver);
    }
    fan_json_add_i64(&body.json, "rate", RATE);
    fan_json_add_i64(&body.json, "connections", CONNECTIONS);
    fan_json_object_open(&body.json, "settings");
    parts[part].add_settings(demo, &body);
    fan_json_object_close(&body.json);
    call.body = fan_bytes_of(finish(&body, demo->arena));
    if (id)
        call.path = fan_arena_printf(demo->arena, "/api/v1/channels/%lld", (long long)id);
    err = fan_api_send(demo->api, &call, demo->arena, &answer, why);
    if (!err)
        demo->campaigns[part].channel = fan_json_i64(fan_json_get(answer, "id"), 0);
    return err;
}

/* Where Meta sends its statuses is set up at Meta, and names the channel. Here that is in the
 * sandbox's settings, which it reads when it starts: so the number is guessed, which fails only
 * where somebody made another channel first. */
static const char *webhook_url(struct fan_demo *demo, int64_t channel)
{
    return fan_arena_printf(demo->arena, "http://127.0.0.1:%u/hooks/%d/%lld",
            demo->port + FAN_PORT_INGESTER, FAN_DEMO_ACCOUNT, (long long)channel);
}

enum fan_err fan_demo_guess_webhook(struct fan_demo *demo, struct fan_why *why)
{
    enum fan_err err = fan_sandbox_keys_make(&demo->home, why);
    const char *before = fan_sandbox_key(&demo->home, "META_WEBHOOK_URL", demo->arena);
    const char *slash = before ? strrchr(before, '/') : NULL;
    long long channel = slash ? strtoll(slash + 1, NULL, 10) : 1;

    return err
            ? err
            : fan_sandbox_key_set(&demo->home, "META_WEBHOOK_URL", webhook_url(demo, channel), why);
}

static enum fan_err set_webhook(struct fan_demo *demo, int64_t channel, struct fan_why *why)
{
    const char *url = webhook_url(demo, channel);
    const char *now = fan_sandbox_key(&demo->home, "META_WEBHOOK_URL", demo->arena);
    int64_t before = fan_demo_process(demo, "sandbox");
    enum fan_err err;

    if (now && strcmp(now, url) == 0)
        return FAN_OK;
    err = fan_sandbox_key_set(&demo->home, "META_WEBHOOK_URL", url, why);
    if (err)
        return err;
    if (before > 1)
        kill((pid_t)before, SIGTERM); /* its supervisor starts it again, and it reads anew */
    return fan_demo_await(demo, "sandbox", before, why);
}

enum fan_err fan_demo_make_channels(struct fan_demo *demo, struct fan_why *why)
{
    const struct fan_json *answer;
    enum fan_err err =
            fan_api_get(demo->api, "/api/v1/channels?page_size=100", demo->arena, &answer, why);

    for (int i = 0; !err && i < FAN_DEMO_CAMPAIGNS; i++) {
        struct fan_demo_campaign *campaign = &demo->campaigns[i];

        campaign->kind = parts[i].kind;
        campaign->provider = parts[i].provider;
        campaign->name = parts[i].campaign;
        err = put_channel(demo, i, find_channel(fan_json_get(answer, "data"), parts[i].channel),
                why);
        if (!err && strcmp(parts[i].driver, "meta") == 0)
            err = set_webhook(demo, campaign->channel, why);
    }
    return err;
}

/* ---- campaigns ---- */

static enum fan_err make_campaign(struct fan_demo *demo, int part, struct fan_why *why)
{
    const struct fan_json *answer;
    struct object body;
    enum fan_err err;

    begin(&body);
    add(&body, "name", parts[part].campaign);
    fan_json_add_i64(&body.json, "channel_id", demo->campaigns[part].channel);
    parts[part].add_content(&body);
    fan_json_object_open(&body.json, "audience");
    fan_json_array_open(&body.json, "tags");
    add(&body, NULL, FAN_DEMO_TAG);
    fan_json_array_close(&body.json);
    fan_json_object_close(&body.json);
    err = fan_api_post(demo->api, "/api/v1/campaigns", finish(&body, demo->arena), demo->arena,
            &answer, why);
    if (!err)
        demo->campaigns[part].id = fan_json_i64(fan_json_get(answer, "id"), 0);
    return err;
}

enum fan_err fan_demo_launch(struct fan_demo *demo, struct fan_why *why)
{
    const struct fan_json *answer;
    enum fan_err err = FAN_OK;

    for (int i = 0; !err && i < FAN_DEMO_CAMPAIGNS; i++)
        err = make_campaign(demo, i, why);
    for (int i = 0; !err && i < FAN_DEMO_CAMPAIGNS; i++)
        err = fan_api_post(demo->api,
                fan_arena_printf(demo->arena, "/api/v1/campaigns/%lld/send",
                        (long long)demo->campaigns[i].id),
                NULL, demo->arena, &answer, why);
    return err;
}

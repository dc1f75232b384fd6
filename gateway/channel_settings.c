/*
 * The gateway cannot read a secret that it sealed. So secrets are put all at once: whoever changes
 * one gives every one that is set.
 */
#include "gateway/channel_settings.h"

#include "actors/lib/seal/seal.h"

#include <regex.h>

enum { VALUE_MAX = 4096 };

/* ---- reading ---- */

static struct fan_bytes scalar(struct body *body, const char *name)
{
    const struct fan_json *value = body_value(body, name);

    switch (fan_json_type(value)) {
    case FAN_JSON_INTEGER:
        return fan_bytes_of(fan_arena_printf(body->call->arena, "%lld",
                (long long)fan_json_i64(value, 0)));
    case FAN_JSON_BOOL:
        return fan_json_bool(value, false) ? FAN_LIT("true") : FAN_LIT("false");
    default:
        return body_text(body, name, VALUE_MAX);
    }
}

static void check_pattern(struct body *body, const struct fan_provider_field *field,
        struct fan_bytes value)
{
    const char *text = fan_bytes_cstr(value, body->call->arena);
    regex_t pattern;

    if (!field->pattern || regcomp(&pattern, field->pattern, REG_EXTENDED | REG_NOSUB))
        return;
    if (strlen(text) != value.len || regexec(&pattern, text, 0, NULL, 0))
        body_fault(body, field->name, field->example ? field->example : field->pattern,
                fan_arena_printf(body->call->arena, "not of the right form: %s", field->doc));
    regfree(&pattern);
}

static bool was_set(const struct fan_channel *before, const char *name)
{
    for (size_t i = 0; before && i < before->secret_names.len; i++)
        if (fan_bytes_eq_text(before->secret_names.at[i], name))
            return true;
    return false;
}

static void read_field(struct body *body, const struct fan_provider_field *field,
        const struct fan_json *plain, const struct fan_channel *before,
        struct channel_settings *out, size_t i)
{
    bool given = body_has(body, field->name);

    out->values[i] = given ? scalar(body, field->name) : FAN_NO_BYTES;
    if (given && field->readers)
        out->has_new_secrets = true;
    if (!given && !field->readers)
        out->values[i] = fan_json_get_text(plain, field->name);
    if (!given && field->readers)
        out->kept[i] = was_set(before, field->name);
    if (given && out->values[i].at)
        check_pattern(body, field, out->values[i]);
}

static void check_fields(struct body *body, const struct channel_settings *settings)
{
    const struct fan_provider_field *fields = settings->provider->fields;

    for (size_t i = 0; fields[i].name; i++) {
        if (fields[i].required && !settings->values[i].at && !settings->kept[i])
            body_fault(body, fields[i].name, fields[i].example ? fields[i].example : "",
                    fan_arena_printf(body->call->arena, "missing: %s", fields[i].doc));
        if (settings->has_new_secrets && settings->kept[i])
            body_fault(body, fields[i].name, "",
                    "give it again: secrets cannot be read back, so all are put at once");
    }
}

/* The driver's own check; secrets that stay are only known to be there. */
static void check_together(struct body *body, const struct channel_settings *settings)
{
    const struct fan_provider_field *fields = settings->provider->fields;
    struct fan_bytes names[CHANNEL_FIELDS], values[CHANNEL_FIELDS];
    struct fan_channel_view view = { .names = names, .values = values };
    struct fan_why why = { .err = FAN_OK };

    if (!settings->provider->check || body->call->problem.faults_len)
        return;
    for (size_t i = 0; fields[i].name; i++) {
        if (!settings->values[i].at && !settings->kept[i])
            continue;
        names[view.count] = fan_bytes_of(fields[i].name);
        values[view.count++] = settings->kept[i] ? FAN_LIT("********") : settings->values[i];
    }
    if (settings->provider->check(&view, &why))
        body_fault(body, why.field[0] ? why.field : "*", "", why.text);
}

void channel_settings_read(struct body *body, const struct fan_provider *provider,
        const struct fan_channel *before, struct channel_settings *out)
{
    const struct fan_json *object = body_value(body, "settings"), *plain = NULL;
    struct body fields;

    *out = (struct channel_settings){ .provider = provider };
    if (object && fan_json_type(object) != FAN_JSON_OBJECT) {
        body_fault(body, "settings", "an object, see GET /api/v1/providers", "not an object");
        return;
    }
    if (before && fan_json_parse(before->settings, body->call->arena, &plain, NULL))
        plain = NULL;
    body_begin(&fields, body->call, object, "settings.");
    for (size_t i = 0; provider->fields[i].name; i++) {
        FAN_ASSERT(i < CHANNEL_FIELDS);
        read_field(&fields, &provider->fields[i], plain, before, out, i);
    }
    body_end(&fields);
    check_fields(&fields, out);
    check_together(&fields, out);
}

/* ---- writing ---- */

/* The set values that @wanted is for (0: the plain ones) as a JSON object; absent: there are none.
 */
static struct fan_bytes object_of(const struct channel_settings *settings, int wanted,
        struct fan_arena *arena)
{
    const struct fan_provider_field *fields = settings->provider->fields;
    struct fan_json_writer json;
    struct fan_buffer text;
    struct fan_bytes out;
    size_t count = 0;

    fan_buffer_init(&text, (size_t)CHANNEL_FIELDS * VALUE_MAX * 2);
    fan_json_begin(&json, &text);
    fan_json_object_open(&json, NULL);
    for (size_t i = 0; fields[i].name; i++) {
        bool fits = wanted ? (fields[i].readers & wanted) != 0 : fields[i].readers == 0;

        if (!fits || !settings->values[i].at)
            continue;
        fan_json_add_text(&json, fields[i].name, settings->values[i]);
        count++;
    }
    fan_json_object_close(&json);
    out = count ? fan_bytes_dup(fan_buffer_bytes(&text), arena) : FAN_NO_BYTES;
    if (text.len)
        explicit_bzero(text.at, text.len);
    fan_buffer_fini(&text);
    return out;
}

struct fan_bytes channel_settings_plain(const struct channel_settings *settings,
        struct fan_arena *arena)
{
    struct fan_bytes object = object_of(settings, 0, arena);

    return object.at ? object : FAN_LIT("{}");
}

static enum fan_err seal_for(struct call *call, fan_id channel, const char *reader,
        struct fan_bytes plain, struct fan_bytes *out)
{
    const char *dir = fan_arena_printf(call->arena, "%s/keys",
            fan_actor_common(call->gateway->actor)->state_dir);
    struct fan_seal_public key;
    struct fan_buffer sealed;

    *out = FAN_NO_BYTES;
    if (!plain.at)
        return FAN_OK;
    if (fan_seal_public_load(dir, reader, &key, call->why)) {
        fan_log(NULL, FAN_ERROR, "key.missing", "%s", call->why->text);
        return call_refuse(call, 503, "the public key that seals secrets is not installed here");
    }
    fan_buffer_init(&sealed, 1024 * 1024);
    fan_seal(&key, call->caller.account, channel, plain, &sealed);
    *out = fan_bytes_dup(fan_buffer_bytes(&sealed), call->arena);
    fan_buffer_fini(&sealed);
    return FAN_OK;
}

enum fan_err channel_settings_seal(const struct channel_settings *settings, struct call *call,
        fan_id channel, struct fan_channel_secrets *out)
{
    const struct fan_provider_field *fields = settings->provider->fields;
    struct fan_bytes *names = fan_arena_array(call->arena, CHANNEL_FIELDS, sizeof *names);
    enum fan_err err;

    *out = (struct fan_channel_secrets){ .names = { .at = names } };
    for (size_t i = 0; fields[i].name; i++)
        if (fields[i].readers && settings->values[i].at)
            names[out->names.len++] = fan_bytes_of(fields[i].name);
    err = seal_for(call, channel, "sender", object_of(settings, FAN_READER_SENDER, call->arena),
            &out->for_sender);
    if (err)
        return err;
    return seal_for(call, channel, "ingester",
            object_of(settings, FAN_READER_INGESTER, call->arena), &out->for_ingester);
}

#include "gateway/content.h"

#include "actors/lib/text/variant.h"
#include "sql/store/account.h"
#include "sql/store/contact.h"

enum { CONTENT_MAX = 4 * 1024 * 1024 };

static const struct {
    const char *field; /* in the API */
    const char *part;  /* as stored */
} parts[] = {
    { "syntax", "syntax" },
    { "message", "text" },
    { "subject", "subject" },
    { "preheader", "preheader" },
    { "html", "html" },
    { "media_url", "media_url" },
    { "template", "template" },
};

enum { PARTS = sizeof parts / sizeof *parts };

struct fan_buffer *content_begin(struct call *call, struct fan_json_writer *json)
{
    struct fan_buffer *text = fan_arena_alloc(call->arena, sizeof *text);

    fan_buffer_init(text, CONTENT_MAX);
    fan_arena_defer(call->arena, (void (*)(void *))fan_buffer_fini, text);
    fan_json_begin(json, text);
    fan_json_object_open(json, NULL);
    return text;
}

void content_add(struct fan_json_writer *json, const char *name, const struct fan_json *value)
{
    struct fan_buffer text;

    if (!value || fan_json_type(value) == FAN_JSON_NULL)
        return;
    fan_buffer_init(&text, CONTENT_MAX);
    fan_json_dump(value, &text);
    fan_json_add_raw(json, name, fan_buffer_bytes(&text));
    fan_buffer_fini(&text);
}

static const struct fan_json *parsed(struct call *call, struct fan_bytes text)
{
    const struct fan_json *object = NULL;

    if (!text.at || fan_json_parse(text, call->arena, &object, NULL))
        return NULL;
    return object;
}

/* ---- reading ---- */

bool content_given(struct body *body)
{
    bool given = false;

    for (size_t i = 0; i < PARTS; i++)
        given = body_value(body, parts[i].field) || given;
    given = body_value(body, "language") || given;
    return body_value(body, "languages") || given;
}

/* An approved template's members have no others beside them. */
static void check_template(struct body *body)
{
    const struct fan_json *value = body_value(body, "template");
    struct body inner;

    if (fan_json_type(value) != FAN_JSON_OBJECT)
        return;
    body_begin(&inner, body->call, value,
            fan_arena_printf(body->call->arena, "%stemplate.", body->prefix));
    body_needs_text(&inner, "name", 512);
    body_text(&inner, "language", 35);
    body_value(&inner, "variables");
    body_end(&inner);
}

static void read_parts(struct body *body, const struct fan_json *before,
        struct fan_json_writer *json)
{
    check_template(body);
    for (size_t i = 0; i < PARTS; i++)
        content_add(json, parts[i].part,
                body_has(body, parts[i].field) ? body_value(body, parts[i].field)
                                               : fan_json_get(before, parts[i].part));
}

/* Given languages replace those before. */
static void read_languages(struct body *body, struct fan_json_writer *json)
{
    const struct fan_json *object = body_value(body, "languages"), *value;
    struct call *call = body->call;
    struct fan_bytes tag;
    size_t cursor = 0;

    if (!object)
        return;
    if (fan_json_type(object) != FAN_JSON_OBJECT) {
        body_fault(body, "languages", "{\"de\": {\"message\": \"…\"}}", "not an object");
        return;
    }
    fan_json_object_open(json, "languages");
    while (fan_json_next(object, &cursor, &tag, &value)) {
        const char *name = fan_bytes_cstr(tag, call->arena);
        struct body inner;

        if (fan_json_type(value) != FAN_JSON_OBJECT) {
            content_add(json, name, value); /* the check refuses it */
            continue;
        }
        body_begin(&inner, call, value,
                fan_arena_printf(call->arena, "%slanguages.%.40s.", body->prefix, name));
        fan_json_object_open(json, name);
        read_parts(&inner, NULL, json);
        fan_json_object_close(json);
        body_end(&inner);
    }
    fan_json_object_close(json);
}

struct fan_bytes content_read(struct body *body, struct fan_bytes before)
{
    const struct fan_json *old = parsed(body->call, before);
    struct fan_json_writer json;
    struct fan_buffer *text = content_begin(body->call, &json);

    read_parts(body, old, &json);
    content_add(&json, "language",
            body_has(body, "language") ? body_value(body, "language")
                                       : fan_json_get(old, "language"));
    if (body_has(body, "languages"))
        read_languages(body, &json);
    else
        content_add(&json, "languages", fan_json_get(old, "languages"));
    fan_json_object_close(&json);
    return fan_buffer_bytes(text);
}

/* ---- checking ---- */

enum fan_err content_fields(struct call *call, struct fan_text_fields *out)
{
    struct fan_texts attributes;
    struct fan_account account;
    enum fan_err err =
            fan_attributes(call->db, call->caller.account, call->arena, &attributes, call->why);

    if (!err)
        err = fan_account_get(call->db, call->caller.account, call->arena, &account, call->why);
    if (err)
        return err;
    *out = fan_text_fields_of(attributes, account.fallbacks, call->arena);
    return FAN_OK;
}

void content_check(struct call *call, enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, const char *prefix)
{
    struct fan_why faults[FAN_TEMPLATE_FAULTS];
    size_t count = fan_variants_check(kind, content, fields, call->arena, faults);

    for (size_t i = 0; i < count; i++)
        call_fault(call, fan_arena_printf(call->arena, "%s%s", prefix, faults[i].field), "", "%s",
                faults[i].text);
}

/* ---- writing ---- */

static void write_parts(struct fan_json_writer *json, const struct fan_json *content)
{
    for (size_t i = 0; i < PARTS; i++)
        content_add(json, parts[i].field, fan_json_get(content, parts[i].part));
}

void content_write(struct call *call, struct fan_bytes content)
{
    const struct fan_json *object = parsed(call, content), *value;
    const struct fan_json *languages = fan_json_get(object, "languages");
    struct fan_bytes tag;
    size_t cursor = 0;

    write_parts(&call->json, object);
    content_add(&call->json, "language", fan_json_get(object, "language"));
    if (!languages)
        return;
    fan_json_object_open(&call->json, "languages");
    while (fan_json_next(languages, &cursor, &tag, &value)) {
        fan_json_object_open(&call->json, fan_bytes_cstr(tag, call->arena));
        write_parts(&call->json, value);
        fan_json_object_close(&call->json);
    }
    fan_json_object_close(&call->json);
}

#include "gateway/body.h"

enum { ITEM_MAX = 200 };

void body_begin(struct body *body, struct call *call, const struct fan_json *object,
        const char *prefix)
{
    *body = (struct body){ .call = call, .object = object, .prefix = prefix };
}

void body_fault(struct body *body, const char *name, const char *expected, const char *reason)
{
    call_fault(body->call, fan_arena_printf(body->call->arena, "%s%s", body->prefix, name),
            expected, "%s", reason);
}

static bool is_known(const struct body *body, struct fan_bytes name)
{
    for (size_t i = 0; i < body->known_len; i++)
        if (fan_bytes_eq_text(name, body->known[i]))
            return true;
    return false;
}

static const struct fan_json *get(struct body *body, const char *name)
{
    if (!is_known(body, fan_bytes_of(name))) {
        FAN_ASSERT(body->known_len < BODY_FIELDS);
        body->known[body->known_len++] = name;
    }
    return fan_json_get(body->object, name);
}

static const char *list_known(const struct body *body)
{
    const char *list = "";

    for (size_t i = 0; i < body->known_len; i++)
        list = fan_arena_printf(body->call->arena, "%s%s%s", list, i ? ", " : "one of ",
                body->known[i]);
    return list;
}

void body_end(struct body *body)
{
    const struct fan_json *value;
    struct fan_bytes name;
    size_t cursor = 0;

    if (!body->object)
        return;
    while (fan_json_next(body->object, &cursor, &name, &value)) {
        if (name.len > 64)
            name.len = 64;
        if (!is_known(body, name))
            body_fault(body, fan_bytes_cstr(name, body->call->arena), list_known(body),
                    "there is no such field");
    }
}

bool body_has(struct body *body, const char *name)
{
    return get(body, name) != NULL;
}

const struct fan_json *body_value(struct body *body, const char *name)
{
    const struct fan_json *value = get(body, name);

    return fan_json_type(value) == FAN_JSON_NULL ? NULL : value;
}

struct fan_bytes body_text(struct body *body, const char *name, size_t most)
{
    const struct fan_json *value = body_value(body, name);
    struct fan_bytes text = fan_json_text(value);

    if (!value)
        return FAN_NO_BYTES;
    if (!text.at)
        body_fault(body, name, "a text", "not a text");
    else if (text.len == 0 || text.len > most)
        body_fault(body, name, fan_arena_printf(body->call->arena, "1 to %zu bytes", most),
                text.len ? "too long" : "empty");
    else
        return text;
    return FAN_NO_BYTES;
}

struct fan_bytes body_needs_text(struct body *body, const char *name, size_t most)
{
    if (!body_value(body, name))
        body_fault(body, name, "a text", "missing");
    return body_text(body, name, most);
}

int body_word(struct body *body, const char *name, const char *const *words)
{
    const struct fan_json *value = body_value(body, name);
    struct fan_bytes text = fan_json_text(value);
    const char *list = "";

    if (!value)
        return -1;
    for (int i = 0; words[i]; i++) {
        if (fan_bytes_eq_text(text, words[i]))
            return i;
        list = fan_arena_printf(body->call->arena, "%s%s%s", list, i ? ", " : "one of ", words[i]);
    }
    body_fault(body, name, list, "not one of the words for it");
    return -1;
}

int64_t body_i64(struct body *body, const char *name, int64_t least, int64_t most,
        int64_t otherwise)
{
    const struct fan_json *value = body_value(body, name);
    int64_t number = fan_json_i64(value, otherwise);

    if (!value)
        return otherwise;
    if (fan_json_type(value) == FAN_JSON_INTEGER && number >= least && number <= most)
        return number;
    body_fault(body, name,
            fan_arena_printf(body->call->arena, "a whole number from %lld to %lld",
                    (long long)least, (long long)most),
            "not a whole number within bounds");
    return otherwise;
}

double body_real(struct body *body, const char *name, double least, double most, double otherwise)
{
    const struct fan_json *value = body_value(body, name);
    enum fan_json_type type = fan_json_type(value);
    double number = fan_json_real(value, otherwise);

    if (type == FAN_JSON_INTEGER)
        number = (double)fan_json_i64(value, 0);
    if (!value)
        return otherwise;
    if ((type == FAN_JSON_INTEGER || type == FAN_JSON_REAL) && number >= least && number <= most)
        return number;
    body_fault(body, name,
            fan_arena_printf(body->call->arena, "a number from %g to %g", least, most),
            "not a number within bounds");
    return otherwise;
}

bool body_bool(struct body *body, const char *name, bool otherwise)
{
    const struct fan_json *value = body_value(body, name);

    if (value && fan_json_type(value) != FAN_JSON_BOOL)
        body_fault(body, name, "true or false", "not a truth value");
    return fan_json_bool(value, otherwise);
}

fan_time body_time(struct body *body, const char *name, fan_time otherwise)
{
    const struct fan_json *value = get(body, name);
    fan_time at;

    if (!value)
        return otherwise;
    if (fan_json_type(value) == FAN_JSON_NULL)
        return 0;
    if (fan_time_parse(fan_json_text(value), &at))
        return at;
    body_fault(body, name, "RFC 3339, such as 2026-11-08T06:30:00Z", "not an instant");
    return otherwise;
}

bool body_texts(struct body *body, const char *name, size_t most, struct fan_texts *out)
{
    const struct fan_json *value = body_value(body, name);
    size_t count = fan_json_size(value);
    struct fan_bytes *texts;

    if (!value)
        return false;
    if (fan_json_type(value) != FAN_JSON_ARRAY || count > most) {
        body_fault(body, name, fan_arena_printf(body->call->arena, "up to %zu texts", most),
                "not a list within bounds");
        return false;
    }
    texts = fan_arena_array(body->call->arena, count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        texts[i] = fan_bytes_trim(fan_json_text(fan_json_at(value, i)));
        if (texts[i].len > 0 && texts[i].len <= ITEM_MAX)
            continue;
        body_fault(body, fan_arena_printf(body->call->arena, "%s[%zu]", name, i),
                "a text of 1 to 200 bytes", "not such a text");
        return false;
    }
    *out = (struct fan_texts){ .at = texts, .len = count };
    return true;
}

bool body_ids(struct body *body, const char *name, size_t most, struct fan_ids *out)
{
    const struct fan_json *value = body_value(body, name);
    size_t count = fan_json_size(value);
    int64_t *ids;

    if (!value)
        return false;
    if (fan_json_type(value) != FAN_JSON_ARRAY || count > most) {
        body_fault(body, name, fan_arena_printf(body->call->arena, "up to %zu ids", most),
                "not a list within bounds");
        return false;
    }
    ids = fan_arena_array(body->call->arena, count, sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        ids[i] = fan_json_i64(fan_json_at(value, i), 0);
        if (ids[i] > 0 && ids[i] <= FAN_ID_MAX)
            continue;
        body_fault(body, fan_arena_printf(body->call->arena, "%s[%zu]", name, i), "an id",
                "not an id");
        return false;
    }
    *out = (struct fan_ids){ .at = ids, .len = count };
    return true;
}

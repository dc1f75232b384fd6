/*
 * fuzz_json — any bytes as JSON: jansson, the strictest reader there is, agrees on whether it is
 * some and what it holds; what is read can be written, and reads back as the same; and any bytes
 * can be quoted.
 */
#include "proto/err.h"
#include "proto/json.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

enum { ROOM = 1 << 24 };

static const struct fan_json *parse(struct fan_bytes text, struct fan_arena *arena)
{
    const struct fan_json *value;
    struct fan_why why;

    return fan_json_parse(text, arena, &value, &why) == FAN_OK ? value : NULL;
}

/* ---- the second opinion ---- */

/* What jansson takes and we do not: it recurses into 2048 brackets, and overlooks a NUL behind a
 * number. */
static bool is_beyond_us(struct fan_bytes text)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\0')
            return true;
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else if (c == '[' || c == '{')
            depth++;
        else if (c == ']' || c == '}')
            depth--;
        if (depth > 32)
            return true;
    }
    return false;
}

/* RapidJSON refuses nought with an exponent beyond a double's: 0e1000. */
static bool has_long_exponent(struct fan_bytes text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        size_t digit = i + 1, end;

        if (text.at[i] != 'e' && text.at[i] != 'E')
            continue;
        digit += text.at[digit] == '+';
        for (end = digit; end < text.len && text.at[end] >= '0' && text.at[end] <= '9'; end++)
            ;
        if (end - digit > 3 || (end - digit == 3 && text.at[digit] >= '3'))
            return true;
    }
    return false;
}

static void agree(const struct fan_json *ours, json_t *theirs);

static void agree_on_members(const struct fan_json *ours, json_t *theirs)
{
    void *at = json_object_iter(theirs);
    const struct fan_json *value;
    struct fan_bytes key;
    size_t cursor = 0;

    FAN_ASSERT(fan_json_size(ours) == json_object_size(theirs));
    while (fan_json_next(ours, &cursor, &key, &value)) {
        struct fan_bytes other = { json_object_iter_key(at), json_object_iter_key_len(at) };

        FAN_ASSERT(fan_bytes_eq(key, other) && fan_json_get(ours, key.at) == value);
        agree(value, json_object_iter_value(at));
        at = json_object_iter_next(theirs, at);
    }
    FAN_ASSERT(!at);
}

static void agree_on_items(const struct fan_json *ours, json_t *theirs)
{
    FAN_ASSERT(fan_json_size(ours) == json_array_size(theirs));
    for (size_t i = 0; i < fan_json_size(ours); i++)
        agree(fan_json_at(ours, i), json_array_get(theirs, i));
}

static void agree(const struct fan_json *ours, json_t *theirs)
{
    static const enum fan_json_type types[] = {
        [JSON_OBJECT] = FAN_JSON_OBJECT,
        [JSON_ARRAY] = FAN_JSON_ARRAY,
        [JSON_STRING] = FAN_JSON_STRING,
        [JSON_INTEGER] = FAN_JSON_INTEGER,
        [JSON_REAL] = FAN_JSON_REAL,
        [JSON_TRUE] = FAN_JSON_BOOL,
        [JSON_FALSE] = FAN_JSON_BOOL,
        [JSON_NULL] = FAN_JSON_NULL,
    };
    struct fan_bytes text = { json_string_value(theirs), json_string_length(theirs) };

    FAN_ASSERT(fan_json_type(ours) == types[json_typeof(theirs)]);
    FAN_ASSERT(fan_bytes_eq(fan_json_text(ours), text));
    FAN_ASSERT(fan_json_i64(ours, 0) == json_integer_value(theirs));
    FAN_ASSERT(fan_json_real(ours, 0) == json_number_value(theirs));
    FAN_ASSERT(fan_json_bool(ours, false) == json_is_true(theirs));
    if (json_is_object(theirs))
        agree_on_members(ours, theirs);
    if (json_is_array(theirs))
        agree_on_items(ours, theirs);
}

static void ask_jansson(const struct fan_json *ours, struct fan_bytes text)
{
    json_t *theirs = json_loadb(text.at ? text.at : "", text.len,
            JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

    if (is_beyond_us(text)) {
        FAN_ASSERT(!ours);
    } else if (ours || !has_long_exponent(text)) {
        FAN_ASSERT(!ours == !theirs);
        if (ours)
            agree(ours, theirs);
    }
    json_decref(theirs);
}

/* ---- the round trip ---- */

static void dump_twice(const struct fan_json *value, struct fan_arena *arena)
{
    struct fan_buffer once, twice;
    const struct fan_json *back;

    fan_buffer_init(&once, ROOM);
    fan_buffer_init(&twice, ROOM);
    fan_json_dump(value, &once);
    back = parse(fan_buffer_bytes(&once), arena);
    FAN_ASSERT(back && fan_json_type(back) == fan_json_type(value));
    fan_json_dump(back, &twice);
    FAN_ASSERT(fan_bytes_eq(fan_buffer_bytes(&once), fan_buffer_bytes(&twice)));
    fan_buffer_fini(&once);
    fan_buffer_fini(&twice);
}

/* A quoted text holds no raw control character, and reads back as itself when it was UTF-8. */
static void quote(struct fan_bytes text, struct fan_arena *arena)
{
    struct fan_buffer out;
    struct fan_bytes quoted;

    fan_buffer_init(&out, ROOM);
    fan_json_quote(&out, text);
    quoted = fan_buffer_bytes(&out);
    FAN_ASSERT(!out.overflowed && fan_bytes_utf8(quoted));
    for (size_t i = 0; i < quoted.len; i++)
        FAN_ASSERT((unsigned char)quoted.at[i] >= 0x20);
    if (text.len && !memchr(text.at, '\0', text.len) && fan_bytes_utf8(text))
        FAN_ASSERT(fan_bytes_eq(fan_json_text(parse(quoted, arena)), text));
    fan_buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes text = { (const char *)at, len };
    const struct fan_json *value = parse(text, arena);

    ask_jansson(value, text);
    if (value)
        dump_twice(value, arena);
    quote(text, arena);
    fan_arena_free(&arena);
    return 0;
}

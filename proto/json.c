/*
 * A struct fan_json is jansson's json_t under another name: nothing is copied or wrapped, and no
 * header of ours shows jansson. Writing needs no tree and goes straight into the buffer.
 */
#include "proto/json.h"

#include "proto/time.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 32 };

_Static_assert(sizeof(size_t) >= sizeof(void *), "fan_json_next keeps a pointer in its cursor");

static const json_t *tree(const struct fan_json *value)
{
    return (const json_t *)value;
}

/* jansson's iterators do not write, but do not say so. */
static json_t *loose(const struct fan_json *value)
{
    return (json_t *)(uintptr_t)value;
}

static const struct fan_json *ours(const json_t *json)
{
    return (const struct fan_json *)json;
}

/*
 * What is wrong with @text before jansson looks at it, or NULL: jansson recurses into 2048
 * brackets, and overlooks a NUL behind a number.
 */
static const char *objection(struct fan_bytes text)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\0')
            return "holds a NUL";
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else if (c == '[' || c == '{')
            depth++;
        else if (c == ']' || c == '}')
            depth--;
        if (depth > DEPTH_MAX)
            return "is nested too deeply";
    }
    return NULL;
}

/* jansson quotes the input behind " near "; it may be a secret, so it is cut off. */
static enum fan_err refuse(const json_error_t *error, struct fan_why *why)
{
    const char *near = strstr(error->text, " near ");
    int len = near ? (int)(near - error->text) : (int)strlen(error->text);

    if (json_error_code(error) == json_error_out_of_memory)
        fan_die("out of memory: a JSON value");
    return fan_fail(why, FAN_INVALID, "not JSON: %.*s (line %d, column %d)", len, error->text,
            error->line, error->column);
}

static void release(void *json)
{
    json_decref(json);
}

enum fan_err fan_json_parse(struct fan_bytes text, struct fan_arena *arena,
        const struct fan_json **out, struct fan_why *why)
{
    const char *wrong = objection(text);
    json_error_t error;
    json_t *json;

    *out = NULL;
    if (wrong)
        return fan_fail(why, FAN_INVALID, "the JSON %s", wrong);
    json = json_loadb(text.at ? text.at : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
            &error);
    if (!json)
        return refuse(&error, why);
    fan_arena_defer(arena, release, json);
    *out = ours(json);
    return FAN_OK;
}

enum fan_json_type fan_json_type(const struct fan_json *value)
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

    return value ? types[json_typeof(tree(value))] : FAN_JSON_ABSENT;
}

const struct fan_json *fan_json_get(const struct fan_json *object, const char *key)
{
    return ours(json_object_get(tree(object), key));
}

size_t fan_json_size(const struct fan_json *value)
{
    return json_array_size(tree(value)) + json_object_size(tree(value)); /* at most one is not 0 */
}

const struct fan_json *fan_json_at(const struct fan_json *array, size_t index)
{
    return ours(json_array_get(tree(array), index));
}

struct fan_bytes fan_json_text(const struct fan_json *value)
{
    return (struct fan_bytes){ json_string_value(tree(value)), json_string_length(tree(value)) };
}

int64_t fan_json_i64(const struct fan_json *value, int64_t otherwise)
{
    return json_is_integer(tree(value)) ? json_integer_value(tree(value)) : otherwise;
}

double fan_json_real(const struct fan_json *value, double otherwise)
{
    return json_is_number(tree(value)) ? json_number_value(tree(value)) : otherwise;
}

bool fan_json_bool(const struct fan_json *value, bool otherwise)
{
    return json_is_boolean(tree(value)) ? json_is_true(tree(value)) : otherwise;
}

struct fan_bytes fan_json_get_text(const struct fan_json *object, const char *key)
{
    return fan_json_text(fan_json_get(object, key));
}

bool fan_json_next(const struct fan_json *object, size_t *cursor, struct fan_bytes *key,
        const struct fan_json **value)
{
    json_t *json = loose(object);
    void *at = *cursor ? json_object_iter_next(json, (void *)*cursor) : json_object_iter(json);

    if (!at)
        return false; /* the cursor stays on the last member: asking again says false again */
    *cursor = (size_t)at;
    *key = (struct fan_bytes){ json_object_iter_key(at), json_object_iter_key_len(at) };
    *value = ours(json_object_iter_value(at));
    return true;
}

static void dump(struct fan_json_writer *writer, const char *name, const struct fan_json *value);

static void dump_object(struct fan_json_writer *writer, const char *name,
        const struct fan_json *object)
{
    const struct fan_json *value;
    struct fan_bytes key;
    size_t cursor = 0;

    fan_json_object_open(writer, name);
    while (fan_json_next(object, &cursor, &key, &value))
        dump(writer, key.at, value); /* jansson ends its keys with a NUL */
    fan_json_object_close(writer);
}

static void dump_array(struct fan_json_writer *writer, const char *name,
        const struct fan_json *array)
{
    fan_json_array_open(writer, name);
    for (size_t i = 0; i < fan_json_size(array); i++)
        dump(writer, NULL, fan_json_at(array, i));
    fan_json_array_close(writer);
}

static void dump(struct fan_json_writer *writer, const char *name, const struct fan_json *value)
{
    switch (fan_json_type(value)) {
    case FAN_JSON_ABSENT:
    case FAN_JSON_NULL:
        fan_json_add_null(writer, name);
        break;
    case FAN_JSON_BOOL:
        fan_json_add_bool(writer, name, fan_json_bool(value, false));
        break;
    case FAN_JSON_INTEGER:
        fan_json_add_i64(writer, name, fan_json_i64(value, 0));
        break;
    case FAN_JSON_REAL:
        fan_json_add_real(writer, name, fan_json_real(value, 0));
        break;
    case FAN_JSON_STRING:
        fan_json_add_text(writer, name, fan_json_text(value));
        break;
    case FAN_JSON_ARRAY:
        dump_array(writer, name, value);
        break;
    case FAN_JSON_OBJECT:
        dump_object(writer, name, value);
        break;
    }
}

/* Not jansson's own: that writes 0.1 as 0.10000000000000001. */
void fan_json_dump(const struct fan_json *value, struct fan_buffer *out)
{
    struct fan_json_writer writer;

    fan_json_begin(&writer, out);
    dump(&writer, NULL, value);
}

void fan_json_begin(struct fan_json_writer *writer, struct fan_buffer *out)
{
    *writer = (struct fan_json_writer){ .out = out };
}

/* What stands before every value: a comma, and a name inside an object. */
static void lead(struct fan_json_writer *writer, const char *name)
{
    if (writer->comma)
        fan_buffer_add_char(writer->out, ',');
    if (name) {
        fan_json_quote(writer->out, fan_bytes_of(name));
        fan_buffer_add_char(writer->out, ':');
    }
    writer->comma = true;
}

static void open_bracket(struct fan_json_writer *writer, const char *name, char bracket)
{
    lead(writer, name);
    fan_buffer_add_char(writer->out, bracket);
    writer->comma = false;
}

static void close_bracket(struct fan_json_writer *writer, char bracket)
{
    fan_buffer_add_char(writer->out, bracket);
    writer->comma = true;
}

void fan_json_object_open(struct fan_json_writer *writer, const char *name)
{
    open_bracket(writer, name, '{');
}

void fan_json_object_close(struct fan_json_writer *writer)
{
    close_bracket(writer, '}');
}

void fan_json_array_open(struct fan_json_writer *writer, const char *name)
{
    open_bracket(writer, name, '[');
}

void fan_json_array_close(struct fan_json_writer *writer)
{
    close_bracket(writer, ']');
}

void fan_json_add_raw(struct fan_json_writer *writer, const char *name, struct fan_bytes json)
{
    lead(writer, name);
    fan_buffer_add_bytes(writer->out, json.at ? json : FAN_LIT("null"));
}

void fan_json_add_text(struct fan_json_writer *writer, const char *name, struct fan_bytes text)
{
    lead(writer, name);
    if (text.at)
        fan_json_quote(writer->out, text);
    else
        fan_buffer_add_text(writer->out, "null");
}

void fan_json_add_i64(struct fan_json_writer *writer, const char *name, int64_t value)
{
    lead(writer, name);
    fan_buffer_printf(writer->out, "%lld", (long long)value);
}

/* The shortest text that reads back as the same number; it keeps a point or an exponent, so that it
 * stays a real. */
void fan_json_add_real(struct fan_json_writer *writer, const char *name, double value)
{
    char text[40];

    if (!isfinite(value)) {
        fan_json_add_null(writer, name);
        return;
    }
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    lead(writer, name);
    fan_buffer_add_text(writer->out, text);
    if (!strpbrk(text, ".e"))
        fan_buffer_add_text(writer->out, ".0");
}

void fan_json_add_bool(struct fan_json_writer *writer, const char *name, bool value)
{
    lead(writer, name);
    fan_buffer_add_text(writer->out, value ? "true" : "false");
}

void fan_json_add_null(struct fan_json_writer *writer, const char *name)
{
    fan_json_add_raw(writer, name, FAN_NO_BYTES);
}

void fan_json_add_time(struct fan_json_writer *writer, const char *name, int64_t at)
{
    char text[FAN_TIME_TEXT];

    fan_json_add_text(writer, name, at ? fan_bytes_of(fan_time_text(at, text)) : FAN_NO_BYTES);
}

static void quote_control(struct fan_buffer *out, unsigned char c)
{
    static const char *const shorts[0x20] = {
        ['\b'] = "\\b",
        ['\t'] = "\\t",
        ['\n'] = "\\n",
        ['\f'] = "\\f",
        ['\r'] = "\\r",
    };

    if (shorts[c])
        fan_buffer_add_text(out, shorts[c]);
    else
        fan_buffer_printf(out, "\\u%04x", c);
}

/* How many bytes at the front of @text may stand in a JSON string as they are. */
static size_t plain_len(struct fan_bytes text)
{
    size_t i = 0;

    while (i < text.len) {
        unsigned char c = (unsigned char)text.at[i];
        size_t len = 1;

        if (c < 0x20 || c == '"' || c == '\\')
            break;
        if (c >= 0x80)
            len = fan_bytes_utf8_first((struct fan_bytes){ text.at + i, text.len - i });
        if (!len)
            break;
        i += len;
    }
    return i;
}

void fan_json_quote(struct fan_buffer *out, struct fan_bytes text)
{
    fan_buffer_add_char(out, '"');
    for (;;) {
        size_t plain = plain_len(text);
        unsigned char c;

        fan_buffer_add(out, text.at, plain);
        if (plain == text.len)
            break;
        c = (unsigned char)text.at[plain];
        if (c == '"' || c == '\\')
            fan_buffer_add(out, (char[]){ '\\', (char)c }, 2);
        else if (c < 0x20)
            quote_control(out, c);
        else
            fan_buffer_add_text(out, "\xef\xbf\xbd"); /* U+FFFD */
        text = (struct fan_bytes){ text.at + plain + 1, text.len - plain - 1 };
    }
    fan_buffer_add_char(out, '"');
}

/*
 * RapidJSON reads, and json_tree keeps what it tells. Writing needs no tree and goes straight into
 * the buffer.
 */
#include "proto/json.h"

#include "proto/json_tree.h"
#include "proto/time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static enum fan_err refuse(struct fan_bytes text, const char *wrong, size_t offset,
        struct fan_why *why)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < offset && i < text.len; i++, column++) {
        if (text.at[i] == '\n') {
            line++;
            column = 0;
        }
    }
    return fan_fail(why, FAN_INVALID, "not JSON (line %zu, column %zu): %s", line, column, wrong);
}

enum fan_err fan_json_parse(struct fan_bytes text, struct fan_arena *arena,
        const struct fan_json **out, struct fan_why *why)
{
    const char *nul = text.len ? memchr(text.at, '\0', text.len) : NULL;
    const char *wrong;
    size_t offset;

    *out = NULL;
    if (nul) /* RapidJSON would take it for the end */
        return refuse(text, "There is a NUL.", (size_t)(nul - text.at), why);
    wrong = fan_json_tree(text.len ? text : FAN_LIT(""), arena, out, &offset);
    return wrong ? refuse(text, wrong, offset, why) : FAN_OK;
}

/* ---- what it holds ---- */

static bool is(const struct fan_json *value, enum fan_json_type type)
{
    return value && value->type == type;
}

enum fan_json_type fan_json_type(const struct fan_json *value)
{
    return value ? value->type : FAN_JSON_ABSENT;
}

const struct fan_json *fan_json_get(const struct fan_json *object, const char *key)
{
    const struct fan_bytes wanted = fan_bytes_of(key);

    for (size_t i = 0; is(object, FAN_JSON_OBJECT) && i < object->members.len; i++)
        if (fan_bytes_eq(object->members.at[i].key, wanted))
            return &object->members.at[i].value;
    return NULL;
}

size_t fan_json_size(const struct fan_json *value)
{
    return is(value, FAN_JSON_ARRAY)     ? value->items.len
            : is(value, FAN_JSON_OBJECT) ? value->members.len
                                         : 0;
}

const struct fan_json *fan_json_at(const struct fan_json *array, size_t index)
{
    return is(array, FAN_JSON_ARRAY) && index < array->items.len ? &array->items.at[index] : NULL;
}

struct fan_bytes fan_json_text(const struct fan_json *value)
{
    return is(value, FAN_JSON_STRING) ? value->text : FAN_NO_BYTES;
}

int64_t fan_json_i64(const struct fan_json *value, int64_t otherwise)
{
    return is(value, FAN_JSON_INTEGER) ? value->integer : otherwise;
}

double fan_json_real(const struct fan_json *value, double otherwise)
{
    return is(value, FAN_JSON_REAL)       ? value->real
            : is(value, FAN_JSON_INTEGER) ? (double)value->integer
                                          : otherwise;
}

bool fan_json_bool(const struct fan_json *value, bool otherwise)
{
    return is(value, FAN_JSON_BOOL) ? value->truth : otherwise;
}

struct fan_bytes fan_json_get_text(const struct fan_json *object, const char *key)
{
    return fan_json_text(fan_json_get(object, key));
}

bool fan_json_next(const struct fan_json *object, size_t *cursor, struct fan_bytes *key,
        const struct fan_json **value)
{
    const struct fan_json_member *member;

    if (!is(object, FAN_JSON_OBJECT) || *cursor == object->members.len)
        return false;
    member = &object->members.at[(*cursor)++];
    *key = member->key;
    *value = &member->value;
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
        dump(writer, key.at, value); /* keys end with a NUL */
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

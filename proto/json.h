/*
 * json — JSON text read by RapidJSON, with values that live in an arena, and written.
 *
 * Refuses duplicate keys, bad UTF-8, NUL in strings, trailing data and nesting deeper than 32.
 * A value is borrowed: it lives as long as the arena it was parsed or built in.
 */
#ifndef FAN_PROTO_JSON_H
#define FAN_PROTO_JSON_H

#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/err.h"

struct fan_json; /* a value; NULL stands for "absent" in every reader below */

enum fan_json_type {
    FAN_JSON_ABSENT,
    FAN_JSON_NULL,
    FAN_JSON_BOOL,
    FAN_JSON_INTEGER,
    FAN_JSON_REAL,
    FAN_JSON_STRING,
    FAN_JSON_ARRAY,
    FAN_JSON_OBJECT,
};

/**
 * Parse one value.
 *
 * fails  FAN_INVALID  not JSON, or beyond the limits above; the text says where
 */
enum fan_err fan_json_parse(struct fan_bytes text, struct fan_arena *arena,
        const struct fan_json **out, struct fan_why *why) FAN_MUST_CHECK;

enum fan_json_type fan_json_type(const struct fan_json *value);

/** An object's member, or NULL. */
const struct fan_json *fan_json_get(const struct fan_json *object, const char *key);
/** An array's length or an object's number of members; 0 for anything else. */
size_t fan_json_size(const struct fan_json *value);
/** An array's item, or NULL. */
const struct fan_json *fan_json_at(const struct fan_json *array, size_t index);

/** The value as text (absent bytes when it is no string), integer, number or truth (@otherwise). */
struct fan_bytes fan_json_text(const struct fan_json *value);
int64_t fan_json_i64(const struct fan_json *value, int64_t otherwise);
double fan_json_real(const struct fan_json *value, double otherwise);
bool fan_json_bool(const struct fan_json *value, bool otherwise);

/** Shorthand: the text of an object's member; absent bytes when it is not there or no string. */
struct fan_bytes fan_json_get_text(const struct fan_json *object, const char *key);

/** Walk an object's members in their order: start with @cursor 0; false at the end. */
bool fan_json_next(const struct fan_json *object, size_t *cursor, struct fan_bytes *key,
        const struct fan_json **value);

/** Write @value compactly at the end of @out, members in their order. */
void fan_json_dump(const struct fan_json *value, struct fan_buffer *out);

/*
 * Writing, straight into a buffer. Values inside an object are named; name NULL inside an array.
 * Commas are set by the writer. Strings must be UTF-8 (bad bytes become U+FFFD).
 */
struct fan_json_writer {
    struct fan_buffer *out;
    bool comma; /* a value stands before the next one */
};

void fan_json_begin(struct fan_json_writer *writer, struct fan_buffer *out);
void fan_json_object_open(struct fan_json_writer *writer, const char *name);
void fan_json_object_close(struct fan_json_writer *writer);
void fan_json_array_open(struct fan_json_writer *writer, const char *name);
void fan_json_array_close(struct fan_json_writer *writer);
/** Absent text is written as null. */
void fan_json_add_text(struct fan_json_writer *writer, const char *name, struct fan_bytes text);
void fan_json_add_i64(struct fan_json_writer *writer, const char *name, int64_t value);
/** NaN and the infinities are written as null. */
void fan_json_add_real(struct fan_json_writer *writer, const char *name, double value);
void fan_json_add_bool(struct fan_json_writer *writer, const char *name, bool value);
void fan_json_add_null(struct fan_json_writer *writer, const char *name);
/** @at is a fan_time; 0 is written as null. */
void fan_json_add_time(struct fan_json_writer *writer, const char *name, int64_t at);
/** Add text that already is JSON (a jsonb column); absent: null. */
void fan_json_add_raw(struct fan_json_writer *writer, const char *name, struct fan_bytes json);

/** Add @text as a JSON string with its quotes. */
void fan_json_quote(struct fan_buffer *out, struct fan_bytes text);

#endif

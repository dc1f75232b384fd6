/*
 * codec — msgpack bodies, written from and read into the structs of proto/message.h by their
 * schemas.
 *
 * The reader is a cursor: it checks type, length and depth before it believes them, allocates only
 * lists whose items can really be there, skips keys it does not know, and refuses a repeated known
 * key, a missing REQUIRED field, a value over its cap, text that is not UTF-8, nesting deeper than
 * 8 and bytes behind the end. Integers may come in any of msgpack's forms.
 */
#ifndef FAN_PROTO_CODEC_H
#define FAN_PROTO_CODEC_H

#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/err.h"

enum fan_field_type {
    FAN_TYPE_id,
    FAN_TYPE_u32,
    FAN_TYPE_u64,
    FAN_TYPE_i64,
    FAN_TYPE_bool,
    FAN_TYPE_time,
    FAN_TYPE_text,
    FAN_TYPE_ids,
    FAN_TYPE_list,
    FAN_TYPE_bin,
};

enum fan_need { FAN_OPTIONAL, FAN_REQUIRED };
enum fan_way { FAN_PIPE = 1, FAN_NEWS, FAN_RECORD };

struct fan_field {
    uint8_t key;
    uint8_t type; /* enum fan_field_type */
    uint8_t need;
    uint16_t offset;
    uint32_t cap; /* text, bin: bytes; ids, list: items; 0: the type's own limit */
    const char *name;
    const char *doc;
    const struct fan_schema *record; /* of a list's items */
};

struct fan_schema {
    const char *name;
    const char *doc;
    uint32_t number; /* 0 for a record */
    enum fan_way way;
    size_t size;                             /* of the struct */
    const struct fan_field *(*fields)(void); /* fields()[count] */
    size_t count;
};

/* Any list: each struct fan_<record>_list is laid out like this. */
struct fan_list {
    const void *at;
    size_t len;
};

enum {
    FAN_DEPTH_MAX = 8,    /* of nested maps and arrays, the body's own map counted */
    FAN_ITEMS_MAX = 4096, /* of ids and lists without a cap of their own */
};

#define FAN_ID_MAX ((INT64_C(1) << 53) - 1) /* every JSON reader holds it exactly */

/** The most bytes or items that a text, bin, ids or list field may have. */
size_t fan_field_limit(const struct fan_field *field);

/**
 * Write @message (a struct of that schema) at the end of @out.
 *
 * Fields that are zero, empty or absent are left out, REQUIRED ones never. What fan_decode would
 * refuse (over a cap, no UTF-8, no id) marks @out as overflowed, as if there were no room for it.
 */
void fan_encode(const struct fan_schema *schema, const void *message, struct fan_buffer *out);

/**
 * Read a body into @message, which is zeroed first.
 *
 * wire   the bytes; text fields point into them
 * arena  where lists and ids go
 * fails  FAN_INVALID  the text names the field and what is wrong with it
 */
enum fan_err fan_decode(const struct fan_schema *schema, struct fan_bytes wire,
        struct fan_arena *arena, void *message, struct fan_why *why) FAN_MUST_CHECK;

/**
 * Read one body from the front of @wire, whatever stands behind it.
 *
 * rest  what stands behind it
 */
enum fan_err fan_decode_first(const struct fan_schema *schema, struct fan_bytes wire,
        struct fan_bytes *rest, struct fan_arena *arena, void *message,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

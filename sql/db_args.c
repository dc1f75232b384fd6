/*
 * db_args — values on their way to PostgreSQL, in the binary form of its types' receive functions.
 *
 * Values are copied: a batch may be sent again long after the caller has gone on.
 */
#include "sql/db_private.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

enum { ARRAY_HEAD = 20, NULL_LENGTH = -1 };

/* Where an array is being written. */
struct writer {
    char *at;
};

void fan_args_begin(struct fan_args *args, struct fan_arena *arena)
{
    args->arena = arena;
    args->count = 0;
}

void fan_args_for(struct fan_args *args, struct fan_arena *arena, fan_id account)
{
    fan_args_begin(args, arena);
    fan_arg_i64(args, account);
}

static void put(struct fan_args *args, uint32_t type, const void *value, size_t len)
{
    FAN_ASSERT(args->count < FAN_ARGS_MAX && len <= INT_MAX);
    args->types[args->count] = type;
    args->values[args->count] = value;
    args->lengths[args->count] = (int)len;
    args->count++;
}

static void put_copy(struct fan_args *args, uint32_t type, const void *value, size_t len)
{
    char *copy = fan_arena_alloc(args->arena, len + 1); /* never NULL, which would mean null */

    if (len)
        memcpy(copy, value, len);
    put(args, type, copy, len);
}

void fan_arg_null(struct fan_args *args)
{
    put(args, 0, NULL, 0);
}

void fan_arg_i64(struct fan_args *args, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    put_copy(args, OID_INT8, &wire, sizeof wire);
}

void fan_arg_i64_or_null(struct fan_args *args, int64_t value)
{
    if (value)
        fan_arg_i64(args, value);
    else
        put(args, OID_INT8, NULL, 0);
}

void fan_arg_i32(struct fan_args *args, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);

    put_copy(args, OID_INT4, &wire, sizeof wire);
}

void fan_arg_i16(struct fan_args *args, int32_t value)
{
    uint16_t wire = htobe16((uint16_t)value);

    FAN_ASSERT(value >= INT16_MIN && value <= INT16_MAX);
    put_copy(args, OID_INT2, &wire, sizeof wire);
}

void fan_arg_bool(struct fan_args *args, bool value)
{
    char wire = value;

    put_copy(args, OID_BOOL, &wire, sizeof wire);
}

void fan_arg_real(struct fan_args *args, double value)
{
    uint64_t wire;

    memcpy(&wire, &value, sizeof wire);
    wire = htobe64(wire);
    put_copy(args, OID_FLOAT8, &wire, sizeof wire);
}

void fan_arg_time(struct fan_args *args, fan_time at)
{
    int64_t since_2000;
    uint64_t wire;

    if (at == 0) {
        put(args, OID_TIMESTAMPTZ, NULL, 0);
        return;
    }
    if (at == INT64_MAX || __builtin_sub_overflow(at, FAN_PG_EPOCH, &since_2000))
        since_2000 = at < 0 ? INT64_MIN : INT64_MAX; /* infinity */
    wire = htobe64((uint64_t)since_2000);
    put_copy(args, OID_TIMESTAMPTZ, &wire, sizeof wire);
}

static void put_bytes(struct fan_args *args, uint32_t type, struct fan_bytes bytes)
{
    if (bytes.at)
        put_copy(args, type, bytes.at, bytes.len);
    else
        put(args, type, NULL, 0);
}

void fan_arg_text(struct fan_args *args, struct fan_bytes text)
{
    put_bytes(args, OID_TEXT, text);
}

void fan_arg_bytea(struct fan_args *args, struct fan_bytes bytes)
{
    put_bytes(args, OID_BYTEA, bytes);
}

static void write_i32(struct writer *out, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);

    memcpy(out->at, &wire, sizeof wire);
    out->at += sizeof wire;
}

/* An item: its length, then the low @size bytes of @value. */
static void write_item(struct writer *out, int64_t value, int32_t size)
{
    uint64_t wire = htobe64((uint64_t)value);

    write_i32(out, size);
    memcpy(out->at, (char *)&wire + sizeof wire - (size_t)size, (size_t)size);
    out->at += size;
}

/* Begin an array of @count items that take @bytes; PostgreSQL writes an empty one as having no
 * dimension. */
static struct writer begin_array(struct fan_args *args, uint32_t array, uint32_t item, size_t count,
        size_t bytes)
{
    size_t size = count ? ARRAY_HEAD + bytes : 12;
    struct writer out = { fan_arena_alloc(args->arena, size) };

    put(args, array, out.at, size);
    write_i32(&out, count ? 1 : 0); /* dimensions */
    write_i32(&out, 1);             /* there may be nulls */
    write_i32(&out, (int32_t)item);
    if (count) {
        write_i32(&out, (int32_t)count);
        write_i32(&out, 1); /* the first index */
    }
    return out;
}

void fan_arg_i64s(struct fan_args *args, const int64_t *at, size_t count)
{
    struct writer out = begin_array(args, OID_INT8_ARRAY, OID_INT8, count, count * 12);

    for (size_t i = 0; i < count; i++)
        write_item(&out, at[i], 8);
}

void fan_arg_i32s(struct fan_args *args, const int32_t *at, size_t count)
{
    struct writer out = begin_array(args, OID_INT4_ARRAY, OID_INT4, count, count * 8);

    for (size_t i = 0; i < count; i++)
        write_item(&out, at[i], 4);
}

void fan_arg_i16s(struct fan_args *args, const int16_t *at, size_t count)
{
    struct writer out = begin_array(args, OID_INT2_ARRAY, OID_INT2, count, count * 6);

    for (size_t i = 0; i < count; i++)
        write_item(&out, at[i], 2);
}

static void put_strings(struct fan_args *args, uint32_t array, uint32_t item,
        const struct fan_bytes *at, size_t count)
{
    struct writer out;
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += sizeof(int32_t) + (at[i].at ? at[i].len : 0);
    out = begin_array(args, array, item, count, bytes);
    for (size_t i = 0; i < count; i++) {
        write_i32(&out, at[i].at ? (int32_t)at[i].len : NULL_LENGTH);
        if (!at[i].at || at[i].len == 0)
            continue;
        memcpy(out.at, at[i].at, at[i].len);
        out.at += at[i].len;
    }
}

void fan_arg_texts(struct fan_args *args, const struct fan_bytes *at, size_t count)
{
    put_strings(args, OID_TEXT_ARRAY, OID_TEXT, at, count);
}

void fan_arg_byteas(struct fan_args *args, const struct fan_bytes *at, size_t count)
{
    put_strings(args, OID_BYTEA_ARRAY, OID_BYTEA, at, count);
}

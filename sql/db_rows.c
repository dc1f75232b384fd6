/*
 * db_rows — values from PostgreSQL, in the binary form of its types' send functions.
 *
 * A column of another type than the reader's is our mistake, not the world's: it is asserted.
 */
#include "sql/db_private.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* An array that is being read. */
struct reader {
    const char *at;
    uint32_t item; /* OID */
    size_t count;
};

void fan_rows_of(struct fan_rows *rows, PGresult *result)
{
    rows->result = result;
    rows->count = PQntuples(result);
    rows->affected = strtoll(PQcmdTuples(result), NULL, 10);
}

static uint32_t read_u32(const char *at)
{
    uint32_t wire;

    memcpy(&wire, at, sizeof wire);
    return be32toh(wire);
}

static uint64_t read_u64(const char *at)
{
    uint64_t wire;

    memcpy(&wire, at, sizeof wire);
    return be64toh(wire);
}

/* A signed whole number of @len bytes. */
static int64_t read_whole(const char *at, int len)
{
    if (len == 8)
        return (int64_t)read_u64(at);
    if (len == 4)
        return (int32_t)read_u32(at);
    FAN_ASSERT(len == 2);
    return (int16_t)(uint16_t)((uint8_t)at[0] << 8 | (uint8_t)at[1]);
}

static Oid type_of(const struct fan_rows *rows, int column)
{
    return PQftype(rows->result, column);
}

bool fan_row_null(const struct fan_rows *rows, int row, int column)
{
    FAN_ASSERT(row >= 0 && row < rows->count && column >= 0 && column < PQnfields(rows->result));
    return PQgetisnull(rows->result, row, column);
}

int64_t fan_row_i64(const struct fan_rows *rows, int row, int column)
{
    Oid type = type_of(rows, column);

    FAN_ASSERT(type == OID_INT8 || type == OID_INT4 || type == OID_INT2 || type == OID_OID ||
            type == OID_XID8);
    if (fan_row_null(rows, row, column))
        return 0;
    return read_whole(PQgetvalue(rows->result, row, column),
            PQgetlength(rows->result, row, column));
}

bool fan_row_bool(const struct fan_rows *rows, int row, int column)
{
    FAN_ASSERT(type_of(rows, column) == OID_BOOL);
    return !fan_row_null(rows, row, column) && *PQgetvalue(rows->result, row, column);
}

double fan_row_real(const struct fan_rows *rows, int row, int column)
{
    uint64_t wire;
    double value;

    FAN_ASSERT(type_of(rows, column) == OID_FLOAT8);
    if (fan_row_null(rows, row, column))
        return 0;
    wire = read_u64(PQgetvalue(rows->result, row, column));
    memcpy(&value, &wire, sizeof value);
    return value;
}

fan_time fan_row_time(const struct fan_rows *rows, int row, int column)
{
    int64_t since_2000;

    FAN_ASSERT(type_of(rows, column) == OID_TIMESTAMPTZ);
    if (fan_row_null(rows, row, column))
        return 0;
    since_2000 = (int64_t)read_u64(PQgetvalue(rows->result, row, column));
    if (since_2000 == INT64_MIN || since_2000 > INT64_MAX - FAN_PG_EPOCH)
        return since_2000; /* infinity stays infinity */
    return since_2000 + FAN_PG_EPOCH;
}

/* Whether the binary form of @type is something else than its text or its bytes. */
static bool is_number(Oid type)
{
    return type == OID_INT8 || type == OID_INT4 || type == OID_INT2 || type == OID_BOOL ||
            type == OID_FLOAT8 || type == OID_TIMESTAMPTZ;
}

struct fan_bytes fan_row_text(const struct fan_rows *rows, int row, int column)
{
    Oid type = type_of(rows, column);
    struct fan_bytes text;

    FAN_ASSERT(!is_number(type));
    if (fan_row_null(rows, row, column))
        return FAN_NO_BYTES;
    text.at = PQgetvalue(rows->result, row, column);
    text.len = (size_t)PQgetlength(rows->result, row, column);
    if (type != OID_JSONB || text.len == 0)
        return text;
    return (struct fan_bytes){ text.at + 1, text.len - 1 }; /* behind jsonb's version byte */
}

static struct reader begin_array(const struct fan_rows *rows, int row, int column)
{
    const char *at = PQgetvalue(rows->result, row, column);
    struct reader in = { .at = at + 12, .item = read_u32(at + 8) };
    uint32_t dimensions = read_u32(at);

    FAN_ASSERT(dimensions <= 1);
    if (dimensions == 1) {
        in.count = read_u32(at + 12);
        in.at = at + 20; /* behind the length and the first index */
    }
    return in;
}

/* The next item; absent when it is null. */
static struct fan_bytes read_item(struct reader *in)
{
    int32_t len = (int32_t)read_u32(in->at);
    struct fan_bytes item = { in->at + 4, (size_t)len };

    in->at += 4;
    if (len < 0)
        return FAN_NO_BYTES;
    in->at += len;
    return item;
}

struct fan_ids fan_row_i64s(const struct fan_rows *rows, int row, int column,
        struct fan_arena *arena)
{
    struct reader in;
    int64_t *ids;

    if (fan_row_null(rows, row, column))
        return (struct fan_ids){ 0 };
    in = begin_array(rows, row, column);
    FAN_ASSERT(in.item == OID_INT8 || in.item == OID_INT4 || in.item == OID_INT2);
    ids = fan_arena_array(arena, in.count, sizeof *ids);
    for (size_t i = 0; i < in.count; i++) {
        struct fan_bytes item = read_item(&in);
        ids[i] = item.at ? read_whole(item.at, (int)item.len) : 0;
    }
    return (struct fan_ids){ ids, in.count };
}

struct fan_texts fan_row_texts(const struct fan_rows *rows, int row, int column,
        struct fan_arena *arena)
{
    struct reader in;
    struct fan_bytes *texts;

    if (fan_row_null(rows, row, column))
        return (struct fan_texts){ 0 };
    in = begin_array(rows, row, column);
    FAN_ASSERT(!is_number(in.item));
    texts = fan_arena_array(arena, in.count, sizeof *texts);
    for (size_t i = 0; i < in.count; i++)
        texts[i] = read_item(&in);
    return (struct fan_texts){ texts, in.count };
}

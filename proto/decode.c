/* Reading: a cursor that believes nothing before it has looked. */
#include "proto/codec.h"

#include "proto/time.h"

#include <stdarg.h>
#include <stdio.h>

struct cursor {
    const char *at;
    const char *end;
    struct fan_arena *arena;
    struct fan_why *why;
};

/* Where in the tables the cursor stands, for the text of a refusal. */
struct place {
    const struct fan_schema *schema;
    const struct fan_field *field; /* NULL: the map itself, or a key that we do not know */
};

enum token_kind { NOTHING, NIL, BOOL, POSITIVE, NEGATIVE, STR, BIN, FLOAT, EXT, ARRAY, MAP };

struct token {
    enum token_kind kind;
    uint64_t n; /* the truth, the number (two's complement), or how many bytes or items follow */
    const char *at; /* the bytes of STR, BIN, FLOAT and EXT */
};

FAN_PRINTF(3, 4)
static enum fan_err refuse(const struct cursor *cursor, struct place place, const char *format, ...)
{
    const char *field = place.field ? place.field->name : "";
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fan_fail_field(cursor->why, FAN_INVALID, field, "%s%s%s %s", place.schema->name,
            *field ? "." : "", field, text);
}

static size_t left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static uint64_t take_big_endian(struct cursor *cursor, unsigned width)
{
    uint64_t value = 0;

    for (; width > 0; width--)
        value = value << 8 | (unsigned char)*cursor->at++;
    return value;
}

/* What 0xc0 to 0xdf say as first bytes: the kind, and how wide the number behind it is. */
static const struct head {
    unsigned char kind;
    unsigned char width;
} heads[] = {
    /* clang-format off */
    { NIL, 0 }, { NOTHING, 0 }, { BOOL, 0 }, { BOOL, 0 },               /* nil, none, false, true */
    { BIN, 1 }, { BIN, 2 }, { BIN, 4 },                                 /* bin 8, 16, 32 */
    { EXT, 1 }, { EXT, 2 }, { EXT, 4 },                                 /* ext 8, 16, 32 */
    { FLOAT, 4 }, { FLOAT, 8 },                                         /* float 32, 64 */
    { POSITIVE, 1 }, { POSITIVE, 2 }, { POSITIVE, 4 }, { POSITIVE, 8 }, /* uint 8 to 64 */
    { NEGATIVE, 1 }, { NEGATIVE, 2 }, { NEGATIVE, 4 }, { NEGATIVE, 8 }, /* int 8 to 64 */
    { EXT, 0 }, { EXT, 0 }, { EXT, 0 }, { EXT, 0 }, { EXT, 0 },         /* fixext 1 to 16 */
    { STR, 1 }, { STR, 2 }, { STR, 4 },                                 /* str 8, 16, 32 */
    { ARRAY, 2 }, { ARRAY, 4 },                                         /* array 16, 32 */
    { MAP, 2 }, { MAP, 4 },                                             /* map 16, 32 */
    /* clang-format on */
};

_Static_assert(sizeof heads / sizeof *heads == 32, "one row for each of 0xc0 to 0xdf");

/* A number that came in a signed form: spread its sign, and say so when it is not negative. */
static void settle_sign(struct token *token, unsigned width)
{
    uint64_t sign;

    FAN_ASSERT(width > 0 && width <= 8);
    sign = UINT64_C(1) << (width * 8 - 1);
    token->n = (token->n ^ sign) - sign;
    if (!(token->n >> 63))
        token->kind = POSITIVE;
}

/* A first byte that is the kind and the number in one. */
static struct token short_token(unsigned char first)
{
    if (first < 0x80)
        return (struct token){ .kind = POSITIVE, .n = first };
    if (first < 0x90)
        return (struct token){ .kind = MAP, .n = first & 0x0f };
    if (first < 0xa0)
        return (struct token){ .kind = ARRAY, .n = first & 0x0f };
    if (first < 0xc0)
        return (struct token){ .kind = STR, .n = first & 0x1f };
    return (struct token){ .kind = NEGATIVE, .n = first | ~UINT64_C(0xff) };
}

static struct token long_token(struct cursor *cursor, unsigned char first)
{
    struct head head = heads[first - 0xc0];
    struct token token = { .kind = head.kind };

    if (left(cursor) < head.width)
        return (struct token){ 0 };
    if (head.kind == FLOAT)
        token.n = head.width; /* skipped, never read */
    else if (head.kind == EXT)
        token.n = 1 +
                (head.width ? take_big_endian(cursor, head.width) : UINT64_C(1) << (first - 0xd4));
    else if (head.kind == BOOL)
        token.n = first & 1;
    else
        token.n = take_big_endian(cursor, head.width);
    if (head.kind == NEGATIVE)
        settle_sign(&token, head.width);
    return token;
}

/*
 * Read one token; its kind is NOTHING when there is none. Lengths are believed only when the wire
 * holds as much: every item takes at least one byte.
 */
static struct token take_token(struct cursor *cursor)
{
    static const struct token nothing = { 0 };
    unsigned char first;
    struct token token;

    if (!left(cursor))
        return nothing;
    first = (unsigned char)*cursor->at++;
    token = first >= 0xc0 && first < 0xe0 ? long_token(cursor, first) : short_token(first);
    if (token.kind == ARRAY && token.n > left(cursor))
        return nothing;
    if (token.kind == MAP && token.n > left(cursor) / 2)
        return nothing;
    if (token.kind < STR || token.kind > EXT)
        return token;
    if (token.n > left(cursor))
        return nothing;
    token.at = cursor->at;
    cursor->at += token.n;
    return token;
}

/* Read one token that must be of @kind. */
static enum fan_err expect(struct cursor *cursor, struct place place, enum token_kind kind,
        struct token *out)
{
    static const char *const names[] = {
        [BOOL] = "a boolean",
        [POSITIVE] = "an integer",
        [STR] = "text",
        [BIN] = "binary",
        [ARRAY] = "a list",
        [MAP] = "a map",
    };

    *out = take_token(cursor);
    if (kind == POSITIVE && out->kind == NEGATIVE)
        return FAN_OK; /* either is an integer; its range is looked at next */
    if (out->kind == NOTHING)
        return refuse(cursor, place, "ends early, or is no msgpack");
    if (out->kind != kind)
        return refuse(cursor, place, "is not %s", names[kind]);
    return FAN_OK;
}

static enum fan_err skip(struct cursor *cursor, struct place place, unsigned depth)
{
    struct token token = take_token(cursor);
    uint64_t inside = token.kind == MAP ? token.n * 2 : token.kind == ARRAY ? token.n : 0;
    enum fan_err err = FAN_OK;

    if (token.kind == NOTHING)
        return refuse(cursor, place, "ends early, or is no msgpack");
    if ((token.kind == MAP || token.kind == ARRAY) && depth > FAN_DEPTH_MAX)
        return refuse(cursor, place, "is nested deeper than %d", FAN_DEPTH_MAX);
    for (; inside > 0 && !err; inside--)
        err = skip(cursor, place, depth + 1);
    return err;
}

struct range {
    int64_t min;
    uint64_t max;
};

static const struct range ranges[] = {
    [FAN_TYPE_id] = { 0, FAN_ID_MAX },
    [FAN_TYPE_u32] = { 0, UINT32_MAX },
    [FAN_TYPE_u64] = { 0, UINT64_MAX },
    [FAN_TYPE_i64] = { INT64_MIN, INT64_MAX },
    [FAN_TYPE_time] = { INT64_MIN, INT64_MAX },
};

static enum fan_err take_integer(struct cursor *cursor, struct place place,
        enum fan_field_type type, uint64_t *out)
{
    struct range range = ranges[type];
    struct token token;
    enum fan_err err = expect(cursor, place, POSITIVE, &token);

    if (err)
        return err;
    if (token.kind == POSITIVE ? token.n > range.max : (int64_t)token.n < range.min)
        return refuse(cursor, place, "is out of range");
    *out = token.n;
    return FAN_OK;
}

/* Read a token whose length is capped: text, binary or a list. */
static enum fan_err take_sized(struct cursor *cursor, struct place place, enum token_kind kind,
        struct token *out)
{
    enum fan_err err = expect(cursor, place, kind, out);

    if (!err && out->n > fan_field_limit(place.field))
        return refuse(cursor, place, "has %llu %s, at most %zu are allowed",
                (unsigned long long)out->n, kind == ARRAY ? "items" : "bytes",
                fan_field_limit(place.field));
    return err;
}

static enum fan_err read_integer(struct cursor *cursor, struct place place, void *at)
{
    uint64_t n = 0;
    enum fan_err err = take_integer(cursor, place, place.field->type, &n);

    if (err)
        return err;
    if (place.field->type == FAN_TYPE_u32)
        *(uint32_t *)at = (uint32_t)n;
    else if (place.field->type == FAN_TYPE_u64)
        *(uint64_t *)at = n;
    else
        *(int64_t *)at = (int64_t)n;
    return FAN_OK;
}

static enum fan_err read_bool(struct cursor *cursor, struct place place, bool *at)
{
    struct token token;
    enum fan_err err = expect(cursor, place, BOOL, &token);

    *at = !err && token.n;
    return err;
}

static enum fan_err read_bytes(struct cursor *cursor, struct place place, enum token_kind kind,
        struct fan_bytes *at)
{
    struct token token;
    enum fan_err err = take_sized(cursor, place, kind, &token);

    if (err)
        return err;
    *at = (struct fan_bytes){ token.at, token.n };
    if (kind == STR && !fan_bytes_utf8(*at))
        return refuse(cursor, place, "is not UTF-8");
    return FAN_OK;
}

static enum fan_err read_ids(struct cursor *cursor, struct place place, struct fan_ids *at)
{
    struct token token;
    enum fan_err err = take_sized(cursor, place, ARRAY, &token);
    int64_t *ids;

    if (err)
        return err;
    ids = fan_arena_array(cursor->arena, token.n, sizeof *ids);
    for (size_t i = 0; i < token.n && !err; i++) {
        uint64_t id = 0;
        err = take_integer(cursor, place, FAN_TYPE_id, &id);
        ids[i] = err ? 0 : (int64_t)id;
    }
    *at = (struct fan_ids){ ids, token.n };
    return err;
}

/* The fewest bytes that an item can have: its map, and a key and a value for what it must say. */
static size_t least_bytes(const struct fan_schema *schema)
{
    const struct fan_field *fields = schema->fields();
    size_t least = 1;

    for (size_t i = 0; i < schema->count; i++)
        least += fields[i].need == FAN_REQUIRED ? 2 : 0;
    return least;
}

static enum fan_err read_map(struct cursor *cursor, const struct fan_schema *schema, unsigned depth,
        char *message);

static enum fan_err read_list(struct cursor *cursor, struct place place, unsigned depth,
        struct fan_list *at)
{
    const struct fan_schema *record = place.field->record;
    struct token token;
    enum fan_err err = take_sized(cursor, place, ARRAY, &token);
    char *items;

    if (err)
        return err;
    if (token.n > left(cursor) / least_bytes(record))
        return refuse(cursor, place, "ends early");
    items = fan_arena_array(cursor->arena, token.n, record->size);
    for (size_t i = 0; i < token.n && !err; i++)
        err = read_map(cursor, record, depth + 1, items + i * record->size);
    *at = (struct fan_list){ items, token.n };
    return err;
}

static enum fan_err read_value(struct cursor *cursor, struct place place, unsigned depth, void *at)
{
    switch ((enum fan_field_type)place.field->type) {
    case FAN_TYPE_id:
    case FAN_TYPE_u32:
    case FAN_TYPE_u64:
    case FAN_TYPE_i64:
    case FAN_TYPE_time:
        return read_integer(cursor, place, at);
    case FAN_TYPE_bool:
        return read_bool(cursor, place, at);
    case FAN_TYPE_text:
        return read_bytes(cursor, place, STR, at);
    case FAN_TYPE_bin:
        return read_bytes(cursor, place, BIN, at);
    case FAN_TYPE_ids:
        return read_ids(cursor, place, at);
    case FAN_TYPE_list:
        return read_list(cursor, place, depth + 1, at);
    }
    return FAN_INVALID;
}

/* The index of @key's field, or the count when there is none; fields mostly come in order, so
 * @guess is tried first. */
static size_t find(const struct fan_schema *schema, const struct fan_field *fields, uint64_t key,
        size_t guess)
{
    size_t i = 0;

    if (guess < schema->count && fields[guess].key == key)
        return guess;
    while (i < schema->count && fields[i].key != key)
        i++;
    return i;
}

static enum fan_err read_key(struct cursor *cursor, const struct fan_schema *schema, uint64_t *key)
{
    struct place place = { .schema = schema };
    struct token token = take_token(cursor);

    if (token.kind == NOTHING)
        return refuse(cursor, place, "ends early, or is no msgpack");
    if (token.kind != POSITIVE || token.n == 0 || token.n > 127)
        return refuse(cursor, place, "has a key that is not a small number");
    *key = token.n;
    return FAN_OK;
}

static enum fan_err check_required(const struct cursor *cursor, const struct fan_schema *schema,
        uint64_t seen)
{
    const struct fan_field *fields = schema->fields();

    for (size_t i = 0; i < schema->count; i++) {
        if (fields[i].need == FAN_REQUIRED && !(seen >> i & 1))
            return refuse(cursor, (struct place){ schema, &fields[i] }, "is missing");
    }
    return FAN_OK;
}

/* Read one key and its value; @next is the field to expect, @seen has a bit for each field that was
 * there. */
static enum fan_err read_entry(struct cursor *cursor, const struct fan_schema *schema,
        unsigned depth, char *message, size_t *next, uint64_t *seen)
{
    const struct fan_field *fields = schema->fields();
    struct place place = { .schema = schema };
    uint64_t key = 0;
    size_t i;
    enum fan_err err = read_key(cursor, schema, &key);

    if (err)
        return err;
    i = find(schema, fields, key, *next);
    if (i == schema->count)
        return skip(cursor, place, depth + 1);
    place.field = &fields[i];
    if (*seen >> i & 1)
        return refuse(cursor, place, "stands there twice");
    *seen |= UINT64_C(1) << i;
    *next = i + 1;
    return read_value(cursor, place, depth, message + fields[i].offset);
}

static enum fan_err read_map(struct cursor *cursor, const struct fan_schema *schema, unsigned depth,
        char *message)
{
    struct place place = { .schema = schema };
    struct token token;
    size_t next = 0;
    uint64_t seen = 0;
    enum fan_err err = expect(cursor, place, MAP, &token);

    if (err)
        return err;
    if (depth > FAN_DEPTH_MAX)
        return refuse(cursor, place, "is nested deeper than %d", FAN_DEPTH_MAX);
    for (; token.n > 0 && !err; token.n--)
        err = read_entry(cursor, schema, depth, message, &next, &seen);
    return err ? err : check_required(cursor, schema, seen);
}

enum fan_err fan_decode_first(const struct fan_schema *schema, struct fan_bytes wire,
        struct fan_bytes *rest, struct fan_arena *arena, void *message, struct fan_why *why)
{
    const char *at = wire.at ? wire.at : "";
    struct cursor cursor = { at, at + wire.len, arena, why };
    enum fan_err err;

    memset(message, 0, schema->size);
    err = read_map(&cursor, schema, 1, message);
    *rest = (struct fan_bytes){ cursor.at, left(&cursor) };
    return err;
}

enum fan_err fan_decode(const struct fan_schema *schema, struct fan_bytes wire,
        struct fan_arena *arena, void *message, struct fan_why *why)
{
    struct fan_bytes rest;
    enum fan_err err = fan_decode_first(schema, wire, &rest, arena, message, why);

    if (!err && rest.len)
        return fan_fail(why, FAN_INVALID, "%s has %zu bytes behind its end", schema->name,
                rest.len);
    return err;
}

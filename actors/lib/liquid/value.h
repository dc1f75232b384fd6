/*
 * value — what a template works with: nothing, truth values, numbers, texts, lists, maps.
 *
 * A value is 16 bytes and is passed by copying; what it points to is borrowed, mostly from an
 * arena, and is never changed once made. Pure.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_VALUE_H
#define FAN_ACTORS_LIB_LIQUID_VALUE_H

#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/json.h"

enum fan_value_type {
    FAN_VALUE_NIL, /* also what is not there */
    FAN_VALUE_BOOL,
    FAN_VALUE_INT,
    FAN_VALUE_REAL,
    FAN_VALUE_TEXT,
    FAN_VALUE_LIST,
    FAN_VALUE_MAP,
    FAN_VALUE_RANGE, /* of integers, both ends in it */
    FAN_VALUE_LOOP,  /* forloop or tablerowloop */
    FAN_VALUE_BLANK, /* the words blank and empty, in conditions */
    FAN_VALUE_EMPTY,
};

struct fan_items;
struct fan_map;
struct fan_range;
struct fan_loop;

struct fan_value {
    uint8_t type;
    bool safe;    /* a text that is HTML already: written as it is */
    uint32_t len; /* bytes of a text */
    union {
        bool truth;
        int64_t integer;
        double real;
        const char *text; /* text[len], no NUL behind it */
        const struct fan_items *list;
        const struct fan_map *map;
        const struct fan_range *range;
        const struct fan_loop *loop;
    };
};

struct fan_items {
    size_t len;
    const struct fan_value *items;
};

struct fan_entry {
    struct fan_bytes key;
    struct fan_value value;
};

struct fan_map {
    size_t len;
    const struct fan_entry *entries; /* in their order */
    const uint32_t *index;           /* index[mask + 1]: 1 + entry, 0 free; NULL: few entries */
    uint32_t mask;
};

struct fan_range {
    int64_t first, last;
};

/* What a loop knows of itself. */
struct fan_loop {
    struct fan_bytes name;  /* of a for: "item-items" */
    int64_t length, index;  /* of the item at hand, from 0 */
    int64_t cols, col, row; /* of a tablerow, from 1; cols 0: a for */
    const struct fan_loop *parent;
};

enum { FAN_VALUE_DEPTH = 64 }; /* lists in lists that are looked into */

static inline struct fan_value fan_value_nil(void)
{
    return (struct fan_value){ .type = FAN_VALUE_NIL };
}

static inline struct fan_value fan_value_bool(bool truth)
{
    return (struct fan_value){ .type = FAN_VALUE_BOOL, .truth = truth };
}

static inline struct fan_value fan_value_int(int64_t integer)
{
    return (struct fan_value){ .type = FAN_VALUE_INT, .integer = integer };
}

static inline struct fan_value fan_value_real(double real)
{
    return (struct fan_value){ .type = FAN_VALUE_REAL, .real = real };
}

/** A text, borrowed; absent bytes are nil. Longer ones than 4 GiB are cut. */
static inline struct fan_value fan_value_text(struct fan_bytes text)
{
    return (struct fan_value){ .type = text.at ? FAN_VALUE_TEXT : FAN_VALUE_NIL,
        .len = text.len > UINT32_MAX ? UINT32_MAX : (uint32_t)text.len,
        .text = text.at };
}

static inline struct fan_bytes fan_value_bytes(struct fan_value value)
{
    return value.type == FAN_VALUE_TEXT ? (struct fan_bytes){ value.text, value.len }
                                        : FAN_NO_BYTES;
}

/** Only nil and false are not true. */
static inline bool fan_value_true(struct fan_value value)
{
    return value.type != FAN_VALUE_NIL && (value.type != FAN_VALUE_BOOL || value.truth);
}

/** items[len] is borrowed. */
struct fan_value fan_value_list(const struct fan_value *items, size_t len, struct fan_arena *arena);

/** entries[len] is borrowed; of a key that comes twice the first counts. */
struct fan_value fan_value_map(const struct fan_entry *entries, size_t len,
        struct fan_arena *arena);

/** A copy of a JSON value; its texts are borrowed. */
struct fan_value fan_value_of_json(const struct fan_json *json, struct fan_arena *arena);

/** A map's member, or NULL. */
const struct fan_value *fan_map_get(const struct fan_map *map, struct fan_bytes key);

/**
 * `object.key` (@dot) or `object[key]`; nil when there is no such thing.
 *
 * Maps have members, lists and ranges places (negative ones from behind); with a dot also size,
 * first and last, where the map has no such member.
 */
struct fan_value fan_value_member(struct fan_value object, struct fan_value key, bool dot,
        struct fan_arena *arena);

/** Items of a list or range, pairs of a map; 0 for anything else. */
size_t fan_value_count(struct fan_value value);
/** One of them; a map's is a list of key and value. */
struct fan_value fan_value_item(struct fan_value value, size_t place, struct fan_arena *arena);

bool fan_value_eq(struct fan_value a, struct fan_value b);
/** Whether @value is blank or empty, as conditions ask it. */
bool fan_value_is(struct fan_value value, enum fan_value_type literal);

/** Order of two values that have one; false: they have none. @order: out, below, at or above 0 */
bool fan_value_compare(struct fan_value a, struct fan_value b, int *order);

/** Write a value as {{ }} writes it: lists joined, maps as Ruby shows them. */
void fan_value_write(struct fan_value value, struct fan_buffer *out);
/** Write a value as filters see it where they want a text: lists and maps as Ruby shows them. */
void fan_value_show(struct fan_value value, struct fan_buffer *out);

/** The decimal digits * 10^-places that is @real, for those with few digits; false: it is none of
 * them. */
bool fan_real_decimal(double real, int64_t *digits, int *places);

/** The shortest text that means @real: "1.0", "0.1", "1.0e+20". Returns its length. */
size_t fan_real_text(double real, char out[32]);
/** Returns its length. */
size_t fan_int_text(int64_t integer, char out[24]);

/** Characters in @text; a byte that is not UTF-8 counts as one. */
size_t fan_text_characters(struct fan_bytes text);
/** Bytes of the first @count characters, at most all. */
size_t fan_text_prefix(struct fan_bytes text, size_t count);

#endif

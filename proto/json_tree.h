/*
 * json_tree — what a JSON text holds, as values in an arena: a part of json.
 */
#ifndef FAN_PROTO_JSON_TREE_H
#define FAN_PROTO_JSON_TREE_H

#include "proto/json.h"

struct fan_json_member;

struct fan_json {
    enum fan_json_type type; /* never FAN_JSON_ABSENT */
    union {
        bool truth;
        int64_t integer;
        double real;
        struct fan_bytes text; /* with a NUL behind it */
        struct {
            const struct fan_json *at;
            size_t len;
        } items;
        struct {
            const struct fan_json_member *at;
            size_t len;
        } members;
    };
};

struct fan_json_member {
    struct fan_bytes key; /* with a NUL behind it; absent bytes: an item, or a value by itself */
    struct fan_json value;
};

/**
 * Read text[len], which holds no NUL, into @arena.
 *
 * offset  where it stopped
 * Returns NULL, or what is wrong there.
 */
const char *fan_json_tree(struct fan_bytes text, struct fan_arena *arena,
        const struct fan_json **out, size_t *offset);

#endif

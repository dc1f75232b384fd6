/*
 * text_index — numbers by text, several under one text if need be.
 *
 * Lives in an arena. Texts are borrowed.
 */
#ifndef FAN_ACTORS_AUDIENCE_TEXT_INDEX_H
#define FAN_ACTORS_AUDIENCE_TEXT_INDEX_H

#include "proto/arena.h"
#include "proto/bytes.h"

struct text_entry {
    struct fan_bytes text;
    size_t number;
    size_t next; /* entry of the same bucket, plus one; 0: none */
};

struct text_index {
    struct fan_arena *arena;
    struct text_entry *entries; /* entries[len] */
    size_t len, room;
    size_t *heads; /* heads[buckets]: entry plus one; 0: none */
    size_t buckets;
};

void text_index_init(struct text_index *index, struct fan_arena *arena);
void text_index_add(struct text_index *index, struct fan_bytes text, size_t number);

/** The next entry with this text behind @after (NULL: the first), latest first; NULL: none. */
const struct text_entry *text_index_find(const struct text_index *index, struct fan_bytes text,
        const struct text_entry *after);

#endif

/*
 * people — who the rows of a block are about. Pure.
 *
 * A row is about the person with its external id; else the one with its phone; else the one with
 * its e-mail address: the oldest, when several share it. Whoever already has another external id is
 * somebody else. Nobody: the row brings somebody new, whom rows further down may be about as well.
 * What a later row says wins.
 */
#ifndef FAN_ACTORS_AUDIENCE_PEOPLE_H
#define FAN_ACTORS_AUDIENCE_PEOPLE_H

#include "actors/audience/row.h"
#include "actors/audience/text_index.h"

struct person_tag {
    size_t number; /* of the name in people->tag_names */
    const struct person_tag *next;
};

struct person {
    fan_id id; /* new: drawn by whoever writes him */
    bool is_new;
    bool touched;                           /* a row is about him */
    struct fan_bytes keys[FAN_COLUMN_KEYS]; /* who he is, as of the last row */
    struct row says;                        /* all that the rows say of him, together */
    const struct person_tag *tags;
};

struct people {
    struct fan_arena *arena;
    size_t attributes; /* how many a row has */
    struct person *at; /* at[len] */
    size_t len, room;
    struct text_index by_key[FAN_COLUMN_KEYS];
    struct text_index by_tag;
    struct fan_bytes *tag_names; /* tag_names[tags_len] */
    size_t tags_len, tags_room;
    int64_t created, updated; /* rows */
};

void people_init(struct people *people, size_t attributes, struct fan_arena *arena);

/** Add those whom the rows to come may be about. */
void people_know(struct people *people, const struct fan_contact_keys_list *candidates);

/** Find or make the person whom @row is about, and note what it says. */
void people_take(struct people *people, const struct row *row);

#endif

#include "actors/audience/text_index.h"

enum { ROOM = 64 };

/* FNV-1a. */
static size_t bucket_of(const struct text_index *index, struct fan_bytes text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
    return (hash ^ hash >> 32) & (index->buckets - 1);
}

static void put_into_bucket(struct text_index *index, size_t number)
{
    struct text_entry *entry = &index->entries[number];
    size_t *head = &index->heads[bucket_of(index, entry->text)];

    entry->next = *head;
    *head = number + 1;
}

static void make_room(struct text_index *index, size_t room)
{
    struct text_entry *grown = fan_arena_array(index->arena, room, sizeof *grown);

    if (index->len)
        memcpy(grown, index->entries, index->len * sizeof *grown);
    index->entries = grown;
    index->room = room;
    index->buckets = 2 * room;
    index->heads = fan_arena_array(index->arena, index->buckets, sizeof *index->heads);
    for (size_t i = 0; i < index->len; i++)
        put_into_bucket(index, i);
}

void text_index_init(struct text_index *index, struct fan_arena *arena)
{
    *index = (struct text_index){ .arena = arena };
    make_room(index, ROOM);
}

void text_index_add(struct text_index *index, struct fan_bytes text, size_t number)
{
    if (index->len == index->room)
        make_room(index, 2 * index->room);
    index->entries[index->len] = (struct text_entry){ .text = text, .number = number };
    put_into_bucket(index, index->len++);
}

const struct text_entry *text_index_find(const struct text_index *index, struct fan_bytes text,
        const struct text_entry *after)
{
    size_t at = after ? after->next : index->heads[bucket_of(index, text)];

    while (at && !fan_bytes_eq(index->entries[at - 1].text, text))
        at = index->entries[at - 1].next;
    return at ? &index->entries[at - 1] : NULL;
}

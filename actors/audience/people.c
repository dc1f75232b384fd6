#include "actors/audience/people.h"

enum { TAG_CAP = 200 /* bytes of a name */ };

static void *grow(struct fan_arena *arena, void *old, size_t len, size_t *room, size_t size)
{
    void *grown;

    if (len < *room)
        return old;
    *room = *room ? 2 * *room : 64;
    grown = fan_arena_array(arena, *room, size);
    if (len)
        memcpy(grown, old, len * size);
    return grown;
}

void people_init(struct people *people, size_t attributes, struct fan_arena *arena)
{
    *people = (struct people){ .arena = arena, .attributes = attributes };
    for (size_t i = 0; i < FAN_COLUMN_KEYS; i++)
        text_index_init(&people->by_key[i], arena);
    text_index_init(&people->by_tag, arena);
}

/* ---- who ---- */

static struct person *add(struct people *people, fan_id id)
{
    struct person *person;

    people->at = grow(people->arena, people->at, people->len, &people->room, sizeof *people->at);
    person = &people->at[people->len++];
    *person = (struct person){ .id = id, .is_new = id == 0 };
    person->says.attributes =
            fan_arena_array(people->arena, people->attributes, sizeof *person->says.attributes);
    return person;
}

/* Entries under a key that a person no longer has stay in the index; has_key tells. */
static void set_key(struct people *people, struct person *person, int key, struct fan_bytes text)
{
    if (!text.at || fan_bytes_eq(person->keys[key], text))
        return;
    person->keys[key] = text;
    text_index_add(&people->by_key[key], text, (size_t)(person - people->at));
}

static bool is_known(const struct people *people, const struct fan_contact_keys *one)
{
    for (int key = 0; key < FAN_COLUMN_KEYS; key++) {
        const struct text_entry *entry = NULL;

        while (one->keys[key].at &&
                (entry = text_index_find(&people->by_key[key], one->keys[key], entry))) {
            if (people->at[entry->number].id == one->contact)
                return true;
        }
    }
    return false;
}

void people_know(struct people *people, const struct fan_contact_keys_list *candidates)
{
    for (size_t i = 0; i < candidates->len; i++) {
        const struct fan_contact_keys *one = &candidates->at[i];

        if (is_known(people, one))
            continue;
        add(people, one->contact);
        for (int key = 0; key < FAN_COLUMN_KEYS; key++)
            set_key(people, &people->at[people->len - 1], key, one->keys[key]);
    }
}

/* Contacts by age, then those that this block brings, in its order. */
static bool is_older(const struct person *a, const struct person *b)
{
    if (a->is_new != b->is_new)
        return b->is_new;
    return a->is_new ? a < b : a->id < b->id;
}

static struct person *find_by(const struct people *people, int key, const struct row *row)
{
    const struct fan_bytes text = row->columns[key];
    const struct text_entry *entry = NULL;
    struct person *found = NULL;

    if (!text.at)
        return NULL;
    while ((entry = text_index_find(&people->by_key[key], text, entry))) {
        struct person *one = &people->at[entry->number];
        bool somebody_else = key != FAN_COLUMN_EXTERNAL_ID &&
                row->columns[FAN_COLUMN_EXTERNAL_ID].at && one->keys[FAN_COLUMN_EXTERNAL_ID].at;

        if (fan_bytes_eq(one->keys[key], text) && !somebody_else &&
                (!found || is_older(one, found)))
            found = one;
    }
    return found;
}

/* ---- what ---- */

static size_t tag_number(struct people *people, struct fan_bytes name)
{
    const struct text_entry *entry = text_index_find(&people->by_tag, name, NULL);

    if (entry)
        return entry->number;
    people->tag_names = grow(people->arena, people->tag_names, people->tags_len, &people->tags_room,
            sizeof *people->tag_names);
    people->tag_names[people->tags_len] = name;
    text_index_add(&people->by_tag, name, people->tags_len);
    return people->tags_len++;
}

static void give_tag(struct people *people, struct person *person, struct fan_bytes name)
{
    struct person_tag *tag;

    name = fan_bytes_trim(name);
    if (name.len == 0 || name.len > TAG_CAP)
        return;
    tag = fan_arena_alloc(people->arena, sizeof *tag);
    *tag = (struct person_tag){ tag_number(people, name), person->tags };
    person->tags = tag;
}

static void give_tags(struct people *people, struct person *person, struct fan_bytes names)
{
    size_t from = 0;

    for (size_t i = 0; i <= names.len && names.at; i++) {
        if (i < names.len && !strchr(",;|", names.at[i]))
            continue;
        give_tag(people, person, (struct fan_bytes){ names.at + from, i - from });
        from = i + 1;
    }
}

static void note(struct people *people, struct person *person, const struct row *row)
{
    for (size_t i = 0; i < FAN_COLUMN_COUNT; i++) {
        if (row->columns[i].at)
            person->says.columns[i] = row->columns[i];
    }
    for (size_t i = 0; i < people->attributes; i++) {
        if (row->attributes[i].at)
            person->says.attributes[i] = row->attributes[i];
    }
    for (int key = 0; key < FAN_COLUMN_KEYS; key++)
        set_key(people, person, key, row->columns[key]);
    give_tags(people, person, row->tags);
}

void people_take(struct people *people, const struct row *row)
{
    struct person *person = NULL;

    for (int key = 0; key < FAN_COLUMN_KEYS && !person; key++)
        person = find_by(people, key, row);
    if (person)
        people->updated++;
    else
        people->created++;
    if (!person)
        person = add(people, 0);
    person->touched = true;
    note(people, person, row);
}

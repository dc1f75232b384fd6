#include "actors/lib/liquid/value.h"

#include "proto/err.h"

enum { SMALL_MAP = 8 }; /* entries that are looked through one by one */

struct fan_value fan_value_list(const struct fan_value *items, size_t len, struct fan_arena *arena)
{
    struct fan_items *list = fan_arena_alloc(arena, sizeof *list);

    *list = (struct fan_items){ .len = len, .items = items };
    return (struct fan_value){ .type = FAN_VALUE_LIST, .list = list };
}

/* ---- maps ---- */

/* FNV-1a: keys are the author's and the account's own, and few. */
static uint32_t hash_of(struct fan_bytes key)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.at[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static bool same_key(struct fan_bytes a, struct fan_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void make_index(struct fan_map *map, struct fan_arena *arena)
{
    uint32_t size = 16;
    uint32_t *index;

    while (size < 2 * map->len)
        size *= 2;
    index = fan_arena_array(arena, size, sizeof *index);
    for (size_t i = 0; i < map->len; i++) {
        uint32_t at = hash_of(map->entries[i].key) & (size - 1);

        while (index[at] && !same_key(map->entries[index[at] - 1].key, map->entries[i].key))
            at = (at + 1) & (size - 1);
        if (!index[at])
            index[at] = (uint32_t)i + 1;
    }
    map->index = index;
    map->mask = size - 1;
}

struct fan_value fan_value_map(const struct fan_entry *entries, size_t len, struct fan_arena *arena)
{
    struct fan_map *map = fan_arena_alloc(arena, sizeof *map);

    FAN_ASSERT(len < UINT32_MAX / 4);
    map->len = len;
    map->entries = entries;
    if (len > SMALL_MAP)
        make_index(map, arena);
    return (struct fan_value){ .type = FAN_VALUE_MAP, .map = map };
}

const struct fan_value *fan_map_get(const struct fan_map *map, struct fan_bytes key)
{
    if (!map->index) {
        for (size_t i = 0; i < map->len; i++)
            if (same_key(map->entries[i].key, key))
                return &map->entries[i].value;
        return NULL;
    }
    for (uint32_t at = hash_of(key) & map->mask; map->index[at]; at = (at + 1) & map->mask)
        if (same_key(map->entries[map->index[at] - 1].key, key))
            return &map->entries[map->index[at] - 1].value;
    return NULL;
}

/* ---- from JSON: fan_json_parse bounds the depth ---- */

static struct fan_value list_of_json(const struct fan_json *json, struct fan_arena *arena)
{
    size_t len = fan_json_size(json);
    struct fan_value *items = fan_arena_array(arena, len, sizeof *items);

    for (size_t i = 0; i < len; i++)
        items[i] = fan_value_of_json(fan_json_at(json, i), arena);
    return fan_value_list(items, len, arena);
}

static struct fan_value map_of_json(const struct fan_json *json, struct fan_arena *arena)
{
    struct fan_entry *entries = fan_arena_array(arena, fan_json_size(json), sizeof *entries);
    const struct fan_json *value;
    size_t cursor = 0, len = 0;
    struct fan_bytes key;

    while (fan_json_next(json, &cursor, &key, &value))
        entries[len++] = (struct fan_entry){ key, fan_value_of_json(value, arena) };
    return fan_value_map(entries, len, arena);
}

struct fan_value fan_value_of_json(const struct fan_json *json, struct fan_arena *arena)
{
    switch (fan_json_type(json)) {
    case FAN_JSON_BOOL:
        return fan_value_bool(fan_json_bool(json, false));
    case FAN_JSON_INTEGER:
        return fan_value_int(fan_json_i64(json, 0));
    case FAN_JSON_REAL:
        return fan_value_real(fan_json_real(json, 0));
    case FAN_JSON_STRING:
        return fan_value_text(fan_json_text(json));
    case FAN_JSON_ARRAY:
        return list_of_json(json, arena);
    case FAN_JSON_OBJECT:
        return map_of_json(json, arena);
    default:
        return fan_value_nil();
    }
}

/* ---- what is in a value ---- */

static size_t range_count(const struct fan_range *range)
{
    return range->last < range->first ? 0 : (size_t)(range->last - range->first) + 1;
}

size_t fan_value_count(struct fan_value value)
{
    switch (value.type) {
    case FAN_VALUE_LIST:
        return value.list->len;
    case FAN_VALUE_MAP:
        return value.map->len;
    case FAN_VALUE_RANGE:
        return range_count(value.range);
    default:
        return 0;
    }
}

static struct fan_value pair(const struct fan_entry *entry, struct fan_arena *arena)
{
    struct fan_value *items = fan_arena_array(arena, 2, sizeof *items);

    items[0] = fan_value_text(entry->key);
    items[1] = entry->value;
    return fan_value_list(items, 2, arena);
}

struct fan_value fan_value_item(struct fan_value value, size_t place, struct fan_arena *arena)
{
    if (place >= fan_value_count(value))
        return fan_value_nil();
    switch (value.type) {
    case FAN_VALUE_LIST:
        return value.list->items[place];
    case FAN_VALUE_MAP:
        return pair(&value.map->entries[place], arena);
    default:
        return fan_value_int(value.range->first + (int64_t)place);
    }
}

static struct fan_value loop_member(const struct fan_loop *loop, struct fan_bytes key)
{
    const struct {
        const char *name;
        bool rows;
        struct fan_value value;
    } members[] = {
        { "index", false, fan_value_int(loop->index + 1) },
        { "index0", false, fan_value_int(loop->index) },
        { "rindex", false, fan_value_int(loop->length - loop->index) },
        { "rindex0", false, fan_value_int(loop->length - loop->index - 1) },
        { "first", false, fan_value_bool(loop->index == 0) },
        { "last", false, fan_value_bool(loop->index == loop->length - 1) },
        { "length", false, fan_value_int(loop->length) },
        { "col", true, fan_value_int(loop->col) },
        { "col0", true, fan_value_int(loop->col - 1) },
        { "row", true, fan_value_int(loop->row) },
        { "col_first", true, fan_value_bool(loop->col == 1) },
        { "col_last", true, fan_value_bool(loop->col == loop->cols) },
    };

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (fan_bytes_eq_text(key, members[i].name))
            return members[i].rows && !loop->row ? fan_value_nil() : members[i].value;
    if (loop->row)
        return fan_value_nil();
    if (fan_bytes_eq_text(key, "name"))
        return fan_value_text(loop->name);
    if (fan_bytes_eq_text(key, "parentloop") && loop->parent)
        return (struct fan_value){ .type = FAN_VALUE_LOOP, .loop = loop->parent };
    return fan_value_nil();
}

static struct fan_value text_command(struct fan_bytes text, struct fan_bytes key)
{
    size_t at = 0;

    if (fan_bytes_eq_text(key, "size"))
        return fan_value_int((int64_t)fan_text_characters(text));
    if (fan_bytes_eq_text(key, "last") && text.len)
        at = fan_text_prefix(text, fan_text_characters(text) - 1);
    else if (!fan_bytes_eq_text(key, "first"))
        return fan_value_nil();
    text.at += at;
    text.len -= at;
    text.len = fan_text_prefix(text, 1);
    return fan_value_text(text);
}

/* size, first and last. */
static struct fan_value command(struct fan_value object, struct fan_bytes key,
        struct fan_arena *arena)
{
    size_t count = fan_value_count(object);

    if (object.type == FAN_VALUE_TEXT)
        return text_command(fan_value_bytes(object), key);
    if (object.type == FAN_VALUE_INT && fan_bytes_eq_text(key, "size"))
        return fan_value_int(8); /* as Ruby has it */
    if (object.type != FAN_VALUE_LIST && object.type != FAN_VALUE_MAP &&
            object.type != FAN_VALUE_RANGE)
        return fan_value_nil();
    if (fan_bytes_eq_text(key, "size"))
        return fan_value_int((int64_t)count);
    if (fan_bytes_eq_text(key, "first"))
        return fan_value_item(object, 0, arena);
    if (fan_bytes_eq_text(key, "last") && object.type != FAN_VALUE_MAP && count)
        return fan_value_item(object, count - 1, arena);
    return fan_value_nil();
}

struct fan_value fan_value_member(struct fan_value object, struct fan_value key, bool dot,
        struct fan_arena *arena)
{
    struct fan_bytes name = fan_value_bytes(key);
    const struct fan_value *found;

    if (object.type == FAN_VALUE_MAP && name.at) {
        found = fan_map_get(object.map, name);
        if (found)
            return *found;
    }
    if (object.type == FAN_VALUE_LIST && key.type == FAN_VALUE_INT) {
        int64_t len = (int64_t)object.list->len;
        int64_t place = key.integer < 0 ? key.integer + len : key.integer;

        return place >= 0 && place < len ? object.list->items[place] : fan_value_nil();
    }
    if (object.type == FAN_VALUE_LOOP && name.at)
        return loop_member(object.loop, name);
    return dot && name.at ? command(object, name, arena) : fan_value_nil();
}

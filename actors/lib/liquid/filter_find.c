/*
 * What looks at a property of each item: where, reject, find, find_index, has.
 */
#include "actors/lib/liquid/filters.h"

#include "actors/lib/liquid/number.h"

/* ---- properties ---- */

static enum fan_property text_property(struct fan_exec *exec, struct fan_bytes text,
        struct fan_value property, struct fan_value *out)
{
    int64_t place, size;

    (void)exec;
    if (property.type == FAN_VALUE_TEXT) {
        if (memmem(text.at, text.len, property.text, property.len))
            *out = property;
        return FAN_PROPERTY_FOUND;
    }
    if (property.type != FAN_VALUE_INT)
        return FAN_PROPERTY_WRONG;
    size = (int64_t)fan_text_characters(text);
    place = property.integer < 0 ? property.integer + size : property.integer;
    if (place >= 0 && place < size) {
        size_t skip = fan_text_prefix(text, (size_t)place);

        text.at += skip;
        text.len -= skip;
        text.len = fan_text_prefix(text, 1);
        *out = fan_value_text(text);
    }
    return FAN_PROPERTY_FOUND;
}

enum fan_property fan_filter_property(struct fan_exec *exec, struct fan_value item,
        struct fan_value property, struct fan_value *out)
{
    *out = fan_value_nil();
    if (property.type == FAN_VALUE_REAL && property.real > -1e18 && property.real < 1e18 &&
            item.type != FAN_VALUE_MAP)
        property = fan_value_int((int64_t)property.real);
    switch (item.type) {
    case FAN_VALUE_MAP:
    case FAN_VALUE_LOOP:
        *out = fan_value_member(item, property, false, exec->arena);
        return FAN_PROPERTY_FOUND;
    case FAN_VALUE_TEXT:
        return text_property(exec, fan_value_bytes(item), property, out);
    case FAN_VALUE_LIST:
        if (property.type != FAN_VALUE_INT)
            return FAN_PROPERTY_WRONG;
        *out = fan_value_member(item, property, false, exec->arena);
        return FAN_PROPERTY_FOUND;
    case FAN_VALUE_INT:
        if (property.type != FAN_VALUE_INT)
            return FAN_PROPERTY_WRONG;
        if (property.integer < 0)
            *out = fan_value_int(0);
        else
            *out = fan_value_int(item.integer >> (property.integer > 63 ? 63 : property.integer) &
                    1);
        return FAN_PROPERTY_FOUND;
    default:
        return FAN_PROPERTY_NONE;
    }
}

bool fan_filter_wrong_property(struct fan_exec *exec, struct fan_value property)
{
    struct fan_bytes name = fan_exec_text(exec, property);

    return fan_exec_fail(exec, FAN_INVALID, "cannot select the property \"%.*s\"",
            (int)(name.len < 40 ? name.len : 40), name.at);
}

/* ---- the filters ---- */

/* Go through the items from @from on to the next one that has the property, or, with a value, has
 * that one. @none: out, an item has no properties at all: the filter gives nil.
 * Returns its place, or -1. */
static int64_t seek(struct fan_exec *exec, const struct fan_items *items, size_t from,
        const struct fan_value *args, size_t count, bool *none)
{
    struct fan_value found;

    for (size_t i = from; i < items->len; i++) {
        switch (fan_filter_property(exec, items->items[i], args[1], &found)) {
        case FAN_PROPERTY_WRONG:
            fan_filter_wrong_property(exec, args[1]);
            return -1;
        case FAN_PROPERTY_NONE:
            *none = true;
            return -1;
        default:
            break;
        }
        if (count > 2 && args[2].type != FAN_VALUE_NIL ? fan_value_eq(found, args[2])
                                                       : fan_value_true(found))
            return (int64_t)i;
    }
    return -1;
}

static bool first_of(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_items *items, int64_t *place, bool *none)
{
    *place = -1;
    *none = false;
    if (!fan_filter_items(exec, args[0], items))
        return false;
    if (args[1].type != FAN_VALUE_NIL)
        *place = seek(exec, items, 0, args, count, none);
    return !exec->err;
}

bool fan_filter_find_item(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    int64_t place;
    bool none;

    if (!first_of(exec, args, count, &items, &place, &none))
        return false;
    if (place >= 0)
        *out = items.items[place];
    return true;
}

bool fan_filter_find_index(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    int64_t place;
    bool none;

    if (!first_of(exec, args, count, &items, &place, &none))
        return false;
    if (place >= 0)
        *out = fan_value_int(place);
    return true;
}

bool fan_filter_has(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    int64_t place;
    bool none;

    if (!first_of(exec, args, count, &items, &place, &none))
        return false;
    if (!none)
        *out = fan_value_bool(place >= 0);
    return true;
}

static bool chosen(struct fan_exec *exec, const struct fan_value *args, size_t count, bool with,
        struct fan_value *out)
{
    struct fan_items items;
    struct fan_value *kept;
    size_t len = 0;
    bool none = false;

    if (!fan_filter_items(exec, args[0], &items))
        return false;
    if (args[1].type == FAN_VALUE_NIL)
        items.len = 0; /* nothing was asked for, nothing is chosen */
    kept = fan_arena_array(exec->arena, items.len, sizeof *kept);
    for (size_t i = 0; i < items.len; i++) {
        struct fan_items one = { i + 1, items.items };
        bool has = seek(exec, &one, i, args, count, &none) >= 0;

        if (exec->err)
            return false;
        if (none)
            return true;
        if (has == with)
            kept[len++] = items.items[i];
    }
    *out = fan_filter_list(exec, kept, len);
    return true;
}

bool fan_filter_where(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return chosen(exec, args, count, true, out);
}

bool fan_filter_reject(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return chosen(exec, args, count, false, out);
}

#include "actors/lib/liquid/value.h"

static bool is_number(struct fan_value value)
{
    return value.type == FAN_VALUE_INT || value.type == FAN_VALUE_REAL;
}

static long double number(struct fan_value value)
{
    return value.type == FAN_VALUE_INT ? (long double)value.integer : (long double)value.real;
}

static bool same(struct fan_value a, struct fan_value b, int depth);

static bool same_lists(const struct fan_items *a, const struct fan_items *b, int depth)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!same(a->items[i], b->items[i], depth + 1))
            return false;
    return true;
}

static bool same_maps(const struct fan_map *a, const struct fan_map *b, int depth)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++) {
        const struct fan_value *other = fan_map_get(b, a->entries[i].key);

        if (!other || !same(a->entries[i].value, *other, depth + 1))
            return false;
    }
    return true;
}

static bool same(struct fan_value a, struct fan_value b, int depth)
{
    if (is_number(a) && is_number(b))
        return number(a) == number(b);
    if (a.type != b.type || depth > FAN_VALUE_DEPTH)
        return false;
    switch (a.type) {
    case FAN_VALUE_NIL:
        return true;
    case FAN_VALUE_BOOL:
        return a.truth == b.truth;
    case FAN_VALUE_TEXT:
        return fan_bytes_eq(fan_value_bytes(a), fan_value_bytes(b));
    case FAN_VALUE_LIST:
        return same_lists(a.list, b.list, depth);
    case FAN_VALUE_MAP:
        return same_maps(a.map, b.map, depth);
    case FAN_VALUE_RANGE:
        return a.range->first == b.range->first && a.range->last == b.range->last;
    case FAN_VALUE_LOOP:
        return a.loop == b.loop;
    default:
        return false;
    }
}

bool fan_value_is(struct fan_value value, enum fan_value_type literal)
{
    struct fan_bytes text = fan_value_bytes(value);

    switch (value.type) {
    case FAN_VALUE_NIL:
        return literal == FAN_VALUE_BLANK;
    case FAN_VALUE_BOOL:
        return literal == FAN_VALUE_BLANK && !value.truth;
    case FAN_VALUE_TEXT:
        if (literal == FAN_VALUE_BLANK)
            while (text.len && strchr(" \t\n\v\f\r", text.at[text.len - 1]) &&
                    text.at[text.len - 1])
                text.len--;
        return text.len == 0;
    case FAN_VALUE_LIST:
    case FAN_VALUE_MAP:
        return fan_value_count(value) == 0;
    default:
        return false;
    }
}

bool fan_value_eq(struct fan_value a, struct fan_value b)
{
    if (a.type == FAN_VALUE_BLANK || a.type == FAN_VALUE_EMPTY)
        return fan_value_is(b, a.type);
    if (b.type == FAN_VALUE_BLANK || b.type == FAN_VALUE_EMPTY)
        return fan_value_is(a, b.type);
    return same(a, b, 0);
}

static bool compare(struct fan_value a, struct fan_value b, int *order, int depth);

static bool compare_lists(const struct fan_items *a, const struct fan_items *b, int *order,
        int depth)
{
    size_t shorter = a->len < b->len ? a->len : b->len;

    for (size_t i = 0; i < shorter; i++)
        if (!compare(a->items[i], b->items[i], order, depth + 1))
            return false;
        else if (*order)
            return true;
    *order = (a->len > b->len) - (a->len < b->len);
    return true;
}

static int compare_texts(struct fan_bytes a, struct fan_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool compare(struct fan_value a, struct fan_value b, int *order, int depth)
{
    if (is_number(a) && is_number(b)) {
        *order = (number(a) > number(b)) - (number(a) < number(b));
        return true;
    }
    if (a.type == FAN_VALUE_TEXT && b.type == FAN_VALUE_TEXT) {
        *order = compare_texts(fan_value_bytes(a), fan_value_bytes(b));
        return true;
    }
    if (a.type == FAN_VALUE_LIST && b.type == FAN_VALUE_LIST && depth < FAN_VALUE_DEPTH)
        return compare_lists(a.list, b.list, order, depth);
    *order = 0;
    return same(a, b, 0);
}

bool fan_value_compare(struct fan_value a, struct fan_value b, int *order)
{
    return compare(a, b, order, 0);
}

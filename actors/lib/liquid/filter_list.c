#include "actors/lib/liquid/filters.h"

#include "actors/lib/liquid/number.h"

#include <stdlib.h>

/* ---- whole lists ---- */

bool fan_filter_size(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    *out = fan_value_int((int64_t)fan_value_count(args[0]));
    if (args[0].type == FAN_VALUE_TEXT)
        *out = fan_value_int((int64_t)fan_text_characters(fan_value_bytes(args[0])));
    else if (args[0].type == FAN_VALUE_INT)
        *out = fan_value_int(8); /* as Ruby has it: bytes */
    return fan_exec_spend(exec, args[0].type == FAN_VALUE_TEXT ? args[0].len / 64 : 0);
}

bool fan_filter_first(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_value key = fan_value_text(FAN_LIT("first"));

    (void)count;
    if (args[0].type == FAN_VALUE_MAP)
        *out = fan_value_item(args[0], 0, exec->arena);
    else if (args[0].type != FAN_VALUE_LOOP)
        *out = fan_value_member(args[0], key, true, exec->arena);
    return true;
}

bool fan_filter_last(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_value key = fan_value_text(FAN_LIT("last"));

    (void)count;
    if (args[0].type != FAN_VALUE_MAP && args[0].type != FAN_VALUE_LOOP)
        *out = fan_value_member(args[0], key, true, exec->arena);
    return true;
}

bool fan_filter_join(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes glue = count > 1 ? fan_exec_text(exec, args[1]) : FAN_LIT(" ");
    struct fan_items items;
    struct fan_buffer *buffer;

    if (!fan_filter_items(exec, args[0], &items))
        return false;
    buffer = fan_exec_scratch(exec);
    for (size_t i = 0; i < items.len && !buffer->overflowed; i++) {
        if (i)
            fan_buffer_add_bytes(buffer, glue);
        fan_value_show(items.items[i], buffer);
    }
    return fan_exec_take(exec, out);
}

bool fan_filter_reverse(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    struct fan_value *turned;

    (void)count;
    if (!fan_filter_items(exec, args[0], &items))
        return false;
    turned = fan_arena_array(exec->arena, items.len, sizeof *turned);
    for (size_t i = 0; i < items.len; i++)
        turned[i] = items.items[items.len - 1 - i];
    *out = fan_filter_list(exec, turned, items.len);
    return true;
}

bool fan_filter_concat(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    struct fan_value *all;

    (void)count;
    if (args[1].type != FAN_VALUE_LIST)
        return fan_exec_fail(exec, FAN_INVALID, "concat wants a list");
    if (!fan_filter_items(exec, args[0], &items) || !fan_exec_spend(exec, args[1].list->len))
        return false;
    all = fan_arena_array(exec->arena, items.len + args[1].list->len, sizeof *all);
    if (items.len)
        memcpy(all, items.items, items.len * sizeof *all);
    if (args[1].list->len)
        memcpy(all + items.len, args[1].list->items, args[1].list->len * sizeof *all);
    *out = fan_filter_list(exec, all, items.len + args[1].list->len);
    return true;
}

/* ---- by property ---- */

/* The property of each item that is not nil counts; without one the items themselves. @none: out,
 * an item has no properties. */
static bool keys_of(struct fan_exec *exec, const struct fan_items *items,
        const struct fan_value *args, size_t count, struct fan_value **out, bool *none)
{
    struct fan_value *keys = fan_arena_array(exec->arena, items->len, sizeof *keys);

    *out = keys;
    *none = false;
    for (size_t i = 0; i < items->len; i++) {
        keys[i] = items->items[i];
        if (count < 2 || args[1].type == FAN_VALUE_NIL)
            continue;
        switch (fan_filter_property(exec, items->items[i], args[1], &keys[i])) {
        case FAN_PROPERTY_WRONG:
            return fan_filter_wrong_property(exec, args[1]);
        case FAN_PROPERTY_NONE:
            *none = true;
            break;
        default:
            break;
        }
    }
    return true;
}

bool fan_filter_map(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    struct fan_value *found;

    (void)count;
    if (!fan_filter_items(exec, args[0], &items))
        return false;
    found = fan_arena_array(exec->arena, items.len, sizeof *found);
    for (size_t i = 0; i < items.len; i++)
        if (fan_filter_property(exec, items.items[i], args[1], &found[i]) == FAN_PROPERTY_WRONG)
            return fan_filter_wrong_property(exec, args[1]);
    *out = fan_filter_list(exec, found, items.len);
    return true;
}

bool fan_filter_compact(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    struct fan_value *keys, *kept;
    size_t len = 0;
    bool none;

    if (!fan_filter_items(exec, args[0], &items) ||
            !keys_of(exec, &items, args, count, &keys, &none))
        return false;
    if (none)
        return true;
    kept = fan_arena_array(exec->arena, items.len, sizeof *kept);
    for (size_t i = 0; i < items.len; i++)
        if (keys[i].type != FAN_VALUE_NIL)
            kept[len++] = items.items[i];
    *out = fan_filter_list(exec, kept, len);
    return true;
}

/* Unlike ==, 1 and 1.0 are two things here. */
static bool alike(struct fan_value a, struct fan_value b)
{
    return a.type == b.type && fan_value_eq(a, b);
}

bool fan_filter_uniq(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    struct fan_value *keys, *kept, *seen;
    size_t len = 0;
    bool none;

    if (!fan_filter_items(exec, args[0], &items) ||
            !keys_of(exec, &items, args, items.len > 1 ? count : 1, &keys, &none))
        return false;
    if (none)
        return true;
    kept = fan_arena_array(exec->arena, items.len, sizeof *kept);
    seen = fan_arena_array(exec->arena, items.len, sizeof *seen);
    for (size_t i = 0; i < items.len; i++) {
        size_t k = 0;

        while (k < len && !alike(seen[k], keys[i]))
            k++;
        if (!fan_exec_spend(exec, k / 8))
            return false;
        if (k < len)
            continue;
        seen[len] = keys[i];
        kept[len++] = items.items[i];
    }
    *out = fan_filter_list(exec, kept, len);
    return true;
}

bool fan_filter_sum(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_items items;
    struct fan_value *keys;
    bool none;

    *out = fan_value_int(0);
    if (!fan_filter_items(exec, args[0], &items) ||
            !keys_of(exec, &items, args, count, &keys, &none))
        return false;
    for (size_t i = 0; i < items.len; i++) {
        struct fan_items parts;

        if (!fan_filter_items(exec, keys[i], &parts)) /* a property may be a list of them */
            return false;
        for (size_t k = 0; k < parts.len; k++)
            if (fan_number_apply('+', *out, fan_number_of(parts.items[k]), out))
                return fan_exec_fail(exec, FAN_INVALID, "a number beyond 64 bits");
    }
    return true;
}

/* ---- order ---- */

struct sorted {
    struct fan_value key, item;
};

struct order {
    bool natural; /* as texts, without regard to case */
    bool failed;
};

static int compare_nocase(struct fan_bytes a, struct fan_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < shorter; i++) {
        int x = (unsigned char)a.at[i], y = (unsigned char)b.at[i];

        x += x >= 'A' && x <= 'Z' ? 32 : 0;
        y += y >= 'A' && y <= 'Z' ? 32 : 0;
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

/* nil comes last. */
static int compare(const struct sorted *a, const struct sorted *b, struct order *order)
{
    int result = 0;

    if (a->key.type == FAN_VALUE_NIL || b->key.type == FAN_VALUE_NIL)
        return (a->key.type == FAN_VALUE_NIL) - (b->key.type == FAN_VALUE_NIL);
    if (order->natural)
        return compare_nocase(fan_value_bytes(a->key), fan_value_bytes(b->key));
    if (!fan_value_compare(a->key, b->key, &result))
        order->failed = true;
    return result;
}

/* Merge sort: equals keep their order, and inconsistent orders do no harm. */
static void merge_sort(struct sorted *items, struct sorted *room, size_t len, struct order *order)
{
    size_t half = len / 2, a = 0, b = half;

    if (len < 2)
        return;
    merge_sort(items, room, half, order);
    merge_sort(items + half, room, len - half, order);
    for (size_t i = 0; i < len; i++)
        room[i] = b == len || (a < half && compare(&items[a], &items[b], order) <= 0) ? items[a++]
                                                                                      : items[b++];
    memcpy(items, room, len * sizeof *items);
}

static bool all_have_properties(struct fan_exec *exec, const struct fan_items *items)
{
    struct fan_value ignored;

    for (size_t i = 0; i < items->len; i++)
        if (fan_filter_property(exec, items->items[i], fan_value_int(0), &ignored) ==
                FAN_PROPERTY_NONE)
            return false;
    return true;
}

static bool sorted(struct fan_exec *exec, const struct fan_value *args, size_t count, bool natural,
        struct fan_value *out)
{
    struct order order = { .natural = natural };
    struct fan_items items;
    struct fan_value *keys, *result;
    struct sorted *list;
    bool none;

    if (!fan_filter_items(exec, args[0], &items) || !fan_exec_spend(exec, 4 * items.len))
        return false;
    if (count > 1 && args[1].type != FAN_VALUE_NIL && !all_have_properties(exec, &items))
        return true;
    if (!keys_of(exec, &items, args, items.len > 1 ? count : 1, &keys, &none))
        return false;
    list = fan_arena_array(exec->arena, 2 * items.len, sizeof *list);
    for (size_t i = 0; i < items.len; i++) {
        if (natural && keys[i].type != FAN_VALUE_NIL)
            keys[i] = fan_value_text(fan_exec_text(exec, keys[i]));
        list[i] = (struct sorted){ keys[i], items.items[i] };
    }
    merge_sort(list, list + items.len, items.len, &order);
    if (order.failed)
        return fan_exec_fail(exec, FAN_INVALID, "cannot sort values of incompatible types");
    result = fan_arena_array(exec->arena, items.len, sizeof *result);
    for (size_t i = 0; i < items.len; i++)
        result[i] = list[i].item;
    *out = fan_filter_list(exec, result, items.len);
    return true;
}

bool fan_filter_sort(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return sorted(exec, args, count, false, out);
}

bool fan_filter_sort_natural(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    return sorted(exec, args, count, true, out);
}

/* ---- default ---- */

bool fan_filter_default(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    bool allow_false = count > 2 && fan_value_true(fan_filter_named(args, count, "allow_false"));
    bool missing = allow_false ? args[0].type == FAN_VALUE_NIL : !fan_value_true(args[0]);

    (void)exec;
    *out = args[0];
    if (missing || fan_value_is(args[0], FAN_VALUE_EMPTY))
        *out = count > 1 ? args[1] : fan_value_text(FAN_LIT(""));
    return true;
}

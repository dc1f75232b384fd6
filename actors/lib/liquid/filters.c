#include "actors/lib/liquid/filters.h"

static const struct fan_filter_row rows[] = {
    { "abs", fan_filter_abs, 0, 0 },
    { "append", fan_filter_append, 1, 1 },
    { "at_least", fan_filter_at_least, 1, 1 },
    { "at_most", fan_filter_at_most, 1, 1 },
    { "base64_decode", fan_filter_base64_decode, 0, 0 },
    { "base64_encode", fan_filter_base64_encode, 0, 0 },
    { "base64_url_safe_decode", fan_filter_base64_url_safe_decode, 0, 0 },
    { "base64_url_safe_encode", fan_filter_base64_url_safe_encode, 0, 0 },
    { "capitalize", fan_filter_capitalize, 0, 0 },
    { "ceil", fan_filter_ceil, 0, 0 },
    { "compact", fan_filter_compact, 0, 1 },
    { "concat", fan_filter_concat, 1, 1 },
    { "date", fan_filter_date, 1, 1 },
    { "default", fan_filter_default, 0, 2 },
    { "divided_by", fan_filter_divided_by, 1, 1 },
    { "downcase", fan_filter_downcase, 0, 0 },
    { "escape", fan_filter_escape, 0, 0 },
    { "escape_once", fan_filter_escape_once, 0, 0 },
    { "find", fan_filter_find_item, 1, 2 },
    { "find_index", fan_filter_find_index, 1, 2 },
    { "first", fan_filter_first, 0, 0 },
    { "floor", fan_filter_floor, 0, 0 },
    { "h", fan_filter_escape, 0, 0 },
    { "has", fan_filter_has, 1, 2 },
    { "hash", fan_filter_hash, 0, 1 },
    { "join", fan_filter_join, 0, 1 },
    { "last", fan_filter_last, 0, 0 },
    { "local_time", fan_filter_local_time, 1, 2 },
    { "lstrip", fan_filter_lstrip, 0, 0 },
    { "map", fan_filter_map, 1, 1 },
    { "minus", fan_filter_minus, 1, 1 },
    { "modulo", fan_filter_modulo, 1, 1 },
    { "money", fan_filter_money, 1, 2 },
    { "newline_to_br", fan_filter_newline_to_br, 0, 0 },
    { "phone", fan_filter_phone, 0, 1 },
    { "plural", fan_filter_plural, 1, 3 },
    { "plus", fan_filter_plus, 1, 1 },
    { "prepend", fan_filter_prepend, 1, 1 },
    { "raw", fan_filter_raw, 0, 0 },
    { "reject", fan_filter_reject, 1, 2 },
    { "remove", fan_filter_remove, 1, 1 },
    { "remove_first", fan_filter_remove_first, 1, 1 },
    { "remove_last", fan_filter_remove_last, 1, 1 },
    { "replace", fan_filter_replace, 1, 2 },
    { "replace_first", fan_filter_replace_first, 1, 2 },
    { "replace_last", fan_filter_replace_last, 2, 2 },
    { "reverse", fan_filter_reverse, 0, 0 },
    { "round", fan_filter_round, 0, 1 },
    { "rstrip", fan_filter_rstrip, 0, 0 },
    { "size", fan_filter_size, 0, 0 },
    { "slice", fan_filter_slice, 1, 2 },
    { "sort", fan_filter_sort, 0, 1 },
    { "sort_natural", fan_filter_sort_natural, 0, 1 },
    { "split", fan_filter_split, 1, 1 },
    { "strip", fan_filter_strip, 0, 0 },
    { "strip_html", fan_filter_strip_html, 0, 0 },
    { "strip_newlines", fan_filter_strip_newlines, 0, 0 },
    { "sum", fan_filter_sum, 0, 1 },
    { "times", fan_filter_times, 1, 1 },
    { "truncate", fan_filter_truncate, 0, 2 },
    { "truncatewords", fan_filter_truncatewords, 0, 2 },
    { "uniq", fan_filter_uniq, 0, 1 },
    { "upcase", fan_filter_upcase, 0, 0 },
    { "url_decode", fan_filter_url_decode, 0, 0 },
    { "url_encode", fan_filter_url_encode, 0, 0 },
    { "where", fan_filter_where, 1, 2 },
};

int fan_filter_find(struct fan_bytes name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (fan_bytes_eq_text(name, rows[i].name))
            return (int)i;
    return -1;
}

const struct fan_filter_row *fan_filter_at(size_t index)
{
    return index < sizeof rows / sizeof *rows ? &rows[index] : NULL;
}

/* ---- what they share ---- */

struct fan_value fan_filter_named(const struct fan_value *args, size_t count, const char *name)
{
    const struct fan_value *found = count > 1 && args[count - 1].type == FAN_VALUE_MAP
            ? fan_map_get(args[count - 1].map, fan_bytes_of(name))
            : NULL;

    return found ? *found : fan_value_nil();
}

struct fan_value fan_filter_list(struct fan_exec *exec, const struct fan_value *items, size_t len)
{
    return fan_value_list(items, len, exec->arena);
}

static size_t flat_count(struct fan_value value, int depth)
{
    size_t count = 0;

    if (value.type != FAN_VALUE_LIST || depth > FAN_VALUE_DEPTH)
        return 1;
    for (size_t i = 0; i < value.list->len; i++)
        count += flat_count(value.list->items[i], depth + 1);
    return count;
}

static struct fan_value *flatten(struct fan_value value, struct fan_value *to, int depth)
{
    if (value.type != FAN_VALUE_LIST || depth > FAN_VALUE_DEPTH) {
        *to = value;
        return to + 1;
    }
    for (size_t i = 0; i < value.list->len; i++)
        to = flatten(value.list->items[i], to, depth + 1);
    return to;
}

static bool is_flat(const struct fan_items *list)
{
    for (size_t i = 0; i < list->len; i++)
        if (list->items[i].type == FAN_VALUE_LIST)
            return false;
    return true;
}

/* Steps are counted before anything is made of that size. */
bool fan_filter_items(struct fan_exec *exec, struct fan_value input, struct fan_items *out)
{
    struct fan_value *items;
    size_t len = input.type == FAN_VALUE_NIL ? 0 : 1;

    if (input.type == FAN_VALUE_LIST && is_flat(input.list)) {
        *out = *input.list;
        return fan_exec_spend(exec, out->len);
    }
    if (input.type == FAN_VALUE_RANGE)
        len = fan_value_count(input);
    else if (input.type == FAN_VALUE_LIST)
        len = flat_count(input, 0);
    if (!fan_exec_spend(exec, len))
        return false;
    items = fan_arena_array(exec->arena, len, sizeof *items);
    if (input.type == FAN_VALUE_RANGE)
        for (size_t i = 0; i < len; i++)
            items[i] = fan_value_int(input.range->first + (int64_t)i);
    else if (len)
        flatten(input, items, 0);
    *out = (struct fan_items){ len, items };
    return true;
}

/*
 * filters — every filter by name; inside of actors/lib/liquid. What they do: docs/templates.md.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_FILTERS_H
#define FAN_ACTORS_LIB_LIQUID_FILTERS_H

#include "actors/lib/liquid/exec.h"

/* filter_text.c */
fan_liquid_filter fan_filter_append, fan_filter_capitalize, fan_filter_downcase, fan_filter_lstrip,
        fan_filter_newline_to_br, fan_filter_prepend, fan_filter_remove, fan_filter_remove_first,
        fan_filter_remove_last, fan_filter_replace, fan_filter_replace_first,
        fan_filter_replace_last, fan_filter_rstrip, fan_filter_slice, fan_filter_split,
        fan_filter_strip, fan_filter_strip_html, fan_filter_strip_newlines, fan_filter_truncate,
        fan_filter_truncatewords, fan_filter_upcase;
/* filter_code.c */
fan_liquid_filter fan_filter_base64_decode, fan_filter_base64_encode,
        fan_filter_base64_url_safe_decode, fan_filter_base64_url_safe_encode, fan_filter_escape,
        fan_filter_escape_once, fan_filter_hash, fan_filter_raw, fan_filter_url_decode,
        fan_filter_url_encode;
/* filter_number.c */
fan_liquid_filter fan_filter_abs, fan_filter_at_least, fan_filter_at_most, fan_filter_ceil,
        fan_filter_divided_by, fan_filter_floor, fan_filter_minus, fan_filter_modulo,
        fan_filter_plus, fan_filter_round, fan_filter_times;
/* filter_list.c */
fan_liquid_filter fan_filter_compact, fan_filter_concat, fan_filter_default, fan_filter_first,
        fan_filter_join, fan_filter_last, fan_filter_map, fan_filter_reverse, fan_filter_size,
        fan_filter_sort, fan_filter_sort_natural, fan_filter_sum, fan_filter_uniq;
/* filter_find.c */
fan_liquid_filter fan_filter_find_item, fan_filter_find_index, fan_filter_has, fan_filter_reject,
        fan_filter_where;
/* filter_date.c */
fan_liquid_filter fan_filter_date, fan_filter_local_time;
/* filter_people.c */
fan_liquid_filter fan_filter_money, fan_filter_phone, fan_filter_plural;

/* ---- what they share ---- */

/** The items of a list, flattened, of a range, or the value alone; nothing of nil. */
bool fan_filter_items(struct fan_exec *exec, struct fan_value input, struct fan_items *out);
struct fan_value fan_filter_list(struct fan_exec *exec, const struct fan_value *items, size_t len);

enum fan_property {
    FAN_PROPERTY_FOUND, /* perhaps nil */
    FAN_PROPERTY_WRONG, /* no property of this type: a fault */
    FAN_PROPERTY_NONE,  /* the value has no properties at all */
};
/** item[property], as Ruby has it: members of maps, substrings and characters of texts, bits of
 * integers. */
enum fan_property fan_filter_property(struct fan_exec *exec, struct fan_value item,
        struct fan_value property, struct fan_value *out);
bool fan_filter_wrong_property(struct fan_exec *exec, struct fan_value property);

/** An integer, or the run fails. */
bool fan_filter_integer(struct fan_exec *exec, struct fan_value value, int64_t *out);
/** The member of a filter's named arguments, or nil; they are its last. */
struct fan_value fan_filter_named(const struct fan_value *args, size_t count, const char *name);

#endif

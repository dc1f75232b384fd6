#include "actors/lib/text/values.h"

#include "proto/json.h"

static struct fan_bytes joined(struct fan_bytes first, struct fan_bytes last,
        struct fan_arena *arena)
{
    if (!first.len || !last.len)
        return first.len ? first : last;
    char *text = fan_arena_alloc(arena, first.len + 1 + last.len);

    memcpy(text, first.at, first.len);
    text[first.len] = ' ';
    memcpy(text + first.len + 1, last.at, last.len);
    return (struct fan_bytes){ .at = text, .len = first.len + 1 + last.len };
}

static struct fan_bytes standard_value(const struct fan_text_person *person, size_t slot,
        struct fan_arena *arena)
{
    switch (slot) {
    case FAN_SLOT_FIRST_NAME:
        return person->first_name;
    case FAN_SLOT_LAST_NAME:
        return person->last_name;
    case FAN_SLOT_NAME:
        return joined(person->first_name, person->last_name, arena);
    case FAN_SLOT_PHONE:
        return person->phone;
    case FAN_SLOT_EMAIL:
        return person->email;
    case FAN_SLOT_COMPANY:
        return person->company;
    case FAN_SLOT_COUNTRY:
        return person->country;
    default:
        return person->language;
    }
}

static struct fan_bytes attribute_value(const struct fan_json *value, struct fan_arena *arena)
{
    switch (fan_json_type(value)) {
    case FAN_JSON_STRING:
        return fan_json_text(value);
    case FAN_JSON_INTEGER:
        return fan_bytes_of(fan_arena_printf(arena, "%lld", (long long)fan_json_i64(value, 0)));
    case FAN_JSON_REAL:
        return fan_bytes_of(fan_arena_printf(arena, "%.15g", fan_json_real(value, 0)));
    case FAN_JSON_BOOL:
        return fan_json_bool(value, false) ? FAN_LIT("true") : FAN_LIT("false");
    default:
        return FAN_NO_BYTES;
    }
}

/* Slots are ascending, so the attributes are the last of them. */
bool fan_text_wants_attributes(const struct fan_template *template)
{
    return template->slots_len && template->slots[template->slots_len - 1] >= FAN_SLOT_ATTRIBUTES;
}

enum fan_err fan_text_values(const struct fan_template *template,
        const struct fan_text_fields *fields, const struct fan_text_person *person,
        struct fan_arena *arena, struct fan_bytes *values, struct fan_why *why)
{
    const struct fan_json *attributes = NULL;

    if (fan_text_wants_attributes(template) && person->attributes.len) {
        enum fan_err err = fan_json_parse(person->attributes, arena, &attributes, why);
        if (err)
            return err;
        if (fan_json_type(attributes) != FAN_JSON_OBJECT)
            return fan_fail(why, FAN_INVALID, "a contact's attributes are not a JSON object");
    }
    for (size_t i = 0; i < template->slots_len; i++) {
        size_t slot = template->slots[i];

        if (slot < FAN_SLOT_ATTRIBUTES)
            values[slot] = standard_value(person, slot, arena);
        else
            values[slot] = attribute_value(fan_json_get(attributes,
                                                   fan_bytes_cstr(fields->names[slot], arena)),
                    arena);
    }
    return FAN_OK;
}

#include "actors/lib/text/values.h"

#include "proto/json.h"

static struct fan_value text_value(struct fan_bytes text)
{
    return text.len ? fan_value_text(text) : fan_value_nil();
}

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

/* As the field syntax writes it. */
static struct fan_value plain_value(struct fan_value value, struct fan_arena *arena)
{
    switch (value.type) {
    case FAN_VALUE_REAL:
        return fan_value_text(fan_bytes_of(fan_arena_printf(arena, "%.15g", value.real)));
    case FAN_VALUE_LIST:
    case FAN_VALUE_MAP:
        return fan_value_nil();
    default:
        return value;
    }
}

static struct fan_value attribute_value(const struct fan_json *json, enum fan_text_syntax syntax,
        struct fan_arena *arena)
{
    if (fan_json_type(json) == FAN_JSON_STRING)
        return text_value(fan_json_text(json));
    struct fan_value value = fan_value_of_json(json, arena);

    return syntax == FAN_SYNTAX_FIELD ? plain_value(value, arena) : value;
}

/* All there is of a contact, for templates that compute what they look at. */
static struct fan_value whole_contact(const struct fan_text_fields *fields,
        const struct fan_text_person *person, const struct fan_json *attributes,
        struct fan_arena *arena)
{
    const struct fan_entry more[] = {
        { FAN_LIT("id"), fan_value_int(person->id) },
        { FAN_LIT("external_id"), text_value(person->external_id) },
        { FAN_LIT("time_zone"), text_value(person->time_zone) },
        { FAN_LIT("attributes"), fan_value_of_json(attributes, arena) },
    };
    size_t len = FAN_SLOT_ATTRIBUTES + sizeof more / sizeof *more;
    struct fan_entry *entries = fan_arena_array(arena, len, sizeof *entries);

    for (size_t i = 0; i < FAN_SLOT_ATTRIBUTES; i++)
        entries[i] = (struct fan_entry){ fields->names[i],
            text_value(standard_value(person, i, arena)) };
    memcpy(entries + FAN_SLOT_ATTRIBUTES, more, sizeof more);
    return fan_value_map(entries, len, arena);
}

static struct fan_value extra_value(const struct fan_text_fields *fields,
        const struct fan_text_person *person, const struct fan_json *attributes, size_t extra,
        struct fan_arena *arena)
{
    switch (extra) {
    case FAN_EXTRA_CONTACT:
        return whole_contact(fields, person, attributes, arena);
    case FAN_EXTRA_ATTRIBUTES:
        return fan_value_of_json(attributes, arena);
    case FAN_EXTRA_ID:
        return fan_value_int(person->id);
    case FAN_EXTRA_EXTERNAL_ID:
        return text_value(person->external_id);
    default:
        return text_value(person->time_zone);
    }
}

bool fan_text_wants_attributes(const struct fan_template *template)
{
    return template->wants_attributes;
}

static struct fan_value value_of(const struct fan_template *template,
        const struct fan_text_fields *fields, const struct fan_text_person *person,
        const struct fan_json *attributes, size_t slot, struct fan_arena *arena)
{
    if (slot < FAN_SLOT_ATTRIBUTES)
        return text_value(standard_value(person, slot, arena));
    if (slot >= fields->count)
        return extra_value(fields, person, attributes, slot - fields->count, arena);
    return attribute_value(fan_json_get(attributes, fan_bytes_cstr(fields->names[slot], arena)),
            template->syntax, arena);
}

enum fan_err fan_text_values(const struct fan_template *template,
        const struct fan_text_fields *fields, const struct fan_text_person *person,
        struct fan_arena *arena, struct fan_value *values, struct fan_why *why)
{
    const struct fan_json *attributes = NULL;

    if (fan_text_wants_attributes(template) && person->attributes.len) {
        enum fan_err err = fan_json_parse(person->attributes, arena, &attributes, why);
        if (err)
            return err;
        if (fan_json_type(attributes) != FAN_JSON_OBJECT)
            return fan_fail(why, FAN_INVALID, "a contact's attributes are not a JSON object");
    }
    for (size_t i = 0; i < template->slots_len; i++)
        if (template->slots[i] < fields->count + FAN_EXTRA_ACCOUNT_ID)
            values[template->slots[i]] =
                    value_of(template, fields, person, attributes, template->slots[i], arena);
    return FAN_OK;
}

void fan_text_occasion_values(const struct fan_text_fields *fields,
        const struct fan_text_occasion *occasion, struct fan_arena *arena, struct fan_value *values)
{
    struct fan_value *extra = values + fields->count;
    const struct fan_json *details = NULL;
    const char *kind = occasion->kind ? fan_kind_name((int)occasion->kind) : NULL;

    if (occasion->details.len && fan_json_parse(occasion->details, arena, &details, NULL))
        details = NULL;
    extra[FAN_EXTRA_ACCOUNT_ID] = fan_value_int(occasion->account);
    extra[FAN_EXTRA_ACCOUNT_NAME] = text_value(occasion->account_name);
    extra[FAN_EXTRA_ACCOUNT_COUNTRY] = text_value(occasion->account_country);
    extra[FAN_EXTRA_CAMPAIGN_ID] = fan_value_int(occasion->campaign);
    extra[FAN_EXTRA_CAMPAIGN_NAME] = text_value(occasion->campaign_name);
    extra[FAN_EXTRA_CHANNEL_ID] = fan_value_int(occasion->channel);
    extra[FAN_EXTRA_CHANNEL_KIND] = text_value(fan_bytes_of(kind));
    extra[FAN_EXTRA_CHANNEL_NAME] = text_value(occasion->channel_name);
    extra[FAN_EXTRA_RUN_ID] = fan_value_int(occasion->run);
    extra[FAN_EXTRA_EVENT_TYPE] = text_value(fan_json_get_text(details, "event_type"));
    extra[FAN_EXTRA_EVENT_DATE] = text_value(fan_json_get_text(details, "event_date"));
    extra[FAN_EXTRA_EVENT_OWNER_NAME] = text_value(fan_json_get_text(details, "owner_name"));
    extra[FAN_EXTRA_EVENT_OWNER_EMAIL] = text_value(fan_json_get_text(details, "owner_email"));
}

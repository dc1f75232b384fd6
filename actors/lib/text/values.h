/*
 * values — a contact's fields by slot, as programs read them.
 */
#ifndef FAN_ACTORS_LIB_TEXT_VALUES_H
#define FAN_ACTORS_LIB_TEXT_VALUES_H

#include "actors/lib/text/template.h"

/* What is known of a contact; absent texts are missing values. */
struct fan_text_person {
    struct fan_bytes first_name, last_name, phone, email, company, country, language;
    struct fan_bytes attributes; /* a JSON object; absent: none */
};

/** Whether a template names an attribute. */
bool fan_text_wants_attributes(const struct fan_template *template);

/**
 * Fill the slots that @template uses, leaving the others as they are.
 *
 * Attributes are parsed only when the template names one. Numbers and truth values are written as
 * JSON writes them; lists and objects count as missing.
 *
 * arena   where parsed and joined values live
 * values  value[fields->count]
 * fails   FAN_INVALID  the attributes are not a JSON object
 */
enum fan_err fan_text_values(const struct fan_template *template,
        const struct fan_text_fields *fields, const struct fan_text_person *person,
        struct fan_arena *arena, struct fan_bytes *values, struct fan_why *why) FAN_MUST_CHECK;

#endif

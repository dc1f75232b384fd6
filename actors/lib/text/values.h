/*
 * values — a contact's fields by slot, as programs read them.
 */
#ifndef FAN_ACTORS_LIB_TEXT_VALUES_H
#define FAN_ACTORS_LIB_TEXT_VALUES_H

#include "actors/lib/text/template.h"

/* What is known of a contact; absent texts are missing values. */
struct fan_text_person {
    fan_id id;
    struct fan_bytes first_name, last_name, phone, email, company, country, language;
    struct fan_bytes external_id, time_zone;
    struct fan_bytes attributes; /* a JSON object; absent: none */
};

/* What is the same for all recipients of a run. */
struct fan_text_occasion {
    fan_id account, campaign, channel, run;
    enum fan_kind kind;
    struct fan_bytes account_name, account_country, campaign_name, channel_name;
    struct fan_bytes details; /* the campaign's, a JSON object: event_type, event_date, …; absent:
                                 none */
};

/** Whether a template names an attribute. */
bool fan_text_wants_attributes(const struct fan_template *template);

/**
 * Fill the slots that @template uses, leaving the others as they are.
 *
 * Attributes are parsed only when the template names one. Empty texts are missing values. For the
 * field syntax numbers and truth values are texts, as JSON writes them, and lists and objects are
 * missing values, too.
 *
 * arena   where parsed and joined values live
 * values  value[fan_text_slots]
 * fails   FAN_INVALID  the attributes are not a JSON object
 */
enum fan_err fan_text_values(const struct fan_template *template,
        const struct fan_text_fields *fields, const struct fan_text_person *person,
        struct fan_arena *arena, struct fan_value *values, struct fan_why *why) FAN_MUST_CHECK;

/** Fill the slots of what is the same for all. */
void fan_text_occasion_values(const struct fan_text_fields *fields,
        const struct fan_text_occasion *occasion, struct fan_arena *arena,
        struct fan_value *values);

#endif

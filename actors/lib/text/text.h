/*
 * text — a text with fields in it, compiled once and run for every recipient.
 *
 * Two syntaxes, one engine: `{field}` and Liquid both become programs of actors/lib/liquid. Here
 * stands what they may name, and where the values of these names are.
 */
#ifndef FAN_ACTORS_LIB_TEXT_TEXT_H
#define FAN_ACTORS_LIB_TEXT_TEXT_H

#include "actors/lib/liquid/liquid.h"
#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/err.h"

/* Where a field's value stands in the values of a run: the fields that every contact has, then the
 * account's declared attributes in the order of the table that the program was compiled with. */
enum fan_text_slot {
    FAN_SLOT_FIRST_NAME,
    FAN_SLOT_LAST_NAME,
    FAN_SLOT_NAME, /* first and last name */
    FAN_SLOT_PHONE,
    FAN_SLOT_EMAIL,
    FAN_SLOT_COMPANY,
    FAN_SLOT_COUNTRY,
    FAN_SLOT_LANGUAGE,
    FAN_SLOT_ATTRIBUTES, /* the first of the declared attributes */
};

enum { FAN_TEXT_FIELDS_MAX = 1024, FAN_FIELD_NAME_MAX = 63 };

/* What only Liquid can name; their slots stand behind the fields': fields->count + these. */
enum fan_text_extra {
    FAN_EXTRA_CONTACT,    /* contact: a map of all there is */
    FAN_EXTRA_ATTRIBUTES, /* contact.attributes: a map */
    FAN_EXTRA_ID,
    FAN_EXTRA_EXTERNAL_ID,
    FAN_EXTRA_TIME_ZONE,
    FAN_EXTRA_ACCOUNT_ID, /* from here on the same for all recipients of a run */
    FAN_EXTRA_ACCOUNT_NAME,
    FAN_EXTRA_ACCOUNT_COUNTRY,
    FAN_EXTRA_CAMPAIGN_ID,
    FAN_EXTRA_CAMPAIGN_NAME,
    FAN_EXTRA_CHANNEL_ID,
    FAN_EXTRA_CHANNEL_KIND,
    FAN_EXTRA_CHANNEL_NAME,
    FAN_EXTRA_RUN_ID,
    FAN_EXTRA_EVENT_TYPE,
    FAN_EXTRA_EVENT_DATE,
    FAN_EXTRA_EVENT_OWNER_NAME,
    FAN_EXTRA_EVENT_OWNER_EMAIL,
    FAN_EXTRAS,
};

/* Every field that a text of this account may name; a slot is an index into it. */
struct fan_text_fields {
    const struct fan_bytes *names;     /* names[count] */
    const struct fan_bytes *fallbacks; /* fallbacks[count]: words for missing values */
    size_t count;
};

/**
 * Make the table of an account's fields.
 *
 * attributes  names of its declared attributes; borrowed. At most FAN_TEXT_FIELDS_MAX fields count
 * fallbacks   the account's words for missing values, a JSON object by field name; absent: none
 */
struct fan_text_fields fan_text_fields_of(struct fan_texts attributes, struct fan_bytes fallbacks,
        struct fan_arena *arena);

/** The slot of a field, or -1. */
int fan_text_slot_of(const struct fan_text_fields *fields, struct fan_bytes name);

enum fan_text_syntax { FAN_SYNTAX_FIELD = 1, FAN_SYNTAX_LIQUID };

struct fan_text_program;

/** Slots that values of these fields have. */
static inline size_t fan_text_slots(const struct fan_text_fields *fields)
{
    return fields->count + FAN_EXTRAS;
}

/**
 * Compile @source.
 *
 * In the field syntax `{` a lower-case name `}` is a field; anything else in braces is text, unless
 * it is a field's name but for capitals and spaces around it. In Liquid a field is
 * contact.first_name, contact.attributes.city, or first_name and city for short.
 *
 * arena  where the program lives; it copies what it needs of @source
 * fails  FAN_INVALID    a field that @fields does not have; the text names it and lists the rest.
 *                       Or a field's name in capitals or with spaces; the text says how it is
 *                       written. Or whatever else is no Liquid; the text says it, and the line
 *        FAN_TOO_LARGE  more than 64 KiB of source (256 KiB of Liquid), or over a limit of Liquid's
 */
enum fan_err fan_text_compile(struct fan_bytes source, enum fan_text_syntax syntax,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_text_program **out, struct fan_why *why) FAN_MUST_CHECK;

/* What is done to values on their way out; constants were written by the author and stay. */
enum fan_text_escape {
    FAN_ESCAPE_NONE = FAN_LIQUID_PLAIN,
    FAN_ESCAPE_HTML = FAN_LIQUID_HTML, /* & < > " ' become entities */
    FAN_ESCAPE_LINE = FAN_LIQUID_LINE, /* control characters become spaces: for subjects and
                                          template variables */
};

/* One recipient, as programs see him. */
struct fan_text_view {
    struct fan_liquid_machine *machine;
    const struct fan_value
            *values; /* value[fan_text_slots], by slot; only used ones are looked at */
    fan_time now;
    struct fan_bytes language, zone; /* absent: English, UTC */
};

/**
 * Write one recipient's text at the end of @out.
 *
 * fails  FAN_INVALID, FAN_TOO_LARGE: the template cannot be written with these values
 */
enum fan_err fan_text_run(const struct fan_text_program *program, const struct fan_text_view *view,
        enum fan_text_escape escape, struct fan_buffer *out, struct fan_why *why) FAN_MUST_CHECK;

/** Add the slots that @program uses to used[fan_text_slots]. */
void fan_text_uses(const struct fan_text_program *program, bool *used);

/** Characters that every recipient's text has at least. */
size_t fan_text_least(const struct fan_text_program *program);

/** The program itself. */
const struct fan_liquid_program *fan_text_liquid(const struct fan_text_program *program);

#endif

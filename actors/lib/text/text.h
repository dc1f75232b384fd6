/*
 * text — a text with fields in it, compiled once and run for every recipient.
 *
 * A text becomes a program: steps and a pool of constants. The `{field}` syntax needs three kinds
 * of step; a richer syntax adds kinds, not another engine. Running a program allocates nothing but
 * the room of the buffer that it writes to.
 */
#ifndef FAN_ACTORS_LIB_TEXT_TEXT_H
#define FAN_ACTORS_LIB_TEXT_TEXT_H

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

enum fan_text_syntax { FAN_SYNTAX_FIELD = 1 };

enum fan_text_op {
    FAN_OP_END,   /* the text is complete */
    FAN_OP_TEXT,  /* write constant `arg` */
    FAN_OP_FIELD, /* write the value in `slot`; when it is missing or empty, constant `arg` */
};

struct fan_text_step {
    uint16_t op;
    uint16_t slot;
    uint32_t arg;
};

struct fan_text_program {
    const struct fan_text_step *steps; /* ends with FAN_OP_END */
    const struct fan_bytes *constants;
    size_t steps_len;
    size_t constants_len;
};

/**
 * Compile @source.
 *
 * In the field syntax `{` a lower-case name `}` is a field; anything else in braces is text, unless
 * it is a field's name but for capitals and spaces around it.
 *
 * arena  where the program lives; it copies what it needs of @source
 * fails  FAN_INVALID    a field that @fields does not have; the text names it and lists the rest.
 * Or a field's name in capitals or with spaces; the text says how it is written FAN_TOO_LARGE  more
 * than 64 KiB of source
 */
enum fan_err fan_text_compile(struct fan_bytes source, enum fan_text_syntax syntax,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_text_program **out, struct fan_why *why) FAN_MUST_CHECK;

/* What is done to values on their way out; constants were written by the author and stay. */
enum fan_text_escape {
    FAN_ESCAPE_NONE,
    FAN_ESCAPE_HTML, /* & < > " ' become entities */
    FAN_ESCAPE_LINE, /* control characters become spaces: for subjects and template variables */
};

/**
 * Write one recipient's text at the end of @out.
 *
 * values  value[fields->count], by slot; only slots that the program uses are looked at
 */
void fan_text_run(const struct fan_text_program *program, const struct fan_bytes *values,
        enum fan_text_escape escape, struct fan_buffer *out);

/** Add the slots that @program uses to used[fields->count]. */
void fan_text_uses(const struct fan_text_program *program, bool *used);

#endif

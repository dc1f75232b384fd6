/*
 * template — all that a campaign's message is made of, compiled: what each kind of channel wants.
 *
 * Comes from the content column of a campaign or a run:
 *   {"syntax":"field" or "liquid","text":…,"subject":…,"html":…,"media_url":…,
 *    "template":{"name":…,"language":…,"variables":[…]}}
 * Faults name the part as the API calls it: text is "message".
 */
#ifndef FAN_ACTORS_LIB_TEXT_TEMPLATE_H
#define FAN_ACTORS_LIB_TEXT_TEMPLATE_H

#include "actors/lib/text/text.h"
#include "proto/content.h"
#include "proto/words.h"

enum {
    FAN_TEMPLATE_VARIABLES = 32,   /* of an approved template, at most */
    FAN_TEMPLATE_FAULTS = 8,       /* reported at once, at most */
    FAN_RENDERED_MAX = 240 * 1024, /* bytes of one recipient's parts: a copy fits in a frame */
};

struct fan_template {
    enum fan_kind kind;
    enum fan_text_syntax syntax;
    const struct fan_text_program *text; /* NULL: the template has no such part */
    const struct fan_text_program *subject;
    const struct fan_text_program *html;
    const struct fan_text_program *media_url;
    struct fan_bytes name; /* of an approved template; absent: none */
    struct fan_bytes language;
    const struct fan_text_program *variables[FAN_TEMPLATE_VARIABLES];
    size_t variables_len;
    uint32_t text_cap;     /* characters of the written text; 0: no limit of its own */
    const uint16_t *slots; /* slots[slots_len]: those that any part uses, ascending */
    size_t slots_len;
    bool wants_attributes; /* a slot is an attribute, or holds them all */
};

/**
 * Compile a content.
 *
 * fields  the account's; the same table must be used for the values
 * fails   FAN_INVALID  why->field is the part: "message", "subject", "html", "media_url", "syntax",
 *                      "template", "template.variables"; the text says what would be right
 */
enum fan_err fan_template_compile(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_template **out, struct fan_why *why) FAN_MUST_CHECK;

/**
 * Everything that is wrong with a content, not just the first fault.
 *
 * faults  faults[FAN_TEMPLATE_FAULTS]
 * Returns how many were written.
 */
size_t fan_template_check(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena, struct fan_why *faults);

/* One recipient's copy. Its texts point into the buffer that it was written to. */
struct fan_rendering {
    struct fan_content content;
    struct fan_bytes variables[FAN_TEMPLATE_VARIABLES]; /* what content.variables points to */
};

/**
 * Write one recipient's copy.
 *
 * view    with the values by slot (see values.h)
 * out     made valid again by the next call, or by clearing @buffer
 * buffer  cleared first; its cap bounds the copy (FAN_RENDERED_MAX)
 * why     filled for FAN_REASON_TEMPLATE
 * Returns 0, or why this recipient cannot be written to: FAN_REASON_BLANK (nothing but white space
 * is left of the text, the subject or a template variable), FAN_REASON_TOO_LONG, or
 * FAN_REASON_TEMPLATE (the template fails on these values).
 */
int fan_template_render(const struct fan_template *template, const struct fan_text_view *view,
        struct fan_buffer *buffer, struct fan_rendering *out, struct fan_why *why);

#endif

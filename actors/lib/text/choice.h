/*
 * choice — a content with its languages, compiled: which template each recipient gets.
 *
 *   {"text":…, "language":"en", "languages":{"de":{"text":…},"pt-BR":{…}}}
 *
 * What stands outside of "languages" is for everybody who has none of these. A language's content
 * is whole in itself: but for "syntax" it takes nothing from outside. "language" says what the
 * content outside is written in; nothing depends on it.
 *
 * An e-mail's "preheader" is what mail programs show behind the subject. It stands hidden at the
 * front of the html part and is written in the same syntax.
 *
 * Faults name parts as template.h does, a language's behind its name: "languages.de.subject".
 */
#ifndef FAN_ACTORS_LIB_TEXT_CHOICE_H
#define FAN_ACTORS_LIB_TEXT_CHOICE_H

#include "actors/lib/text/template.h"

enum {
    FAN_CHOICE_LANGUAGES = 30, /* of a content, at most */
    FAN_LANGUAGE_MAX = 35,     /* bytes of a language's tag; source RFC 5646, 4.4.1 */
};

struct fan_choice_language {
    struct fan_bytes tag;
    const struct fan_template *template;
};

struct fan_choice {
    const struct fan_template *otherwise; /* for everybody without a language of the list */
    const struct fan_choice_language *languages;
    size_t languages_len;
};

/** Compile a content for every language. Fails as fan_template_compile does. */
enum fan_err fan_choice_compile(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_choice **out, struct fan_why *why) FAN_MUST_CHECK;

/** Everything that is wrong with a content, as fan_template_check tells it. */
size_t fan_choice_check(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena, struct fan_why *faults);

/**
 * The language that a recipient is written to in: his own, else what is left of it without its
 * last parts ("pt" for "pt-BR"), else none.
 *
 * language  of the contact; absent, empty or no language at all: the content outside. Capitals do
 *           not matter, and _ is as good as -
 * Returns its place in choice->languages, or -1.
 */
int fan_choice_find(const struct fan_choice *choice, struct fan_bytes language);

/** The template for a recipient of that language. */
const struct fan_template *fan_choice_for(const struct fan_choice *choice,
        struct fan_bytes language);

/** Whether any of its templates names an attribute: only then need people come with theirs. */
bool fan_choice_wants_attributes(const struct fan_choice *choice);

/** Whether any of its templates may need more of people than the fields of a message: Liquid's. */
bool fan_choice_wants_more(const struct fan_choice *choice);

/** Add the slots that any of its templates uses to used[fan_text_slots]. */
void fan_choice_uses(const struct fan_choice *choice, bool *used);

/** Whether @tag is a language's: "de", "pt-BR". */
bool fan_language_tag(struct fan_bytes tag);

#endif

/*
 * liquid — Shopify's Liquid 5, compiled once and run for every recipient.
 *
 * A template becomes a program: steps for a small stack machine, and constants. Running one does
 * no I/O, reads no clock, and allocates only from an arena of its machine that the next run reuses.
 * It refuses rather than guesses: whatever Liquid's strict mode calls an error is one, with its
 * line. Programs are never changed once compiled; docs/templates.md describes the language.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_LIQUID_H
#define FAN_ACTORS_LIB_LIQUID_LIQUID_H

#include "actors/lib/liquid/value.h"
#include "proto/time.h"

enum {
    FAN_LIQUID_SOURCE_MAX = 256 * 1024,      /* bytes of a template or partial */
    FAN_LIQUID_PARTIALS_MAX = 64,            /* partials in a program */
    FAN_LIQUID_NESTING_MAX = 100,            /* blocks in blocks, brackets in brackets */
    FAN_LIQUID_CALLS_MAX = 50,               /* partials within partials, as they run */
    FAN_LIQUID_STEPS_MAX = 200 * 1000,       /* of one run; filters count what they look at */
    FAN_LIQUID_LOOP_MAX = 10 * 1000,         /* items of one loop */
    FAN_LIQUID_TEXT_MAX = 1024 * 1024,       /* bytes of a text that a filter makes */
    FAN_LIQUID_MEMORY_MAX = 8 * 1024 * 1024, /* bytes of values that one run makes */
};

struct fan_liquid_program;
struct fan_liquid_machine;

/*
 * The data that a program may name, each with its slot: an index into the values of a run. Without
 * a schema any name may be used, and is looked up in the data of the run.
 */
struct fan_liquid_schema {
    const void *about;
    size_t slots;
    const struct fan_bytes *fallbacks; /* fallbacks[slots]: written where a value is missing, unless
                                          a `default` filter follows; NULL: none */

    /** Find the slot of path[0..used) for the longest front of path[len] that has one.
     * Returns false when there is none. */
    bool (*find)(const void *about, const struct fan_bytes *path, size_t len, size_t *slot,
            size_t *used);

    /** Write the paths that path[len] could have been, for an error's text; those first that are
     * likeliest, for it may be cut. */
    void (*list)(const void *about, const struct fan_bytes *path, size_t len,
            struct fan_buffer *out);
};

struct fan_liquid_source {
    struct fan_bytes text;
    const struct fan_map *partials;         /* texts by name, for render and include; NULL: none */
    const struct fan_liquid_schema *schema; /* NULL: any name */
};

/**
 * Compile a template and the partials that it names.
 *
 * arena  where the program lives; it copies what it needs
 * line   out, where the fault is; NULL: not wanted. The text says it, too
 * fails  FAN_INVALID    the text says what is wrong
 *        FAN_TOO_LARGE  over a limit; the text names it
 */
enum fan_err fan_liquid_compile(const struct fan_liquid_source *source, struct fan_arena *arena,
        const struct fan_liquid_program **out, uint32_t *line, struct fan_why *why) FAN_MUST_CHECK;

/* Another syntax's way to a program: texts and slots, in their order. */
struct fan_liquid_builder;
struct fan_liquid_builder *fan_liquid_build(const struct fan_liquid_schema *schema,
        struct fan_arena *arena);
void fan_liquid_build_text(struct fan_liquid_builder *builder, struct fan_bytes text);
void fan_liquid_build_slot(struct fan_liquid_builder *builder, size_t slot);
const struct fan_liquid_program *fan_liquid_built(struct fan_liquid_builder *builder);

/** Add the slots that @program uses to used[schema->slots]. */
void fan_liquid_uses(const struct fan_liquid_program *program, bool *used);

/** Characters that every run writes at least. */
size_t fan_liquid_least(const struct fan_liquid_program *program);

/* What is done to values on their way out; the template's own text was written by its author and
 * stays. */
enum fan_liquid_escape {
    FAN_LIQUID_PLAIN,
    FAN_LIQUID_HTML, /* & < > " ' become entities, but of texts made safe: raw, escape, capture */
    FAN_LIQUID_LINE, /* control characters become spaces: for subjects and template variables */
};

struct fan_liquid_input {
    const struct fan_value *slots; /* value[schema->slots]; only used ones are looked at */
    const struct fan_map *data;    /* without a schema: the values by name; NULL: none */
    enum fan_liquid_escape escape;
    fan_time now;            /* what 'now' is for the date filter */
    struct fan_bytes locale; /* "de", "pt_BR"; absent: "en" */
    struct fan_bytes zone;   /* "Asia/Kolkata"; absent: UTC */
};

/** What runs programs, one at a time; give each thread its own. Its arena keeps its room. */
struct fan_liquid_machine *fan_liquid_machine_new(void);
void fan_liquid_machine_free(struct fan_liquid_machine **machine);

/**
 * Run a program, writing at the end of @out. On failure @out holds what was written before.
 *
 * line   out, where it failed; NULL: not wanted
 * fails  FAN_INVALID    the values do not suit the template: the text says how
 *        FAN_TOO_LARGE  over a limit, or @out is full; the text names it
 */
enum fan_err fan_liquid_run(struct fan_liquid_machine *machine,
        const struct fan_liquid_program *program, const struct fan_liquid_input *input,
        struct fan_buffer *out, uint32_t *line, struct fan_why *why) FAN_MUST_CHECK;

#endif

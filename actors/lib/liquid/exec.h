/*
 * exec — a program as it runs: what the machine's files and the filters share. Inside of
 * actors/lib/liquid.
 *
 * Functions that return bool return false when the run failed; fan_exec_fail was called then.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_EXEC_H
#define FAN_ACTORS_LIB_LIQUID_EXEC_H

#include "actors/lib/liquid/program.h"

enum { FAN_VALUE_UNSET = 255 /* type of a name that is not bound */ };

struct fan_locale_cache;

struct fan_liquid_machine {
    struct fan_arena *arena; /* of the values that a run makes */
    struct fan_buffer scratch;
    struct fan_locale_cache *locale; /* of locale.c; NULL before it is needed */
};

/* A cycle's place. */
struct fan_turn_taken {
    struct fan_turn_taken *next;
    struct fan_value key;
    bool named;
    uint32_t place;
};

/* Where a for with offset: continue goes on. */
struct fan_went {
    struct fan_went *next;
    struct fan_bytes name;
    int64_t offset;
};

/* The names of the template, or of a partial that render isolates. */
struct fan_scope {
    struct fan_value *local;       /* [names]: innermost bindings: loops, arguments of include */
    struct fan_value *assigned;    /* [names] */
    struct fan_value *counters;    /* [names]; NULL: none yet */
    const struct fan_value *slots; /* NULL: the data is not seen */
    const struct fan_map *data;
    struct fan_turn_taken *cycles;
    struct fan_went *went;
    struct fan_bytes changed;    /* what ifchanged wrote last */
    const struct fan_loop *loop; /* innermost for */
};

/* A loop that is open. */
struct fan_frame {
    struct fan_frame *outer;
    const struct fan_loop_site *site;
    struct fan_value items;
    int64_t begin, next; /* places; next counts from 0 */
    struct fan_loop loop;
    struct fan_value saved_item, saved_self;
    struct fan_value *stack; /* as it was */
};

struct fan_capture {
    struct fan_capture *outer;
    size_t from;
};

enum fan_interrupt { FAN_CALM, FAN_BROKEN, FAN_CONTINUED };

struct fan_exec {
    const struct fan_liquid_program *program;
    const struct fan_liquid_input *input;
    struct fan_liquid_machine *machine;
    struct fan_arena *arena;
    struct fan_buffer *out;
    struct fan_scope *scope;
    struct fan_frame *frame;
    struct fan_capture *capture;
    int64_t steps; /* left */
    int calls, isolated;
    enum fan_interrupt interrupt;
    enum fan_err err;
    uint32_t line; /* of the failure; 0: not placed yet */
    char text[256];
    struct fan_why *why;
};

/* ---- exec.c ---- */
bool fan_exec_fail(struct fan_exec *exec, enum fan_err err, const char *format, ...)
        FAN_PRINTF(3, 4);
/** Count @steps; false: there are none left. */
bool fan_exec_spend(struct fan_exec *exec, size_t steps);
bool fan_exec_code(struct fan_exec *exec, size_t which);
/** What a name is bound to; @name is an index, or text. */
struct fan_value fan_exec_name(struct fan_exec *exec, uint32_t name);
struct fan_value fan_exec_lookup(struct fan_exec *exec, struct fan_bytes name);
/** The name's index, or -1. */
int32_t fan_exec_find_name(const struct fan_exec *exec, struct fan_bytes name);
/** Room for values by name, none of them bound. */
struct fan_value *fan_exec_unset(struct fan_exec *exec);
struct fan_scope *fan_exec_scope(struct fan_exec *exec, bool isolated);

/* ---- exec_write.c ---- */
void fan_exec_write(struct fan_exec *exec, struct fan_value value);
void fan_html_write(struct fan_bytes text, struct fan_buffer *out);
/** A value as text; lives as long as the run. */
struct fan_bytes fan_exec_text(struct fan_exec *exec, struct fan_value value);
/** An empty buffer to make a text in; the next call clears it. */
struct fan_buffer *fan_exec_scratch(struct fan_exec *exec);
/** What was made there, as a value. */
bool fan_exec_take(struct fan_exec *exec, struct fan_value *out);

/* ---- exec_loop.c ---- */
/** Begin a loop over what is on the stack below @stack; @empty: out, there is nothing to do. */
bool fan_exec_for(struct fan_exec *exec, const struct fan_loop_site *site, struct fan_value **stack,
        bool *empty);
/** Bind the next item; false: there is none. */
bool fan_exec_next(struct fan_exec *exec);
void fan_exec_end(struct fan_exec *exec);
bool fan_exec_row(struct fan_exec *exec, const struct fan_loop_site *site, struct fan_value **stack,
        bool *empty);
bool fan_exec_row_next(struct fan_exec *exec);
void fan_exec_row_close(struct fan_exec *exec);

/* ---- exec_call.c ---- */
/** Run a partial; its arguments are taken off the stack. */
bool fan_exec_call(struct fan_exec *exec, const struct fan_call_site *site,
        struct fan_value **stack);

#endif

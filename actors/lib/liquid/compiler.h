/*
 * compiler — what the files of the compiler share. Inside of actors/lib/liquid.
 *
 * The first fault is kept, and from then on every token is the last: nothing needs to be undone.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_COMPILER_H
#define FAN_ACTORS_LIB_LIQUID_COMPILER_H

#include "actors/lib/liquid/lexer.h"
#include "actors/lib/liquid/program.h"
#include "actors/lib/liquid/scan.h"

/* An array that grows, in the compiler's own arena. */
struct fan_vec {
    void *at;
    size_t len, room;
};

/* A name as a template reads it, to be resolved at the end. */
struct fan_ref {
    uint32_t code, op; /* where it is pushed */
    struct fan_bytes name;
    uint32_t members; /* constant members right behind it */
    bool written;     /* it is written out, and no default filter follows: a fallback stands in */
    bool soft;        /* need not exist */
};

/* A body of a block: the texts in it go when the whole block turns out to be blank. */
struct fan_body {
    struct fan_vec texts; /* uint32_t: steps */
    bool blank;
};

/* What break and continue do inside a body, innermost first. */
struct fan_inside {
    struct fan_inside *outer;
    enum { FAN_IN_LOOP, FAN_IN_CAPTURE, FAN_IN_CHANGED } kind;
    bool row;                         /* a tablerow */
    uint32_t name;                    /* of a capture */
    uint32_t again;                   /* where a for goes on */
    struct fan_vec breaks, continues; /* uint32_t: jumps to be set */
};

struct fan_compiler {
    const struct fan_liquid_source *source;
    struct fan_arena *arena; /* the program's */
    struct fan_arena *work;  /* until it is compiled */
    enum fan_err err;
    struct fan_why *why;
    uint32_t fault_line;

    struct fan_vec codes, constants, names, loops, calls, globals, refs;
    bool dynamic; /* a partial's name is computed: all are compiled */

    /* the template at hand */
    size_t code;
    struct fan_vec ops, lines;
    struct fan_scan scan;
    struct fan_lexer lexer;
    struct fan_body *body;
    struct fan_inside *inside;
    struct fan_piece piece; /* the tag at hand */
    uint32_t line, nesting, stack, stack_most;
    bool condition;            /* blank and empty are what they are */
    struct fan_buffer *spoken; /* the tokens passed over, when somebody listens */
};

/* ---- compile.c ---- */
void fan_compiler_fail(struct fan_compiler *self, enum fan_err err, const char *format, ...)
        FAN_PRINTF(3, 4);
void *fan_compile_add(struct fan_compiler *self, struct fan_vec *vec, size_t size);
/** Add a step; @pushes: how the stack grows. Returns its place. */
uint32_t fan_compile_emit(struct fan_compiler *self, enum fan_liquid_op code, uint32_t arg,
        int pushes);
struct fan_op *fan_compile_op(struct fan_compiler *self, uint32_t at);
uint32_t fan_compile_here(struct fan_compiler *self);
/** Let the jump at @at come here. */
void fan_compile_land(struct fan_compiler *self, uint32_t at);
void fan_compile_land_all(struct fan_compiler *self, const struct fan_vec *jumps);
void fan_compile_note(struct fan_compiler *self, struct fan_vec *jumps, uint32_t at);
uint32_t fan_compile_constant(struct fan_compiler *self, struct fan_value value);
uint32_t fan_compile_name(struct fan_compiler *self, struct fan_bytes text);
void fan_compile_text(struct fan_compiler *self, struct fan_bytes text);

/* ---- compile_block.c ---- */
/**
 * Compile up to a tag that is not known; it is left in self->piece, FAN_PIECE_END at the end.
 */
void fan_compile_body(struct fan_compiler *self, struct fan_body *body);
/** The same, and refuse another end than @end. Returns whether @end was reached; otherwise one of
 * the words @middle (NULL ends them) is at hand. */
bool fan_compile_part(struct fan_compiler *self, struct fan_body *body, struct fan_piece opening,
        const char *end, const char *const *middle);
/** After a block: blank blocks lose their texts, others make what is around them count. */
void fan_compile_blank(struct fan_compiler *self, bool blank, const struct fan_body *bodies,
        size_t count);

/* ---- compile_value.c ---- */
void fan_tokens(struct fan_compiler *self, struct fan_bytes text);
bool fan_token_is(struct fan_compiler *self, enum fan_token_type type);
bool fan_token_word(struct fan_compiler *self, const char *word);
/** Pass over a token of this type; false: another one is at hand. */
bool fan_token_take(struct fan_compiler *self, enum fan_token_type type);
bool fan_token_take_word(struct fan_compiler *self, const char *word);
struct fan_bytes fan_token_want(struct fan_compiler *self, enum fan_token_type type,
        const char *what);
void fan_token_end(struct fan_compiler *self);
void fan_compile_value(struct fan_compiler *self);
/** Pass over a value. */
void fan_compile_skip(struct fan_compiler *self);
/** A value with filters; @written: for output. Nothing at all is nil. */
void fan_compile_filtered(struct fan_compiler *self, struct fan_bytes text, bool written);
void fan_compile_condition(struct fan_compiler *self);

/* ---- the tags ---- */
typedef void fan_tag(struct fan_compiler *self, struct fan_piece piece);
fan_tag fan_tag_if, fan_tag_unless, fan_tag_case, fan_tag_for, fan_tag_tablerow, fan_tag_break,
        fan_tag_continue, fan_tag_cycle, fan_tag_render, fan_tag_include;
/** What follows a partial that may have broken off. */
void fan_compile_interrupted(struct fan_compiler *self);
/** What a partial's value is called unless it says otherwise: its name behind the last slash. */
struct fan_bytes fan_partial_variable(struct fan_bytes name);

/* ---- finish.c ---- */
/** Bind names to slots, drop steps that do nothing, and copy all into the program's arena. */
void fan_compile_finish(struct fan_compiler *self, struct fan_liquid_program *program);

#endif

/*
 * program — what compiling makes and running follows. Inside of actors/lib/liquid.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_PROGRAM_H
#define FAN_ACTORS_LIB_LIQUID_PROGRAM_H

#include "actors/lib/liquid/liquid.h"

/*
 * The steps of a program. They work on a stack of values; `arg` is a constant, a slot, a name, a
 * site or the step to jump to.
 */
enum fan_liquid_op {
    FAN_OP_END,
    FAN_OP_NOP, /* only while compiling */

    /* values */
    FAN_OP_CONST,   /* push constants[arg] */
    FAN_OP_SLOT,    /* push slot arg of the data */
    FAN_OP_SLOT_OR, /* the same, or its fallback */
    FAN_OP_NAME,    /* push what the name arg is bound to */
    FAN_OP_MEMBER,  /* replace the top by its member constants[arg]; a: written with a dot */
    FAN_OP_DYNAMIC, /* replace the top by what a name of that text is bound to */
    FAN_OP_INDEX,   /* pop a key, replace the top by its member */
    FAN_OP_RANGE,   /* pop the end, replace the top by a range */
    FAN_OP_MAP,     /* pop b keys and values, push their map */
    FAN_OP_FILTER,  /* replace the a topmost by what filter b makes of them */
    FAN_OP_POP,
    FAN_OP_EQ,
    FAN_OP_NE,
    FAN_OP_LT,
    FAN_OP_GT,
    FAN_OP_LE,
    FAN_OP_GE,
    FAN_OP_CONTAINS,
    FAN_OP_ADD_TRUE, /* pop; when it is true, add 1 to the top */

    /* output */
    FAN_OP_TEXT,       /* write constants[arg] */
    FAN_OP_WRITE,      /* pop and write */
    FAN_OP_WRITE_SLOT, /* write slot arg of the data, or its fallback */
    FAN_OP_WRITE_BARE, /* write slot arg of the data */

    /* tags */
    FAN_OP_ASSIGN, /* pop into name arg */
    FAN_OP_CAPTURE,
    FAN_OP_CAPTURED,   /* into name arg */
    FAN_OP_CHANGED,    /* what was captured stays if it is not what it was the last time */
    FAN_OP_COUNT_UP,   /* name arg */
    FAN_OP_COUNT_DOWN, /* name arg */
    FAN_OP_CYCLE,      /* pop b choices and below them the cycle's key; write one; arg: named */
    FAN_OP_FOR_END,
    FAN_OP_ROW_CLOSE, /* close a cell, perhaps the row */
    FAN_OP_ROW_BREAK, /* close a cell */
    FAN_OP_ROW_END,
    FAN_OP_CALL,     /* site arg */
    FAN_OP_BREAK,    /* leave this template with a break */
    FAN_OP_CONTINUE, /* leave this template with a continue */
    FAN_OP_LEAVE,    /* leave this template with what broke off in a partial */

    /* jumps to arg */
    FAN_OP_JUMP,
    FAN_OP_JUMP_FALSE,  /* pop, jump when it is false */
    FAN_OP_JUMP_TRUE,   /* pop, jump when it is true */
    FAN_OP_AND,         /* jump when the top is false, else pop */
    FAN_OP_OR,          /* jump when the top is true, else pop */
    FAN_OP_TIMES,       /* top is 0: pop, jump; else count down, and note below that it was not */
    FAN_OP_UNLESS_SEEN, /* jump when the top is true; it stays */
    FAN_OP_FOR,         /* site b; pop what it loops over; nothing in it: jump */
    FAN_OP_FOR_NEXT,    /* bind the next item, or jump */
    FAN_OP_ROW,         /* as FAN_OP_FOR, of a tablerow; nil: jump */
    FAN_OP_ROW_NEXT,    /* open a cell, or jump */
    FAN_OP_UNBROKEN,    /* jump unless a partial broke off */
    FAN_OP_ON_BREAK,    /* it was a break: jump */
    FAN_OP_ON_CONTINUE,
};

static inline bool fan_op_jumps(uint8_t code)
{
    return code >= FAN_OP_JUMP;
}

struct fan_op {
    uint8_t code;
    uint8_t a;
    uint16_t b;
    uint32_t arg;
};

/* A template's or partial's steps. */
struct fan_liquid_code {
    struct fan_bytes name;   /* of a partial; absent: the template itself */
    struct fan_bytes source; /* only while compiling */
    const struct fan_op *ops;
    const uint32_t *lines; /* lines[ops_len] */
    size_t ops_len;
    uint32_t stack; /* values at most */
};

/* A name that the templates bind: by assign, capture, a loop, a counter, a partial's argument. */
struct fan_liquid_name {
    struct fan_bytes text;
    int32_t slot; /* of the data with the same name; -1: there is none */
};

enum {
    FAN_SITE_LIMIT = 1,
    FAN_SITE_OFFSET = 2,
    FAN_SITE_CONTINUE = 4, /* offset: continue */
    FAN_SITE_REVERSED = 8,
    FAN_SITE_COLS = 16,
};

struct fan_loop_site {
    uint32_t variable, self; /* names: of the item, and forloop or tablerowloop */
    uint32_t flags;
    struct fan_bytes name; /* "item-items" */
};

struct fan_call_site {
    int32_t code;      /* -1: its name is on the stack, below all else */
    bool render;       /* an isolated scope */
    bool each;         /* render … for */
    bool value;        /* with or for: a value is on the stack, below the arguments */
    int32_t alias;     /* name; -1: the partial's own */
    uint32_t args_len; /* values on the stack */
    uint32_t *args;    /* names */
};

struct fan_liquid_program {
    struct fan_liquid_code *codes; /* codes[0] is the template */
    struct fan_value *constants;
    struct fan_liquid_name *names;
    struct fan_loop_site *loops;
    struct fan_call_site *calls;
    struct fan_bytes *globals; /* without a schema: the data's names, by slot */
    const struct fan_bytes *fallbacks;
    size_t codes_len, constants_len, names_len, loops_len, calls_len, globals_len;
    int32_t forloop; /* the name; -1: not bound */
};

struct fan_exec;

/* A filter: out of args[count], args[0] being what stands before the bar. False: it failed, and
 * said why by fan_exec_fail. */
typedef bool fan_liquid_filter(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out);

struct fan_filter_row {
    const char *name;
    fan_liquid_filter *apply;
    uint8_t least, most; /* arguments behind the colon; named ones count as one */
};

/** The filter of that name, or -1. */
int fan_filter_find(struct fan_bytes name);
const struct fan_filter_row *fan_filter_at(size_t index);

#endif

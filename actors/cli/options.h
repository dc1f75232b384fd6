/*
 * options — the words behind a sub-command, read by its table; pure.
 *
 * "--name value", "--name=value", "--flag"; "--" ends the options; everything else is an argument.
 */
#ifndef FAN_CLI_OPTIONS_H
#define FAN_CLI_OPTIONS_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/err.h"

enum fan_option_type {
    FAN_OPTION_END,
    FAN_OPTION_FLAG,   /* bool */
    FAN_OPTION_NUMBER, /* uint32_t */
    FAN_OPTION_TEXT,   /* const char *; NULL when not given */
    FAN_OPTION_TEXTS,  /* struct fan_texts: may be given several times */
};

struct fan_option {
    enum fan_option_type type;
    const char *name;  /* without dashes */
    const char *value; /* what --help calls it: "DIR" */
    size_t offset;
    const char *doc;
};

#define FAN_OPTION(kind, type, member, name, value, doc) \
    { \
        FAN_OPTION_##kind, name, value, offsetof(type, member), doc \
    }
#define FAN_OPTIONS_END \
    { \
        .type = FAN_OPTION_END \
    }

/**
 * Read words[count] into @into, a struct laid out as @table says and filled with its defaults.
 *
 * arguments  out: the words that are no options, in order
 * fails      FAN_INVALID  the text names the word
 */
enum fan_err fan_options_read(const struct fan_option *table, void *into, int count, char **words,
        struct fan_texts *arguments, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * command — the sub-commands of `fanfare`, as one table.
 */
#ifndef FAN_CLI_COMMAND_H
#define FAN_CLI_COMMAND_H

#include "actors/cli/options.h"

/* What a command is called with. */
struct fan_call {
    const void *options;        /* the command's own struct */
    struct fan_texts arguments; /* as many as the command allows */
    struct fan_arena *arena;
};

struct fan_command {
    const char *name;
    const char *arguments; /* as the usage shows them: "FILE"; "" for none */
    const char *summary;
    const char *details; /* what --help says below the options; NULL: nothing */
    const struct fan_option *table;
    const void *defaults; /* of the options; NULL: all zero */
    size_t options_size;
    size_t least, most; /* arguments */
    bool hidden;        /* not in the list: `fanfare up` calls it itself */

    /** Do it. Returns the exit code; fails: the caller prints why->text and exits with 1. */
    enum fan_err (*run)(const struct fan_call *call, int *exit_code, struct fan_why *why);
};

extern const struct fan_command fan_command_up;
extern const struct fan_command fan_command_prepare;
extern const struct fan_command fan_command_migrate;
extern const struct fan_command fan_command_demo;
extern const struct fan_command fan_command_import;
extern const struct fan_command fan_command_send;
extern const struct fan_command fan_command_status;
extern const struct fan_command fan_command_sample;
extern const struct fan_command fan_command_render;
extern const struct fan_command fan_command_image;
extern const struct fan_command fan_command_keys;
extern const struct fan_command fan_command_control;
extern const struct fan_command fan_command_doctor;

#endif

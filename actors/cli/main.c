/*
 * fanfare — the operator's command: it starts everything on one machine, and speaks to it.
 *
 * Each sub-command is a row of the table below; its file says what it does.
 */
#include "actors/cli/command.h"

#include <stdio.h>
#include <stdlib.h>

enum { WRONG_USAGE = 64 };

static const struct fan_command *const commands[] = {
    &fan_command_up,
    &fan_command_demo,
    &fan_command_status,
    &fan_command_import,
    &fan_command_send,
    &fan_command_control,
    &fan_command_sample,
    &fan_command_render,
    &fan_command_image,
    &fan_command_keys,
    &fan_command_migrate,
    &fan_command_doctor,
    &fan_command_prepare,
    NULL,
};

static void print_all(FILE *out)
{
    fputs("Fanfare sends campaigns: one message, written for each recipient, over many channels.\n"
          "\nusage: fanfare COMMAND [--option VALUE]… [ARGUMENT]…\n\n",
            out);
    for (const struct fan_command *const *at = commands; *at; at++) {
        if (!(*at)->hidden)
            fprintf(out, "  %-10s %s\n", (*at)->name, (*at)->summary);
    }
    fputs("  version    print the version\n"
          "\n`fanfare help COMMAND` explains one.\n",
            out);
}

static void print_one(const struct fan_command *command, FILE *out)
{
    fprintf(out, "usage: fanfare %s%s%s%s\n\n%s.\n\n", command->name,
            command->table->type == FAN_OPTION_END ? "" : " [--option VALUE]…",
            *command->arguments ? " " : "", command->arguments, command->summary);
    for (const struct fan_option *at = command->table; at->type != FAN_OPTION_END; at++) {
        int width = fprintf(out, "  --%s %s", at->name, at->value ? at->value : "");

        fprintf(out, "%*s%s\n", width < 24 ? 24 - width : 1, "", at->doc);
    }
    if (command->details)
        fprintf(out, "\n%s\n", command->details);
}

static const struct fan_command *find(const char *name)
{
    for (const struct fan_command *const *at = commands; *at; at++) {
        if (strcmp((*at)->name, name) == 0)
            return *at;
    }
    return NULL;
}

static bool asks_for_help(int count, char **words)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--") == 0)
            return false;
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            return true;
    }
    return false;
}

static int refuse(const struct fan_command *command, const char *text)
{
    fprintf(stderr, "fanfare %s: %s\n`fanfare help %s` lists what it takes.\n", command->name, text,
            command->name);
    return WRONG_USAGE;
}

static int run(const struct fan_command *command, int count, char **words)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_call call = { .arena = arena };
    struct fan_why why = { 0 };
    void *options = fan_arena_alloc(arena, command->options_size + 1);
    int exit_code = 0;

    if (command->defaults)
        memcpy(options, command->defaults, command->options_size);
    call.options = options;
    if (fan_options_read(command->table, options, count, words, &call.arguments, arena, &why)) {
        exit_code = refuse(command, why.text);
    } else if (call.arguments.len < command->least || call.arguments.len > command->most) {
        exit_code = refuse(command,
                *command->arguments ? fan_arena_printf(arena, "it wants %s", command->arguments)
                                    : "it takes no arguments");
    } else if (command->run(&call, &exit_code, &why)) {
        fprintf(stderr, "fanfare %s: %s\n", command->name, why.text);
        exit_code = exit_code ? exit_code : 1;
    }
    fan_arena_free(&arena);
    return exit_code;
}

static int help(const char *name)
{
    const struct fan_command *command = name ? find(name) : NULL;

    if (name && !command) {
        fprintf(stderr, "fanfare: there is no command \"%s\"\n", name);
        return WRONG_USAGE;
    }
    if (command)
        print_one(command, stdout);
    else
        print_all(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct fan_command *command = name ? find(name) : NULL;

    if (!name) {
        print_all(stderr);
        return WRONG_USAGE;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("fanfare %s\n", FAN_VERSION);
        return 0;
    }
    if (!command) {
        fprintf(stderr, "fanfare: there is no command \"%s\"; `fanfare help` lists them\n", name);
        return WRONG_USAGE;
    }
    if (asks_for_help(argc - 2, argv + 2))
        return help(name);
    return run(command, argc - 2, argv + 2);
}

/*
 * file — small files read and written whole.
 */
#ifndef FAN_CLI_FILE_H
#define FAN_CLI_FILE_H

#include "proto/arena.h"
#include "proto/err.h"

/** The whole text of a small file without white space at its end; NULL when it cannot be read. */
const char *fan_file_text(const char *path, struct fan_arena *arena);

/** Replace a file as a whole, with @mode; a crash leaves the old or the new one. */
enum fan_err fan_file_replace(const char *path, const char *text, unsigned mode,
        struct fan_why *why) FAN_MUST_CHECK;

/** Where the program @name of this installation is: beside the running one. */
const char *fan_program_path(const char *name, struct fan_arena *arena);

#endif

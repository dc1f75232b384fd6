/*
 * output — what a child writes, kept in a log file that never grows beyond bounds.
 *
 * <name>.log is renamed to <name>.log.1 when it is full, that one to .log.2, and so on; the oldest
 * is dropped. The last complaint is remembered: when a process fails at its start, it says why
 * there.
 */
#ifndef FAN_CLI_OUTPUT_H
#define FAN_CLI_OUTPUT_H

#include "proto/bytes.h"

enum {
    FAN_OUTPUT_FILE = 8 * 1024 * 1024, /* bytes of one file */
    FAN_OUTPUT_FILES = 4,              /* kept of one process */
    FAN_OUTPUT_LINE = 1024,            /* bytes looked at of a line */
    FAN_OUTPUT_COMPLAINT = 320,        /* bytes remembered */
};

struct fan_output {
    char path[512]; /* "": to our own standard error */
    int fd;         /* -1: not open */
    size_t size;
    char line[FAN_OUTPUT_LINE]; /* the one that is coming in */
    size_t line_len;
    char complaint[FAN_OUTPUT_COMPLAINT]; /* text of the last error in the log's form, or the last
                                             line in any other form */
};

/** Write to <folder>/<name>.log; @folder NULL: to standard error. */
void fan_output_init(struct fan_output *output, const char *folder, const char *name);
void fan_output_fini(struct fan_output *output);
/** A full disk loses lines, and nothing else. */
void fan_output_add(struct fan_output *output, struct fan_bytes text);

#endif

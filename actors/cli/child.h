/*
 * child — a process of ours: started, heard through a pipe, and bound to our own life.
 *
 * A child gets a signal of its choice when we die, even by SIGKILL. It holds a lock file for as
 * long as it or any process it forked lives, so that whoever comes after us knows when all are
 * gone.
 */
#ifndef FAN_CLI_CHILD_H
#define FAN_CLI_CHILD_H

#include "proto/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct fan_child {
    const char *const *argv; /* argv[0] is the program's path; ends with NULL */
    const char *const *env;  /* its whole environment; ends with NULL */
    const char *life_lock;   /* path of the lock file; NULL: none */
    int death_signal;        /* what it gets when we die */
    bool quiet;              /* its standard output goes nowhere */
};

/**
 * Start a process in a process group of its own, with nothing on standard input.
 *
 * output  out: a pipe without waiting, from its standard output and error; NULL: they stay ours
 * fails   FAN_CONFLICT     an earlier process still holds the life lock: try again soon
 *         FAN_UNAVAILABLE  it cannot be run; the text says why
 * threads the main one: the kernel sends the death signal when the thread that started it ends
 */
enum fan_err fan_child_start(const struct fan_child *child, pid_t *pid, int *output,
        struct fan_why *why) FAN_MUST_CHECK;

/** Run it to its end and wait. fails FAN_UNAVAILABLE: it could
 * not be run, or did not end with 0 */
enum fan_err fan_child_run(const struct fan_child *child, struct fan_why *why) FAN_MUST_CHECK;

/** The process that was started with @life_lock and lives, or has children that do; otherwise 0. */
pid_t fan_child_holder(const char *life_lock);

#endif

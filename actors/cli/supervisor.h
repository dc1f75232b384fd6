/*
 * supervisor — keeps the processes of a fleet running until it is told to stop.
 *
 * What starts, restarts and stops when is decided in supervise.h; here are the real processes.
 */
#ifndef FAN_CLI_SUPERVISOR_H
#define FAN_CLI_SUPERVISOR_H

#include "actors/cli/fleet.h"

struct fan_supervisor_options {
    const struct fan_home *home;
    const struct fan_process *processes; /* processes[count] */
    size_t count;
    bool foreground_logs; /* children's lines to standard error instead of home/log */

    /** All are ready for the first time. */
    void (*ready)(void *context);
    void *context;
};

/**
 * Run until SIGTERM or SIGINT, which must be blocked, and all processes have ended.
 *
 * fails  FAN_UNAVAILABLE  it could not begin
 */
enum fan_err fan_supervise(const struct fan_supervisor_options *options,
        struct fan_why *why) FAN_MUST_CHECK;

/** Block the signals that fan_supervise reads. Call before there are threads. */
void fan_supervisor_block_signals(void);

#endif

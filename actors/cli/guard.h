/*
 * guard — a small process that outlives the supervisor, to see that nothing else does.
 *
 * When the supervisor dies every process gets a signal from the kernel, and has FAN_GUARD_MS to
 * put its work down. What is left then is killed.
 */
#ifndef FAN_CLI_GUARD_H
#define FAN_CLI_GUARD_H

#include "proto/err.h"

#include <stddef.h>

enum { FAN_GUARD_MS = 4000, FAN_GUARD_MAX = 64 };

/**
 * Start it. Call before there are threads.
 *
 * locks  life locks of the processes to watch, locks[count], at most FAN_GUARD_MAX
 * guard  out: hand it to fan_guard_dismiss when all have ended
 */
enum fan_err fan_guard_start(const char *const *locks, size_t count, int *guard,
        struct fan_why *why) FAN_MUST_CHECK;

/** All is in order: let it go. */
void fan_guard_dismiss(int *guard);

#endif

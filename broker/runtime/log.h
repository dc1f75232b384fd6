/*
 * log — JSON lines on standard error: {"at","level","process","event","text","trace","account"}.
 *
 * The event is a fixed noun.past name; the text is for people. Never an address, a name, a message
 * body or a secret.
 */
#ifndef FAN_RUNTIME_LOG_H
#define FAN_RUNTIME_LOG_H

#include "proto/err.h"

enum fan_log_level { FAN_ERROR, FAN_WARN, FAN_INFO, FAN_DEBUG };

struct fan_turn;

/** Set once, before threads: the process's name and the least important level that is written. */
void fan_log_open(const char *process, enum fan_log_level level);
enum fan_log_level fan_log_level_of(const char *name); /* unknown: FAN_INFO */

/** Write a line; @turn may be NULL and lends trace and account. */
void fan_log(const struct fan_turn *turn, enum fan_log_level level, const char *event,
        const char *format, ...) FAN_PRINTF(4, 5);

#endif

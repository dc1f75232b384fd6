/*
 * standing — the process before its host: signals, supervisor, service manager, core dumps.
 *
 * SIGTERM and SIGINT ask for a stop in good order; the second one ends the process at once with 75.
 * A process with FANFARE_SUPERVISED=<pid> in its environment stops when that parent dies.
 * Private to the runtime.
 */
#ifndef FAN_RUNTIME_STANDING_H
#define FAN_RUNTIME_STANDING_H

#include "broker/runtime/loop.h"

struct fan_standing;

enum { FAN_EXIT_USAGE = 64, FAN_EXIT_BROKEN = 70, FAN_EXIT_HARD = 75 };

/** Once, first of all, before any thread: from here on signals wait to be read. */
void fan_standing_prepare(void);

/** Read signals; @stop is called when the first one asks for it. */
struct fan_standing *fan_standing_open(struct fan_loop *loop, void (*stop)(void *context),
        void *context);
void fan_standing_close(struct fan_standing **standing);

/** Tell the service manager, if there is one. Once ready it is also told, again and again, that the
 * loop still turns. */
void fan_standing_ready(struct fan_standing *standing);
void fan_standing_stopping(struct fan_standing *standing);

/** What remains are destructors: end with 75 if they take longer than @seconds. */
void fan_standing_last_call(unsigned seconds);

#endif

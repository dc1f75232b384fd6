/*
 * clock — the only place that reads clocks.
 *
 * Instants from here are for logs and display; whatever decides about leases, due times and
 * deadlines of rows is decided by the database's clock. Durations come from fan_clock_elapsed,
 * which also counts while the machine sleeps.
 */
#ifndef FAN_RUNTIME_CLOCK_H
#define FAN_RUNTIME_CLOCK_H

#include "proto/time.h"

/** Now, UTC (CLOCK_REALTIME). */
fan_time fan_clock_now(void);

/** Microseconds since some fixed instant (CLOCK_BOOTTIME): for durations and deadlines inside a
 * process. */
fan_time fan_clock_elapsed(void);

#endif

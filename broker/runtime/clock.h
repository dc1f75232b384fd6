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

enum { FAN_BOOT_ID = 40 };

/** The name of this boot of the kernel, zero-padded; "" where it has none. What a process of an
 * earlier boot mapped may have been written in part. */
void fan_boot_id(char out[FAN_BOOT_ID]);

#endif

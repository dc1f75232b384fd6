/*
 * decide/rate — how fast a channel may be, learned from what its provider says.
 *
 * Pure. A rate is told as the interval between two messages, in microseconds; 0: no limit. Being
 * throttled makes it 0.7 times what it was, once a second at most and down to a hundredth of what
 * is configured; each ten seconds without a throttle give 2 % back, up to what is configured: three
 * minutes for one cut. The row keeps the interval, for all senders, and the instants by which
 * once a second and ten seconds are judged.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_RATE_H
#define FAN_ACTORS_LIB_DECIDE_RATE_H

#include "proto/time.h"

#define FAN_RATE_CUT_EVERY FAN_SECOND         /* no two cuts within */
#define FAN_RATE_GROW_EVERY (10 * FAN_SECOND) /* clean time for one step up */

/**
 * The interval after a throttle.
 *
 * interval    as it is
 * configured  as the channel is set to
 * calls       that this sender made in the last second: what is learned from when there is no limit
 */
fan_time fan_rate_cut(fan_time interval, fan_time configured, uint32_t calls);

/** The interval after ten clean seconds. Never less than @configured; with none, it is forgotten
 * once it is so short that it bounds nothing. */
fan_time fan_rate_grow(fan_time interval, fan_time configured);

#endif

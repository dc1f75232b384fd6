/*
 * time — instants as microseconds since 1970-01-01T00:00:00Z, and their RFC 3339 text.
 *
 * Pure: this file reads no clock (broker/runtime/clock.h does).
 */
#ifndef FAN_PROTO_TIME_H
#define FAN_PROTO_TIME_H

#include "proto/bytes.h"

typedef int64_t fan_time; /* microseconds since the epoch, UTC; 0: not said */

#define FAN_MS INT64_C(1000)        /* one millisecond in a fan_time */
#define FAN_SECOND INT64_C(1000000) /* one second in a fan_time */

enum { FAN_TIME_TEXT = 40 }; /* room for the text of an instant, with its NUL */

/** Write @at as "2026-11-20T06:42:14.123456Z" (no fraction when it is zero). */
const char *fan_time_text(fan_time at, char out[FAN_TIME_TEXT]);

/** Read an RFC 3339 date and time with zone ("Z" or an offset); false when @text is anything else.
 */
bool fan_time_parse(struct fan_bytes text, fan_time *out);

#endif

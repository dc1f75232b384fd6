/*
 * http_reply — reading an answer's headers; pure.
 */
#ifndef FAN_RUNTIME_HTTP_REPLY_H
#define FAN_RUNTIME_HTTP_REPLY_H

#include "proto/bytes.h"
#include "proto/time.h"

/** The value of the last header @name in raw header lines, or absent. */
struct fan_bytes fan_http_header_find(struct fan_bytes headers, const char *name);

/**
 * How long a Retry-After header's value asks to wait, in milliseconds: at most an hour, 0 for an
 * instant in the past, -1 for what is neither seconds nor a date.
 *
 * source  RFC 9110, 10.2.3 and 5.6.7 (the three forms of a date)
 */
int64_t fan_http_retry_after(struct fan_bytes value, fan_time now);

#endif

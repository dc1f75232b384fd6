/*
 * repeat — a POST that carries an Idempotency-Key is done once, however often it comes.
 *
 * The key, the request's hash and the answer are a row, written in the transaction of what the
 * request did; so the answer is there if and only if it was done. Refusals are not kept.
 */
#ifndef FAN_GATEWAY_REPEAT_H
#define FAN_GATEWAY_REPEAT_H

#include "gateway/call.h"

/** Take the request's key. repeated: out; the call then has its first answer. */
enum fan_err repeat_begin(struct call *call, bool *repeated);

/** Keep the answer. */
enum fan_err repeat_end(struct call *call);

#endif

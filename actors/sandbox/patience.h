/*
 * patience — answers that leave a fixed time after they were given, in order, by one timer.
 */
#ifndef FAN_ACTORS_SANDBOX_PATIENCE_H
#define FAN_ACTORS_SANDBOX_PATIENCE_H

#include "broker/runtime/http_server.h"

struct fan_sandbox_patience;

struct fan_sandbox_patience *fan_sandbox_patience_new(struct fan_loop *loop, uint32_t delay_ms);
/** Answers that still wait are never given. */
void fan_sandbox_patience_free(struct fan_sandbox_patience **patience);

/** Answer in JSON when the time is over; @body is copied. */
void fan_sandbox_patience_answer(struct fan_sandbox_patience *patience,
        struct fan_http_request *request, int status, struct fan_bytes body);

#endif

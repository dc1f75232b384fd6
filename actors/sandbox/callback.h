/*
 * callback — tells what became of accepted messages, as the providers do: signed, late, repeated
 * until taken.
 *
 * Each message is a record in the backlog that waits for its next step; what is due goes out over a
 * bounded number of connections, Meta's statuses many to a delivery. An answer other than 2xx makes
 * the step wait twice as long each time, until its tries are used up. When the backlog is full, no
 * further message can be expected: the provider must refuse it.
 */
#ifndef FAN_ACTORS_SANDBOX_CALLBACK_H
#define FAN_ACTORS_SANDBOX_CALLBACK_H

#include "actors/sandbox/sandbox.h"

struct fan_callbacks;

struct fan_callback_tally {
    uint64_t delivered; /* steps that were taken with a 2xx */
    uint64_t failed;    /* tries that were not */
    uint64_t given_up;  /* steps without tries left */
    uint32_t waiting;   /* messages with steps to come */
};

struct fan_callbacks *fan_callbacks_new(struct fan_sandbox *sandbox);
void fan_callbacks_free(struct fan_callbacks **callbacks);

/** Whether one more message can be expected. */
bool fan_callbacks_room(const struct fan_callbacks *callbacks);

/**
 * Expect the callbacks of a Twilio message.
 *
 * url    its StatusCallback; absent: none are wanted
 * token  the end of @url, which alone differs from message to message; at most 64 bytes
 */
void fan_callbacks_twilio(struct fan_callbacks *callbacks, uint64_t serial, uint64_t to,
        struct fan_bytes from, struct fan_bytes url, struct fan_bytes token);

/** Expect the statuses of a WhatsApp message. Nothing comes when no webhook URL is set. */
void fan_callbacks_meta(struct fan_callbacks *callbacks, uint64_t serial, uint64_t to,
        struct fan_bytes token);

struct fan_callback_tally fan_callbacks_tally(const struct fan_callbacks *callbacks);

#endif

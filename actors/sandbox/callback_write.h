/*
 * callback_write — the text of status callbacks, signed as Twilio and Meta sign them.
 */
#ifndef FAN_ACTORS_SANDBOX_CALLBACK_WRITE_H
#define FAN_ACTORS_SANDBOX_CALLBACK_WRITE_H

#include "actors/sandbox/sandbox.h"

struct fan_callback_text {
    struct fan_bytes url;
    struct fan_bytes headers[2];
    struct fan_bytes body;
};

/** The step that comes after @step of these: false when there is none. */
bool fan_callback_has_step(enum fan_sandbox_provider provider, enum fan_fate fate, uint8_t step);

/** One status of one message. @url: whole; @from: the sender */
void fan_callback_write_twilio(const struct fan_sandbox *sandbox, const struct fan_pending *pending,
        struct fan_bytes url, struct fan_bytes from, struct fan_arena *arena,
        struct fan_callback_text *out);

/** The statuses of several messages. */
void fan_callback_write_meta(const struct fan_sandbox *sandbox,
        const struct fan_pending *const *pending, size_t count, struct fan_arena *arena,
        struct fan_callback_text *out);

#endif

/*
 * memory — the newest messages that the sandbox took, to be asked for.
 */
#ifndef FAN_ACTORS_SANDBOX_MEMORY_H
#define FAN_ACTORS_SANDBOX_MEMORY_H

#include "proto/bytes.h"

struct fan_sandbox_memory;

/** Remember the last @room messages. */
struct fan_sandbox_memory *fan_sandbox_memory_new(size_t room);
void fan_sandbox_memory_free(struct fan_sandbox_memory **memory);

/** Remember one as it was answered; both are copied. */
void fan_sandbox_memory_add(struct fan_sandbox_memory *memory, struct fan_bytes to,
        struct fan_bytes json);

/** Walk those to one recipient, newest first: start with *@cursor 0; false at the end. @json is
 * good until the next one is added. */
bool fan_sandbox_memory_next(const struct fan_sandbox_memory *memory, struct fan_bytes to,
        size_t *cursor, struct fan_bytes *json);

#endif

/*
 * dispatch — which messages a role handles, and the call of the handler that belongs to a number.
 *
 * Derived from the message tables; private to the runtime.
 */
#ifndef FAN_RUNTIME_DISPATCH_H
#define FAN_RUNTIME_DISPATCH_H

#include "broker/runtime/actor.h"

/* How many messages there are. */
enum {
#define MESSAGE(name, number, way, doc) FAN_INDEX_##name,
#include "proto/messages.def"
    FAN_MESSAGES
};

/** The place of a message among all, below FAN_MESSAGES; -1: no such message. */
int fan_dispatch_index(uint32_t number);

/** Whether @on has a handler for it. */
bool fan_dispatch_handles(const struct fan_handlers *on, uint32_t number);

/** The numbers of one way that @on handles; in @arena. */
struct fan_ids fan_dispatch_numbers(const struct fan_handlers *on, enum fan_way way,
        struct fan_arena *arena);

/** Call the handler with its decoded message. There must be one. */
enum fan_err fan_dispatch_call(const struct fan_handlers *on, uint32_t number,
        struct fan_turn *turn, const void *message);

#endif

#include "broker/runtime/dispatch.h"

/* Every function below is one switch with one case a message. */

int fan_dispatch_index(uint32_t number)
{
#define MESSAGE(name, number, way, doc) \
    case number: \
        return FAN_INDEX_##name;
    switch (number) {
#include "proto/messages.def"
    default:
        return -1;
    }
}

bool fan_dispatch_handles(const struct fan_handlers *on, uint32_t number)
{
#define MESSAGE(name, number, way, doc) \
    case number: \
        return on->name != NULL;
    switch (number) {
#include "proto/messages.def"
    default:
        return false;
    }
}

enum fan_err fan_dispatch_call(const struct fan_handlers *on, uint32_t number,
        struct fan_turn *turn, const void *message)
{
#define MESSAGE(name, number, way, doc) \
    case number: \
        return on->name(turn, message);
    switch (number) {
#include "proto/messages.def"
    default:
        FAN_ASSERT(!"a message without a handler");
    }
    return FAN_INVALID;
}

struct fan_ids fan_dispatch_numbers(const struct fan_handlers *on, enum fan_way way,
        struct fan_arena *arena)
{
    int64_t *numbers = fan_arena_array(arena, FAN_MESSAGES, sizeof(*numbers));
    size_t len = 0;

    for (const struct fan_schema *const *schema = fan_schemas; *schema; schema++) {
        if ((*schema)->way == way && fan_dispatch_handles(on, (*schema)->number))
            numbers[len++] = (*schema)->number;
    }
    return (struct fan_ids){ numbers, len };
}

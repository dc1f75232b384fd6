#include "actors/lib/decide/slots.h"

#include "proto/err.h"

#include <string.h>

/* So late a slot may be used: no second sees more than 5 % too many. */
#define LATE (50 * FAN_MS)

bool fan_slots_have_room(const struct fan_slots *slots)
{
    return slots->count < FAN_SLOTS_BLOCKS;
}

void fan_slots_add(struct fan_slots *slots, uint32_t count, fan_time at, fan_time interval)
{
    FAN_ASSERT(count > 0 && fan_slots_have_room(slots));
    slots->blocks[slots->count++] = (struct fan_slots_block){ count, at, at + count * interval };
}

static void drop_first(struct fan_slots *slots)
{
    memmove(&slots->blocks[0], &slots->blocks[1], --slots->count * sizeof slots->blocks[0]);
}

uint32_t fan_slots_left(struct fan_slots *slots, fan_time now)
{
    uint32_t left = 0;

    while (slots->count > 0 && now > slots->blocks[0].until + LATE)
        drop_first(slots);
    for (size_t i = 0; i < slots->count; i++)
        left += slots->blocks[i].left;
    return left;
}

fan_time fan_slots_next(const struct fan_slots *slots)
{
    FAN_ASSERT(slots->count > 0);
    return slots->blocks[0].next;
}

void fan_slots_use(struct fan_slots *slots, fan_time now, fan_time interval)
{
    struct fan_slots_block *first = &slots->blocks[0];

    FAN_ASSERT(slots->count > 0);
    if (first->next < now - LATE)
        first->next = now - LATE;
    first->next += interval;
    if (--first->left == 0)
        drop_first(slots);
}

/*
 * decide/slots — a sender's send slots of one channel: when the next message may start.
 *
 * Pure; the clock is passed in. Slots come in blocks, reserved on the channel's row, so that
 * between two of ours others may have theirs: each block is used in its own time, one after the
 * other. A slot that was not used within a moment of its time is lost, or a pause would be made up
 * for by a burst.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_SLOTS_H
#define FAN_ACTORS_LIB_DECIDE_SLOTS_H

#include "proto/time.h"

#include <stdbool.h>
#include <stddef.h>

enum { FAN_SLOTS_BLOCKS = 4 };

/* Slots in a row. */
struct fan_slots_block {
    uint32_t left;
    fan_time next;  /* the first of those left */
    fan_time until; /* the last of them is past */
};

struct fan_slots {
    struct fan_slots_block
            blocks[FAN_SLOTS_BLOCKS]; /* blocks[count], in the order of their times */
    size_t count;
};

/** Whether a further block has room. */
bool fan_slots_have_room(const struct fan_slots *slots);
/** Add a block of @count > 0 slots, the first at @at and @interval between two; there is room. */
void fan_slots_add(struct fan_slots *slots, uint32_t count, fan_time at, fan_time interval);
/** How many are left, those whose time is over forgotten. */
uint32_t fan_slots_left(struct fan_slots *slots, fan_time now);
/** When the next one is; there is one. */
fan_time fan_slots_next(const struct fan_slots *slots);
/** Use it; the one behind it in its block is @interval later. */
void fan_slots_use(struct fan_slots *slots, fan_time now, fan_time interval);

#endif

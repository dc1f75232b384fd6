#include "actors/sandbox/backlog.h"

#include "proto/err.h"

#include <stdlib.h>

enum { FIRST_ROOM = 1024 };

void fan_backlog_init(struct fan_backlog *backlog, uint32_t cap)
{
    *backlog = (struct fan_backlog){ .cap = cap, .free = FAN_BACKLOG_NONE };
    for (size_t i = 0; i < FAN_BACKLOG_SLOTS; i++)
        backlog->slot[i] = FAN_BACKLOG_NONE;
}

void fan_backlog_fini(struct fan_backlog *backlog)
{
    free(backlog->at);
    backlog->at = NULL;
}

static void grow(struct fan_backlog *backlog)
{
    uint32_t room = backlog->room ? backlog->room * 2 : FIRST_ROOM;

    if (room > backlog->cap)
        room = backlog->cap;
    backlog->at = reallocarray(backlog->at, room, sizeof(*backlog->at));
    if (!backlog->at)
        fan_die("out of memory: %u messages that wait for callbacks", room);
    backlog->room = room;
}

uint32_t fan_backlog_add(struct fan_backlog *backlog)
{
    uint32_t index = backlog->free;

    if (backlog->used == backlog->cap)
        return FAN_BACKLOG_NONE;
    if (index != FAN_BACKLOG_NONE) {
        backlog->free = backlog->at[index].next;
    } else {
        if (backlog->len == backlog->room)
            grow(backlog);
        index = backlog->len++;
    }
    backlog->used++;
    backlog->at[index] = (struct fan_pending){ .next = FAN_BACKLOG_NONE };
    return index;
}

void fan_backlog_remove(struct fan_backlog *backlog, uint32_t index)
{
    FAN_ASSERT(backlog->used > 0);
    backlog->used--;
    backlog->at[index].next = backlog->free;
    backlog->free = index;
}

/* What is due already waits for the next tick: the slots up to this one have been looked at. */
void fan_backlog_wait(struct fan_backlog *backlog, uint32_t index)
{
    struct fan_pending *pending = &backlog->at[index];
    uint32_t tick = pending->due_ms / FAN_BACKLOG_TICK_MS;
    uint32_t *slot;

    if (tick <= backlog->tick)
        tick = backlog->tick + 1;
    slot = &backlog->slot[tick % FAN_BACKLOG_SLOTS];
    pending->next = *slot;
    *slot = index;
}

/* A slot also holds what is due a turn of the wheel later; that goes back. */
static void empty_slot(struct fan_backlog *backlog, uint32_t tick, struct fan_backlog_list *lists)
{
    uint32_t *slot = &backlog->slot[tick % FAN_BACKLOG_SLOTS];
    uint32_t index = *slot;

    *slot = FAN_BACKLOG_NONE;
    while (index != FAN_BACKLOG_NONE) {
        struct fan_pending *pending = &backlog->at[index];
        uint32_t next = pending->next;

        if (pending->due_ms / FAN_BACKLOG_TICK_MS > tick) {
            pending->next = *slot;
            *slot = index;
        } else {
            fan_backlog_push(backlog, &lists[pending->provider], index);
        }
        index = next;
    }
}

void fan_backlog_due(struct fan_backlog *backlog, uint32_t now_ms, struct fan_backlog_list *lists)
{
    uint32_t now = now_ms / FAN_BACKLOG_TICK_MS;

    if (now > backlog->tick + FAN_BACKLOG_SLOTS) /* the process slept: once round is enough */
        backlog->tick = now - FAN_BACKLOG_SLOTS;
    while (backlog->tick < now)
        empty_slot(backlog, ++backlog->tick, lists);
}

void fan_backlog_push(struct fan_backlog *backlog, struct fan_backlog_list *list, uint32_t index)
{
    backlog->at[index].next = FAN_BACKLOG_NONE;
    if (list->first == FAN_BACKLOG_NONE)
        list->first = index;
    else
        backlog->at[list->last].next = index;
    list->last = index;
}

uint32_t fan_backlog_pop(struct fan_backlog *backlog, struct fan_backlog_list *list)
{
    uint32_t index = list->first;

    if (index != FAN_BACKLOG_NONE)
        list->first = backlog->at[index].next;
    return index;
}

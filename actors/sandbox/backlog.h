/*
 * backlog — messages whose status callbacks are still to come: a pool of small records and a wheel
 * of instants.
 *
 * A record costs 96 bytes, so a million of them are 96 MB; the pool never grows beyond its cap.
 * Records are named by index; a pointer is good until the next fan_backlog_add. Pure: the caller
 * says what time it is.
 */
#ifndef FAN_ACTORS_SANDBOX_BACKLOG_H
#define FAN_ACTORS_SANDBOX_BACKLOG_H

#include "proto/bytes.h"

enum {
    FAN_BACKLOG_NONE = UINT32_MAX,
    FAN_PENDING_TOKEN = 64,
    FAN_BACKLOG_SLOTS = 1024,
    FAN_BACKLOG_TICK_MS = 16
};

/* What will become of a message. */
enum fan_fate { FAN_FATE_SENT = 1, FAN_FATE_DELIVERED, FAN_FATE_READ, FAN_FATE_FAILED };

struct fan_pending {
    uint64_t serial;               /* of the message: its provider id is made from it */
    uint64_t to;                   /* digits of the recipient */
    uint32_t due_ms;               /* not before */
    uint32_t next;                 /* record in the same list */
    uint16_t url;                  /* Twilio: what stands before the token in the callback's URL */
    uint16_t from;                 /* Twilio: the sender */
    uint8_t provider;              /* enum fan_sandbox_provider */
    uint8_t step;                  /* callbacks that were delivered or given up */
    uint8_t fate;                  /* enum fan_fate */
    uint8_t tries;                 /* of this step's callback */
    char token[FAN_PENDING_TOKEN]; /* ends with NUL unless it fills the room */
};

_Static_assert(sizeof(struct fan_pending) == 96, "a million messages must fit in 100 MB");

/* Records in order; a link is in the record. */
struct fan_backlog_list {
    uint32_t first, last; /* FAN_BACKLOG_NONE: empty */
};

struct fan_backlog {
    struct fan_pending *at; /* at[room] */
    uint32_t len, room, cap;
    uint32_t used;                    /* records that are not free */
    uint32_t free;                    /* list of free records */
    uint32_t tick;                    /* the last instant that was looked at, in ticks */
    uint32_t slot[FAN_BACKLOG_SLOTS]; /* lists by due tick, unordered */
};

void fan_backlog_init(struct fan_backlog *backlog, uint32_t cap);
void fan_backlog_fini(struct fan_backlog *backlog);

/** A zeroed record that waits for nothing yet, or FAN_BACKLOG_NONE at the cap. */
uint32_t fan_backlog_add(struct fan_backlog *backlog);
void fan_backlog_remove(struct fan_backlog *backlog, uint32_t index);

/** Let a record wait until its due_ms. */
void fan_backlog_wait(struct fan_backlog *backlog, uint32_t index);

/** Move what is due at @now_ms to the end of the caller's lists: @lists[provider]. Call about once
 * a tick. */
void fan_backlog_due(struct fan_backlog *backlog, uint32_t now_ms, struct fan_backlog_list *lists);

void fan_backlog_push(struct fan_backlog *backlog, struct fan_backlog_list *list, uint32_t index);
uint32_t fan_backlog_pop(struct fan_backlog *backlog, struct fan_backlog_list *list);

#endif

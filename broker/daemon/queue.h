/*
 * queue — frames that wait in a broker for a worker with credit: one short queue for each message
 * number, kind and lane.
 *
 * A queue holds 64 frames, all together a bounded number of bytes. The newest is refused when there
 * is no room; the oldest is dropped when its time is over. Frames are hints: the rows that they
 * stand for ask again. Pure: instants are passed in, packets are not looked into.
 */
#ifndef FAN_DAEMON_QUEUE_H
#define FAN_DAEMON_QUEUE_H

#include "proto/frame.h"

struct fan_packet;

enum { FAN_QUEUE_FRAMES = 64, FAN_QUEUES_MAX = 256 };

struct fan_queue_key {
    uint32_t number;
    enum fan_kind kind;
    enum fan_lane lane;
};

struct fan_queued {
    struct fan_packet *packet;
    size_t bytes;
    fan_time dies_at;
};

struct fan_queue {
    struct fan_queue_key key;
    size_t first, len;
    struct fan_queued ring[FAN_QUEUE_FRAMES];
};

struct fan_queues {
    struct fan_queue *at[FAN_QUEUES_MAX]; /* at[len] */
    size_t len;
    size_t next[FAN_LANE_COUNT]; /* queue that is served next in a lane */
    size_t bytes, bytes_max;     /* waiting, and how many may */

    /** A frame's time is over: count it and free the packet. */
    void (*on_late)(void *context, struct fan_packet *packet);
    void *context;
};

/** Drop all frames, through on_late. */
void fan_queues_fini(struct fan_queues *queues);

/** Put a frame at the end; false: there is no room, the packet stays yours. */
bool fan_queues_put(struct fan_queues *queues, const struct fan_queue_key *key,
        const struct fan_queued *frame, fan_time now);

/** The oldest frame whose time is not over, or NULL. */
const struct fan_queued *fan_queue_peek(struct fan_queues *queues, struct fan_queue *queue,
        fan_time now);

/** Forget the oldest frame: its packet has gone. */
void fan_queue_pop(struct fan_queues *queues, struct fan_queue *queue);

/** Frames waiting in @lane. */
size_t fan_queues_waiting(const struct fan_queues *queues, enum fan_lane lane);

#endif

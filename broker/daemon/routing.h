/*
 * routing — which waiting frame goes next, and to whom.
 *
 * Urgent frames first; the queues of a lane take turns; a frame goes only to a worker that takes it
 * and has credit for it. Pure.
 */
#ifndef FAN_DAEMON_ROUTING_H
#define FAN_DAEMON_ROUTING_H

#include "broker/daemon/queue.h"
#include "broker/daemon/registry.h"

struct fan_handover {
    struct fan_queue *queue;
    struct fan_worker *worker;
    struct fan_packet *packet;
};

/** Find the next frame that can go; false: none can. It stays in its queue until
 * fan_routing_sent. */
bool fan_routing_next(struct fan_queues *queues, struct fan_registry *registry, fan_time now,
        struct fan_handover *out);

/** It has gone: use the credit, forget the frame. */
void fan_routing_sent(struct fan_queues *queues, const struct fan_handover *handover);

#endif

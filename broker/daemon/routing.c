#include "broker/daemon/routing.h"

static bool next_in_lane(struct fan_queues *queues, struct fan_registry *registry,
        enum fan_lane lane, fan_time now, struct fan_handover *out)
{
    for (size_t i = 0; i < queues->len; i++) {
        size_t at = (queues->next[lane] + i) % queues->len;
        struct fan_queue *queue = queues->at[at];
        const struct fan_queue_key *key = &queue->key;
        const struct fan_queued *frame;
        struct fan_worker *worker;

        if (key->lane != lane || !(frame = fan_queue_peek(queues, queue, now)))
            continue;
        worker = fan_registry_choose(registry, key->number, key->kind, lane);
        if (!worker)
            continue;
        *out = (struct fan_handover){ queue, worker, frame->packet };
        queues->next[lane] = at + 1;
        return true;
    }
    return false;
}

bool fan_routing_next(struct fan_queues *queues, struct fan_registry *registry, fan_time now,
        struct fan_handover *out)
{
    return next_in_lane(queues, registry, FAN_LANE_URGENT, now, out) ||
            next_in_lane(queues, registry, FAN_LANE_NORMAL, now, out);
}

void fan_routing_sent(struct fan_queues *queues, const struct fan_handover *handover)
{
    fan_worker_sent(handover->worker, handover->queue->key.lane);
    fan_queue_pop(queues, handover->queue);
}

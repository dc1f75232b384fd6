#include "broker/daemon/queue.h"

#include <stdlib.h>

static void drop_all(struct fan_queues *queues, struct fan_queue *queue)
{
    while (queue->len) {
        struct fan_packet *packet = queue->ring[queue->first].packet;

        fan_queue_pop(queues, queue);
        queues->on_late(queues->context, packet);
    }
}

void fan_queues_fini(struct fan_queues *queues)
{
    for (size_t i = 0; i < queues->len; i++) {
        drop_all(queues, queues->at[i]);
        free(queues->at[i]);
    }
    queues->len = 0;
}

static bool is_same(const struct fan_queue_key *a, const struct fan_queue_key *b)
{
    return a->number == b->number && a->kind == b->kind && a->lane == b->lane;
}

static struct fan_queue *add_queue(struct fan_queues *queues)
{
    struct fan_queue **queue = &queues->at[queues->len++];

    *queue = calloc(1, sizeof(**queue));
    if (!*queue)
        fan_die("out of memory: a queue");
    return *queue;
}

/* Any empty queue can become another's, so that senseless keys do not use up the table. */
static struct fan_queue *queue_of(struct fan_queues *queues, const struct fan_queue_key *key)
{
    struct fan_queue *empty = NULL;

    for (size_t i = 0; i < queues->len; i++) {
        if (is_same(&queues->at[i]->key, key))
            return queues->at[i];
        if (!queues->at[i]->len)
            empty = queues->at[i];
    }
    if (queues->len < FAN_QUEUES_MAX)
        empty = add_queue(queues);
    if (empty)
        empty->key = *key;
    return empty;
}

bool fan_queues_put(struct fan_queues *queues, const struct fan_queue_key *key,
        const struct fan_queued *frame, fan_time now)
{
    struct fan_queue *queue = queue_of(queues, key);

    if (!queue)
        return false;
    fan_queue_peek(queues, queue, now); /* makes room where it can be made */
    if (queue->len == FAN_QUEUE_FRAMES || queues->bytes + frame->bytes > queues->bytes_max)
        return false;
    queue->ring[(queue->first + queue->len++) % FAN_QUEUE_FRAMES] = *frame;
    queues->bytes += frame->bytes;
    return true;
}

const struct fan_queued *fan_queue_peek(struct fan_queues *queues, struct fan_queue *queue,
        fan_time now)
{
    while (queue->len) {
        const struct fan_queued *oldest = &queue->ring[queue->first];
        struct fan_packet *packet = oldest->packet;

        if (oldest->dies_at > now)
            return oldest;
        fan_queue_pop(queues, queue);
        queues->on_late(queues->context, packet);
    }
    return NULL;
}

void fan_queue_pop(struct fan_queues *queues, struct fan_queue *queue)
{
    FAN_ASSERT(queue->len);
    queues->bytes -= queue->ring[queue->first].bytes;
    queue->first = (queue->first + 1) % FAN_QUEUE_FRAMES;
    queue->len--;
}

size_t fan_queues_waiting(const struct fan_queues *queues, enum fan_lane lane)
{
    size_t waiting = 0;

    for (size_t i = 0; i < queues->len; i++) {
        if (queues->at[i]->key.lane == lane)
            waiting += queues->at[i]->len;
    }
    return waiting;
}

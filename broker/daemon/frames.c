/* Frames for one worker: they come in, wait a little, and go to somebody with credit. */
#include "broker/daemon/broker.h"
#include "broker/daemon/routing.h"
#include "proto/fault.h"

enum { WAIT_MS = 5000, CONTROL_FIRST = 0x0100, CONTROL_LAST = 0x01ff };

/* Our own clock decides how long a frame may wait; the sender's only shortens it. */
static fan_time dies_at(const struct fan_frame *frame, fan_time now)
{
    fan_time left = WAIT_MS * FAN_MS;

    if (frame->route.not_after && frame->route.not_after - fan_clock_now() < left)
        left = frame->route.not_after - fan_clock_now();
    return now + left;
}

static void put(struct fan_broker *broker, const struct fan_frame *frame,
        struct fan_packet **packet)
{
    const struct fan_queue_key key = { frame->number, frame->route.kind, frame->route.lane };
    fan_time now = fan_clock_elapsed();
    const struct fan_queued queued = {
        .packet = *packet,
        .bytes = fan_packet_bytes(*packet).len,
        .dies_at = dies_at(frame, now),
    };

    FAN_FAULT("broker.received");
    fan_metric_add(broker->count.in, 1);
    if (fan_queues_put(&broker->queues, &key, &queued, now))
        *packet = NULL;
    else
        fan_metric_add(broker->count.full, 1);
}

static void take(struct fan_broker *broker, struct fan_packet **packet)
{
    struct fan_frame frame;

    if (fan_frame_decode(fan_packet_bytes(*packet), &frame, NULL)) {
        fan_metric_add(broker->count.invalid, 1);
    } else if (frame.number >= CONTROL_FIRST && frame.number <= CONTROL_LAST) {
        fan_broker_on_control(broker, &frame);
    } else {
        put(broker, &frame, packet);
        fan_broker_dispatch(broker);
    }
}

void fan_broker_on_frames(void *broker, struct fan_socket *in)
{
    struct fan_packet *packet;

    for (int i = 0; i < FAN_BROKER_BURST && (packet = fan_socket_receive(in)) != NULL; i++) {
        take(broker, &packet);
        fan_packet_free(&packet);
    }
}

/* A socket that is full in spite of credit is left alone until it says that there is room. */
void fan_broker_dispatch(struct fan_broker *broker)
{
    fan_time now = fan_clock_elapsed();
    struct fan_handover next;

    while (fan_routing_next(&broker->queues, &broker->registry, now, &next)) {
        FAN_FAULT("broker.before_handover");
        if (!fan_socket_send(next.worker->socket, &next.packet)) {
            next.worker->is_full = true;
            continue;
        }
        FAN_FAULT("broker.handed_over");
        fan_routing_sent(&broker->queues, &next);
        fan_metric_add(broker->count.out, 1);
    }
}

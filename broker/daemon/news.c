/*
 * The event bus: what actors publish comes in on an XSUB and goes out on an XPUB; what they
 * subscribe to goes the other way, so that they publish only what somebody wants. Messages 0x01..
 * are the broker's own: nobody else may publish them, and no publisher needs to hear that somebody
 * wants them.
 */
#include "broker/daemon/broker.h"

enum { OWN_MESSAGES = 0x01 }; /* first byte of their numbers */

struct fan_packet *fan_broker_pack(struct fan_broker *broker, const struct fan_schema *schema,
        uint64_t run, const void *message)
{
    const struct fan_frame frame = {
        .route.run = (fan_id)run,
        .incarnation = broker->incarnation,
        .sequence = ++broker->sequence,
        .sent_at = fan_clock_now(),
    };

    fan_buffer_clear(&broker->scratch);
    fan_frame_encode(&frame, schema, message, &broker->scratch);
    return fan_packet_new(fan_buffer_bytes(&broker->scratch));
}

void fan_broker_publish(struct fan_broker *broker, const struct fan_schema *schema, uint64_t run,
        const void *message)
{
    struct fan_packet *packet = fan_broker_pack(broker, schema, run, message);

    fan_socket_send(broker->bus, &packet);
    fan_packet_free(&packet);
}

void fan_broker_say_alive(struct fan_broker *broker)
{
    const struct fan_broker_alive alive = { .broker = broker->incarnation };

    fan_broker_publish(broker, &fan_schema_broker_alive, 0, &alive);
}

static bool is_own(struct fan_bytes number)
{
    return number.len && number.at[0] == OWN_MESSAGES;
}

void fan_broker_on_news(void *context, struct fan_socket *pub)
{
    struct fan_broker *broker = context;
    struct fan_packet *packet;

    for (int i = 0; i < FAN_BROKER_BURST && (packet = fan_socket_receive(pub)) != NULL; i++) {
        struct fan_bytes frame = fan_packet_bytes(packet);

        if (frame.len < FAN_FRAME_HEADER || is_own(frame)) {
            fan_metric_add(broker->count.invalid, 1);
        } else {
            fan_metric_add(broker->count.news, 1);
            fan_socket_send(broker->bus, &packet);
        }
        fan_packet_free(&packet);
    }
}

/* A newcomer that asks for broker_alive is told at once, so that it can begin. */
static bool asks_who_is_alive(struct fan_bytes subscription)
{
    char wanted[1 + 18] = { 1 };
    size_t len = 1 + fan_frame_prefix(FAN_MSG_broker_alive, 0, 0, wanted + 1);

    return fan_bytes_eq(subscription, (struct fan_bytes){ wanted, len });
}

/* A subscription is a byte, 1 for its begin and 0 for its end, and a prefix. */
void fan_broker_on_subscription(void *context, struct fan_socket *bus)
{
    struct fan_broker *broker = context;
    struct fan_packet *packet;
    bool asked = false;

    for (int i = 0; i < FAN_BROKER_BURST && (packet = fan_socket_receive(bus)) != NULL; i++) {
        struct fan_bytes text = fan_packet_bytes(packet);

        if (text.len < 2 || !is_own((struct fan_bytes){ text.at + 1, text.len - 1 }))
            fan_socket_send(broker->pub, &packet);
        else
            asked |= asks_who_is_alive(text);
        fan_packet_free(&packet);
    }
    if (asked)
        fan_broker_say_alive(broker);
}

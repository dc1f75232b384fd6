/*
 * bus_link — what the bus keeps for one broker: four sockets and where the acquaintance stands.
 *
 *   unknown  --hello-->  --welcome-->  welcomed  --ping-->  met: frames may come
 *
 * It starts over when the broker is another incarnation, or says that it does not know us.
 * Private to the bus.
 */
#ifndef FAN_RUNTIME_BUS_LINK_H
#define FAN_RUNTIME_BUS_LINK_H

#include "broker/runtime/bus.h"
#include "broker/runtime/capacity.h"
#include "broker/runtime/socket.h"

enum { FAN_BEAT_MS = 250 };

struct fan_link {
    struct fan_bus *bus;
    int index; /* among the bus's links and in its credit */
    char base[FAN_ENDPOINT_TEXT];
    struct fan_socket *in;   /* PUSH: frames for one worker, and for the broker itself */
    struct fan_socket *pub;  /* PUB: our news */
    struct fan_socket *sub;  /* SUB: everybody's news */
    struct fan_socket *pull; /* PULL: frames for us; NULL: no endpoint was named */
    uint64_t broker;         /* its incarnation; 0: not heard yet */
    fan_time heard;          /* of fan_clock_elapsed */
    bool live;               /* heard lately, or not yet expected to be */
    bool welcomed;
    bool met;
    uint32_t hellos; /* beats without an answer */
    char endpoint[FAN_ENDPOINT_TEXT];
};

/* A frame for this worker that waits for its turn. */
struct fan_waiting {
    struct fan_waiting *next;
    struct fan_packet *packet;
    struct fan_frame frame; /* points into the packet */
};

struct fan_waiting_list {
    struct fan_waiting *first;
    struct fan_waiting **end; /* where the next one goes */
};

struct fan_bus {
    struct fan_bus_options options;
    struct fan_loop *loop;
    struct fan_timer *beat;
    struct fan_timer *deliver;
    fan_time last_beat; /* of fan_clock_elapsed */
    uint32_t beats;
    struct fan_link link[FAN_BROKERS_MAX];
    int links;
    int next; /* link that the next PIPE frame is offered first */
    struct fan_capacity capacity[FAN_LANE_COUNT];
    struct fan_waiting_list waiting[FAN_LANE_COUNT];
    struct fan_buffer scratch;
    struct fan_arena *arena;
    bool draining;
    struct {
        struct fan_metric *sent, *received, *news_sent, *news_received, *credit_told;
        struct fan_metric *nowhere, *late, *invalid, *refused, *brokers;
    } count;
};

/** fails FAN_INVALID, FAN_UNAVAILABLE */
enum fan_err fan_link_open(struct fan_link *link, struct fan_bytes base,
        struct fan_why *why) FAN_MUST_CHECK;
void fan_link_close(struct fan_link *link, int linger_ms);

/** Every FAN_BEAT_MS: hello until welcomed; each @second heartbeat and credit. */
void fan_link_beat(struct fan_link *link, bool second);

/** Frames of the broker itself: news about the two of us, and the ping through our own endpoint. */
void fan_link_on_news(struct fan_link *link, const struct fan_frame *frame);
void fan_link_on_ping(struct fan_link *link, const struct fan_frame *frame);

/** Grant what there is to grant. */
void fan_link_tell_credit(struct fan_link *link);
void fan_link_say_bye(struct fan_link *link);

/** Set whether the broker counts as live. */
void fan_link_set_live(struct fan_link *link, bool live);

/* ---- the bus, for its links ---- */

/** Packets came on a link's sockets. */
void fan_bus_on_pull(void *link, struct fan_socket *socket);
void fan_bus_on_sub(void *link, struct fan_socket *socket);

#endif

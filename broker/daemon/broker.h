/*
 * broker — what the parts of the broker process share.
 *
 *   workers.c  who is there: hello, welcome, credit, heartbeats, bye and silence
 *   frames.c   frames for one worker: in, wait, out
 *   news.c     the event bus
 *   place.c    the folder where the broker listens
 */
#ifndef FAN_DAEMON_BROKER_H
#define FAN_DAEMON_BROKER_H

#include "broker/daemon/queue.h"
#include "broker/daemon/registry.h"
#include "broker/runtime/actor.h"
#include "broker/runtime/socket.h"

enum { FAN_BROKER_BURST = 64 }; /* packets taken from a socket before others have their turn */

struct fan_broker_settings {
    const char *listen;
    uint32_t ports;
    uint32_t waiting_mb;
};

struct fan_broker {
    struct fan_actor *actor;
    struct fan_bytes base;
    struct fan_socket *in;  /* PULL */
    struct fan_socket *pub; /* XSUB: actors' news */
    struct fan_socket *bus; /* XPUB */
    struct fan_registry registry;
    struct fan_queues queues;
    uint32_t places;     /* endpoints of workers that can be named */
    uint32_t next_place; /* the one that has not been used for longest */
    uint64_t incarnation;
    uint64_t sequence; /* of our own last frame */
    struct fan_buffer scratch;
    struct fan_arena *arena; /* for control frames; reset at each */
    int lock;                /* descriptor of the place's lock, -1: none */
    struct {
        struct fan_metric *in, *out, *news, *late, *full, *invalid, *lost;
    } count;
};

/* ---- news.c ---- */

/** Publish a frame of our own; @run is the header's, a worker's incarnation or 0. */
void fan_broker_publish(struct fan_broker *broker, const struct fan_schema *schema, uint64_t run,
        const void *message);
void fan_broker_say_alive(struct fan_broker *broker);
/** Encode a frame of our own. */
struct fan_packet *fan_broker_pack(struct fan_broker *broker, const struct fan_schema *schema,
        uint64_t run, const void *message);
void fan_broker_on_news(void *broker, struct fan_socket *pub);
void fan_broker_on_subscription(void *broker, struct fan_socket *bus);

/* ---- frames.c ---- */

void fan_broker_on_frames(void *broker, struct fan_socket *in);
/** Hand out what can be handed out. */
void fan_broker_dispatch(struct fan_broker *broker);

/* ---- workers.c ---- */

/** A frame of hello, credit, heartbeat or bye. */
void fan_broker_on_control(struct fan_broker *broker, const struct fan_frame *frame);
/** Welcome again whoever has not been met yet. */
void fan_broker_greet(struct fan_broker *broker);
/** Let go of those that fell silent. */
void fan_broker_bury(struct fan_broker *broker);
/** Close every worker's socket and forget them all. */
void fan_broker_forget_workers(struct fan_broker *broker);

/* ---- place.c ---- */

/**
 * Make sure that this broker alone listens at its base, and remove what a dead one left there.
 *
 * lock   out; descriptor to keep open, -1 when the base is no path
 * fails  FAN_UNAVAILABLE  another broker listens there, or the folder cannot be written
 */
enum fan_err fan_place_take(struct fan_bytes base, int *lock, struct fan_why *why) FAN_MUST_CHECK;

#endif

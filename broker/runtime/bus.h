/*
 * bus — a process's side of the broker protocol: it finds the brokers, says hello to each, grants
 * them credit, and sends and receives frames.
 *
 * A frame for one worker (PIPE) goes to the next live broker that takes it at once; if none does it
 * is dropped, and its row will ask again. News go to one live broker, always the same while it
 * lives, so that they keep their order and reach nobody twice: everyone listens to every broker's
 * bus. Between a broker's death and its notice (3 s) news may be lost. Private to the runtime.
 */
#ifndef FAN_RUNTIME_BUS_H
#define FAN_RUNTIME_BUS_H

#include "broker/runtime/loop.h"
#include "broker/runtime/metrics.h"
#include "proto/frame.h"

struct fan_bus;
struct fan_packet;

struct fan_bus_options {
    const char *brokers; /* base addresses, separated by commas */
    const char *role;
    const char *host;
    uint64_t incarnation;
    uint64_t *sequence;              /* of the last frame that the process sent */
    enum fan_kind kind;              /* of channel that this worker serves; 0: any */
    uint32_t credit[FAN_LANE_COUNT]; /* frames that it can hold, by lane */
    struct fan_ids takes;            /* numbers of PIPE messages */
    struct fan_ids wants;            /* numbers of NEWS messages */
    struct fan_metrics *metrics;

    /** A frame came: it is borrowed for the call. A PIPE frame's credit comes back with
     * fan_bus_done. */
    void (*on_frame)(void *context, const struct fan_frame *frame);
    void *context;
};

/**
 * Open the sockets; everything else follows from the loop. @options is copied, its texts and ids
 * are borrowed as long as the bus lives.
 *
 * fails  FAN_INVALID  options->brokers is no list of addresses
 *        FAN_UNAVAILABLE
 */
enum fan_err fan_bus_open(struct fan_loop *loop, const struct fan_bus_options *options,
        struct fan_bus **out, struct fan_why *why) FAN_MUST_CHECK;

/** Send a frame (@packet becomes NULL); it may be dropped, which is counted. */
void fan_bus_send(struct fan_bus *bus, enum fan_way way, struct fan_packet **packet);

/** A PIPE frame of @lane is done with; its credit goes back to the brokers. */
void fan_bus_done(struct fan_bus *bus, enum fan_lane lane);

/** Grant no more credit, say bye and take no more PIPE frames; news still come and frames still
 * leave. */
void fan_bus_drain(struct fan_bus *bus);

/** Brokers heard within the last 3 s. */
int fan_bus_brokers(const struct fan_bus *bus);

/** Close the sockets. What was sent has @linger_ms to leave. */
void fan_bus_close(struct fan_bus **bus, int linger_ms);

#endif

/*
 * frame — one ZeroMQ message: a fixed header, an envelope and a body.
 *
 *   bytes  0-1   message number, big-endian          \
 *          2-9   account, big-endian                  > a subscription is a prefix of these
 *          10-17 run, big-endian                     /
 *          18    wire version (1)
 *          19    lane
 *          20    kind of channel
 *          21-23 zero
 *          24-31 sender's incarnation, big-endian
 *          32-39 sender's sequence, big-endian
 *   then two msgpack maps: the envelope (proto/messages/envelope.def) and the body.
 */
#ifndef FAN_PROTO_FRAME_H
#define FAN_PROTO_FRAME_H

#include "proto/message.h"
#include "proto/words.h"

enum { FAN_WIRE_VERSION = 1, FAN_FRAME_HEADER = 40, FAN_FRAME_MAX = 1024 * 1024 };

/* Where a message goes and what it belongs to. */
struct fan_route {
    fan_id account;
    fan_id run;         /* 0: none */
    enum fan_lane lane; /* 0: normal */
    enum fan_kind kind; /* 0: any */
    fan_time not_after; /* give up after this instant; 0: never */
};

struct fan_trace {
    struct fan_bytes trace_id; /* 16 bytes, or absent */
    struct fan_bytes span_id;  /* 8 bytes */
};

struct fan_frame {
    uint32_t number;
    struct fan_route route;
    uint32_t version;
    uint64_t incarnation;
    uint64_t sequence;
    fan_time sent_at;
    struct fan_trace trace;
    struct fan_bytes body; /* msgpack, not yet decoded */
};

/** Write a whole frame; its number comes from @schema. Then check out->overflowed (cap
 *  FAN_FRAME_MAX). */
void fan_frame_encode(const struct fan_frame *frame, const struct fan_schema *schema,
        const void *message, struct fan_buffer *out);

/**
 * Read header and envelope; the body stays as bytes inside @wire.
 *
 * fails  FAN_INVALID  too short, a version or an envelope that we do not read
 */
enum fan_err fan_frame_decode(struct fan_bytes wire, struct fan_frame *out,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Write the subscription prefix of a message number and return its length.
 *
 * account  0: every account, if @run is 0 too
 * run      0: every run
 */
size_t fan_frame_prefix(uint32_t number, fan_id account, uint64_t run, char out[18]);

#endif

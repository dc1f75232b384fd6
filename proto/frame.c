#include "proto/frame.h"

/* Where the header's parts begin; see frame.h. */
enum {
    AT_NUMBER = 0,
    AT_ACCOUNT = 2,
    AT_RUN = 10,
    AT_VERSION = 18,
    AT_LANE = 19,
    AT_KIND = 20,
    AT_INCARNATION = 24,
    AT_SEQUENCE = 32,
};

enum { TRACE_ID = 16, SPAN_ID = 8 }; /* bytes, as W3C trace context has them */

static void put(char *to, int width, uint64_t value)
{
    for (; width > 0; width--, value >>= 8)
        to[width - 1] = (char)(value & 0xff);
}

static uint64_t get(const char *from, int width)
{
    uint64_t value = 0;

    for (int i = 0; i < width; i++)
        value = value << 8 | (unsigned char)from[i];
    return value;
}

static void put_header(const struct fan_frame *frame, uint32_t number, char to[FAN_FRAME_HEADER])
{
    enum fan_lane lane = frame->route.lane ? frame->route.lane : FAN_LANE_NORMAL;

    memset(to, 0, FAN_FRAME_HEADER);
    put(to + AT_NUMBER, 2, number);
    put(to + AT_ACCOUNT, 8, (uint64_t)frame->route.account);
    put(to + AT_RUN, 8, (uint64_t)frame->route.run);
    put(to + AT_VERSION, 1, FAN_WIRE_VERSION);
    put(to + AT_LANE, 1, lane);
    put(to + AT_KIND, 1, frame->route.kind);
    put(to + AT_INCARNATION, 8, frame->incarnation);
    put(to + AT_SEQUENCE, 8, frame->sequence);
}

void fan_frame_encode(const struct fan_frame *frame, const struct fan_schema *schema,
        const void *message, struct fan_buffer *out)
{
    const struct fan_envelope envelope = {
        .sent_at = frame->sent_at,
        .not_after = frame->route.not_after,
        .trace_id = frame->trace.trace_id,
        .span_id = frame->trace.span_id,
    };
    char header[FAN_FRAME_HEADER];

    put_header(frame, schema->number, header);
    fan_buffer_add(out, header, sizeof header);
    fan_encode(&fan_schema_envelope, &envelope, out);
    fan_encode(schema, message, out);
}

static enum fan_err get_header(const char *from, struct fan_frame *out, struct fan_why *why)
{
    uint64_t lane = get(from + AT_LANE, 1);
    uint64_t kind = get(from + AT_KIND, 1);

    out->number = (uint32_t)get(from + AT_NUMBER, 2);
    out->route.account = (fan_id)get(from + AT_ACCOUNT, 8);
    out->route.run =
            (fan_id)get(from + AT_RUN, 8); /* welcome has an incarnation here: any 64 bits */
    out->route.lane = lane ? (enum fan_lane)lane : FAN_LANE_NORMAL;
    out->route.kind = (enum fan_kind)kind;
    out->version = (uint32_t)get(from + AT_VERSION, 1);
    out->incarnation = get(from + AT_INCARNATION, 8);
    out->sequence = get(from + AT_SEQUENCE, 8);
    if (out->version != FAN_WIRE_VERSION)
        return fan_fail(why, FAN_INVALID, "a frame of wire version %u", out->version);
    if (out->route.account < 0 || out->route.account > FAN_ID_MAX)
        return fan_fail(why, FAN_INVALID, "a frame of an account that cannot be");
    if (lane >= FAN_LANE_COUNT || kind >= FAN_KIND_COUNT)
        return fan_fail(why, FAN_INVALID, "a frame of lane %d and kind %d", (int)lane, (int)kind);
    return FAN_OK;
}

/* Absent, or the length that it must have. */
static bool has_len(struct fan_bytes id, size_t len)
{
    return !id.len || id.len == len;
}

enum fan_err fan_frame_decode(struct fan_bytes wire, struct fan_frame *out, struct fan_why *why)
{
    struct fan_bytes behind_header;
    struct fan_envelope envelope;
    enum fan_err err;

    *out = (struct fan_frame){ 0 };
    if (wire.len < FAN_FRAME_HEADER || wire.len > FAN_FRAME_MAX)
        return fan_fail(why, FAN_INVALID, "a frame of %zu bytes", wire.len);
    behind_header.at = wire.at + FAN_FRAME_HEADER;
    behind_header.len = wire.len - FAN_FRAME_HEADER;
    err = get_header(wire.at, out, why);
    if (!err)
        err = fan_decode_first(&fan_schema_envelope, behind_header, &out->body, NULL, &envelope,
                why);
    if (err)
        return err;
    if (!has_len(envelope.trace_id, TRACE_ID) || !has_len(envelope.span_id, SPAN_ID))
        return fan_fail(why, FAN_INVALID, "a frame's trace context has the wrong length");
    out->sent_at = envelope.sent_at;
    out->route.not_after = envelope.not_after;
    out->trace = (struct fan_trace){ envelope.trace_id, envelope.span_id };
    return FAN_OK;
}

size_t fan_frame_prefix(uint32_t number, fan_id account, uint64_t run, char out[18])
{
    put(out + AT_NUMBER, 2, number);
    put(out + AT_ACCOUNT, 8, (uint64_t)account);
    put(out + AT_RUN, 8, run);
    return run ? AT_VERSION : account ? AT_RUN : AT_ACCOUNT;
}

#include "broker/runtime/http_request.h"

struct fan_http_stream {
    struct fan_http_request *request;
    struct fan_buffer queue;
    size_t taken; /* bytes at the front of the queue that are gone already */
    size_t cap;
    bool ended;
    bool cut;
    void (*closed)(void *context, struct fan_http_stream *stream);
    void *context;
};

struct fan_http_stream *fan_http_stream_open(struct fan_http_request *request, int status,
        const char *type, size_t queue_cap,
        void (*closed)(void *context, struct fan_http_stream *stream), void *context)
{
    struct fan_http_stream *stream = fan_arena_alloc(request->arena, sizeof(*stream));

    FAN_ASSERT(!request->answered && request->step == FAN_HTTP_STEP_WHOLE);
    stream->request = request;
    stream->cap = queue_cap;
    stream->closed = closed;
    stream->context = context;
    fan_buffer_init(&stream->queue, SIZE_MAX);
    if (type)
        fan_http_add_header(request, "Content-Type", type);
    if (type && strncmp(type, "text/event-stream", 17) == 0) {
        fan_http_add_header(request, "Cache-Control", "no-store");
        fan_http_add_header(request, "X-Accel-Buffering", "no"); /* nginx would hold events back */
    }
    request->answered = true;
    request->status = status;
    request->stream = stream;
    fan_http_wake(request);
    return stream;
}

size_t fan_http_stream_queued(const struct fan_http_stream *stream)
{
    return stream->queue.len - stream->taken;
}

bool fan_http_stream_send(struct fan_http_stream *stream, struct fan_bytes bytes)
{
    FAN_ASSERT(!stream->ended);
    if (stream->cut)
        return false;
    if (bytes.len > stream->cap - fan_http_stream_queued(stream)) {
        fan_http_stream_cut(stream);
        return false;
    }
    if (stream->taken > stream->queue.len / 2) {
        fan_buffer_drop(&stream->queue, stream->taken);
        stream->taken = 0;
    }
    fan_buffer_add_bytes(&stream->queue, bytes);
    fan_http_wake(stream->request);
    return true;
}

void fan_http_stream_end(struct fan_http_stream *stream)
{
    stream->ended = true;
    fan_http_wake(stream->request);
}

void fan_http_stream_cut(struct fan_http_stream *stream)
{
    stream->cut = true;
    fan_http_hang_up(stream->request->wait);
    fan_http_wake(stream->request);
}

ssize_t fan_http_stream_take(struct fan_http_stream *stream, char *to, size_t max)
{
    size_t len = fan_http_stream_queued(stream);

    if (stream->cut)
        return FAN_HTTP_STREAM_CUT;
    if (len == 0)
        return stream->ended ? FAN_HTTP_STREAM_ENDED : FAN_HTTP_STREAM_EMPTY;
    if (len > max)
        len = max;
    memcpy(to, stream->queue.at + stream->taken, len);
    stream->taken += len;
    return (ssize_t)len;
}

void fan_http_stream_close(struct fan_http_stream *stream)
{
    if (stream->closed)
        stream->closed(stream->context, stream);
    fan_buffer_fini(&stream->queue);
}

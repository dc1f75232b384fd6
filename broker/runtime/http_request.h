/*
 * http_request — a request and its answer, without the library that carries them. Private to
 * http_*.c of the server.
 *
 * http_server.c fills a request from the wire and sends its answer; http_request.c and
 * http_stream.c are what a handler sees of it. They reach back through fan_http_wake only.
 */
#ifndef FAN_RUNTIME_HTTP_REQUEST_H
#define FAN_RUNTIME_HTTP_REQUEST_H

#include "broker/runtime/http_patience.h"
#include "broker/runtime/http_server.h"
#include "proto/buffer.h"

#include <sys/types.h>

/* How much of it is here. */
enum fan_http_step { FAN_HTTP_STEP_HEAD, FAN_HTTP_STEP_BODY, FAN_HTTP_STEP_WHOLE };

struct fan_http_extra {
    struct fan_http_extra *next;
    const char *name;
    const char *value;
};

struct fan_http_request {
    struct fan_http_wait *wait; /* of its connection */
    struct fan_arena *arena;
    struct fan_bytes method, target, path, query;
    enum fan_http_step step;
    bool has_body;
    bool expects; /* the client waits for 100 Continue before it sends the body */
    bool last;    /* of its connection: no other request can be told apart behind it */
    bool in_parts;
    bool paused;
    fan_time paused_at; /* of fan_clock_elapsed */
    bool suspended;     /* the library looks away until fan_http_wake */
    bool deaf;          /* answered in the middle of the body, the rest of which is thrown away */
    size_t thrown;      /* bytes */
    void *part_context;
    struct fan_buffer body;
    void *user;

    bool answered;
    bool dropped; /* the answer is the end of the connection */
    int status;
    const char *type; /* NULL: none */
    struct fan_bytes answer;
    int file; /* the answer's body instead, unless it is -1: ours until the library has it */
    uint64_t file_at, file_len;
    struct fan_http_extra *extra, **extra_end;
    struct fan_http_stream *stream; /* instead of the answer's body */
};

/** Have the connection looked at again, soon. */
void fan_http_wake(struct fan_http_request *request);

/** Write the answer past the library, which takes none in the middle of a body, and stop listening.
 */
void fan_http_answer_now(struct fan_http_request *request);

enum { FAN_HTTP_STREAM_EMPTY = 0, FAN_HTTP_STREAM_ENDED = -1, FAN_HTTP_STREAM_CUT = -2 };

/** Take up to @max bytes of what is queued; one of the above when there is none. */
ssize_t fan_http_stream_take(struct fan_http_stream *stream, char *to, size_t max);

/** End it at once, with an error on the client's side. */
void fan_http_stream_cut(struct fan_http_stream *stream);

/** Its connection is gone: tell the owner, forget it. */
void fan_http_stream_close(struct fan_http_stream *stream);

#endif

/*
 * http_server — HTTP/1.1 for the loop's thread: libmicrohttpd with an external epoll.
 *
 * Requests that are ambiguous about their length or host are refused before anybody sees them; slow
 * heads and bodies are cut; bodies and connections have caps. Paths are percent-decoded; a path
 * with a NUL or bad UTF-8 is refused.
 */
#ifndef FAN_RUNTIME_HTTP_SERVER_H
#define FAN_RUNTIME_HTTP_SERVER_H

#include "broker/runtime/loop.h"
#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/err.h"

struct fan_http_server;
struct fan_http_request; /* good until it was answered and, for a stream, closed */
struct fan_http_stream;

struct fan_http_server_options {
    const char *listen;   /* "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:80"; port 0: any */
    uint32_t connections; /* cap; 0: 1,024 */
    uint32_t body_cap;    /* bytes; 0: 1 MiB. Does not bound bodies that are taken in parts */
    uint32_t head_ms;     /* 0: 10,000: the whole head must be there */
    bool reuse_port;      /* several processes share the port */
    uint32_t per_address; /* connections from one address; 0: no bound, as behind a proxy */
    uint32_t memory;      /* bytes of a connection, twice its largest head; 0: 32 KiB */
};

/** Called once with a whole request. Answer now, or keep @request and answer later from the loop's
 * thread. */
typedef void fan_http_handler(void *context, struct fan_http_request *request);

/** Called when head is there: return true to take the body in parts (fan_http_body_fn) instead of
 * in memory; the context for the parts goes to *part_context. The request may be answered at once
 * instead (413, 401, …): then return false. */
typedef bool fan_http_head_fn(void *context, struct fan_http_request *request, void **part_context);

/** A part of the body; @last with the end. Return false when the request was answered and no more
 * is wanted. When the client goes away in the middle, it is called with part.at NULL and last true.
 */
typedef bool fan_http_part_fn(void *part_context, struct fan_http_request *request,
        struct fan_bytes part, bool last);

/**
 * fails  FAN_INVALID      @options->listen is not an address
 *        FAN_UNAVAILABLE  the address is taken; the text says by what rule to find out
 */
enum fan_err fan_http_server_open(struct fan_loop *loop,
        const struct fan_http_server_options *options, fan_http_handler *handler, void *context,
        struct fan_http_server **out, struct fan_why *why) FAN_MUST_CHECK;
/** Bodies in parts; call before the loop runs. Parts are delivered as they arrive;
 * fan_http_pause/resume hold them back. */
void fan_http_server_parts(struct fan_http_server *server, fan_http_head_fn *head,
        fan_http_part_fn *part);
uint16_t fan_http_server_port(const struct fan_http_server *server);
/** Accept no more connections; requests under way may end. */
void fan_http_server_quiesce(struct fan_http_server *server);
/** Requests not yet answered, streams included. */
uint32_t fan_http_server_open_requests(const struct fan_http_server *server);
/** End streams and connections and free it. */
void fan_http_server_close(struct fan_http_server **server);

/* ---- the request; texts are borrowed from it ---- */

struct fan_arena *fan_http_arena(struct fan_http_request *request); /* dies with the request */
struct fan_bytes fan_http_method(const struct fan_http_request *request);
struct fan_bytes fan_http_path(const struct fan_http_request *request); /* decoded, without query */
struct fan_bytes fan_http_target(const struct fan_http_request
                *request); /* as received: path and query */
struct fan_bytes fan_http_query(const struct fan_http_request *request,
        const char *name); /* decoded; absent; "" for ?name */
bool fan_http_query_next(const struct fan_http_request *request, size_t *cursor,
        struct fan_bytes *name, struct fan_bytes *value);
struct fan_bytes fan_http_header(const struct fan_http_request *request,
        const char *name); /* absent when not there */
/** Every header as a "Name: value" line that ends in CRLF. */
struct fan_bytes fan_http_header_lines(const struct fan_http_request *request);
struct fan_bytes fan_http_body(const struct fan_http_request *request); /* raw bytes */
struct fan_bytes fan_http_peer(const struct fan_http_request *request); /* address without port */
void *fan_http_user(const struct fan_http_request *request); /* the handler's own pointer */
void fan_http_set_user(struct fan_http_request *request, void *user);

/** Split an application/x-www-form-urlencoded text: start with *cursor 0; false at the end. Names
 * and values are decoded. */
bool fan_form_next(struct fan_bytes form, size_t *cursor, struct fan_arena *arena,
        struct fan_bytes *name, struct fan_bytes *value);

/** Take no more parts of this body for now; what arrived waits in the kernel, and so does the
 * client. */
void fan_http_pause(struct fan_http_request *request);
void fan_http_resume(struct fan_http_request *request);

/* ---- the answer ---- */

/** Add a header to the coming answer (copied). */
void fan_http_add_header(struct fan_http_request *request, const char *name, const char *value);
/** Answer; the body is copied. @type may be NULL when there is no body. */
void fan_http_answer(struct fan_http_request *request, int status, const char *type,
        struct fan_bytes body);
/** Answer with @len bytes of a file from @offset on, read as the client takes them. Takes @fd. */
void fan_http_answer_file(struct fan_http_request *request, int status, const char *type, int fd,
        uint64_t offset, uint64_t len);
/** Close the connection without an answer, as a server that breaks does. */
void fan_http_drop(struct fan_http_request *request);

/**
 * Answer with a body that has no end yet (server-sent events, downloads).
 *
 * queue_cap  bytes waiting for a slow reader; beyond it the stream is cut
 * closed     called once when it ended, whoever ended it; the stream is gone afterwards
 */
struct fan_http_stream *fan_http_stream_open(struct fan_http_request *request, int status,
        const char *type, size_t queue_cap,
        void (*closed)(void *context, struct fan_http_stream *stream), void *context);
/** false: the reader was too slow, the stream is being cut. */
bool fan_http_stream_send(struct fan_http_stream *stream, struct fan_bytes bytes);
/** Bytes waiting to be taken by the reader. */
size_t fan_http_stream_queued(const struct fan_http_stream *stream);
/** No more bytes: ends when what is queued has been sent. */
void fan_http_stream_end(struct fan_http_stream *stream);

#endif

/*
 * libmicrohttpd keeps all its connections in one epoll, which our loop watches. It calls us for the
 * target, for the head, for each part of the body, and at the end of the request, where alone it
 * takes an answer that leaves the connection open. A request whose answer is not known yet, and a
 * stream with an empty queue, are suspended: the library then looks away until they are resumed.
 */
#include "broker/runtime/http_server.h"

#include "broker/runtime/http_listen.h"
#include "broker/runtime/http_request.h"
#include "broker/runtime/http_text.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SWEEP_MS = 500,
    CONNECTION_MEMORY = 32 * 1024, /* bytes, for the head and for what is on its way out */
    THROWN_MAX = 256 * 1024,       /* bytes of a body that are still read after its answer */
    STREAM_BLOCK = 8 * 1024,       /* bytes */
};

struct fan_http_server {
    struct fan_loop *loop;
    struct fan_http_server_options options;
    fan_http_handler *handler;
    void *context;
    fan_http_head_fn *head;
    fan_http_part_fn *part;
    struct MHD_Daemon *daemon;
    struct fan_watch *watch;
    struct fan_timer *sweep;
    struct fan_timer *again;           /* there is more to do at once */
    struct fan_http_wait *connections; /* a list */
    uint32_t open_requests;
    uint16_t port;
    bool running; /* inside the library */
    bool quiet;   /* no new connections */
    bool closing;
};

/* A request, and who carries it. */
struct exchange {
    struct fan_http_request request; /* first, so that one pointer is both */
    struct fan_http_server *server;
    struct MHD_Connection *connection;
    bool begun; /* its head was seen */
};

static struct exchange *exchange_of(const struct fan_http_request *request)
{
    return (struct exchange *)(uintptr_t)request;
}

/* ---- running ---- */

static void run_soon(struct fan_http_server *server);

static void run(struct fan_http_server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout;

    server->running = true;
    MHD_run(server->daemon);
    server->running = false;
    if (MHD_get_timeout(server->daemon, &timeout) == MHD_YES && timeout == 0)
        run_soon(server);
}

static void on_again(void *context)
{
    struct fan_http_server *server = context;

    server->again = NULL;
    run(server);
}

static void run_soon(struct fan_http_server *server)
{
    if (!server->again)
        server->again = fan_loop_after(server->loop, 0, on_again, server);
}

static void on_ready(void *context, int fd, int ready)
{
    (void)fd;
    (void)ready;
    run(context);
}

void fan_http_wake(struct fan_http_request *request)
{
    struct exchange *exchange = exchange_of(request);

    if (!request->suspended)
        return;
    request->suspended = false;
    MHD_resume_connection(exchange->connection);
    run_soon(exchange->server);
}

static enum MHD_Result suspend(struct exchange *exchange)
{
    exchange->request.suspended = true;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

/*
 * libmicrohttpd takes a read that fills less than its buffer for the last one until the next edge
 * of its epoll. When the end of the connection came together with the last bytes, there is none.
 */
static bool body_never_ends(const struct fan_http_wait *wait)
{
    return wait->phase == FAN_HTTP_BODY && fan_http_has_stopped(wait);
}

/* Look for clients that take too long or left. The library is run, too: a connection that it should
 * forget to look at waits no longer than this. */
static void on_sweep(void *context)
{
    struct fan_http_server *server = context;
    fan_time now = fan_clock_elapsed();

    for (struct fan_http_wait *wait = server->connections; wait; wait = wait->after) {
        struct fan_http_request *request = wait->request;

        if (request && request->stream && fan_http_has_left(wait))
            fan_http_stream_cut(request->stream);
        else if (!(request && (request->suspended || request->paused)) &&
                (body_never_ends(wait) || fan_http_is_too_slow(wait, now, server->options.head_ms)))
            fan_http_hang_up(wait);
    }
    run(server);
}

/* ---- the answer ---- */

static ssize_t read_stream(void *context, uint64_t position, char *to, size_t max)
{
    struct exchange *exchange = context;
    ssize_t len = fan_http_stream_take(exchange->request.stream, to, max);

    (void)position;
    if (len == FAN_HTTP_STREAM_CUT || exchange->server->closing)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (len == FAN_HTTP_STREAM_ENDED)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (len == FAN_HTTP_STREAM_EMPTY)
        suspend(exchange);
    return len;
}

/* The library closes the file when the answer is over. */
static struct MHD_Response *new_file(struct fan_http_request *request)
{
    int fd = request->file;

    request->file = -1;
    return MHD_create_response_from_fd_at_offset64(request->file_len, fd, request->file_at);
}

static struct MHD_Response *new_body(struct exchange *exchange)
{
    struct fan_http_request *request = &exchange->request;

    if (request->stream)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                exchange, NULL);
    if (request->file >= 0)
        return new_file(request);
    return MHD_create_response_from_buffer(request->answer.len,
            (void *)(uintptr_t)request->answer.at, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *new_response(struct exchange *exchange)
{
    struct fan_http_request *request = &exchange->request;
    struct MHD_Response *response = new_body(exchange);

    if (!response)
        fan_die("out of memory: an HTTP response");
    for (const struct fan_http_extra *extra = request->extra; extra; extra = extra->next)
        MHD_add_response_header(response, extra->name, extra->value);
    if (exchange->server->quiet || request->last)
        MHD_add_response_header(response, "Connection", "close");
    return response;
}

static enum MHD_Result queue_answer(struct exchange *exchange)
{
    struct fan_http_request *request = &exchange->request;
    struct MHD_Response *response = new_response(exchange);
    enum MHD_Result queued =
            MHD_queue_response(exchange->connection, (unsigned)request->status, response);

    MHD_destroy_response(response); /* the library holds it now */
    fan_http_phase_set(request->wait, request->stream ? FAN_HTTP_STREAMING : FAN_HTTP_ANSWERING);
    request->wait->bytes = request->file_len ? request->file_len : request->answer.len;
    return queued;
}

/* ---- the head ---- */

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
        size_t name_len, const char *value, size_t value_len)
{
    struct fan_http_head *head = context;

    (void)kind;
    if (!value || fan_http_is_folded(name, name_len, value))
        fan_http_head_refuse(head, 400, "A header is malformed.");
    else
        fan_http_head_add(head, (struct fan_bytes){ name, name_len },
                (struct fan_bytes){ value, value_len });
    return MHD_YES;
}

static void read_head(struct exchange *exchange, const char *method, const char *version,
        struct fan_http_head *head)
{
    struct fan_http_request *request = &exchange->request;
    struct fan_http_target target = { 0 };

    *head = (struct fan_http_head){ .old = strcmp(version, "HTTP/1.0") == 0 };
    request->method = fan_bytes_dup(fan_bytes_of(method), request->arena);
    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, note_header, head);
    if (request->target.len > FAN_HTTP_TARGET_MAX)
        fan_http_head_refuse(head, 414, "The target is too long.");
    else if (!fan_http_target_split(request->target, &target) ||
            !fan_http_path_decode(target.path, request->arena, &request->path))
        fan_http_head_refuse(head, 400, "The target is malformed.");
    else
        request->query = target.query;
    fan_http_head_end(head, request->method, target.authority);
    request->has_body = head->chunked || head->length > 0;
    request->expects = head->expects;
}

static void refuse(struct fan_http_request *request, int status, const char *text)
{
    request->last = true;
    fan_http_answer(request, status, "text/plain", fan_bytes_of(text));
}

static enum MHD_Result begin(struct exchange *exchange, const char *method, const char *version)
{
    struct fan_http_server *server = exchange->server;
    struct fan_http_request *request = &exchange->request;
    struct fan_http_head head;

    exchange->begun = true;
    server->open_requests++;
    read_head(exchange, method, version, &head);
    if (head.status) {
        refuse(request, head.status, head.fault);
        return queue_answer(exchange);
    }
    if (server->head)
        request->in_parts = server->head(server->context, request, &request->part_context);
    if (!request->answered && !request->in_parts && head.length > server->options.body_cap)
        refuse(request, 413, "The body is too large.");
    fan_http_phase_set(request->wait, FAN_HTTP_BODY);
    request->step = FAN_HTTP_STEP_BODY;
    if (request->dropped)
        return MHD_NO;
    if (!request->answered || !request->has_body)
        return MHD_YES;
    if (request->expects)
        return queue_answer(exchange); /* the body will not be sent */
    fan_http_answer_now(request);
    return MHD_YES;
}

/* ---- the body ---- */

static void take_part(struct exchange *exchange, struct fan_bytes part)
{
    struct fan_http_request *request = &exchange->request;
    struct fan_http_server *server = exchange->server;

    if (request->in_parts) {
        server->part(request->part_context, request, part, false);
        return;
    }
    fan_buffer_add_bytes(&request->body, part);
    if (request->body.overflowed)
        refuse(request, 413, "The body is too large.");
}

static enum MHD_Result take_body(struct exchange *exchange, const char *data, size_t *size)
{
    struct fan_http_request *request = &exchange->request;
    struct fan_bytes part = { data, *size };

    if (request->dropped)
        return MHD_NO;
    if (request->paused)
        return suspend(exchange); /* not taken: it comes again */
    request->wait->bytes += part.len;
    *size = 0;
    if (request->deaf) {
        request->thrown += part.len;
        return request->thrown > THROWN_MAX ? MHD_NO : MHD_YES;
    }
    take_part(exchange, part);
    if (request->dropped)
        return MHD_NO;
    return request->paused ? suspend(exchange) : MHD_YES;
}

static void hand_over(struct exchange *exchange)
{
    struct fan_http_request *request = &exchange->request;
    struct fan_http_server *server = exchange->server;

    request->step = FAN_HTTP_STEP_WHOLE;
    fan_http_phase_set(request->wait, FAN_HTTP_WORKING);
    if (request->answered)
        return;
    if (request->in_parts)
        server->part(request->part_context, request, FAN_LIT(""), true);
    else
        server->handler(server->context, request);
}

/* Called when the body is complete, and again whenever the connection was resumed. */
static enum MHD_Result finish(struct exchange *exchange)
{
    struct fan_http_request *request = &exchange->request;

    if (request->deaf)
        return MHD_NO;
    if (request->paused)
        return suspend(exchange);
    if (request->step != FAN_HTTP_STEP_WHOLE)
        hand_over(exchange);
    if (request->dropped)
        return MHD_NO;
    return request->answered ? queue_answer(exchange) : suspend(exchange);
}

/* ---- what the library calls ---- */

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
        enum MHD_ConnectionNotificationCode code)
{
    struct fan_http_server *server = context;
    struct fan_http_wait *wait = *socket_context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = fan_http_wait_new(&server->connections, info->connect_fd);
    } else {
        fan_http_wait_free(&server->connections, &wait);
    }
}

static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    struct fan_http_request *request;

    if (!exchange)
        fan_die("out of memory: an HTTP request");
    request = &exchange->request;
    exchange->server = context;
    exchange->connection = connection;
    request->wait =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    request->wait->request = request;
    request->arena = fan_arena_new();
    request->target = fan_bytes_dup(fan_bytes_of(target), request->arena);
    request->extra_end = &request->extra;
    request->file = -1;
    fan_buffer_init(&request->body, exchange->server->options.body_cap);
    fan_http_phase_set(request->wait, FAN_HTTP_HEAD);
    return exchange;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
        const char *method, const char *version, const char *data, size_t *size, void **at)
{
    struct exchange *exchange = *at;

    (void)context;
    (void)connection;
    (void)url;
    if (exchange->server->closing)
        return MHD_NO;
    if (!exchange->begun)
        return begin(exchange, method, version);
    if (*size > 0)
        return take_body(exchange, data, size);
    return finish(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **at,
        enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *at;
    struct fan_http_server *server = context;
    struct fan_http_request *request;

    (void)connection;
    (void)code;
    if (!exchange)
        return;
    *at = NULL;
    request = &exchange->request;
    if (request->in_parts && request->step == FAN_HTTP_STEP_BODY && !request->answered)
        server->part(request->part_context, request, FAN_NO_BYTES, true);
    if (request->stream)
        fan_http_stream_close(request->stream);
    if (request->file >= 0)
        close(request->file);
    if (exchange->begun)
        server->open_requests--;
    request->wait->request = NULL;
    fan_http_phase_set(request->wait, FAN_HTTP_IDLE);
    fan_buffer_fini(&request->body);
    fan_arena_free(&request->arena);
    free(exchange);
}

/* ---- what handlers ask of the library ---- */

struct fan_bytes fan_http_header(const struct fan_http_request *request, const char *name)
{
    const char *value = NULL;
    size_t len = 0;

    MHD_lookup_connection_value_n(exchange_of(request)->connection, MHD_HEADER_KIND, name,
            strlen(name), &value, &len);
    return (struct fan_bytes){ value, len };
}

static enum MHD_Result add_line(void *context, enum MHD_ValueKind kind, const char *name,
        size_t name_len, const char *value, size_t value_len)
{
    struct fan_buffer *out = context;

    (void)kind;
    fan_buffer_add(out, name, name_len);
    fan_buffer_add_text(out, ": ");
    fan_buffer_add(out, value, value_len);
    fan_buffer_add_text(out, "\r\n");
    return MHD_YES;
}

struct fan_bytes fan_http_header_lines(const struct fan_http_request *request)
{
    struct fan_bytes lines;
    struct fan_buffer out;

    fan_buffer_init(&out, 2 * FAN_HTTP_HEAD_MAX);
    MHD_get_connection_values_n(exchange_of(request)->connection, MHD_HEADER_KIND, add_line, &out);
    lines = fan_bytes_dup(fan_buffer_bytes(&out), request->arena);
    fan_buffer_fini(&out);
    return lines;
}

struct fan_bytes fan_http_peer(const struct fan_http_request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(exchange_of(request)->connection,
            MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info->client_addr;
    socklen_t len = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                   : sizeof(struct sockaddr_in);
    char text[NI_MAXHOST];

    if (getnameinfo(address, len, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
        return FAN_NO_BYTES;
    return fan_bytes_dup(fan_bytes_of(text), request->arena);
}

/* ---- the server ---- */

static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text); /* the target is decoded by http_text, which refuses what is malformed */
}

static bool start_daemon(struct fan_http_server *server, int fd)
{
    server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
            on_request, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
            server->options.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
            server->options.per_address, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            (size_t)server->options.memory, MHD_OPTION_CONNECTION_TIMEOUT,
            (unsigned)FAN_HTTP_IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
            on_target, server, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, server,
            MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED,
            on_completed, server, MHD_OPTION_END);
    return server->daemon;
}

static void or_default(uint32_t *option, uint32_t otherwise)
{
    if (*option == 0)
        *option = otherwise;
}

enum fan_err fan_http_server_open(struct fan_loop *loop,
        const struct fan_http_server_options *options, fan_http_handler *handler, void *context,
        struct fan_http_server **out, struct fan_why *why)
{
    struct fan_http_server *server;
    uint16_t port;
    int fd;
    enum fan_err err = fan_http_listen(options, &fd, &port, why);

    if (err)
        return err;
    server = calloc(1, sizeof(*server));
    if (!server)
        fan_die("out of memory: an HTTP server");
    *server = (struct fan_http_server){
        .loop = loop,
        .options = *options,
        .handler = handler,
        .context = context,
        .port = port,
    };
    or_default(&server->options.connections, 1024);
    or_default(&server->options.body_cap, 1024 * 1024);
    or_default(&server->options.head_ms, 10000);
    or_default(&server->options.memory, CONNECTION_MEMORY);
    if (!start_daemon(server, fd)) {
        close(fd);
        free(server);
        return fan_fail(why, FAN_UNAVAILABLE, "the HTTP server on %s cannot start",
                options->listen);
    }
    server->watch = fan_loop_watch(loop,
            MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, FAN_READABLE,
            on_ready, server);
    server->sweep = fan_loop_every(loop, SWEEP_MS, on_sweep, server);
    *out = server;
    return FAN_OK;
}

void fan_http_server_parts(struct fan_http_server *server, fan_http_head_fn *head,
        fan_http_part_fn *part)
{
    server->head = head;
    server->part = part;
}

uint16_t fan_http_server_port(const struct fan_http_server *server)
{
    return server->port;
}

uint32_t fan_http_server_open_requests(const struct fan_http_server *server)
{
    return server->open_requests;
}

void fan_http_server_quiesce(struct fan_http_server *server)
{
    if (server->quiet)
        return;
    if (!server->running)
        run(server); /* whoever has connected already is still served */
    server->quiet = true;
    close(MHD_quiesce_daemon(server->daemon));
}

void fan_http_server_close(struct fan_http_server **server)
{
    struct fan_http_server *old = *server;

    if (!old)
        return;
    FAN_ASSERT(!old->running);
    *server = NULL;
    fan_http_server_quiesce(old);
    old->closing = true;
    /* The library aborts when it is stopped with a suspended connection. */
    for (struct fan_http_wait *wait = old->connections; wait; wait = wait->after) {
        if (wait->request)
            fan_http_wake(wait->request);
    }
    MHD_run(old->daemon);
    MHD_stop_daemon(old->daemon);
    fan_loop_unwatch(&old->watch);
    fan_loop_cancel(&old->sweep);
    fan_loop_cancel(&old->again);
    free(old);
}

#include "actors/sandbox/smtp.h"

#include "actors/sandbox/smtp_session.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 1024,
    IN_CAP = 64 * 1024,  /* bytes of a line that has no end yet */
    OUT_CAP = 64 * 1024, /* replies that the client does not read */
    READ_MAX = 32 * 1024,
    IDLE_S = 300,
    SWEEP_MS = 10000,
};

struct connection {
    struct fan_smtp_sink *sink;
    struct connection *before, *after;
    struct fan_watch *watch;
    int fd;
    struct fan_smtp_session *session;
    struct fan_buffer in, out;
    fan_time last; /* of fan_clock_elapsed, when something came */
};

struct fan_smtp_sink {
    struct fan_sandbox *sandbox;
    struct fan_smtp_rules rules;
    struct fan_watch *watch;
    struct fan_timer *sweep;
    int fd;
    uint16_t port;
    struct connection *first;
    uint32_t connections;
};

/* ---- what sessions ask and tell ---- */

static enum fan_fault fault_of(void *context, struct fan_bytes to)
{
    struct fan_sandbox *sandbox = context;

    return fan_faults_decide(&sandbox->faults, to, FAN_NO_BYTES, fan_clock_elapsed());
}

static void note(void *context, const struct fan_smtp_verdict *verdict)
{
    fan_sandbox_note(context,
            &(struct fan_sandbox_verdict){
                    .provider = FAN_SANDBOX_SMTP,
                    .to = verdict->to,
                    .token = verdict->token,
                    .verdict = verdict->verdict,
                    .id = verdict->id,
                    .status = verdict->status,
            });
}

static uint64_t next_serial(void *context)
{
    struct fan_sandbox *sandbox = context;

    return sandbox->session + ++sandbox->serial;
}

/* ---- connections ---- */

static void close_connection(struct connection *connection)
{
    struct fan_smtp_sink *sink = connection->sink;

    *(connection->before ? &connection->before->after : &sink->first) = connection->after;
    if (connection->after)
        connection->after->before = connection->before;
    sink->connections--;
    fan_loop_unwatch(&connection->watch);
    close(connection->fd);
    fan_smtp_session_free(&connection->session);
    fan_buffer_fini(&connection->in);
    fan_buffer_fini(&connection->out);
    free(connection);
}

/* Write what there is to say; false when the connection is over. */
static bool flush(struct connection *connection)
{
    struct fan_buffer *out = &connection->out;

    while (out->len > 0) {
        ssize_t len = send(connection->fd, out->at, out->len, MSG_NOSIGNAL);

        if (len < 0)
            return errno == EAGAIN || errno == EINTR;
        fan_buffer_drop(out, (size_t)len);
    }
    return !fan_smtp_session_ended(connection->session);
}

/* Read once and answer; false when the connection is over. */
static bool take(struct connection *connection)
{
    struct fan_buffer *in = &connection->in;
    size_t free_bytes = in->cap - in->len;
    size_t most = free_bytes < READ_MAX ? free_bytes : READ_MAX;
    ssize_t len;

    if (most == 0)
        return false; /* a line without end */
    len = recv(connection->fd, fan_buffer_reserve(in, most), most, 0);
    if (len < 0)
        return errno == EAGAIN || errno == EINTR;
    if (len == 0)
        return false;
    fan_buffer_grew(in, (size_t)len);
    fan_buffer_drop(in,
            fan_smtp_session_feed(connection->session, fan_buffer_bytes(in), &connection->out));
    connection->last = fan_clock_elapsed();
    return !connection->out.overflowed && !fan_smtp_session_cut(connection->session);
}

static void on_ready(void *context, int fd, int ready)
{
    struct connection *connection = context;

    (void)fd;
    if (((ready & FAN_READABLE) && !take(connection)) || !flush(connection)) {
        close_connection(connection);
        return;
    }
    fan_loop_watch_events(connection->watch,
            connection->out.len > 0 ? FAN_READABLE | FAN_WRITABLE : FAN_READABLE);
}

static void add_connection(struct fan_smtp_sink *sink, int fd)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    int on = 1;

    if (!connection)
        fan_die("out of memory: an SMTP connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection->sink = sink;
    connection->fd = fd;
    connection->last = fan_clock_elapsed();
    fan_buffer_init(&connection->in, IN_CAP);
    fan_buffer_init(&connection->out, OUT_CAP);
    connection->session = fan_smtp_session_new(&sink->rules, &connection->out);
    connection->watch = fan_loop_watch(sink->sandbox->loop, fd, FAN_READABLE, on_ready, connection);
    connection->after = sink->first;
    if (connection->after)
        connection->after->before = connection;
    sink->first = connection;
    sink->connections++;
    flush(connection);
}

static void on_accept(void *context, int fd, int ready)
{
    struct fan_smtp_sink *sink = context;
    int accepted;

    (void)ready;
    while ((accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (sink->connections < CONNECTIONS_MAX)
            add_connection(sink, accepted);
        else
            close(accepted);
    }
}

static void on_sweep(void *context)
{
    struct fan_smtp_sink *sink = context;
    fan_time before = fan_clock_elapsed() - IDLE_S * FAN_SECOND;

    for (struct connection *each = sink->first, *next; each; each = next) {
        next = each->after;
        if (each->last < before)
            close_connection(each);
    }
}

/* ---- the sink ---- */

static int listen_on(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    close(fd);
    return -1;
}

/* "127.0.0.1:2525", "[::1]:2525" */
static enum fan_err open_socket(struct fan_smtp_sink *sink, const char *listen, struct fan_why *why)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM };
    const char *colon = strrchr(listen, ':');
    bool bracketed = listen[0] == '[' && colon && colon > listen && colon[-1] == ']';
    struct sockaddr_in6 bound = { 0 };
    socklen_t len = sizeof(bound);
    struct addrinfo *address = NULL;
    char host[64] = "";

    if (colon && (size_t)(colon - listen) < sizeof(host))
        memcpy(host, listen + bracketed, (size_t)(colon - listen) - 2 * bracketed);
    if (!*host || getaddrinfo(host, colon + 1, &hints, &address))
        return fan_fail_field(why, FAN_INVALID, "smtp_listen", "\"%s\" is not address:port",
                listen);
    sink->fd = listen_on(address);
    freeaddrinfo(address);
    if (sink->fd < 0)
        return fan_fail_field(why, FAN_UNAVAILABLE, "smtp_listen", "cannot listen on %s: %s",
                listen, strerror(errno));
    getsockname(sink->fd, (struct sockaddr *)&bound, &len);
    sink->port = ntohs(bound.sin6_port); /* at the same place for IPv4 */
    return FAN_OK;
}

enum fan_err fan_smtp_sink_open(struct fan_sandbox *sandbox, struct fan_smtp_sink **out,
        struct fan_why *why)
{
    struct fan_smtp_sink *sink = calloc(1, sizeof(*sink));
    enum fan_err err;

    if (!sink)
        fan_die("out of memory: the SMTP sink");
    sink->sandbox = sandbox;
    sink->rules = (struct fan_smtp_rules){
        .username = sandbox->settings->smtp_username,
        .password = sandbox->settings->smtp_password,
        .size_cap = sandbox->settings->smtp_size_cap,
        .context = sandbox,
        .fault = fault_of,
        .note = note,
        .serial = next_serial,
    };
    err = open_socket(sink, sandbox->settings->smtp_listen, why);
    if (err) {
        free(sink);
        return err;
    }
    sink->watch = fan_loop_watch(sandbox->loop, sink->fd, FAN_READABLE, on_accept, sink);
    sink->sweep = fan_loop_every(sandbox->loop, SWEEP_MS, on_sweep, sink);
    *out = sink;
    return FAN_OK;
}

void fan_smtp_sink_quiesce(struct fan_smtp_sink *sink)
{
    if (!sink || !sink->watch)
        return;
    fan_loop_unwatch(&sink->watch);
    close(sink->fd);
}

void fan_smtp_sink_close(struct fan_smtp_sink **sink)
{
    struct fan_smtp_sink *old = *sink;

    if (!old)
        return;
    fan_smtp_sink_quiesce(old);
    for (struct connection *each = old->first, *next; each; each = next) {
        next = each->after;
        close_connection(each);
    }
    fan_loop_cancel(&old->sweep);
    free(old);
    *sink = NULL;
}

uint16_t fan_smtp_sink_port(const struct fan_smtp_sink *sink)
{
    return sink->port;
}

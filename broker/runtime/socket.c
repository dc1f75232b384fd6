/*
 * A ZeroMQ socket tells of news through a descriptor that is an edge, not a level: it becomes
 * readable when something changed since anybody last looked, and sending is a look, too. So after
 * every look we ask what is left to receive, and call ourselves again instead of waiting for an
 * edge that has passed.
 */
#include "broker/runtime/socket.h"

#include "proto/frame.h"

#include <czmq.h>

enum { HEARTBEAT_MS = 1000, SILENT_MS = 3000, RECONNECT_MS = 100 };

struct fan_socket {
    zsock_t *zsock;
    enum fan_socket_type type;
    struct fan_loop *loop; /* NULL: nobody watches */
    struct fan_watch *watch;
    struct fan_timer *again; /* set while there are packets that no edge will tell of */
    fan_socket_fn *fn;
    void *context;
    bool serving; /* its call is under way, and frees it if it was closed meanwhile */
    bool refused; /* a packet was not taken: somebody waits for room */
};

static const int types[] = {
    [FAN_SOCKET_PUSH] = ZMQ_PUSH,
    [FAN_SOCKET_PULL] = ZMQ_PULL,
    [FAN_SOCKET_PUB] = ZMQ_PUB,
    [FAN_SOCKET_SUB] = ZMQ_SUB,
    [FAN_SOCKET_XPUB] = ZMQ_XPUB,
    [FAN_SOCKET_XSUB] = ZMQ_XSUB,
};

/* A packet is czmq's frame under a name of ours, so that no header shows its type. */
static zframe_t *frame_of(struct fan_packet *packet)
{
    return (zframe_t *)packet;
}

struct fan_socket *fan_socket_new(enum fan_socket_type type, int room)
{
    struct fan_socket *socket = calloc(1, sizeof(*socket));
    zsock_t *zsock;

    zsys_handler_set(NULL); /* signals belong to the process; see loop.c */
    zsock = zsock_new(types[type]);
    if (!socket || !zsock)
        fan_die("no socket can be made: %s", strerror(errno));
    zsock_set_sndhwm(zsock, room);
    zsock_set_rcvhwm(zsock, room);
    zsock_set_linger(zsock, FAN_LINGER_NONE);
    zsock_set_maxmsgsize(zsock, FAN_FRAME_MAX);
    zsock_set_reconnect_ivl(zsock, RECONNECT_MS);
    if (type == FAN_SOCKET_PUSH)
        zsock_set_immediate(zsock, 1);
    if (type == FAN_SOCKET_XPUB)
        zsock_set_xpub_verboser(zsock, 1);
    socket->zsock = zsock;
    socket->type = type;
    return socket;
}

/* A peer on this machine that dies is noticed by the kernel; one behind a network is not. */
static void guard(struct fan_socket *socket, const char *endpoint)
{
    if (strncmp(endpoint, "tcp://", 6) != 0)
        return;
    zsock_set_heartbeat_ivl(socket->zsock, HEARTBEAT_MS);
    zsock_set_heartbeat_timeout(socket->zsock, SILENT_MS);
    zsock_set_heartbeat_ttl(socket->zsock, SILENT_MS);
    zsock_set_connect_timeout(socket->zsock, SILENT_MS);
}

enum fan_err fan_socket_bind(struct fan_socket *socket, const char *endpoint, struct fan_why *why)
{
    guard(socket, endpoint);
    if (zsock_bind(socket->zsock, "%s", endpoint) < 0)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot listen on %s: %s", endpoint,
                zmq_strerror(zmq_errno()));
    return FAN_OK;
}

enum fan_err fan_socket_connect(struct fan_socket *socket, const char *endpoint,
        struct fan_why *why)
{
    guard(socket, endpoint);
    if (zsock_connect(socket->zsock, "%s", endpoint) < 0)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot connect to %s: %s", endpoint,
                zmq_strerror(zmq_errno()));
    return FAN_OK;
}

void fan_socket_subscribe(struct fan_socket *socket, const char *prefix, size_t len)
{
    /* czmq takes a C string here; our prefixes have zeros. */
    int rc = zmq_setsockopt(zsock_resolve(socket->zsock), ZMQ_SUBSCRIBE, prefix, len);

    FAN_ASSERT(rc == 0);
}

void fan_socket_close(struct fan_socket **socket, int linger_ms)
{
    struct fan_socket *old = *socket;

    if (!old)
        return;
    fan_loop_unwatch(&old->watch);
    fan_loop_cancel(&old->again);
    zsock_set_linger(old->zsock, linger_ms);
    zsock_destroy(&old->zsock);
    if (!old->serving)
        free(old);
    *socket = NULL;
}

/* ---- watching ---- */

static void on_again(void *context);

/* Asking for events also takes the socket's inner commands, which are what made it readable. */
static void look_again(struct fan_socket *socket)
{
    int events = zsock_events(socket->zsock);
    bool more = events & ZMQ_POLLIN || (socket->refused && events & ZMQ_POLLOUT);

    if (more && !socket->again)
        socket->again = fan_loop_after(socket->loop, 0, on_again, socket);
}

static void serve(struct fan_socket *socket)
{
    socket->refused = false;
    socket->serving = true;
    socket->fn(socket->context, socket);
    socket->serving = false;
    if (socket->zsock)
        look_again(socket);
    else
        free(socket);
}

static void on_again(void *context)
{
    struct fan_socket *socket = context;

    socket->again = NULL;
    serve(socket);
}

static void on_edge(void *context, int fd, int ready)
{
    (void)fd;
    (void)ready;
    serve(context);
}

void fan_socket_watch(struct fan_socket *socket, struct fan_loop *loop, fan_socket_fn *fn,
        void *context)
{
    socket->loop = loop;
    socket->fn = fn;
    socket->context = context;
    socket->watch = fan_loop_watch(loop, zsock_fd(socket->zsock), FAN_READABLE, on_edge, socket);
    socket->again = fan_loop_after(loop, 0, on_again, socket); /* the edge may have passed */
}

/* ---- packets ---- */

/* libzmq looks at what its peer has read only every millisecond, unless it is asked for events: a
 * pipe may have room that a burst of packets does not see. */
static bool try_twice(struct fan_socket *socket, zframe_t **frame)
{
    if (zframe_send(frame, socket->zsock, ZFRAME_DONTWAIT) == 0)
        return true;
    return zsock_events(socket->zsock) & ZMQ_POLLOUT &&
            zframe_send(frame, socket->zsock, ZFRAME_DONTWAIT) == 0;
}

bool fan_socket_send(struct fan_socket *socket, struct fan_packet **packet)
{
    zframe_t *frame = frame_of(*packet);
    bool sent = try_twice(socket, &frame);

    if (sent)
        *packet = NULL;
    socket->refused = !sent;
    if (socket->loop && (socket->refused || socket->type != FAN_SOCKET_PUSH))
        look_again(socket);
    return sent;
}

/* Drop the rest of a packet that has several parts. */
static void drop_parts(struct fan_socket *socket, zframe_t **frame)
{
    while (*frame && zframe_more(*frame)) {
        zframe_destroy(frame);
        *frame = zframe_recv_nowait(socket->zsock);
    }
    zframe_destroy(frame);
}

struct fan_packet *fan_socket_receive(struct fan_socket *socket)
{
    zframe_t *frame = zframe_recv_nowait(socket->zsock);

    while (frame && zframe_more(frame)) {
        drop_parts(socket, &frame);
        frame = zframe_recv_nowait(socket->zsock);
    }
    return (struct fan_packet *)frame;
}

struct fan_packet *fan_packet_new(struct fan_bytes bytes)
{
    zframe_t *frame = zframe_new(bytes.at, bytes.len);

    if (!frame)
        fan_die("out of memory: a frame of %zu bytes", bytes.len);
    return (struct fan_packet *)frame;
}

void fan_packet_free(struct fan_packet **packet)
{
    zframe_t *frame = frame_of(*packet);

    zframe_destroy(&frame);
    *packet = NULL;
}

struct fan_bytes fan_packet_bytes(const struct fan_packet *packet)
{
    zframe_t *frame = frame_of((struct fan_packet *)packet);

    return (struct fan_bytes){ (const char *)zframe_data(frame), zframe_size(frame) };
}

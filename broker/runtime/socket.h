/*
 * socket — one ZeroMQ socket on the loop's thread; the one place where sockets are made.
 *
 * Nothing here waits: what cannot be sent at once is not sent, what is not there yet is not
 * received. Packets have one part (a packet of several is dropped whole) and at most FAN_FRAME_MAX
 * bytes. Sockets over TCP notice a silent peer within three seconds. Here is where CURVE keys and
 * the ZAP domain will be set.
 */
#ifndef FAN_RUNTIME_SOCKET_H
#define FAN_RUNTIME_SOCKET_H

#include "broker/runtime/loop.h"
#include "proto/bytes.h"
#include "proto/err.h"

struct fan_socket;
struct fan_packet; /* one ZeroMQ message */

enum fan_socket_type {
    FAN_SOCKET_PUSH,
    FAN_SOCKET_PULL,
    FAN_SOCKET_PUB,
    FAN_SOCKET_SUB,
    FAN_SOCKET_XPUB, /* hears of every subscription and of its end, also of the second of a kind */
    FAN_SOCKET_XSUB,
};

/*
 * Packets that a pipe holds. A turn emits its frames faster than another thread takes them: with
 * room for 16, all but 16 of a burst were dropped. So there is room for what a broker would hold of
 * one message in both lanes; credit bounds the way to a worker.
 */
enum { FAN_PIPE_ROOM = 128, FAN_NEWS_ROOM = 1000 };

/* How long a closed socket still sends what it had taken. */
enum { FAN_LINGER_NONE = 0, FAN_LINGER_DRAIN = 2000 /* ms */ };

/** Make a socket; the process ends when there is no room for one. @room: packets each way. */
struct fan_socket *fan_socket_new(enum fan_socket_type type, int room);

/** Bind or connect. fails FAN_UNAVAILABLE; the text has the endpoint and the reason. */
enum fan_err fan_socket_bind(struct fan_socket *socket, const char *endpoint,
        struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_socket_connect(struct fan_socket *socket, const char *endpoint,
        struct fan_why *why) FAN_MUST_CHECK;

/** Ask for packets that begin with prefix[len] (SUB only). */
void fan_socket_subscribe(struct fan_socket *socket, const char *prefix, size_t len);

void fan_socket_close(struct fan_socket **socket, int linger_ms);

typedef void fan_socket_fn(void *context, struct fan_socket *socket);

/**
 * Call @fn whenever there may be packets to receive, or room to send again.
 *
 * @fn takes as many packets as it likes and is called again, after others had their turn, while
 * there are more. It may close the socket.
 */
void fan_socket_watch(struct fan_socket *socket, struct fan_loop *loop, fan_socket_fn *fn,
        void *context);

/** Send without waiting: true when the packet was taken, *packet is NULL then; otherwise it stays
 * yours. A PUSH takes nothing while no peer is there or its pipe is full; PUB and XPUB take
 * everything. */
bool fan_socket_send(struct fan_socket *socket, struct fan_packet **packet);

/** The next packet, or NULL. */
struct fan_packet *fan_socket_receive(struct fan_socket *socket);

struct fan_packet *fan_packet_new(struct fan_bytes bytes); /* copied */
void fan_packet_free(struct fan_packet **packet);          /* NULL is fine */
struct fan_bytes fan_packet_bytes(const struct fan_packet *packet);

#endif

/*
 * http_peer — the other side of an HTTP connection, for tests: raw bytes, on the server's loop.
 */
#ifndef FAN_TEST_HTTP_PEER_H
#define FAN_TEST_HTTP_PEER_H

#include "broker/runtime/clock.h"
#include "broker/runtime/http_server.h"
#include "broker/runtime/loop.h"
#include "proto/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

struct peer {
    struct fan_loop *loop;
    struct fan_watch *watch;
    struct fan_buffer in; /* what came, with a NUL behind it */
    bool closed;          /* by the other side */
    bool reset;           /* not politely */
    int fd;
};

static inline void peer_read(void *context, int fd, int ready)
{
    struct peer *peer = context;
    char bytes[16384];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    (void)ready;
    if (n > 0) {
        fan_buffer_add(&peer->in, bytes, (size_t)n);
    } else if (n == 0 || errno != EAGAIN) {
        peer->closed = true;
        peer->reset = n < 0;
        fan_loop_unwatch(&peer->watch);
    }
    fan_loop_stop(peer->loop);
}

static inline void peer_connect(struct peer *peer, struct fan_loop *loop, uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *peer = (struct peer){ .loop = loop, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    fan_buffer_init(&peer->in, 64 * 1024 * 1024);
    assert_int_equal(connect(peer->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    peer->watch = fan_loop_watch(loop, peer->fd, FAN_READABLE, peer_read, peer);
}

static inline void peer_close(struct peer *peer)
{
    fan_loop_unwatch(&peer->watch);
    close(peer->fd);
    fan_buffer_fini(&peer->in);
}

/* Whatever the server is ready for; false when it hung up. */
static inline bool peer_send(struct peer *peer, const void *at, size_t len)
{
    return send(peer->fd, at, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline void peer_say(struct peer *peer, const char *text)
{
    assert_true(peer_send(peer, text, strlen(text)));
}

static inline const char *peer_heard(struct peer *peer)
{
    char *end = fan_buffer_reserve(&peer->in, 1);

    assert_non_null(end);
    *end = '\0';
    return peer->in.at;
}

static inline void stop_loop(void *loop)
{
    fan_loop_stop(loop);
}

/* Let the server work for a while. */
static inline void pass(struct fan_loop *loop, uint32_t ms)
{
    fan_time end = fan_clock_elapsed() + ms * FAN_MS;

    while (fan_clock_elapsed() < end) {
        struct fan_timer *timer = fan_loop_every(loop, 10, stop_loop, loop);

        fan_loop_run(loop);
        fan_loop_cancel(&timer);
    }
}

/* Run until @text was heard (NULL: until the server hung up). Fails the test when that takes too
 * long. */
static inline void peer_await(struct peer *peer, const char *text)
{
    fan_time end = fan_clock_elapsed() + PATIENCE_MS * FAN_MS;

    while (text ? !strstr(peer_heard(peer), text) : !peer->closed) {
        struct fan_timer *timer;

        if (peer->closed || fan_clock_elapsed() > end)
            fail_msg("waited for \"%s\", but heard \"%s\"%s", text ? text : "the end",
                    peer_heard(peer), peer->closed ? " and the end" : "");
        timer = fan_loop_every(peer->loop, 50, stop_loop, peer->loop);
        fan_loop_run(peer->loop);
        fan_loop_cancel(&timer);
    }
}

static inline size_t times_in(const char *text, const char *needle)
{
    size_t count = 0;

    while ((text = strstr(text, needle))) {
        text += strlen(needle);
        count++;
    }
    return count;
}

#endif

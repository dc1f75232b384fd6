/*
 * http_sockets — libcurl's sockets in the loop, watched on while their connection is idle.
 *
 * A busy connection is used again before the loop has looked: taking it out of the epoll and
 * putting it back would cost a quarter of a request.
 */
#ifndef FAN_RUNTIME_HTTP_SOCKETS_H
#define FAN_RUNTIME_HTTP_SOCKETS_H

#include "broker/runtime/loop.h"

#include <stdbool.h>
#include <sys/socket.h>

struct fan_http_sockets;

/** Called when a socket that is wanted is ready; @owner as it was wanted by. */
typedef void fan_http_socket_fn(void *owner, int fd, int ready /* FAN_READABLE | FAN_WRITABLE */);

struct fan_http_sockets *fan_http_sockets_new(struct fan_loop *loop, fan_http_socket_fn *fn);
/** All sockets must have been closed. */
void fan_http_sockets_free(struct fan_http_sockets **sockets);

/** Open a socket, to be closed with fan_http_socket_close; -1 with errno when that fails. */
int fan_http_socket_open(struct fan_http_sockets *sockets, void *owner, int family, int type,
        int protocol);
int fan_http_socket_close(struct fan_http_sockets *sockets, int fd);

/** What to wait for on @fd; 0: nothing for now. One that was opened elsewhere is let go of then,
 * for it may be closed without a word. */
void fan_http_socket_want(struct fan_http_sockets *sockets, void *owner, int fd, int events);

/** Let nothing more be read from @owner's sockets, so that nobody waits for it. */
void fan_http_sockets_deafen(struct fan_http_sockets *sockets, const void *owner);

#endif

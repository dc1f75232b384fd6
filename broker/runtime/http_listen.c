#include "broker/runtime/http_listen.h"

#include "broker/runtime/http_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

/* NULL when it is not an address and a port. */
static struct addrinfo *resolve(const char *listen_on)
{
    static const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    struct fan_arena *arena = fan_arena_new();
    const char *host, *port;
    struct addrinfo *found = NULL;

    if (fan_http_listen_split(fan_bytes_of(listen_on), arena, &host, &port) &&
            getaddrinfo(host, port, &hints, &found) != 0)
        found = NULL;
    fan_arena_free(&arena);
    return found;
}

static bool set(int fd, int level, int option)
{
    return setsockopt(fd, level, option, &(int){ 1 }, sizeof(int)) == 0;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = { .v6 = { 0 } };
    socklen_t len = sizeof(at);

    FAN_ASSERT(getsockname(fd, &at.any, &len) == 0);
    return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

enum fan_err fan_http_listen(const struct fan_http_server_options *options, int *fd, uint16_t *port,
        struct fan_why *why)
{
    struct addrinfo *address = resolve(options->listen);
    enum fan_err err = FAN_OK;

    if (!address)
        return fan_fail(why, FAN_INVALID,
                "\"%s\" is not an address to listen on: write 127.0.0.1:8080 or [::1]:8080",
                options->listen);
    *fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0 || !set(*fd, SOL_SOCKET, SO_REUSEADDR) ||
            (options->reuse_port && !set(*fd, SOL_SOCKET, SO_REUSEPORT)) ||
            (address->ai_family == AF_INET6 && !set(*fd, IPPROTO_IPV6, IPV6_V6ONLY)) ||
            bind(*fd, address->ai_addr, address->ai_addrlen) != 0 || listen(*fd, SOMAXCONN) != 0) {
        err = fan_fail(why, FAN_UNAVAILABLE, "cannot listen on %s: %s%s", options->listen,
                strerror(errno), errno == EADDRINUSE ? "; `ss -ltnp` shows who has it" : "");
        if (*fd >= 0)
            close(*fd);
    } else {
        *port = port_of(*fd);
    }
    freeaddrinfo(address);
    return err;
}

#include "actors/cli/ports.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    USUAL_PORT = 8080,
    STEP = 100,
    TRIES = 50,
    LOOK_MS = 100,
};

static bool is_free(uint32_t port)
{
    const struct sockaddr_in at = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    bool free;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    free = bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
    close(fd);
    return free;
}

/* The first of them that somebody has; 0: none. */
static uint32_t taken_from(uint32_t first)
{
    for (uint32_t port = first; port < first + FAN_PORTS; port++) {
        if (!is_free(port))
            return port;
    }
    return 0;
}

enum fan_err fan_ports_find(uint32_t asked, uint32_t *first, struct fan_why *why)
{
    uint32_t tries = asked ? 1 : TRIES;

    *first = asked ? asked : USUAL_PORT;
    for (; tries; tries--, *first += STEP) {
        if (!taken_from(*first))
            return FAN_OK;
    }
    return fan_fail(why, FAN_UNAVAILABLE,
            "the ports from %u to %u are not all free; choose others with --port",
            asked ? asked : USUAL_PORT, *first + FAN_PORTS - 1);
}

enum fan_err fan_ports_await(uint32_t first, uint32_t wait_ms, struct fan_why *why)
{
    const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
    uint32_t taken = taken_from(first);

    for (uint32_t waited = 0; taken && waited < wait_ms; waited += LOOK_MS) {
        nanosleep(&pause, NULL);
        taken = taken_from(first);
    }
    if (!taken)
        return FAN_OK;
    return fan_fail(why, FAN_UNAVAILABLE,
            "port %u is in use; %u and the %d behind it must be free: stop what uses it, or choose "
            "others with --port",
            taken, first, FAN_PORTS - 1);
}

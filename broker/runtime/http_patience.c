#include "broker/runtime/http_patience.h"

#include "proto/err.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct fan_http_wait *fan_http_wait_new(struct fan_http_wait **list, int fd)
{
    struct fan_http_wait *wait = calloc(1, sizeof(*wait));

    if (!wait)
        fan_die("out of memory: an HTTP connection");
    wait->fd = fd;
    wait->after = *list;
    if (wait->after)
        wait->after->before = wait;
    *list = wait;
    fan_http_phase_set(wait, FAN_HTTP_HEAD);
    return wait;
}

void fan_http_wait_free(struct fan_http_wait **list, struct fan_http_wait **wait)
{
    struct fan_http_wait *old = *wait;

    *(old->before ? &old->before->after : list) = old->after;
    if (old->after)
        old->after->before = old->before;
    free(old);
    *wait = NULL;
}

void fan_http_phase_set(struct fan_http_wait *wait, enum fan_http_phase phase)
{
    wait->phase = phase;
    wait->since = fan_clock_elapsed();
    wait->bytes = 0;
}

bool fan_http_is_too_slow(const struct fan_http_wait *wait, fan_time now, uint32_t head_ms)
{
    fan_time waited = now - wait->since;
    uint64_t seconds = (uint64_t)(waited / FAN_SECOND);

    switch (wait->phase) {
    case FAN_HTTP_HEAD:
        return waited > head_ms * FAN_MS;
    case FAN_HTTP_IDLE:
        return seconds >= FAN_HTTP_IDLE_S;
    case FAN_HTTP_DEAF:
        return seconds >= FAN_HTTP_DEAF_S;
    case FAN_HTTP_BODY:
        return seconds > FAN_HTTP_GRACE_S && wait->bytes < seconds * FAN_HTTP_LEAST_RATE;
    case FAN_HTTP_ANSWERING:
        return seconds > FAN_HTTP_IDLE_S + wait->bytes / FAN_HTTP_LEAST_RATE;
    case FAN_HTTP_WORKING:
    case FAN_HTTP_STREAMING:
        break;
    }
    return false;
}

bool fan_http_has_left(const struct fan_http_wait *wait)
{
    struct pollfd end = { .fd = wait->fd, .events = POLLRDHUP };

    return poll(&end, 1, 0) > 0;
}

bool fan_http_has_stopped(const struct fan_http_wait *wait)
{
    int unread = 0;

    return fan_http_has_left(wait) && ioctl(wait->fd, FIONREAD, &unread) == 0 && unread == 0;
}

void fan_http_hang_up(struct fan_http_wait *wait)
{
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\n"
                               "Content-Length: 0\r\nConnection: close\r\n\r\n";

    if (wait->phase == FAN_HTTP_HEAD || wait->phase == FAN_HTTP_BODY)
        send(wait->fd, late, strlen(late), MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(wait->fd, SHUT_RDWR);
}

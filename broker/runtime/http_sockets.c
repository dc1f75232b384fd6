#include "broker/runtime/http_sockets.h"

#include "proto/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNASKED_READS = 1024 }; /* more than any socket holds */

struct slot {
    void *owner;             /* NULL: nothing known of this descriptor */
    struct fan_watch *watch; /* NULL: not wanted yet */
    int wanted;              /* FAN_READABLE | FAN_WRITABLE; 0: the connection is idle */
    bool ours;               /* opened and closed here */
};

struct fan_http_sockets {
    struct fan_loop *loop;
    fan_http_socket_fn *fn;
    struct slot *slots; /* slots[len], by descriptor */
    size_t len;
};

struct fan_http_sockets *fan_http_sockets_new(struct fan_loop *loop, fan_http_socket_fn *fn)
{
    struct fan_http_sockets *sockets = calloc(1, sizeof(*sockets));

    if (!sockets)
        fan_die("out of memory: a table of sockets");
    sockets->loop = loop;
    sockets->fn = fn;
    return sockets;
}

static void forget(struct slot *slot)
{
    fan_loop_unwatch(&slot->watch);
    *slot = (struct slot){ 0 };
}

void fan_http_sockets_free(struct fan_http_sockets **sockets)
{
    struct fan_http_sockets *old = *sockets;

    if (!old)
        return;
    for (size_t i = 0; i < old->len; i++)
        forget(&old->slots[i]);
    free(old->slots);
    free(old);
    *sockets = NULL;
}

static struct slot *slot_of(struct fan_http_sockets *sockets, int fd)
{
    size_t len = sockets->len ? sockets->len : 64;

    while (len <= (size_t)fd)
        len *= 2;
    if (len > sockets->len) {
        sockets->slots = realloc(sockets->slots, len * sizeof(*sockets->slots));
        if (!sockets->slots)
            fan_die("out of memory: a table of %zu sockets", len);
        memset(sockets->slots + sockets->len, 0, (len - sockets->len) * sizeof(*sockets->slots));
        sockets->len = len;
    }
    return &sockets->slots[fd];
}

int fan_http_socket_open(struct fan_http_sockets *sockets, void *owner, int family, int type,
        int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);

    if (fd >= 0)
        *slot_of(sockets, fd) = (struct slot){ .owner = owner, .ours = true };
    return fd;
}

int fan_http_socket_close(struct fan_http_sockets *sockets, int fd)
{
    forget(slot_of(sockets, fd));
    return close(fd);
}

static bool is_silent(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

/* What comes unasked would be taken for the answer to the next request. libcurl finds a connection
 * dead when it reads its end, and nothing before that. */
static void end_unasked(int fd)
{
    char words[16 * 1024];
    int reads = 0;

    shutdown(fd, SHUT_RDWR);
    while (reads++ < UNASKED_READS && recv(fd, words, sizeof(words), MSG_DONTWAIT) > 0)
        ;
}

static void on_ready(void *context, int fd, int ready)
{
    struct fan_http_sockets *sockets = context;
    struct slot *slot = slot_of(sockets, fd);

    if (slot->wanted) {
        sockets->fn(slot->owner, fd, ready);
        return;
    }
    if (is_silent(fd)) { /* it was read since the loop looked, or there is only room to write */
        fan_loop_watch_events(slot->watch, FAN_READABLE);
        return;
    }
    /* An idle connection ended, and would say so without end. */
    fan_loop_watch_events(slot->watch, 0);
    if (slot->ours)
        end_unasked(fd);
}

void fan_http_socket_want(struct fan_http_sockets *sockets, void *owner, int fd, int events)
{
    struct slot *slot = slot_of(sockets, fd);

    slot->wanted = events;
    if (!events) {
        if (!slot->ours)
            forget(slot);
        return;
    }
    slot->owner = owner;
    if (slot->watch)
        fan_loop_watch_events(slot->watch, events);
    else
        slot->watch = fan_loop_watch(sockets->loop, fd, events, on_ready, sockets);
}

void fan_http_sockets_deafen(struct fan_http_sockets *sockets, const void *owner)
{
    for (size_t fd = 0; fd < sockets->len; fd++)
        if (sockets->slots[fd].owner == owner && sockets->slots[fd].ours)
            shutdown((int)fd, SHUT_RD);
}

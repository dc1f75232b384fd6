/*
 * http_patience — how long a client may take. Private to http_*.c of the server.
 *
 * The library's own time-out starts again with every byte, so a client that sends one a second
 * would hold its connection for ever. Here each phase has an end.
 */
#ifndef FAN_RUNTIME_HTTP_PATIENCE_H
#define FAN_RUNTIME_HTTP_PATIENCE_H

#include "broker/runtime/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FAN_HTTP_IDLE_S = 60,       /* seconds between two requests, or without any progress */
    FAN_HTTP_LEAST_RATE = 1024, /* bytes a second that a client must take or give … */
    FAN_HTTP_GRACE_S = 10,      /* … after so many seconds */
    FAN_HTTP_DEAF_S = 2, /* seconds for the client to notice an answer in the middle of its body */
};

enum fan_http_phase {
    FAN_HTTP_HEAD,      /* we wait for a whole head */
    FAN_HTTP_BODY,      /* for the body */
    FAN_HTTP_WORKING,   /* the client waits for us */
    FAN_HTTP_ANSWERING, /* we wait until the answer was taken */
    FAN_HTTP_STREAMING, /* the answer has no end yet */
    FAN_HTTP_DEAF,      /* for the client to leave */
    FAN_HTTP_IDLE,      /* for the next request */
};

/* One connection, as seen by who waits for it. */
struct fan_http_wait {
    struct fan_http_wait *before, *after;
    int fd;
    enum fan_http_phase phase;
    fan_time since; /* of the phase */
    uint64_t bytes; /* came in or are to go out in this phase */
    void *request;  /* under way, or NULL */
};

/** Begin and end to wait for a connection; @list holds them all. */
struct fan_http_wait *fan_http_wait_new(struct fan_http_wait **list, int fd);
void fan_http_wait_free(struct fan_http_wait **list, struct fan_http_wait **wait);

void fan_http_phase_set(struct fan_http_wait *wait, enum fan_http_phase phase);

/** Whether the client has had its time. */
bool fan_http_is_too_slow(const struct fan_http_wait *wait, fan_time now, uint32_t head_ms);

/** Whether the client has closed its end. */
bool fan_http_has_left(const struct fan_http_wait *wait);

/** Whether it has, and everything it sent before was read: what is missing never comes. */
bool fan_http_has_stopped(const struct fan_http_wait *wait);

/** Say 408 where the client may be listening, and hang up; the library notices by itself. */
void fan_http_hang_up(struct fan_http_wait *wait);

#endif

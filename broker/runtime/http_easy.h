/*
 * http_easy — a libcurl easy handle, used for one call after another: a part of http_client.
 */
#ifndef FAN_RUNTIME_HTTP_EASY_H
#define FAN_RUNTIME_HTTP_EASY_H

#include "broker/runtime/http_client.h"
#include "broker/runtime/http_sockets.h"

/* A call from fan_http_send to its end. */
struct fan_http_transfer {
    struct fan_http_call call;
    fan_http_starting *starting;
    fan_http_done *done;
    void *context;
    struct fan_http_transfer *next; /* waiting or spare */
    int64_t started;                /* fan_clock_elapsed when it got a handle; 0: still waiting */
    size_t sent;                    /* bytes of the body that libcurl took */
    bool passed;                    /* it may begin: bytes of the request may leave from then on */
    const char *refused;            /* why it may not; NULL: nothing wrong so far */
};

/* What all handles of one connection cache share; good as long as they are. */
struct fan_http_policy {
    struct fan_http_client_options options; /* with the defaults filled in */
    bool mail;
    struct fan_http_sockets *sockets;
    void *owner; /* of the sockets */
};

struct fan_http_easy {
    void *curl;                         /* CURL */
    struct fan_http_easy *next;         /* spare */
    struct fan_http_easy **at;          /* busy: what points to it */
    struct fan_http_transfer *transfer; /* NULL: spare */
    int fd;                             /* mail: its connection, or -1 while not known */
    struct fan_http_parts *parts;
};

struct fan_http_easy *fan_http_easy_new(const struct fan_http_policy *policy);
void fan_http_easy_free(struct fan_http_easy **easy);

/** Set @easy up for @transfer, or say in transfer->refused why it cannot be sent. */
void fan_http_easy_set(struct fan_http_easy *easy, struct fan_http_transfer *transfer);

/** Read what became of the transfer; @code is libcurl's. Texts are good until the next
 * fan_http_easy_set. */
void fan_http_easy_reply(struct fan_http_easy *easy, int code, struct fan_http_reply *out);

#endif

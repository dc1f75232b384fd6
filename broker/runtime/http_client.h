/*
 * http_client — HTTP requests and mails sent by libcurl on the loop's thread.
 *
 * One call is one transmission: libcurl, which would repeat a request by itself on a kept
 * connection that died, is refused the second one; redirects are off. Every call has deadlines;
 * answers have caps. Connections are kept and used again. Easy handles are pooled. Mail relays with
 * different TLS or login settings never share connections.
 */
#ifndef FAN_RUNTIME_HTTP_CLIENT_H
#define FAN_RUNTIME_HTTP_CLIENT_H

#include "broker/runtime/loop.h"
#include "proto/bytes.h"
#include "proto/err.h"

struct fan_http_client;

struct fan_http_client_options {
    uint32_t connections;   /* at most so many calls at once; further ones wait in order */
    uint32_t answer_cap;    /* bytes of body kept; 0: 256 KiB. More ends the call */
    const char *user_agent; /* NULL: "Fanfare" */
    const char *ca_file;    /* NULL: the system's */
    bool public_only; /* refuse addresses that are not of the public internet (tenants' URLs) */
};

/* One transmission. The struct is copied; what it points to, and the headers, are borrowed until it
 * ended. A text that holds a line break where one would add a header or a mail command ends the
 * call before it began. */
struct fan_http_call {
    struct fan_bytes method; /* "POST", "GET", …; absent: a mail */
    struct fan_bytes url;    /* http(s)://…; for mail smtp://host:port or smtps://host:port */
    const struct fan_bytes *headers; /* "Name: value", headers[headers_len] */
    size_t headers_len;
    struct fan_bytes body;               /* HTTP: may be absent. Mail: the message, CRLF lines */
    struct fan_bytes username, password; /* Basic auth or SMTP AUTH; absent: none */
    struct fan_bytes ehlo;               /* mail: the EHLO name */
    struct fan_bytes mail_from;          /* mail: envelope */
    struct fan_bytes mail_to;
    bool starttls;       /* mail over smtp://: required before login */
    uint32_t connect_ms; /* 0: 5,000 */
    uint32_t total_ms;   /* 0: 30,000 */
    int64_t stop_after;  /* fan_clock_elapsed instant after which it must not begin; 0: none */
};

/* What came back. Borrowed during the callback. */
struct fan_http_reply {
    int status; /* HTTP or SMTP code; 0: none came. A mail that is not complete has none */
    bool began; /* a byte of the request may have left this machine; for mail: of the message, since
                   an envelope alone delivers nothing */
    bool complete;     /* the whole answer was read; for mail: the relay answered yes or no */
    const char *error; /* a sentence when it is not complete; "" otherwise */
    bool timed_out;
    bool tls_failed;
    struct fan_bytes headers; /* raw header lines; for mail every reply line */
    struct fan_bytes body;
    int64_t retry_after_ms; /* -1: none; from Retry-After in both its forms, at most an hour */
    int64_t took_us;
};

/** A header's value, or absent. */
struct fan_bytes fan_http_reply_header(const struct fan_http_reply *reply, const char *name);

struct fan_http_client *fan_http_client_new(struct fan_loop *loop,
        const struct fan_http_client_options *options);
/** Calls still under way are dropped without their callback. */
void fan_http_client_free(struct fan_http_client **client);

/** Calls under way and waiting. */
size_t fan_http_client_busy(const struct fan_http_client *client);

typedef void fan_http_done(void *context, const struct fan_http_reply *reply);
/**
 * Called just before the first byte may leave; return false to give the call up (it then ends with
 * began false).
 */
typedef bool fan_http_starting(void *context);

/**
 * Begin a call; @starting may be NULL. @done is always called later, from the loop, never from
 * here.
 */
void fan_http_send(struct fan_http_client *client, const struct fan_http_call *call,
        fan_http_starting *starting, fan_http_done *done, void *context);

#endif

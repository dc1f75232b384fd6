/*
 * http_text — what a request says, read without trust: target, length, percent-encoding.
 *
 * Pure. Refuses whatever two readers could understand differently, because the other reader may be
 * the proxy in front of us.
 */
#ifndef FAN_RUNTIME_HTTP_TEXT_H
#define FAN_RUNTIME_HTTP_TEXT_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/err.h"

enum {
    FAN_HTTP_TARGET_MAX = 8 * 1024, /* bytes */
    FAN_HTTP_HEADERS_MAX = 100,     /* lines */
    FAN_HTTP_HEAD_MAX = 16 * 1024,  /* bytes of all names and values */
};

/* A request's head, header by header. Begin with the method, the target and the version. */
struct fan_http_head {
    struct fan_bytes host;
    bool old;        /* HTTP/1.0 */
    bool has_length; /* Content-Length */
    bool chunked;
    bool expects;    /* Expect: 100-continue */
    uint64_t length; /* of the body, in bytes */
    uint32_t hosts, lengths, codings, headers;
    size_t size;
    int status; /* 0: fine so far; else what to answer */
    const char *fault;
};

/** Note one header; names and values as they were received. */
void fan_http_head_add(struct fan_http_head *head, struct fan_bytes name, struct fan_bytes value);

/** Refuse it with @status and a sentence; the first refusal stays. */
void fan_http_head_refuse(struct fan_http_head *head, int status, const char *fault);

/**
 * Whether a header's value stood on another line than its name.
 *
 * libmicrohttpd 0.9.75 adds a folded line to the header's name: "Transfer-Encoding:\r\n chunked" is
 * told as "Transfer-Encodingchunked", and a proxy in front of us may have understood it. Only a
 * header that was left alone still has its value right behind its name, in the same buffer.
 */
bool fan_http_is_folded(const char *name, size_t name_len, const char *value);

/**
 * Judge the whole head; status stays 0 when it is fine.
 *
 * source  RFC 9112, 3.2, 6.1, 6.3 and 11.2
 */
void fan_http_head_end(struct fan_http_head *head, struct fan_bytes method,
        struct fan_bytes authority);

/* A request target taken apart; all parts borrowed and still encoded. */
struct fan_http_target {
    struct fan_bytes authority; /* absent unless the target was a whole URL */
    struct fan_bytes path;
    struct fan_bytes query; /* absent: no "?" */
};

/** Take "/path?query", "http://authority/path?query" or "*" apart; false when it is anything else.
 */
bool fan_http_target_split(struct fan_bytes target, struct fan_http_target *out);

/**
 * Decode a path.
 *
 * Returns false for a bad escape, a NUL or bad UTF-8.
 */
bool fan_http_path_decode(struct fan_bytes raw, struct fan_arena *arena, struct fan_bytes *out);

/** Split "127.0.0.1:8080" or "[::1]:8080"; false when it is anything else. */
bool fan_http_listen_split(struct fan_bytes text, struct fan_arena *arena, const char **host,
        const char **port);

#endif

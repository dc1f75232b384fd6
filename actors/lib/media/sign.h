/*
 * sign — AWS Signature Version 4, as S3 and what speaks like it want it. Pure.
 *
 * libcurl 7.88 signs, too, but wrongly when there is a query, and never a URL for somebody else.
 *
 * source  docs.aws.amazon.com/AmazonS3/latest/API: sig-v4-header-based-auth,
 * sigv4-query-string-auth
 */
#ifndef FAN_ACTORS_LIB_MEDIA_SIGN_H
#define FAN_ACTORS_LIB_MEDIA_SIGN_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/time.h"

#define FAN_SIGN_UNSIGNED FAN_LIT("UNSIGNED-PAYLOAD")

struct fan_sign_pair {
    struct fan_bytes name, value;
};

struct fan_sign_pairs {
    const struct fan_sign_pair *at; /* at[len] */
    size_t len;
};

struct fan_sign_key {
    struct fan_bytes id, secret;
    struct fan_bytes region; /* "us-east-1" */
};

struct fan_sign_request {
    struct fan_bytes method;
    struct fan_bytes host;         /* as in the header: with the port, if the URL has one */
    struct fan_bytes path;         /* decoded, from '/' */
    struct fan_sign_pairs query;   /* decoded, in any order */
    struct fan_sign_pairs headers; /* to be signed besides the host, in any order */
    struct fan_bytes payload;      /* SHA-256 of the body in hexadecimal, or FAN_SIGN_UNSIGNED */
};

enum { FAN_SIGN_DATE = 17 }; /* room for "20130524T000000Z" with its NUL */

/** Write an instant as signatures have it. */
void fan_sign_date(fan_time at, char out[FAN_SIGN_DATE]);

/** The canonical form of a request; its hash is what is signed. */
struct fan_bytes fan_sign_canonical(const struct fan_sign_request *request,
        struct fan_arena *arena);

/**
 * The value of the header Authorization.
 *
 * Signed are the host, x-amz-content-sha256, x-amz-date (both as @request and @at say: the caller
 * sends them) and @request->headers.
 */
struct fan_bytes fan_sign_header(const struct fan_sign_key *key,
        const struct fan_sign_request *request, fan_time at, struct fan_arena *arena);

/** The query, without '?', that lets anybody make this request until @expires_s after @at. */
struct fan_bytes fan_sign_query(const struct fan_sign_key *key,
        const struct fan_sign_request *request, fan_time at, uint32_t expires_s,
        struct fan_arena *arena);

/** Add @path percent-encoded once, with its slashes as they are. */
struct fan_bytes fan_sign_path(struct fan_bytes path, struct fan_arena *arena);

#endif

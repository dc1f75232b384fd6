/*
 * gateway — what its files share: the process's settings and state.
 */
#ifndef FAN_GATEWAY_GATEWAY_H
#define FAN_GATEWAY_GATEWAY_H

#include "broker/runtime/actor.h"
#include "broker/runtime/http_server.h"

struct fan_media;
struct fan_token_key;
struct keys;
struct live;
struct pictures;

struct gateway_settings {
    const char *listen;
    uint32_t connections;
    uint32_t body_kib;
    uint32_t upload_mib;
    uint32_t key_cache_ms;
    uint32_t page_size_max;
    uint32_t streams;
    uint32_t operator_account;
    const char *public_url; /* of the ingester, which serves media */
    uint32_t media_link_days;
    uint32_t media_account_mib;
    uint32_t picture_wait_ms;
    const char *pictures; /* folder of the catalogue; "": the usual one */
};

struct gateway {
    struct fan_actor *actor;
    const struct gateway_settings *settings;
    struct fan_http_server *server;
    struct keys *keys;
    struct live *live;
    struct fan_media *media;
    struct fan_token_key *tokens; /* NULL: there is no key, so no links */
    struct pictures *pictures;
    struct fan_metric *requests[6]; /* by class of status: requests[2] counts 2xx */
    struct fan_metric *seconds;
    uint64_t request_count;
    fan_time started; /* of fan_clock_elapsed */
};

#endif

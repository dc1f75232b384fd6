/*
 * meta_check — whether Meta would take a message: the shapes, limits and templates of the Cloud
 * API. Pure.
 */
#ifndef FAN_ACTORS_SANDBOX_META_CHECK_H
#define FAN_ACTORS_SANDBOX_META_CHECK_H

#include "actors/sandbox/templates.h"
#include "proto/json.h"

struct fan_meta_error {
    int status, code, subcode; /* subcode 0: none */
    const char *text;
};

struct fan_meta_message {
    struct fan_bytes to, token; /* absent: not there */
    uint64_t number;            /* of the recipient */
    bool is_template;
};

/** Read a body; false: @error is Meta's answer. What could be read of the message is there in
 * either case. */
bool fan_meta_check(struct fan_bytes body, const struct fan_sandbox_templates *templates,
        struct fan_arena *arena, struct fan_meta_message *message, struct fan_meta_error *error);

#endif

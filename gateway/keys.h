/*
 * keys — API keys that were verified a moment ago, so that not every request asks the database.
 *
 * A key that was revoked works on for as long as the cache keeps it: at most five seconds.
 */
#ifndef FAN_GATEWAY_KEYS_H
#define FAN_GATEWAY_KEYS_H

#include "proto/arena.h"
#include "proto/time.h"
#include "sql/store/account.h"

/* Who calls. */
struct caller {
    fan_id account;
    fan_id key;
    fan_id user;
    int may; /* bits of enum route_may */
};

struct keys;

struct keys *keys_new(uint32_t keep_ms);
void keys_free(struct keys **keys);

/** Look a key up by its hash; false: not known, or not any more. */
bool keys_find(const struct keys *keys, const char hash[FAN_KEY_HASH], fan_time now,
        struct caller *out);

/** Remember it; another key may be forgotten for it. */
void keys_keep(struct keys *keys, const char hash[FAN_KEY_HASH], fan_time now,
        const struct caller *caller);

#endif

/*
 * keys — idempotency keys that were used lately, each with what it came with.
 *
 * Bounded: one that is new takes the place of the eldest of those that could stand in its places.
 */
#ifndef FAN_ACTORS_SANDBOX_KEYS_H
#define FAN_ACTORS_SANDBOX_KEYS_H

#include "proto/bytes.h"
#include "proto/time.h"

enum { FAN_SANDBOX_KEYS = 65536, FAN_SANDBOX_KEY_PLACES = 16 };

struct fan_sandbox_key {
    uint64_t key, body; /* hashes; key 0: none */
    uint64_t serial;    /* of the message that it made */
    fan_time since;     /* elapsed */
};

struct fan_sandbox_keys;

/** @ttl: how long a key is remembered. */
struct fan_sandbox_keys *fan_sandbox_keys_new(fan_time ttl);
void fan_sandbox_keys_free(struct fan_sandbox_keys **keys);

uint64_t fan_sandbox_keys_hash(struct fan_bytes text);

/** What a key came with, or NULL: it is unknown, or its time is over. */
const struct fan_sandbox_key *fan_sandbox_keys_find(const struct fan_sandbox_keys *keys,
        struct fan_bytes key, fan_time now);
void fan_sandbox_keys_add(struct fan_sandbox_keys *keys, struct fan_bytes key,
        struct fan_bytes body, uint64_t serial, fan_time now);

#endif

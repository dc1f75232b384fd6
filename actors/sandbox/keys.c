#include "actors/sandbox/keys.h"

#include "proto/err.h"

#include <stdlib.h>

struct fan_sandbox_keys {
    fan_time ttl;
    struct fan_sandbox_key at[FAN_SANDBOX_KEYS];
};

struct fan_sandbox_keys *fan_sandbox_keys_new(fan_time ttl)
{
    struct fan_sandbox_keys *keys = calloc(1, sizeof *keys);

    if (!keys)
        fan_die("out of memory: idempotency keys");
    keys->ttl = ttl;
    return keys;
}

void fan_sandbox_keys_free(struct fan_sandbox_keys **keys)
{
    free(*keys);
    *keys = NULL;
}

/* FNV-1a, its bits mixed; never 0. */
uint64_t fan_sandbox_keys_hash(struct fan_bytes text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    hash ^= hash >> 31;
    return hash ? hash : 1;
}

static size_t place(uint64_t hash, size_t step)
{
    return (hash + step) % FAN_SANDBOX_KEYS;
}

const struct fan_sandbox_key *fan_sandbox_keys_find(const struct fan_sandbox_keys *keys,
        struct fan_bytes key, fan_time now)
{
    uint64_t hash = fan_sandbox_keys_hash(key);

    for (size_t i = 0; i < FAN_SANDBOX_KEY_PLACES; i++) {
        const struct fan_sandbox_key *one = &keys->at[place(hash, i)];

        if (one->key == hash && now < one->since + keys->ttl)
            return one;
    }
    return NULL;
}

void fan_sandbox_keys_add(struct fan_sandbox_keys *keys, struct fan_bytes key,
        struct fan_bytes body, uint64_t serial, fan_time now)
{
    uint64_t hash = fan_sandbox_keys_hash(key);
    struct fan_sandbox_key *eldest = &keys->at[place(hash, 0)];

    for (size_t i = 1; i < FAN_SANDBOX_KEY_PLACES && eldest->key && eldest->key != hash; i++) {
        struct fan_sandbox_key *one = &keys->at[place(hash, i)];

        if (!one->key || one->key == hash || one->since < eldest->since)
            eldest = one;
    }
    *eldest = (struct fan_sandbox_key){ hash, fan_sandbox_keys_hash(body), serial, now };
}

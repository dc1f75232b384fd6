#include "gateway/keys.h"

#include <stdlib.h>

enum { SLOTS = 512 };

/* Each hash has one slot: a collision only costs a look into the database. */
struct keys {
    fan_time keep;
    struct slot {
        char hash[FAN_KEY_HASH];
        fan_time until; /* of fan_clock_elapsed; 0: empty */
        struct caller caller;
    } slots[SLOTS];
};

struct keys *keys_new(uint32_t keep_ms)
{
    struct keys *keys = calloc(1, sizeof *keys);

    if (!keys)
        fan_die("out of memory: the key cache");
    keys->keep = keep_ms * FAN_MS;
    return keys;
}

void keys_free(struct keys **keys)
{
    free(*keys);
    *keys = NULL;
}

static size_t slot_of(const char hash[FAN_KEY_HASH])
{
    return ((unsigned char)hash[0] | (size_t)(unsigned char)hash[1] << 8) % SLOTS;
}

bool keys_find(const struct keys *keys, const char hash[FAN_KEY_HASH], fan_time now,
        struct caller *out)
{
    const struct slot *slot = &keys->slots[slot_of(hash)];

    if (slot->until <= now || memcmp(slot->hash, hash, FAN_KEY_HASH) != 0)
        return false;
    *out = slot->caller;
    return true;
}

void keys_keep(struct keys *keys, const char hash[FAN_KEY_HASH], fan_time now,
        const struct caller *caller)
{
    struct slot *slot = &keys->slots[slot_of(hash)];

    memcpy(slot->hash, hash, FAN_KEY_HASH);
    slot->until = now + keys->keep;
    slot->caller = *caller;
}

#include "actors/sandbox/faults.h"

static uint64_t mix(uint64_t x) /* splitmix64's finisher */
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t hash(uint64_t seed, struct fan_bytes text)
{
    uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
    return mix(h);
}

/* Each question gets a draw of its own, below 100. */
enum question { REJECT = 1, FATE, READ };

static uint32_t draw(const struct fan_faults *faults, enum question question, struct fan_bytes to,
        struct fan_bytes token)
{
    uint64_t h = hash(faults->seed * 4 + question, to);

    return (uint32_t)(hash(h, token) % 100);
}

static bool first_time(struct fan_faults *faults, struct fan_bytes to)
{
    uint64_t h = hash(faults->seed, to);
    uint64_t *seen = &faults->seen[h % FAN_FAULT_MEMORY];
    bool first = *seen != h;

    *seen = h;
    return first;
}

static enum fan_fault by_pattern(struct fan_faults *faults, struct fan_bytes to)
{
    struct fan_bytes name;

    (void)fan_bytes_split(to, '@', &name);
    if (fan_bytes_ends(name, FAN_LIT("0429")) && first_time(faults, to))
        return FAN_FAULT_THROTTLED;
    if (fan_bytes_ends(name, FAN_LIT("0500")))
        return FAN_FAULT_SERVER;
    if (fan_bytes_ends(name, FAN_LIT("0999")))
        return FAN_FAULT_SILENT;
    return FAN_FAULT_NONE;
}

static bool too_fast(struct fan_faults *faults, fan_time now)
{
    if (faults->throttle == 0)
        return false;
    if (now / FAN_SECOND != faults->second) {
        faults->second = now / FAN_SECOND;
        faults->in_second = 0;
    }
    return ++faults->in_second > faults->throttle;
}

enum fan_fault fan_faults_decide(struct fan_faults *faults, struct fan_bytes to,
        struct fan_bytes token, fan_time now)
{
    enum fan_fault fault = faults->patterns ? by_pattern(faults, to) : FAN_FAULT_NONE;

    if (fault)
        return fault;
    if (too_fast(faults, now))
        return FAN_FAULT_THROTTLED;
    if (draw(faults, REJECT, to, token) < faults->reject_percent)
        return FAN_FAULT_REJECTED;
    return FAN_FAULT_NONE;
}

enum fan_fate fan_faults_fate(const struct fan_faults *faults, struct fan_bytes to,
        struct fan_bytes token, bool reads)
{
    uint32_t drawn = draw(faults, FATE, to, token);

    if (drawn < faults->fail_percent)
        return FAN_FATE_FAILED;
    if (drawn >= faults->fail_percent + faults->deliver_percent)
        return FAN_FATE_SENT; /* and never heard of again */
    return reads && draw(faults, READ, to, token) < faults->read_percent ? FAN_FATE_READ
                                                                         : FAN_FATE_DELIVERED;
}

size_t fan_faults_choice(const struct fan_faults *faults, uint64_t serial, size_t count)
{
    return mix(faults->seed ^ serial * UINT64_C(0x9e3779b97f4a7c15)) % count;
}

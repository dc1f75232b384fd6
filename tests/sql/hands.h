/*
 * hands — what the random test of the chunk protocol draws and remembers.
 */
#ifndef FAN_TESTS_SQL_HANDS_H
#define FAN_TESTS_SQL_HANDS_H

#include "tests/support/world.h"

#include <stdlib.h>
#include <time.h>

enum what { WAITING = 0, STARTED, ANSWERED };

/* A sender with one claim, and what its journal knows. */
struct hand {
    struct fan_db *db;
    uint64_t owner;
    bool holding, closed_out, ended;
    uint32_t asleep; /* rounds */
    struct fan_claim_taken taken;
    fan_id messages[FAN_CHUNK_MAX]; /* by position */
    uint32_t opened, intent, started;
    uint8_t what[FAN_CHUNK_MAX]; /* enum what */
    int16_t answer[FAN_CHUNK_MAX];
    bool recorded[FAN_CHUNK_MAX], evidence[FAN_CHUNK_MAX];

    /* The batch under way; -1: not in it. */
    int at_take, at_close, at_open, at_release, at_evidence;
    struct fan_claim asked;
    uint32_t batch[FAN_CHUNK_MAX]; /* positions that it closes or gives evidence of */
    size_t batch_len;
    bool lose_reply;
};

/* What the provider knows of a person. */
struct truth {
    int requests, maybe;
    bool accepted;
};

static uint64_t random_state;
static bool calm; /* nobody dies or sleeps any more */

static inline uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static inline bool chance(uint32_t percent)
{
    return draw(100) < percent;
}

static inline bool mishap(uint32_t percent)
{
    return !calm && chance(percent);
}

/* FAN_SEED, or one that differs from day to day and is shown when it matters. */
static inline uint64_t first_seed(void)
{
    const char *given = getenv("FAN_SEED");

    return given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
}

#endif

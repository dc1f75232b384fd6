/*
 * store/lost — messages of which nobody knows whether their provider took them, to be asked for.
 */
#ifndef FAN_SQL_STORE_LOST_H
#define FAN_SQL_STORE_LOST_H

#include "proto/words.h"
#include "sql/db.h"

/* A chunk that is home to some. */
struct fan_lost_home {
    fan_id chunk, channel;
    enum fan_lane lane;
};

/** Home chunks of a run whose unknowns have waited for @age_us, the longest first, @limit at most.
 */
enum fan_err fan_lost_homes(struct fan_db *db, fan_id account, fan_id run, int64_t age_us,
        uint32_t limit, struct fan_arena *arena, const struct fan_lost_home **out, size_t *count,
        struct fan_why *why) FAN_MUST_CHECK;

struct fan_lost_message {
    fan_id message;
    struct fan_bytes address, body;
    int format;
    fan_time unknown_since;
    fan_id chunk; /* that opened it: what is said of it is said for this chunk and epoch */
    uint32_t epoch;
    struct fan_texts others; /* provider's ids of the recipient's other messages */
};

/** The unknowns of a home chunk, @limit at most. */
enum fan_err fan_lost_messages(struct fan_db *db, fan_id account, fan_id home, uint32_t limit,
        struct fan_arena *arena, const struct fan_lost_message **out, size_t *count,
        struct fan_why *why) FAN_MUST_CHECK;

/** Whether what the provider has under @provider_id can only be this message; to be asked after its
 * answer. Another one with the same text to the same person that is under way or in doubt could be
 * it as well. */
enum fan_err fan_lost_is_its(struct fan_db *db, fan_id account, fan_id message,
        struct fan_bytes provider_id, struct fan_arena *arena, bool *out,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

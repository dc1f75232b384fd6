/*
 * store/chunk — chunks: planning, rendering, and what the scheduler does with them. (A sender's
 * part is store/claim.h, an ingester's store/receipt.h.)
 *
 * Every function takes the account first and runs in the turn's transaction. All fail with
 * FAN_UNAVAILABLE, FAN_CONFLICT and FAN_INVALID as fan_db_run does; only further failures are named
 * below. The arrows of docs/lifecycle.md are drawn here.
 */
#ifndef FAN_SQL_STORE_CHUNK_H
#define FAN_SQL_STORE_CHUNK_H

#include "proto/words.h"
#include "sql/db.h"

enum { FAN_CHUNK_MAX = 500, FAN_BODY_IN_ROW = 4096 };

enum { FAN_CRASHES_MOST = 3 }; /* processes that may die of a message */

/* A message's id is its home chunk and its position there. */
static inline fan_id fan_message_id(fan_id chunk, uint32_t position)
{
    return chunk * 512 + position;
}

static inline fan_id fan_message_home(fan_id message)
{
    return message >> 9;
}

/* ---- audience ---- */

struct fan_chunk_plan {
    fan_id run, channel;
    enum fan_lane lane;
    fan_time due_at;
    uint32_t size;           /* people a chunk */
    struct fan_ids contacts; /* a page's people, in order */
    uint32_t variant;        /* that all of them get, from 1; 0: there are none */
};

/** Write a page's chunks. @chunks: out, how many */
enum fan_err fan_chunks_plan(struct fan_db *db, fan_id account, const struct fan_chunk_plan *plan,
        struct fan_arena *arena, size_t *chunks, struct fan_why *why) FAN_MUST_CHECK;

/** Write up to 500 people who are skipped, each with its reason (enum fan_reason), as messages of a
 * chunk that is done. */
enum fan_err fan_chunk_skips(struct fan_db *db, fan_id account, fan_id run, fan_id channel,
        const fan_id *contacts, const int16_t *reasons, size_t count, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/* ---- renderer ---- */

struct fan_chunk_planned {
    fan_id run, channel, campaign;
    enum fan_lane lane;
    enum fan_kind kind;
    struct fan_ids contacts;
    struct fan_bytes content; /* the run's template, JSON */
    struct fan_ids crashed;   /* positions whose copies renderers died of, once for each death */
    uint32_t variant;         /* from 1; 0: the run has none */
};

/** Load a chunk and hold it for the transaction. fails FAN_CONFLICT: stale epoch, rendered already,
 * another renderer is at it, or the run does not run */
enum fan_err fan_chunk_load(struct fan_db *db, fan_id account, fan_id chunk, uint32_t epoch,
        struct fan_arena *arena, struct fan_chunk_planned *out, struct fan_why *why) FAN_MUST_CHECK;

/** Count that @renderer died while it wrote a position's copy; of a chunk that is planned no longer
 * nothing is counted. */
enum fan_err fan_chunk_render_crashed(struct fan_db *db, fan_id account, fan_id chunk,
        uint32_t position, uint64_t renderer, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Forget a chunk's crashes, with its rendering. */
enum fan_err fan_chunk_render_survived(struct fan_db *db, fan_id account, fan_id chunk,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/* What templates may name besides the contact. */
struct fan_chunk_fields {
    struct fan_texts attributes; /* declared, in their order */
    struct fan_bytes fallbacks;  /* the account's words for missing values, a JSON object */
    struct fan_bytes account_name, account_country;
    struct fan_bytes campaign_name, details, channel_name; /* absent: gone, or there is none */
};

enum fan_err fan_chunk_fields(struct fan_db *db, fan_id account, fan_id campaign, fan_id channel,
        struct fan_arena *arena, struct fan_chunk_fields *out, struct fan_why *why) FAN_MUST_CHECK;

/* A recipient as templates see him. Texts are absent where the contact has none. */
struct fan_person {
    fan_id contact; /* 0: deleted since */
    struct fan_bytes phone, email, first_name, last_name, company, country, language;
    struct fan_bytes attributes;             /* JSON object; absent unless they were wanted */
    struct fan_bytes external_id, time_zone; /* absent unless they were wanted */
    bool suppressed;
};

struct fan_people_wanted {
    struct fan_ids contacts; /* in any order */
    enum fan_kind kind;      /* of channel, for which they are suppressed or not */
    bool attributes;
    bool more; /* external_id and time_zone */
};

/** The people of a chunk by position, people[contacts.len]. */
enum fan_err fan_chunk_people(struct fan_db *db, fan_id account,
        const struct fan_people_wanted *wanted, struct fan_arena *arena,
        const struct fan_person **people, struct fan_why *why) FAN_MUST_CHECK;

/* A chunk's messages by position, each array [count]. */
struct fan_chunk_written {
    size_t count;
    fan_id *contacts;
    int16_t *states;  /* pending, skipped or failed */
    int16_t *reasons; /* enum fan_reason, 0: none */
    int16_t *formats; /* enum fan_body_format */
    struct fan_bytes *addresses;
    struct fan_bytes *bodies;
};

/** Write the messages and move the chunk to rendered. fails FAN_CONFLICT: somebody was first; send
 * nothing */
enum fan_err fan_chunk_render(struct fan_db *db, fan_id account, fan_id chunk, uint32_t epoch,
        const struct fan_chunk_written *messages, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/* ---- scheduler ---- */

struct fan_chunk_seen {
    fan_id chunk, channel;
    uint32_t epoch;
    enum fan_chunk_state state;
    enum fan_lane lane;
    uint64_t owner;
    bool expired; /* claimed, and the lease is over */
    uint32_t watermark, size;
};

/** A run's chunks on their way (rendered, claimed), then planned ones that are due; at most @limit
 * of each sort. */
enum fan_err fan_chunks_in_flight(struct fan_db *db, fan_id account, fan_id run, uint32_t limit,
        struct fan_arena *arena, const struct fan_chunk_seen **out, size_t *count,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Take a chunk back from its owner: once its lease is over, or (@unbegun) at once when nothing that
 * it opened is unsettled.
 *
 * taken  out: false when it moved on, or neither holds
 */
enum fan_err fan_chunk_take_back(struct fan_db *db, fan_id account,
        const struct fan_chunk_seen *chunk, bool unbegun, struct fan_arena *arena, bool *taken,
        struct fan_why *why) FAN_MUST_CHECK;

/** Chunks of a run that a worker holds. */
enum fan_err fan_chunks_owned(struct fan_db *db, fan_id account, fan_id run, uint64_t owner,
        struct fan_arena *arena, const struct fan_chunk_seen **out, size_t *count,
        struct fan_why *why) FAN_MUST_CHECK;

/** Make retry chunks of at most @size of a run's due retries. @promoted: out, messages */
enum fan_err fan_chunks_promote(struct fan_db *db, fan_id account, fan_id run, uint32_t size,
        struct fan_arena *arena, int64_t *promoted, struct fan_why *why) FAN_MUST_CHECK;

/* What one step of a cancellation was about. */
struct fan_chunks_cancelled {
    size_t chunks;    /* 0: there is nothing left that nobody holds */
    fan_id first;     /* of them */
    int64_t messages; /* cancelled now */
};

/** Cancel what nobody has opened of a cancelled run, at most @limit chunks and as many with
 * retries. */
enum fan_err fan_chunks_cancel(struct fan_db *db, fan_id account, fan_id run, uint32_t limit,
        struct fan_arena *arena, struct fan_chunks_cancelled *out,
        struct fan_why *why) FAN_MUST_CHECK;

/* When an unknown ends, and how. */
struct fan_settle_rules {
    fan_time wait;       /* how long it waits for evidence before the run's policy decides */
    uint32_t tries;      /* in all, that cost one */
    uint32_t free_tries; /* beyond so many it is not repeated for its key */
    fan_time pause;      /* before it is repeated for its key; doubles with each attempt */
};

/**
 * Apply the run's policy to unknowns whose time is over, and repeat those whose provider drops the
 * repetition.
 *
 * settled  out, messages
 */
enum fan_err fan_chunks_settle(struct fan_db *db, fan_id account, fan_id run,
        const struct fan_settle_rules *rules, struct fan_arena *arena, int64_t *settled,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

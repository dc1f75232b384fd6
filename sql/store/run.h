/*
 * store/run — runs: one execution of a campaign each, its audience, its end and its counters.
 *
 * Every function takes the account first and runs in the turn's transaction. All fail with
 * FAN_UNAVAILABLE, FAN_CONFLICT and FAN_INVALID as fan_db_run does; only further failures are named
 * below.
 */
#ifndef FAN_SQL_STORE_RUN_H
#define FAN_SQL_STORE_RUN_H

#include "proto/words.h"
#include "sql/db.h"

/* How to launch a campaign. */
struct fan_run_new {
    fan_id campaign;
    struct fan_bytes occurrence; /* "once" for a one-off campaign, the caller's key, … */
    struct fan_ids contacts; /* exactly these people; at NULL: the campaign's tags, or everybody */
};

/** How many messages a chunk may hold on a channel of that rate (messages a second; 0: no limit):
 * ten seconds' worth. */
uint32_t fan_run_chunk_size(double rate);

/**
 * Make the run of this occurrence and move its campaign to preparing. Safe to repeat: a second call
 * finds the first one's run.
 *
 * created  out: false when the run was there already
 * The run goes out on the campaign's channel, or its kind's default one.
 *
 * fails    FAN_NOT_FOUND  no such campaign in this account
 *          FAN_CONFLICT   the campaign is neither draft nor scheduled and has no run of this
 * occurrence; why->field is "status" and the text names its state; or no channel can take it
 * ("channel_id")
 */
enum fan_err fan_run_create(struct fan_db *db, fan_id account, const struct fan_run_new *how,
        struct fan_arena *arena, fan_id *run, bool *created, struct fan_why *why) FAN_MUST_CHECK;

struct fan_run_due {
    fan_id account, campaign;
};

/** Scheduled campaigns whose time has come, of every account (scheduler). */
enum fan_err fan_run_campaigns_due(struct fan_db *db, struct fan_arena *arena,
        const struct fan_run_due **out, size_t *count, struct fan_why *why) FAN_MUST_CHECK;

/* One of them, all by the database's clock. */
struct fan_run_due_now {
    fan_time scheduled_at, now;
    int64_t grace_s; /* how late it may start; -1: not said */
    fan_time end_at; /* 0: none */
};

/** Hold one for the transaction. fails FAN_NOT_FOUND: it is not due any more */
enum fan_err fan_run_hold_due(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_run_due_now *out, struct fan_why *why) FAN_MUST_CHECK;

/** Say why a scheduled campaign does not start by itself, or why one was paused. */
enum fan_err fan_run_campaign_hold(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_bytes reason, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

struct fan_run_live {
    fan_id account, run, campaign, channel;
    enum fan_run_state state;
    enum fan_kind kind;
    enum fan_lane lane;
    bool resolved;
    uint32_t chunk_size;
    enum fan_retry_preset retry;
    fan_time unknown_wait; /* how long an unknown waits for evidence; -1: not said */
};

/** Runs that have not ended, of every account, in the order of accounts (scheduler). */
enum fan_err fan_runs_live(struct fan_db *db, struct fan_arena *arena,
        const struct fan_run_live **out, size_t *count, struct fan_why *why) FAN_MUST_CHECK;

/* A run whose audience is being written. */
struct fan_run_audience {
    fan_id campaign, channel;
    enum fan_kind kind;
    enum fan_lane lane;
    fan_time due_at;
    int64_t cursor;
    fan_id boundary;
    uint32_t chunk_size;
    struct fan_ids tags;
    struct fan_ids contacts; /* at NULL: by tags */
    struct fan_ids weights;  /* of its variants; none: it has none */
};

/** Hold a run for resolving. fails FAN_NOT_FOUND: complete, ended, or another resolver is at it;
 * that is fine */
enum fan_err fan_run_hold(struct fan_db *db, fan_id account, fan_id run, struct fan_arena *arena,
        struct fan_run_audience *out, struct fan_why *why) FAN_MUST_CHECK;

struct fan_run_page {
    fan_id *contacts; /* contacts[count] */
    int16_t *skips;   /* enum fan_reason, 0: not skipped */
    size_t count;
    int64_t end; /* the cursor behind it */
    bool last;
};

/** Read the next page of at most @limit people behind the run's cursor. */
enum fan_err fan_run_page(struct fan_db *db, fan_id account,
        const struct fan_run_audience *audience, uint32_t limit, struct fan_arena *arena,
        struct fan_run_page *out, struct fan_why *why) FAN_MUST_CHECK;

/** Move the cursor, with the chunks of its page in the same transaction; @complete ends the
 * audience. */
enum fan_err fan_run_advance(struct fan_db *db, fan_id account, fan_id run, int64_t cursor,
        bool complete, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/* What people do to a campaign under way. */
enum fan_run_act { FAN_RUN_PAUSE, FAN_RUN_RESUME, FAN_RUN_CANCEL };

struct fan_run_controlled {
    enum fan_campaign_state campaign; /* what it is in now */
    fan_id run;                       /* 0: it has none that could be meant */
    enum fan_run_state state;         /* the run's */
    bool changed;                     /* false: it was so already */
};

/**
 * Pause, resume or cancel a campaign with its run, or one that is scheduled. Safe to repeat.
 *
 * fails  FAN_NOT_FOUND  no such campaign in this account
 *        FAN_CONFLICT   it is in no state for that; why->field is "status", the text names it
 */
enum fan_err fan_run_control(struct fan_db *db, fan_id account, fan_id campaign,
        enum fan_run_act act, struct fan_arena *arena, struct fan_run_controlled *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** End a run of which nothing is left to do, and its campaign. @ended: out, its state, or -1 while
 * it goes on. */
enum fan_err fan_run_complete(struct fan_db *db, fan_id account, fan_id run,
        struct fan_arena *arena, int *ended, fan_id *campaign, struct fan_why *why) FAN_MUST_CHECK;

/** Move a campaign from one of the states @from[from_count] to @to. @moved: out. */
enum fan_err fan_campaign_move(struct fan_db *db, fan_id account, fan_id campaign,
        const int16_t *from, size_t from_count, enum fan_campaign_state to, struct fan_arena *arena,
        bool *moved, struct fan_why *why) FAN_MUST_CHECK;

/** Whether this connection holds the lock of the one active scheduler, taking it when it is free.
 */
enum fan_err fan_run_lead(struct fan_db *db, struct fan_arena *arena, bool *leading,
        struct fan_why *why) FAN_MUST_CHECK;

/** End the connection that holds that lock when it has been silent for @silent_us: its process
 * hangs. Should it wake up, it finds out before its next look. @deposed: out. */
enum fan_err fan_run_depose(struct fan_db *db, fan_time silent_us, struct fan_arena *arena,
        bool *deposed, struct fan_why *why) FAN_MUST_CHECK;

/** Keep one partition of messages ahead of the newest chunk. As the owner role. */
enum fan_err fan_run_partitions(struct fan_db *owner, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/* A campaign's counters: recipients by state, then how far the sent ones came. */
struct fan_run_stats {
    int64_t total;
    int64_t pending; /* without sending */
    int64_t sending; /* opened by a sender, no outcome yet */
    int64_t retry, unknown, sent, failed, skipped, cancelled, unknown_final, expired;
    int64_t undelivered, delivered, read, opened, clicked, replied, complained, unsubscribed;
};

/** Sum them over the chunks of all runs of a campaign. */
enum fan_err fan_run_stats(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_run_stats *out, struct fan_why *why) FAN_MUST_CHECK;

/** The same for each of a campaign's @count variants, out[count]; what is being sent is pending,
 * and who was skipped before he was given a variant is in none. */
enum fan_err fan_run_variant_stats(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_run_stats *out, size_t count,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

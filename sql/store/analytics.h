/*
 * store/analytics — the event log read across accounts, and its roll-ups by minute.
 *
 * Events, counts and the place in the log go in one transaction: each event is counted exactly
 * once. All fail as fan_db_run does; only further failures are named.
 */
#ifndef FAN_SQL_STORE_ANALYTICS_H
#define FAN_SQL_STORE_ANALYTICS_H

#include "proto/message.h"
#include "sql/db.h"

struct fan_stat_event {
    fan_id account, campaign, run; /* 0: none */
    int64_t xid;                   /* its place in the log: */
    fan_id id;                     /* (xid, id) */
    uint32_t type;                 /* a message number */
    fan_time at;
    struct fan_bytes body; /* msgpack, of that message's schema */
};

struct fan_stat_events {
    struct fan_stat_event *at; /* at[len] */
    size_t len;
};

/** Hold the place in the log and read the next events. fails FAN_NOT_FOUND: another process is at
 *  it; that is fine */
enum fan_err fan_stat_events_next(struct fan_db *db, int64_t limit, struct fan_arena *arena,
        struct fan_stat_events *out, struct fan_why *why) FAN_MUST_CHECK;

enum fan_stat_count {
    FAN_STAT_PLANNED,
    FAN_STAT_SENT,
    FAN_STAT_FAILED,
    FAN_STAT_RETRY,
    FAN_STAT_UNKNOWN,
    FAN_STAT_SKIPPED,
    FAN_STAT_CANCELLED,
    FAN_STAT_DELIVERED,
    FAN_STAT_READ,
    FAN_STAT_UNDELIVERED,
    FAN_STAT_FLAGGED,
    FAN_STAT_COUNT,
};

/* What happened in one run within one minute. */
struct fan_stat_minute {
    fan_id account, campaign, run;
    fan_time minute; /* its beginning */
    uint32_t counts[FAN_STAT_COUNT];
};

/** Add to minutes[count], which are distinct. */
enum fan_err fan_stat_minutes_add(struct fan_db *db, const struct fan_stat_minute *minutes,
        size_t count, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** All up to @last is counted. */
enum fan_err fan_stat_advance(struct fan_db *db, const struct fan_stat_event *last,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

#endif

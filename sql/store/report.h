/*
 * store/report — what people look at: messages, runs, totals and the event log.
 *
 * All fail as fan_db_run does.
 */
#ifndef FAN_SQL_STORE_REPORT_H
#define FAN_SQL_STORE_REPORT_H

#include "proto/words.h"
#include "sql/db.h"
#include "sql/store/page.h"

struct fan_report_run {
    fan_id id, channel;
    struct fan_bytes occurrence;
    enum fan_run_state state;
    enum fan_kind kind;
    bool resolved;
    fan_time created_at, started_at, ended_at;
    fan_id template; /* whose content it was launched with; 0: the campaign's own */
    int64_t template_version;
};

struct fan_report_runs {
    struct fan_report_run *at; /* at[len] */
    size_t len;
};

/** A page of a campaign's runs, newest first, and how many there are. */
enum fan_err fan_report_run_page(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_page page, struct fan_arena *arena, struct fan_report_runs *out,
        struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_report_run_count(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, int64_t *out, struct fan_why *why) FAN_MUST_CHECK;

struct fan_report_message {
    fan_id id, contact, run, channel;
    enum fan_message_state state;
    bool sending; /* pending, and handed to a sender */
    enum fan_progress progress;
    int flags; /* bits of enum fan_flag */
    int attempt;
    int outcome; /* enum fan_outcome_class; 0: none yet */
    int reason;  /* enum fan_reason; 0: none */
    int format;  /* enum fan_body_format */
    struct fan_bytes code, provider_id, address, body;
    fan_time sent_at, delivered_at, read_at;
    uint32_t variant; /* from 1; 0: the campaign has none. Of a page of messages only */
};

struct fan_report_messages {
    struct fan_report_message *at; /* at[len] */
    size_t len;
};

/** Read a row of report_messages, or of another statement that begins with its columns. */
struct fan_report_message fan_report_read_message(const struct fan_rows *rows, int row);

/* Which messages of a campaign are wanted. */
struct fan_message_filter {
    fan_id campaign;
    int state;   /* enum fan_message_state; -1: any */
    int sending; /* of pending ones: 1 only those being sent, 0 only the others, -1 both */
};

/** A page of written messages, newest first. */
enum fan_err fan_report_message_page(struct fan_db *db, fan_id account,
        const struct fan_message_filter *filter, struct fan_page page, struct fan_arena *arena,
        struct fan_report_messages *out, struct fan_why *why) FAN_MUST_CHECK;

/* An account's totals. */
struct fan_report_totals {
    int64_t total, pending, sent, failed, skipped, unknown, retry;
    int64_t delivered, read, undelivered, replied, unsubscribed;
};

enum fan_err fan_report_totals(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_report_totals *out, struct fan_why *why) FAN_MUST_CHECK;

/** How many campaigns are in each state: counts[FAN_CAMPAIGN_STATE_COUNT]. */
enum fan_err fan_report_campaigns(struct fan_db *db, fan_id account, struct fan_arena *arena,
        int64_t *counts, struct fan_why *why) FAN_MUST_CHECK;

struct fan_report_day {
    struct fan_bytes day; /* "2026-11-20", UTC */
    int64_t sent, failed;
};

struct fan_report_days {
    struct fan_report_day *at; /* at[len] */
    size_t len;
};

enum fan_err fan_report_days_since(struct fan_db *db, fan_id account, fan_time since,
        struct fan_arena *arena, struct fan_report_days *out, struct fan_why *why) FAN_MUST_CHECK;

/* A place in the event log. */
struct fan_event_place {
    int64_t xid;
    fan_id id;
};

struct fan_report_event {
    struct fan_event_place place;
    uint32_t type; /* a message number */
    fan_time at;
    fan_id run, chunk;     /* 0: none */
    struct fan_bytes body; /* msgpack, of that message's schema */
};

struct fan_report_events {
    struct fan_report_event *at; /* at[len] */
    size_t len;
};

/** Events behind a place, as far as nothing can still be written before them. */
enum fan_err fan_report_events_after(struct fan_db *db, fan_id account,
        struct fan_event_place place, int64_t limit, struct fan_arena *arena,
        struct fan_report_events *out, struct fan_why *why) FAN_MUST_CHECK;

/* A campaign whose progress is worth showing. */
struct fan_report_moving {
    fan_id campaign;
    enum fan_campaign_state state;
    fan_id run; /* its latest; 0: none */
};

struct fan_report_movings {
    struct fan_report_moving *at; /* at[len] */
    size_t len;
};

/** Campaigns on their way, or ended less than @age microseconds ago. */
enum fan_err fan_report_moving(struct fan_db *db, fan_id account, int64_t age,
        struct fan_arena *arena, struct fan_report_movings *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** Imports on their way, or ended less than @age microseconds ago. */
enum fan_err fan_report_importing(struct fan_db *db, fan_id account, int64_t age,
        struct fan_arena *arena, struct fan_ids *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * store/campaign — campaigns as people write and read them; store/run launches and ends them.
 *
 * All fail as fan_db_run does; only further failures are named.
 */
#ifndef FAN_SQL_STORE_CAMPAIGN_H
#define FAN_SQL_STORE_CAMPAIGN_H

#include "proto/words.h"
#include "sql/db.h"
#include "sql/store/page.h"

struct fan_campaign {
    fan_id id;
    int64_t display_id; /* counts within the account, from 1 */
    struct fan_bytes name;
    struct fan_bytes description; /* may be absent */
    enum fan_kind kind;
    fan_id channel;
    struct fan_bytes content;   /* a JSON object, see actors/lib/text/choice.h */
    fan_id template;            /* whose content it has instead, {} above; 0: none */
    int64_t template_version;   /* 0: the newest at its launch */
    struct fan_bytes details;   /* a JSON object: the fields that only people read */
    struct fan_ids tags;        /* any of; none: every contact */
    struct fan_texts tag_names; /* read only */
    fan_time scheduled_at, start_date, end_date; /* 0: none */
    enum fan_campaign_state state;
    bool enabled, archived, at_least_once;
    enum fan_retry_preset retry;
    enum fan_lane lane;
    fan_time unknown_wait;    /* how long an unknown waits for evidence; -1: as the system is set */
    int32_t late_start_grace; /* seconds; -1: as the scheduler's setting says */
    struct fan_bytes hold_reason; /* why it does not start; absent: nothing holds it */
    fan_id sender;                /* 0: none */
    fan_time created_at, updated_at, started_at, ended_at, paused_at;
};

struct fan_campaign_list {
    struct fan_campaign *at; /* at[len] */
    size_t len;
};

/** fails FAN_NOT_FOUND */
enum fan_err fan_campaign_get(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_campaign *out, struct fan_why *why) FAN_MUST_CHECK;

struct fan_campaign_filter {
    int kind;  /* 0: any */
    int state; /* -1: any */
    bool archived;
};

/** A page of campaigns, newest first, and how many there are. */
enum fan_err fan_campaign_page(struct fan_db *db, fan_id account,
        const struct fan_campaign_filter *filter, struct fan_page page, struct fan_arena *arena,
        struct fan_campaign_list *out, struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_campaign_count(struct fan_db *db, fan_id account,
        const struct fan_campaign_filter *filter, struct fan_arena *arena, int64_t *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** Make a draft or a scheduled campaign, as campaign->state says. id: out */
enum fan_err fan_campaign_insert(struct fan_db *db, fan_id account,
        const struct fan_campaign *campaign, struct fan_arena *arena, fan_id *id,
        struct fan_why *why) FAN_MUST_CHECK;

/** Hold campaign->id for the transaction and read it. fails FAN_NOT_FOUND */
enum fan_err fan_campaign_hold(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_campaign *out, struct fan_why *why) FAN_MUST_CHECK;

/** Write all of campaign->id. fails FAN_DENIED: it was launched, and is read only */
enum fan_err fan_campaign_update(struct fan_db *db, fan_id account,
        const struct fan_campaign *campaign, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Delete one that never ran. @deleted: out, false when it did */
enum fan_err fan_campaign_delete(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, bool *deleted, struct fan_why *why) FAN_MUST_CHECK;

/** Keep it out of lists. */
enum fan_err fan_campaign_archive(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** Add a tag to the audience of a campaign that was not launched; otherwise nothing. */
enum fan_err fan_campaign_feed(struct fan_db *db, fan_id account, fan_id campaign, fan_id tag,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** Whether @user is one of the account's. */
enum fan_err fan_user_exists(struct fan_db *db, fan_id account, fan_id user,
        struct fan_arena *arena, bool *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

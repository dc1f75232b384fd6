/*
 * store/media — what there is of pictures, sounds and documents.
 *
 * A row is there before its object is in the media store and until that is gone, so that an upload
 * and a removal of the same bytes never pass each other unseen. All fail as fan_db_run does; only
 * further failures are named.
 */
#ifndef FAN_SQL_STORE_MEDIA_H
#define FAN_SQL_STORE_MEDIA_H

#include "sql/db.h"
#include "sql/store/page.h"

enum { FAN_MEDIA_ARRIVING = 0, FAN_MEDIA_READY = 1, FAN_MEDIA_REMOVING = 2 };

struct fan_media_row {
    fan_id id;
    struct fan_bytes hash;        /* 32 bytes */
    struct fan_bytes type;        /* "image/png" */
    int64_t bytes, width, height; /* width, height 0: not known */
    struct fan_bytes name;
    fan_id created_by; /* 0: not known */
    fan_time created_at;
    int64_t state;
};

struct fan_media_list {
    struct fan_media_row *at; /* at[len] */
    size_t len;
};

/**
 * Make the row of an object that is about to be put, or find the one that has the same bytes.
 *
 * id, state  out; FAN_MEDIA_READY: there is nothing to put
 * fails      FAN_CONFLICT would start over, so FAN_DENIED: it is being removed right now
 */
enum fan_err fan_media_claim(struct fan_db *db, fan_id account, const struct fan_media_row *row,
        struct fan_arena *arena, fan_id *id, int64_t *state, struct fan_why *why) FAN_MUST_CHECK;

/** Bytes of all that the account has, but for the object with this hash. */
enum fan_err fan_media_others(struct fan_db *db, fan_id account, struct fan_bytes hash,
        struct fan_arena *arena, int64_t *out, struct fan_why *why) FAN_MUST_CHECK;

/** Its object is in the store. fails FAN_NOT_FOUND  it was removed meanwhile */
enum fan_err fan_media_arrived(struct fan_db *db, fan_id account, fan_id media,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** Its object is about to be removed; nobody is shown it any more. fails FAN_NOT_FOUND */
enum fan_err fan_media_leaving(struct fan_db *db, fan_id account, fan_id media,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** Its object is gone. */
enum fan_err fan_media_left(struct fan_db *db, fan_id account, fan_id media,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** Read one that is ready or being removed. fails FAN_NOT_FOUND */
enum fan_err fan_media_row_get(struct fan_db *db, fan_id account, fan_id media,
        struct fan_arena *arena, struct fan_media_row *out, struct fan_why *why) FAN_MUST_CHECK;

/** A page of those that are ready, the newest first, and how many there are; @type: how their type
 * begins, "" for all. */
enum fan_err fan_media_page(struct fan_db *db, fan_id account, struct fan_bytes type,
        struct fan_page page, struct fan_arena *arena, struct fan_media_list *out,
        struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_media_count(struct fan_db *db, fan_id account, struct fan_bytes type,
        struct fan_arena *arena, int64_t *out, struct fan_why *why) FAN_MUST_CHECK;

/** How many campaigns and templates have a text that begins like this in their content. */
enum fan_err fan_media_uses(struct fan_db *db, fan_id account, struct fan_bytes text,
        struct fan_arena *arena, int64_t *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

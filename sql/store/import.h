/*
 * store/import — uploads of contacts as the gateway receives and shows them.
 *
 * The audience process takes the blocks in (store/contact_upsert). All fail as fan_db_run does;
 * only further failures are named.
 */
#ifndef FAN_SQL_STORE_IMPORT_H
#define FAN_SQL_STORE_IMPORT_H

#include "proto/words.h"
#include "sql/db.h"
#include "sql/store/page.h"

struct fan_import {
    fan_id id;
    enum fan_import_state state;
    struct fan_bytes file_name, source, default_country, delimiter;
    struct fan_texts header;    /* column names as they stand in the file */
    struct fan_texts mapping;   /* the field each column goes to; "": left out */
    struct fan_ids tags;        /* to be given to its rows; when read: see tag_names */
    struct fan_texts tag_names; /* read only */
    fan_id campaign;            /* that it feeds; 0: none */
    /* read only from here */
    int64_t blocks, next_block, bytes, rows, created, updated, rejected, warnings;
    struct fan_bytes reason; /* why it failed */
    fan_time created_at, touched_at, ended_at;
};

struct fan_import_list {
    struct fan_import *at; /* at[len] */
    size_t len;
};

/** Begin an import that is being received. id: out */
enum fan_err fan_import_insert(struct fan_db *db, fan_id account, const struct fan_import *import,
        struct fan_arena *arena, fan_id *id, struct fan_why *why) FAN_MUST_CHECK;

struct fan_import_block {
    int32_t seq;
    int64_t first_line; /* of the file, from 1 */
    struct fan_bytes body;
};

enum fan_err fan_import_add_block(struct fan_db *db, fan_id account, fan_id import,
        const struct fan_import_block *block, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Note how much was received.
 *
 * all    that was the whole file
 * fails  FAN_DENIED  it is no longer being received
 */
enum fan_err fan_import_received(struct fan_db *db, fan_id account, fan_id import, int32_t blocks,
        int64_t bytes, bool all, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** End an import that cannot go on; what was taken in stays. Nothing, when it has ended. */
enum fan_err fan_import_fail(struct fan_db *db, fan_id account, fan_id import,
        struct fan_bytes reason, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

struct fan_import_abandoned {
    fan_id account, import;
};

/** Uploads that nobody goes on with, of every account (scheduler). age: microseconds without news
 */
enum fan_err fan_imports_abandoned(struct fan_db *db, int64_t age, struct fan_arena *arena,
        const struct fan_import_abandoned **out, size_t *count, struct fan_why *why) FAN_MUST_CHECK;

/** End such an upload; what was taken in stays. Nothing, when it has ended. */
enum fan_err fan_import_abandon(struct fan_db *db, fan_id account, fan_id import,
        struct fan_bytes reason, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** fails FAN_NOT_FOUND */
enum fan_err fan_import_get(struct fan_db *db, fan_id account, fan_id import,
        struct fan_arena *arena, struct fan_import *out, struct fan_why *why) FAN_MUST_CHECK;

/** A page of imports, newest first, and how many there are. */
enum fan_err fan_import_page(struct fan_db *db, fan_id account, struct fan_page page,
        struct fan_arena *arena, struct fan_import_list *out, struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_import_count(struct fan_db *db, fan_id account, struct fan_arena *arena,
        int64_t *out, struct fan_why *why) FAN_MUST_CHECK;

/* What was wrong with a row. */
struct fan_import_error {
    int64_t line;
    struct fan_bytes field, reason;
    bool warning;            /* the row was taken in all the same */
    struct fan_bytes record; /* as it stood in the file; may be absent */
};

struct fan_import_errors {
    struct fan_import_error *at; /* at[len] */
    size_t len;
};

/** Errors in the order of the file, behind @line and @field (0 and "" at the beginning). */
enum fan_err fan_import_errors_after(struct fan_db *db, fan_id account, fan_id import, int64_t line,
        struct fan_bytes field, struct fan_arena *arena, struct fan_import_errors *out,
        struct fan_why *why) FAN_MUST_CHECK;

enum { FAN_IMPORT_ERRORS_PAGE = 1000 };

#endif

/*
 * store/contact_upsert — the audience's part of an import: its blocks, one after the other.
 *
 * Who a row is about is decided by the caller, among the candidates; people, errors and cursor are
 * then written in the turn's transaction. All fail as fan_db_run does; only further failures are
 * named.
 */
#ifndef FAN_SQL_STORE_CONTACT_UPSERT_H
#define FAN_SQL_STORE_CONTACT_UPSERT_H

#include "sql/store/import.h"

/* The columns of a contact that a file can fill. The first three say who it is. */
enum fan_contact_column {
    FAN_COLUMN_EXTERNAL_ID,
    FAN_COLUMN_PHONE,
    FAN_COLUMN_EMAIL,
    FAN_COLUMN_FIRST_NAME,
    FAN_COLUMN_LAST_NAME,
    FAN_COLUMN_COMPANY,
    FAN_COLUMN_COUNTRY,
    FAN_COLUMN_LANGUAGE,
    FAN_COLUMN_TIME_ZONE,
    FAN_COLUMN_COUNT,
    FAN_COLUMN_KEYS = FAN_COLUMN_EMAIL + 1,
};

/* An import that this turn holds. */
struct fan_import_held {
    enum fan_import_state state; /* receiving, or running: all was received */
    struct fan_bytes source, default_country, delimiter;
    size_t columns;           /* of its header */
    struct fan_texts mapping; /* the field each column goes to; "": left out */
    struct fan_ids tags;
    int32_t next_block, blocks;
};

/** Hold an import for the transaction. fails FAN_NOT_FOUND: it ended, waits for more, or another
 *  process is at it; that is fine */
enum fan_err fan_import_hold(struct fan_db *db, fan_id account, fan_id import,
        struct fan_arena *arena, struct fan_import_held *out, struct fan_why *why) FAN_MUST_CHECK;

/** Read one block. fails FAN_INVALID: it is not there */
enum fan_err fan_import_block_get(struct fan_db *db, fan_id account, fan_id import, int32_t seq,
        struct fan_arena *arena, struct fan_import_block *out, struct fan_why *why) FAN_MUST_CHECK;

/* Who a contact is. */
struct fan_contact_keys {
    fan_id contact;
    struct fan_bytes keys[FAN_COLUMN_KEYS]; /* absent: not known */
};

struct fan_contact_keys_list {
    struct fan_contact_keys *at; /* at[len]; somebody may stand there more than once */
    size_t len;
};

/**
 * Find whom some rows may be about, and keep others from making them until the transaction ends.
 *
 * keys  distinct external ids, phones and e-mail addresses
 */
enum fan_err fan_import_candidates(struct fan_db *db, fan_id account,
        const struct fan_texts keys[FAN_COLUMN_KEYS], struct fan_arena *arena,
        struct fan_contact_keys_list *out, struct fan_why *why) FAN_MUST_CHECK;

/** Draw ids[count] for new contacts. */
enum fan_err fan_import_new_ids(struct fan_db *db, size_t count, struct fan_arena *arena,
        fan_id *ids, struct fan_why *why) FAN_MUST_CHECK;

/* What to write about some people, column by column, each array [count]. */
struct fan_contact_table {
    size_t count;
    fan_id *ids; /* distinct; ascending, so that two who update the same people do not deadlock */
    struct fan_bytes *columns[FAN_COLUMN_COUNT]; /* absent items: nothing is said */
    struct fan_bytes *attributes;                /* JSON objects, to be merged; may be absent */
    struct fan_bytes source;                     /* of all; may be absent */
};

/** Write them: an id that is new makes a contact, any other one changes it. fails FAN_CONFLICT:
 *  somebody else just made one with the same external id */
enum fan_err fan_import_put_people(struct fan_db *db, fan_id account,
        const struct fan_contact_table *people, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Give tags[i] to contacts[i]; repetitions are fine. */
enum fan_err fan_import_tag_people(struct fan_db *db, fan_id account, const fan_id *tags,
        const fan_id *contacts, size_t count, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Keep what was wrong with rows. */
enum fan_err fan_import_note_errors(struct fan_db *db, fan_id account, fan_id import,
        const struct fan_import_errors *errors, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/* What became of a block's rows. */
struct fan_import_counts {
    int64_t rows, created, updated, rejected, warnings;
};

/**
 * Move the cursor behind block @seq, which is forgotten; -1: there was none left.
 *
 * state  out: completed, when that was the last one of a file that was received whole
 * rows   out: taken in by now
 */
enum fan_err fan_import_advance(struct fan_db *db, fan_id account, fan_id import, int32_t seq,
        const struct fan_import_counts *counts, struct fan_arena *arena,
        enum fan_import_state *state, int64_t *rows, struct fan_why *why) FAN_MUST_CHECK;

#endif

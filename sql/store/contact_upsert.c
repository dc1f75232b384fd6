#include "sql/store/contact_upsert.h"

#include "sql/queries.h"

static void begin_import(struct fan_args *args, struct fan_arena *arena, fan_id account,
        fan_id import)
{
    fan_args_for(args, arena, account);
    fan_arg_i64(args, import);
}

/* ---- an import and its blocks ---- */

enum fan_err fan_import_hold(struct fan_db *db, fan_id account, fan_id import,
        struct fan_arena *arena, struct fan_import_held *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_i64(&args, import);
    err = fan_db_run(db, &fan_q_import_lock, &args, &rows, why);
    if (err)
        return err;
    if (!fan_row_bool(&rows, 0, 0))
        return fan_fail(why, FAN_NOT_FOUND, "another process is at it");
    begin_import(&args, arena, account, import);
    err = fan_db_run(db, &fan_q_import_hold, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "there is nothing to take in");
    *out = (struct fan_import_held){
        .state = (enum fan_import_state)fan_row_i64(&rows, 0, 0),
        .source = fan_row_text(&rows, 0, 1),
        .default_country = fan_row_text(&rows, 0, 2),
        .delimiter = fan_row_text(&rows, 0, 3),
        .columns = (size_t)fan_row_i64(&rows, 0, 4),
        .mapping = fan_row_texts(&rows, 0, 5, arena),
        .tags = fan_row_i64s(&rows, 0, 6, arena),
        .next_block = (int32_t)fan_row_i64(&rows, 0, 7),
        .blocks = (int32_t)fan_row_i64(&rows, 0, 8),
    };
    return FAN_OK;
}

enum fan_err fan_import_block_get(struct fan_db *db, fan_id account, fan_id import, int32_t seq,
        struct fan_arena *arena, struct fan_import_block *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    begin_import(&args, arena, account, import);
    fan_arg_i32(&args, seq);
    err = fan_db_run(db, &fan_q_import_block, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_INVALID, "block %d of the file is missing", seq);
    *out = (struct fan_import_block){
        .seq = seq,
        .first_line = fan_row_i64(&rows, 0, 0),
        .body = fan_row_text(&rows, 0, 1),
    };
    return FAN_OK;
}

static enum fan_err forget_block(struct fan_db *db, fan_id account, fan_id import, int32_t seq,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    begin_import(&args, arena, account, import);
    fan_arg_i32(&args, seq);
    return fan_db_run(db, &fan_q_import_block_done, &args, NULL, why);
}

enum fan_err fan_import_advance(struct fan_db *db, fan_id account, fan_id import, int32_t seq,
        const struct fan_import_counts *counts, struct fan_arena *arena,
        enum fan_import_state *state, int64_t *total, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    begin_import(&args, arena, account, import);
    fan_arg_i32(&args, seq >= 0);
    fan_arg_i64(&args, counts->rows);
    fan_arg_i64(&args, counts->created);
    fan_arg_i64(&args, counts->updated);
    fan_arg_i64(&args, counts->rejected);
    fan_arg_i64(&args, counts->warnings);
    err = fan_db_run(db, &fan_q_import_advance, &args, &rows, why);
    if (err)
        return err;
    FAN_ASSERT(rows.count == 1); /* this transaction holds it */
    *state = (enum fan_import_state)fan_row_i64(&rows, 0, 0);
    *total = fan_row_i64(&rows, 0, 1);
    return seq >= 0 ? forget_block(db, account, import, seq, arena, why) : FAN_OK;
}

enum fan_err fan_import_note_errors(struct fan_db *db, fan_id account, fan_id import,
        const struct fan_import_errors *errors, struct fan_arena *arena, struct fan_why *why)
{
    size_t len = errors->len;
    int64_t *lines = fan_arena_array(arena, len, sizeof *lines);
    int16_t *warnings = fan_arena_array(arena, len, sizeof *warnings);
    struct fan_bytes *texts = fan_arena_array(arena, 3 * len, sizeof *texts);
    struct fan_args args;

    for (size_t i = 0; i < len; i++) {
        lines[i] = errors->at[i].line;
        warnings[i] = errors->at[i].warning;
        texts[i] = errors->at[i].field;
        texts[len + i] = errors->at[i].reason;
        texts[2 * len + i] = errors->at[i].record;
    }
    begin_import(&args, arena, account, import);
    fan_arg_i64s(&args, lines, len);
    fan_arg_texts(&args, texts, len);
    fan_arg_texts(&args, texts + len, len);
    fan_arg_i16s(&args, warnings, len);
    fan_arg_texts(&args, texts + 2 * len, len);
    return fan_db_run(db, &fan_q_import_note_errors, &args, NULL, why);
}

/* ---- people ---- */

static enum fan_err lock_people(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    return fan_db_run(db, &fan_q_import_lock_people, &args, NULL, why);
}

enum fan_err fan_import_candidates(struct fan_db *db, fan_id account,
        const struct fan_texts keys[FAN_COLUMN_KEYS], struct fan_arena *arena,
        struct fan_contact_keys_list *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err = lock_people(db, account, arena, why);

    if (err)
        return err;
    fan_args_for(&args, arena, account);
    for (size_t i = 0; i < FAN_COLUMN_KEYS; i++)
        fan_arg_texts(&args, keys[i].at, keys[i].len);
    err = fan_db_run(db, &fan_q_import_candidates, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_contact_keys_list){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++) {
        out->at[i].contact = fan_row_i64(&rows, i, 0);
        for (int key = 0; key < FAN_COLUMN_KEYS; key++)
            out->at[i].keys[key] = fan_row_text(&rows, i, 1 + key);
    }
    return FAN_OK;
}

enum fan_err fan_import_new_ids(struct fan_db *db, size_t count, struct fan_arena *arena,
        fan_id *ids, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_i32(&args, (int32_t)count);
    err = fan_db_run(db, &fan_q_import_new_ids, &args, &rows, why);
    for (int i = 0; !err && i < rows.count; i++)
        ids[i] = fan_row_i64(&rows, i, 0);
    return err;
}

enum fan_err fan_import_put_people(struct fan_db *db, fan_id account,
        const struct fan_contact_table *people, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, people->source);
    fan_arg_i64s(&args, people->ids, people->count);
    for (size_t i = 0; i < FAN_COLUMN_COUNT; i++)
        fan_arg_texts(&args, people->columns[i], people->count);
    fan_arg_texts(&args, people->attributes, people->count);
    err = fan_db_run(db, &fan_q_import_put_people, &args, NULL, why);
    if (err == FAN_INVALID && strcmp(why->field, "contact_account_id_external_id_key") == 0)
        err = fan_fail(why, FAN_CONFLICT, "somebody else just brought one of these people");
    return err;
}

enum fan_err fan_import_tag_people(struct fan_db *db, fan_id account, const fan_id *tags,
        const fan_id *contacts, size_t count, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, tags, count);
    fan_arg_i64s(&args, contacts, count);
    return fan_db_run(db, &fan_q_import_tag_people, &args, NULL, why);
}

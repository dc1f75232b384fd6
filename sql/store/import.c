#include "sql/store/import.h"

#include "sql/queries.h"

static void begin_import(struct fan_args *args, struct fan_arena *arena, fan_id account,
        fan_id import)
{
    fan_args_for(args, arena, account);
    fan_arg_i64(args, import);
}

/* ---- receiving ---- */

static struct fan_bytes or_empty(struct fan_bytes text)
{
    return text.at ? text : FAN_LIT("");
}

enum fan_err fan_import_insert(struct fan_db *db, fan_id account, const struct fan_import *import,
        struct fan_arena *arena, fan_id *id, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, import->file_name);
    fan_arg_text(&args, import->source);
    fan_arg_text(&args, or_empty(import->default_country));
    fan_arg_text(&args, import->delimiter);
    fan_arg_texts(&args, import->header.at, import->header.len);
    fan_arg_texts(&args, import->mapping.at, import->mapping.len);
    fan_arg_i64s(&args, import->tags.at, import->tags.len);
    fan_arg_i64_or_null(&args, import->campaign);
    return fan_db_number(db, &fan_q_import_insert, &args, id, why);
}

enum fan_err fan_import_add_block(struct fan_db *db, fan_id account, fan_id import,
        const struct fan_import_block *block, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    begin_import(&args, arena, account, import);
    fan_arg_i32(&args, block->seq);
    fan_arg_i64(&args, block->first_line);
    fan_arg_bytea(&args, block->body);
    return fan_db_run(db, &fan_q_import_block_insert, &args, NULL, why);
}

enum fan_err fan_import_received(struct fan_db *db, fan_id account, fan_id import, int32_t blocks,
        int64_t bytes, bool all, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    fan_id found;
    enum fan_err err;

    begin_import(&args, arena, account, import);
    fan_arg_i32(&args, blocks);
    fan_arg_i64(&args, bytes);
    fan_arg_bool(&args, all);
    err = fan_db_number(db, &fan_q_import_received, &args, &found, why);
    if (!err && !found)
        err = fan_fail(why, FAN_DENIED, "the import was ended meanwhile");
    return err;
}

static enum fan_err end(struct fan_db *db, fan_id account, fan_id import, struct fan_bytes reason,
        struct fan_arena *arena, fan_id *ended, struct fan_why *why)
{
    struct fan_args args;

    begin_import(&args, arena, account, import);
    fan_arg_text(&args, reason);
    return fan_db_number(db, &fan_q_import_failed, &args, ended, why);
}

enum fan_err fan_import_fail(struct fan_db *db, fan_id account, fan_id import,
        struct fan_bytes reason, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    fan_id ended;
    enum fan_err err = end(db, account, import, reason, arena, &ended, why);

    if (err || !ended)
        return err;
    begin_import(&args, arena, account, import);
    return fan_db_run(db, &fan_q_import_blocks_drop, &args, NULL, why);
}

enum fan_err fan_imports_abandoned(struct fan_db *db, int64_t age, struct fan_arena *arena,
        const struct fan_import_abandoned **out, size_t *count, struct fan_why *why)
{
    struct fan_import_abandoned *list;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_i64(&args, age);
    fan_arg_i64(&args, 100);
    err = fan_db_run(db, &fan_q_import_abandoned, &args, &rows, why);
    if (err)
        return err;
    *count = (size_t)rows.count;
    *out = list = fan_arena_array(arena, *count, sizeof *list);
    for (int i = 0; i < rows.count; i++)
        list[i] = (struct fan_import_abandoned){
            .account = fan_row_i64(&rows, i, 0),
            .import = fan_row_i64(&rows, i, 1),
        };
    return FAN_OK;
}

enum fan_err fan_import_abandon(struct fan_db *db, fan_id account, fan_id import,
        struct fan_bytes reason, struct fan_arena *arena, struct fan_why *why)
{
    fan_id ended;

    return end(db, account, import, reason, arena, &ended, why);
}

/* ---- showing ---- */

static struct fan_import read_import(const struct fan_rows *rows, int row, struct fan_arena *arena)
{
    return (struct fan_import){
        .id = fan_row_i64(rows, row, 0),
        .state = (enum fan_import_state)fan_row_i64(rows, row, 1),
        .file_name = fan_row_text(rows, row, 2),
        .source = fan_row_text(rows, row, 3),
        .default_country = fan_row_text(rows, row, 4),
        .delimiter = fan_row_text(rows, row, 5),
        .header = fan_row_texts(rows, row, 6, arena),
        .mapping = fan_row_texts(rows, row, 7, arena),
        .campaign = fan_row_i64(rows, row, 8),
        .blocks = fan_row_i64(rows, row, 9),
        .next_block = fan_row_i64(rows, row, 10),
        .bytes = fan_row_i64(rows, row, 11),
        .rows = fan_row_i64(rows, row, 12),
        .created = fan_row_i64(rows, row, 13),
        .updated = fan_row_i64(rows, row, 14),
        .rejected = fan_row_i64(rows, row, 15),
        .warnings = fan_row_i64(rows, row, 16),
        .reason = fan_row_text(rows, row, 17),
        .created_at = fan_row_time(rows, row, 18),
        .touched_at = fan_row_time(rows, row, 19),
        .ended_at = fan_row_time(rows, row, 20),
        .tag_names = fan_row_texts(rows, row, 21, arena),
    };
}

enum fan_err fan_import_get(struct fan_db *db, fan_id account, fan_id import,
        struct fan_arena *arena, struct fan_import *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    begin_import(&args, arena, account, import);
    err = fan_db_run(db, &fan_q_import_get, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "there is no import %lld", (long long)import);
    *out = read_import(&rows, 0, arena);
    return FAN_OK;
}

enum fan_err fan_import_page(struct fan_db *db, fan_id account, struct fan_page page,
        struct fan_arena *arena, struct fan_import_list *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    err = fan_db_run(db, &fan_q_import_page, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_import_list){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = read_import(&rows, i, arena);
    return FAN_OK;
}

enum fan_err fan_import_count(struct fan_db *db, fan_id account, struct fan_arena *arena,
        int64_t *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    return fan_db_number(db, &fan_q_import_count, &args, out, why);
}

enum fan_err fan_import_errors_after(struct fan_db *db, fan_id account, fan_id import, int64_t line,
        struct fan_bytes field, struct fan_arena *arena, struct fan_import_errors *out,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    begin_import(&args, arena, account, import);
    fan_arg_i64(&args, line);
    fan_arg_text(&args, field);
    fan_arg_i64(&args, FAN_IMPORT_ERRORS_PAGE);
    err = fan_db_run(db, &fan_q_import_errors, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_import_errors){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = (struct fan_import_error){
            .line = fan_row_i64(&rows, i, 0),
            .field = fan_row_text(&rows, i, 1),
            .reason = fan_row_text(&rows, i, 2),
            .warning = fan_row_bool(&rows, i, 3),
            .record = fan_row_text(&rows, i, 4),
        };
    return FAN_OK;
}

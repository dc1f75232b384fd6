#include "sql/store/template.h"

#include "sql/queries.h"

static struct fan_template_version read_version(const struct fan_rows *rows, int row, int column)
{
    return (struct fan_template_version){
        .number = fan_row_i64(rows, row, column),
        .content = fan_row_text(rows, row, column + 1),
        .note = fan_row_text(rows, row, column + 2),
        .author = fan_row_i64(rows, row, column + 3),
        .created_at = fan_row_time(rows, row, column + 4),
    };
}

static struct fan_template_row read_template(const struct fan_rows *rows, int row,
        struct fan_arena *arena)
{
    return (struct fan_template_row){
        .id = fan_row_i64(rows, row, 0),
        .name = fan_row_text(rows, row, 1),
        .kind = (enum fan_kind)fan_row_i64(rows, row, 2),
        .description = fan_row_text(rows, row, 3),
        .category = fan_row_text(rows, row, 4),
        .tags = fan_row_texts(rows, row, 5, arena),
        .archived = fan_row_bool(rows, row, 6),
        .latest = fan_row_i64(rows, row, 7),
        .created_at = fan_row_time(rows, row, 8),
        .updated_at = fan_row_time(rows, row, 9),
        .version = read_version(rows, row, 10),
    };
}

static enum fan_err not_there(fan_id template, struct fan_why *why)
{
    return fan_fail(why, FAN_NOT_FOUND, "there is no template %lld", (long long)template);
}

enum fan_err fan_template_get(struct fan_db *db, fan_id account, fan_id template, int64_t version,
        struct fan_arena *arena, struct fan_template_row *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, template);
    fan_arg_i32(&args, (int32_t)version);
    err = fan_db_run(db, &fan_q_template_get, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0 && version)
        return fan_fail(why, FAN_NOT_FOUND, "there is no version %lld of template %lld",
                (long long)version, (long long)template);
    if (rows.count == 0)
        return not_there(template, why);
    *out = read_template(&rows, 0, arena);
    return FAN_OK;
}

enum fan_err fan_template_hold(struct fan_db *db, fan_id account, fan_id template,
        struct fan_arena *arena, struct fan_template_row *out, struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, template);
    err = fan_db_run(db, &fan_q_template_lock, &args, NULL, why);
    return err ? err : fan_template_get(db, account, template, 0, arena, out, why);
}

/* ---- lists ---- */

static void add_filter(struct fan_args *args, const struct fan_template_filter *filter)
{
    fan_arg_i16(args, filter->kind);
    fan_arg_bool(args, filter->archived);
    fan_arg_text(args, filter->tag);
    fan_arg_text(args, filter->category);
    fan_arg_text(args, filter->search);
}

enum fan_err fan_template_page(struct fan_db *db, fan_id account,
        const struct fan_template_filter *filter, struct fan_page page, struct fan_arena *arena,
        struct fan_template_list *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    add_filter(&args, filter);
    err = fan_db_run(db, &fan_q_template_page, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_template_list){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = read_template(&rows, i, arena);
    return FAN_OK;
}

enum fan_err fan_template_count(struct fan_db *db, fan_id account,
        const struct fan_template_filter *filter, struct fan_arena *arena, int64_t *out,
        struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    add_filter(&args, filter);
    return fan_db_number(db, &fan_q_template_count, &args, out, why);
}

enum fan_err fan_template_versions(struct fan_db *db, fan_id account, fan_id template,
        struct fan_page page, struct fan_arena *arena, const struct fan_template_version **out,
        size_t *len, struct fan_why *why)
{
    struct fan_template_version *versions;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, template);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    err = fan_db_run(db, &fan_q_template_versions, &args, &rows, why);
    if (err)
        return err;
    versions = fan_arena_array(arena, (size_t)rows.count, sizeof *versions);
    for (int i = 0; i < rows.count; i++)
        versions[i] = read_version(&rows, i, 0);
    *out = versions;
    *len = (size_t)rows.count;
    return FAN_OK;
}

enum fan_err fan_template_find(struct fan_db *db, fan_id account, struct fan_bytes name,
        struct fan_arena *arena, fan_id *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, name);
    return fan_db_number(db, &fan_q_template_find, &args, out, why);
}

enum fan_err fan_template_same(struct fan_db *db, fan_id account, fan_id template,
        struct fan_bytes content, struct fan_arena *arena, bool *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, template);
    fan_arg_text(&args, content);
    err = fan_db_run(db, &fan_q_template_same, &args, &rows, why);
    *out = !err && fan_row_bool(&rows, 0, 0);
    return err;
}

/* ---- writing ---- */

static enum fan_err insert_version(struct fan_db *db, fan_id account, fan_id template,
        int64_t number, const struct fan_template_version *version, struct fan_arena *arena,
        struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, template);
    fan_arg_i32(&args, (int32_t)number);
    fan_arg_text(&args, version->content);
    fan_arg_text(&args, version->note);
    fan_arg_i64_or_null(&args, version->author);
    return fan_db_run(db, &fan_q_template_version_insert, &args, NULL, why);
}

enum fan_err fan_template_insert(struct fan_db *db, fan_id account,
        const struct fan_template_row *row, struct fan_arena *arena, fan_id *id,
        struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, row->name);
    fan_arg_i16(&args, row->kind);
    fan_arg_text(&args, row->description);
    fan_arg_text(&args, row->category);
    fan_arg_texts(&args, row->tags.at, row->tags.len);
    err = fan_db_number(db, &fan_q_template_insert, &args, id, why);
    return err ? err : insert_version(db, account, *id, 1, &row->version, arena, why);
}

enum fan_err fan_template_update(struct fan_db *db, fan_id account,
        const struct fan_template_row *row, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    fan_id found;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, row->id);
    fan_arg_text(&args, row->name);
    fan_arg_text(&args, row->description);
    fan_arg_text(&args, row->category);
    fan_arg_texts(&args, row->tags.at, row->tags.len);
    fan_arg_bool(&args, row->archived);
    err = fan_db_number(db, &fan_q_template_update, &args, &found, why);
    return !err && !found ? not_there(row->id, why) : err;
}

enum fan_err fan_template_add_version(struct fan_db *db, fan_id account, fan_id template,
        const struct fan_template_version *version, struct fan_arena *arena, int64_t *number,
        struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, template);
    err = fan_db_number(db, &fan_q_template_advance, &args, number, why);
    if (!err && !*number)
        return not_there(template, why);
    return err ? err : insert_version(db, account, template, *number, version, arena, why);
}

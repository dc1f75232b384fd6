#include "sql/store/media.h"

#include "sql/queries.h"

static struct fan_media_row read_media(const struct fan_rows *rows, int row)
{
    return (struct fan_media_row){
        .id = fan_row_i64(rows, row, 0),
        .hash = fan_row_text(rows, row, 1),
        .type = fan_row_text(rows, row, 2),
        .bytes = fan_row_i64(rows, row, 3),
        .width = fan_row_i64(rows, row, 4),
        .height = fan_row_i64(rows, row, 5),
        .name = fan_row_text(rows, row, 6),
        .created_by = fan_row_i64(rows, row, 7),
        .created_at = fan_row_time(rows, row, 8),
        .state = fan_row_i64(rows, row, 9),
    };
}

static enum fan_err not_there(fan_id media, struct fan_why *why)
{
    return fan_fail(why, FAN_NOT_FOUND, "there is no media %lld", (long long)media);
}

enum fan_err fan_media_claim(struct fan_db *db, fan_id account, const struct fan_media_row *row,
        struct fan_arena *arena, fan_id *id, int64_t *state, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_bytea(&args, row->hash);
    fan_arg_text(&args, row->type);
    fan_arg_i64(&args, row->bytes);
    fan_arg_i64_or_null(&args, row->width);
    fan_arg_i64_or_null(&args, row->height);
    fan_arg_text(&args, row->name);
    fan_arg_i64_or_null(&args, row->created_by);
    err = fan_db_run(db, &fan_q_media_claim, &args, &rows, why);
    if (err)
        return err;
    *id = fan_row_i64(&rows, 0, 0);
    *state = fan_row_i64(&rows, 0, 1);
    if (*state == FAN_MEDIA_REMOVING)
        return fan_fail(why, FAN_DENIED, "media %lld has the same bytes and is being removed",
                (long long)*id);
    return FAN_OK;
}

enum fan_err fan_media_others(struct fan_db *db, fan_id account, struct fan_bytes hash,
        struct fan_arena *arena, int64_t *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_bytea(&args, hash);
    return fan_db_number(db, &fan_q_media_others, &args, out, why);
}

/* A statement about one that answers with its id, or with nothing. */
static enum fan_err change(struct fan_db *db, const struct fan_query *query, fan_id account,
        fan_id media, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, media);
    err = fan_db_run(db, query, &args, &rows, why);
    return err || rows.count ? err : not_there(media, why);
}

enum fan_err fan_media_arrived(struct fan_db *db, fan_id account, fan_id media,
        struct fan_arena *arena, struct fan_why *why)
{
    return change(db, &fan_q_media_ready, account, media, arena, why);
}

enum fan_err fan_media_leaving(struct fan_db *db, fan_id account, fan_id media,
        struct fan_arena *arena, struct fan_why *why)
{
    return change(db, &fan_q_media_removing, account, media, arena, why);
}

enum fan_err fan_media_left(struct fan_db *db, fan_id account, fan_id media,
        struct fan_arena *arena, struct fan_why *why)
{
    enum fan_err err = change(db, &fan_q_media_delete, account, media, arena, why);

    return err == FAN_NOT_FOUND ? FAN_OK : err; /* another one was faster */
}

enum fan_err fan_media_row_get(struct fan_db *db, fan_id account, fan_id media,
        struct fan_arena *arena, struct fan_media_row *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, media);
    err = fan_db_run(db, &fan_q_media_get, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return not_there(media, why);
    *out = read_media(&rows, 0);
    return FAN_OK;
}

enum fan_err fan_media_page(struct fan_db *db, fan_id account, struct fan_bytes type,
        struct fan_page page, struct fan_arena *arena, struct fan_media_list *out,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    fan_arg_text(&args, type);
    err = fan_db_run(db, &fan_q_media_page, &args, &rows, why);
    if (err)
        return err;
    out->len = (size_t)rows.count;
    out->at = fan_arena_array(arena, out->len + 1, sizeof *out->at);
    for (int i = 0; i < rows.count; i++)
        out->at[i] = read_media(&rows, i);
    return FAN_OK;
}

enum fan_err fan_media_count(struct fan_db *db, fan_id account, struct fan_bytes type,
        struct fan_arena *arena, int64_t *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, type);
    return fan_db_number(db, &fan_q_media_count, &args, out, why);
}

enum fan_err fan_media_uses(struct fan_db *db, fan_id account, struct fan_bytes text,
        struct fan_arena *arena, int64_t *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, text);
    return fan_db_number(db, &fan_q_media_uses, &args, out, why);
}

#include "sql/store/site.h"

#include "sql/queries.h"

/* End the transaction, whatever came of its statement. */
static enum fan_err end(struct fan_db *owner, enum fan_err err, struct fan_why *why)
{
    if (!err)
        return fan_db_commit(owner, why);
    fan_db_abort(owner);
    return err;
}

enum fan_err fan_site_look(struct fan_db *owner, struct fan_arena *arena, struct fan_site_look *out,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    err = fan_db_run(owner, &fan_q_site_look, &args, &rows, why);
    if (err)
        return end(owner, err, why);
    FAN_ASSERT(rows.count == 1);
    *out = (struct fan_site_look){
        .now = {
            .id = fan_row_text(&rows, 0, 8),
            .system = fan_row_i64(&rows, 0, 0),
            .timeline = fan_row_i64(&rows, 0, 1),
            .database = fan_row_i64(&rows, 0, 2),
            .tables = fan_row_i64(&rows, 0, 3),
            .files_at = fan_row_i64(&rows, 0, 4),
            .position = fan_row_i64(&rows, 0, 5),
        },
        .bound = {
            .id = fan_row_text(&rows, 0, 8),
            .system = fan_row_i64(&rows, 0, 9),
            .timeline = fan_row_i64(&rows, 0, 10),
            .database = fan_row_i64(&rows, 0, 11),
            .tables = fan_row_i64(&rows, 0, 12),
            .files_at = fan_row_i64(&rows, 0, 13),
            .machine = fan_row_text(&rows, 0, 14),
        },
        .is_local = fan_row_bool(&rows, 0, 6),
        .confirmed = fan_row_bool(&rows, 0, 7),
    };
    return end(owner, FAN_OK, why);
}

enum fan_err fan_site_bind(struct fan_db *owner, const struct fan_site *now,
        struct fan_arena *arena, struct fan_bytes *id, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_i64(&args, now->system);
    fan_arg_i64(&args, now->timeline);
    fan_arg_i64(&args, now->database);
    fan_arg_i64(&args, now->tables);
    fan_arg_i64_or_null(&args, now->files_at);
    fan_arg_text(&args, now->machine);
    err = fan_db_run(owner, &fan_q_site_bind, &args, &rows, why);
    if (!err)
        *id = fan_row_text(&rows, 0, 0);
    fan_args_begin(&args, arena);
    if (!err)
        err = fan_db_run(owner, &fan_q_site_bound, &args, NULL, why);
    return end(owner, err, why);
}

enum fan_err fan_site_hold(struct fan_db *owner, struct fan_bytes reason, struct fan_arena *arena,
        bool *held, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_text(&args, reason);
    err = fan_db_run(owner, &fan_q_site_hold, &args, &rows, why);
    *held = !err && rows.count > 0;
    return end(owner, err, why);
}

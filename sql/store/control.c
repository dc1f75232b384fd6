#include "sql/store/control.h"

#include "sql/queries.h"

const char *fan_control_word(const struct fan_control *control)
{
    return control->hold_reason.at ? "held" : control->send_enabled ? "enabled" : "stopped";
}

enum fan_err fan_control_get(struct fan_db *db, struct fan_arena *arena, struct fan_control *out,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    err = fan_db_run(db, &fan_q_control_get, &args, &rows, why);
    if (err)
        return err;
    FAN_ASSERT(rows.count == 1);
    *out = (struct fan_control){
        .send_enabled = fan_row_bool(&rows, 0, 0),
        .stop_reason = fan_row_text(&rows, 0, 1),
        .hold_reason = fan_row_text(&rows, 0, 2),
        .changed_at = fan_row_time(&rows, 0, 3),
        .changed_by = fan_row_text(&rows, 0, 4),
        .now = fan_row_i64(&rows, 0, 5),
        .confirmed = fan_row_bool(&rows, 0, 6),
    };
    return FAN_OK;
}

enum fan_err fan_control_set(struct fan_db *db, bool send_enabled, struct fan_bytes reason,
        struct fan_bytes who, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_begin(&args, arena);
    fan_arg_bool(&args, send_enabled);
    fan_arg_text(&args, reason);
    fan_arg_text(&args, who);
    return fan_db_run(db, &fan_q_control_set, &args, NULL, why);
}

enum fan_err fan_control_confirm(struct fan_db *db, struct fan_bytes who, struct fan_arena *arena,
        bool *held, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_text(&args, who);
    err = fan_db_run(db, &fan_q_control_confirm, &args, &rows, why);
    *held = !err && rows.count > 0;
    return err;
}

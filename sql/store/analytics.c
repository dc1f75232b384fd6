#include "sql/store/analytics.h"

#include "sql/queries.h"

enum fan_err fan_stat_events_next(struct fan_db *db, int64_t limit, struct fan_arena *arena,
        struct fan_stat_events *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    err = fan_db_run(db, &fan_q_analytics_hold, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "another process reads the log");
    fan_arg_i64(&args, fan_row_i64(&rows, 0, 0));
    fan_arg_i64(&args, fan_row_i64(&rows, 0, 1));
    fan_arg_i64(&args, limit);
    err = fan_db_run(db, &fan_q_analytics_events, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_stat_events){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = (struct fan_stat_event){
            .account = fan_row_i64(&rows, i, 0),
            .xid = fan_row_i64(&rows, i, 1),
            .id = fan_row_i64(&rows, i, 2),
            .type = (uint32_t)fan_row_i64(&rows, i, 3),
            .at = fan_row_time(&rows, i, 4),
            .body = fan_row_text(&rows, i, 5),
            .run = fan_row_i64(&rows, i, 6),
            .campaign = fan_row_i64(&rows, i, 7),
        };
    return FAN_OK;
}

static void add_counts(struct fan_args *args, const struct fan_stat_minute *minutes, size_t count,
        enum fan_stat_count what, struct fan_arena *arena)
{
    int32_t *counts = fan_arena_array(arena, count, sizeof *counts);

    for (size_t i = 0; i < count; i++)
        counts[i] = (int32_t)minutes[i].counts[what];
    fan_arg_i32s(args, counts, count);
}

enum fan_err fan_stat_minutes_add(struct fan_db *db, const struct fan_stat_minute *minutes,
        size_t count, struct fan_arena *arena, struct fan_why *why)
{
    int64_t *keys = fan_arena_array(arena, 4 * count, sizeof *keys);
    struct fan_args args;

    for (size_t i = 0; i < count; i++) {
        keys[i] = minutes[i].account;
        keys[count + i] = minutes[i].campaign;
        keys[2 * count + i] = minutes[i].run;
        keys[3 * count + i] = minutes[i].minute;
    }
    fan_args_begin(&args, arena);
    for (size_t i = 0; i < 4; i++)
        fan_arg_i64s(&args, keys + i * count, count);
    for (int what = 0; what < FAN_STAT_COUNT; what++)
        add_counts(&args, minutes, count, (enum fan_stat_count)what, arena);
    return fan_db_run(db, &fan_q_analytics_add, &args, NULL, why);
}

enum fan_err fan_stat_advance(struct fan_db *db, const struct fan_stat_event *last,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_begin(&args, arena);
    fan_arg_i64(&args, last->xid);
    fan_arg_i64(&args, last->id);
    return fan_db_run(db, &fan_q_analytics_advance, &args, NULL, why);
}

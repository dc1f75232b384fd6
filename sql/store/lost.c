#include "sql/store/lost.h"

#include "sql/queries.h"
#include "sql/store/chunk.h"

enum fan_err fan_lost_homes(struct fan_db *db, fan_id account, fan_id run, int64_t age_us,
        uint32_t limit, struct fan_arena *arena, const struct fan_lost_home **out, size_t *count,
        struct fan_why *why)
{
    struct fan_lost_home *homes;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    *count = 0;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64(&args, age_us);
    fan_arg_i64(&args, limit);
    err = fan_db_run(db, &fan_q_chunk_lost_homes, &args, &rows, why);
    if (err)
        return err;
    homes = fan_arena_array(arena, (size_t)rows.count, sizeof *homes);
    for (int i = 0; i < rows.count; i++)
        homes[i] = (struct fan_lost_home){ fan_row_i64(&rows, i, 0), fan_row_i64(&rows, i, 1),
            (enum fan_lane)fan_row_i64(&rows, i, 2) };
    *out = homes;
    *count = (size_t)rows.count;
    return FAN_OK;
}

enum fan_err fan_lost_messages(struct fan_db *db, fan_id account, fan_id home, uint32_t limit,
        struct fan_arena *arena, const struct fan_lost_message **out, size_t *count,
        struct fan_why *why)
{
    struct fan_lost_message *lost;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    *count = 0;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, fan_message_id(home, 0));
    fan_arg_i64(&args, fan_message_id(home + 1, 0));
    fan_arg_i64(&args, limit);
    err = fan_db_run(db, &fan_q_chunk_lost, &args, &rows, why);
    if (err)
        return err;
    lost = fan_arena_array(arena, (size_t)rows.count, sizeof *lost);
    for (int i = 0; i < rows.count; i++)
        lost[i] = (struct fan_lost_message){
            .message = fan_row_i64(&rows, i, 0),
            .address = fan_row_text(&rows, i, 1),
            .format = (int)fan_row_i64(&rows, i, 2),
            .body = fan_row_text(&rows, i, 3),
            .unknown_since = fan_row_i64(&rows, i, 4),
            .chunk = fan_row_i64(&rows, i, 5),
            .epoch = (uint32_t)fan_row_i64(&rows, i, 6),
            .others = fan_row_texts(&rows, i, 7, arena),
        };
    *out = lost;
    *count = (size_t)rows.count;
    return FAN_OK;
}

enum fan_err fan_lost_is_its(struct fan_db *db, fan_id account, fan_id message,
        struct fan_bytes provider_id, struct fan_arena *arena, bool *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, message);
    fan_arg_text(&args, provider_id);
    err = fan_db_run(db, &fan_q_chunk_lost_is_its, &args, &rows, why);
    *out = !err && rows.count > 0;
    return err;
}

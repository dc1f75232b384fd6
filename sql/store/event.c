#include "sql/store/event.h"

#include "sql/queries.h"

enum { BODY_CAP = 64 * 1024 };

void fan_event_args(struct fan_args *args, struct fan_arena *arena, fan_id account, fan_id run,
        fan_id chunk, const struct fan_schema *schema, const void *message)
{
    struct fan_buffer body;

    fan_buffer_init(&body, BODY_CAP);
    fan_encode(schema, message, &body);
    FAN_ASSERT(!body.overflowed && schema->way == FAN_NEWS);
    fan_args_begin(args, arena);
    fan_arg_i64(args, account);
    fan_arg_i32(args, (int32_t)schema->number);
    fan_arg_i64_or_null(args, run);
    fan_arg_i64_or_null(args, chunk);
    fan_arg_bytea(args, fan_bytes_dup(fan_buffer_bytes(&body), arena));
    fan_buffer_fini(&body);
}

enum fan_err fan_event_insert(struct fan_db *db, fan_id account, fan_id run, fan_id chunk,
        const struct fan_schema *schema, const void *message, struct fan_arena *arena,
        struct fan_why *why)
{
    struct fan_args args;

    fan_event_args(&args, arena, account, run, chunk, schema, message);
    return fan_db_run(db, &fan_q_event_insert, &args, NULL, why);
}

enum fan_err fan_events_drop_old(struct fan_db *db, uint32_t days, uint32_t limit,
        struct fan_arena *arena, int64_t *dropped, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_i32(&args, (int32_t)days);
    fan_arg_i64(&args, limit);
    err = fan_db_run(db, &fan_q_event_drop_old, &args, &rows, why);
    *dropped = err ? 0 : rows.affected;
    return err;
}

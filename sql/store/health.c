#include "sql/store/health.h"

#include "sql/queries.h"
#include "sql/store/event.h"

static void begin(struct fan_args *args, struct fan_batch *batch, fan_id account, fan_id channel)
{
    fan_args_for(args, fan_batch_arena(batch), account);
    fan_arg_i64(args, channel);
}

int fan_health_add_look(struct fan_batch *batch, fan_id account, fan_id channel)
{
    struct fan_args args;

    begin(&args, batch, account, channel);
    return fan_batch_add(batch, &fan_q_health_look, &args);
}

bool fan_health_read_look(const struct fan_rows *rows, struct fan_health_row *out)
{
    if (rows->count == 0)
        return false;
    *out = (struct fan_health_row){
        .interval_us = fan_row_i64(rows, 0, 0),
        .configured_us = fan_row_i64(rows, 0, 1),
        .state = (enum fan_health_state)fan_row_i64(rows, 0, 2),
        .reason = (enum fan_health_reason)fan_row_i64(rows, 0, 3),
        .times = (uint32_t)fan_row_i64(rows, 0, 4),
        .wait_us = fan_row_i64(rows, 0, 5),
        .prober = fan_row_null(rows, 0, 6) ? 0 : (uint64_t)fan_row_i64(rows, 0, 6),
    };
    return true;
}

static void begin_step(struct fan_args *args, struct fan_batch *batch,
        const struct fan_health_step *step)
{
    fan_event_args(args, fan_batch_arena(batch), step->account, 0, 0,
            &fan_schema_channel_health_changed, step->news);
    fan_arg_i64(args, step->channel);
}

int fan_health_add_open(struct fan_batch *batch, const struct fan_health_step *step, bool longer)
{
    struct fan_args args;

    begin_step(&args, batch, step);
    fan_arg_i16(&args, (int32_t)step->news->reason);
    fan_arg_i64(&args, step->news->wait_ms * FAN_MS);
    fan_arg_i64(&args, (int64_t)step->sender);
    fan_arg_i32(&args, longer);
    return fan_batch_add(batch, &fan_q_health_open, &args);
}

int fan_health_add_try(struct fan_batch *batch, const struct fan_health_step *step, int64_t wait_us)
{
    struct fan_args args;

    begin_step(&args, batch, step);
    fan_arg_i64(&args, wait_us);
    fan_arg_i64(&args, (int64_t)step->sender);
    return fan_batch_add(batch, &fan_q_health_try, &args);
}

int fan_health_add_close(struct fan_batch *batch, const struct fan_health_step *step)
{
    struct fan_args args;

    begin_step(&args, batch, step);
    fan_arg_i64(&args, (int64_t)step->sender);
    return fan_batch_add(batch, &fan_q_health_close, &args);
}

bool fan_health_read_step(const struct fan_rows *rows)
{
    return rows->count > 0;
}

int fan_health_add_throttled(struct fan_batch *batch, fan_id account, fan_id channel,
        int64_t wait_us, int64_t interval_us, int64_t cut_us, int64_t every_us)
{
    struct fan_args args;

    begin(&args, batch, account, channel);
    fan_arg_i64(&args, wait_us);
    fan_arg_i64(&args, interval_us);
    fan_arg_i64(&args, cut_us);
    fan_arg_i64(&args, every_us);
    return fan_batch_add(batch, &fan_q_health_throttled, &args);
}

int fan_health_add_grow(struct fan_batch *batch, fan_id account, fan_id channel,
        int64_t interval_us, int64_t grown_us, int64_t clean_us)
{
    struct fan_args args;

    begin(&args, batch, account, channel);
    fan_arg_i64(&args, interval_us);
    fan_arg_i64(&args, grown_us);
    fan_arg_i64(&args, clean_us);
    return fan_batch_add(batch, &fan_q_health_grow, &args);
}

int64_t fan_health_read_interval(const struct fan_rows *rows)
{
    return rows->count ? fan_row_i64(rows, 0, 0) : -1;
}

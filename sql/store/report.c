#include "sql/store/report.h"

#include "sql/queries.h"

/* ---- runs ---- */

enum fan_err fan_report_run_page(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_page page, struct fan_arena *arena, struct fan_report_runs *out,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    err = fan_db_run(db, &fan_q_report_runs, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_report_runs){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = (struct fan_report_run){
            .id = fan_row_i64(&rows, i, 0),
            .occurrence = fan_row_text(&rows, i, 1),
            .state = (enum fan_run_state)fan_row_i64(&rows, i, 2),
            .kind = (enum fan_kind)fan_row_i64(&rows, i, 3),
            .channel = fan_row_i64(&rows, i, 4),
            .resolved = fan_row_bool(&rows, i, 5),
            .created_at = fan_row_time(&rows, i, 6),
            .started_at = fan_row_time(&rows, i, 7),
            .ended_at = fan_row_time(&rows, i, 8),
            .template = fan_row_i64(&rows, i, 9),
            .template_version = fan_row_i64(&rows, i, 10),
        };
    return FAN_OK;
}

enum fan_err fan_report_run_count(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, int64_t *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    err = fan_db_run(db, &fan_q_report_run_count, &args, &rows, why);
    *out = err ? 0 : fan_row_i64(&rows, 0, 0);
    return err;
}

/* ---- messages ---- */

struct fan_report_message fan_report_read_message(const struct fan_rows *rows, int row)
{
    return (struct fan_report_message){
        .id = fan_row_i64(rows, row, 0),
        .contact = fan_row_i64(rows, row, 1),
        .state = (enum fan_message_state)fan_row_i64(rows, row, 2),
        .sending = fan_row_bool(rows, row, 3),
        .progress = (enum fan_progress)fan_row_i64(rows, row, 4),
        .flags = (int)fan_row_i64(rows, row, 5),
        .attempt = (int)fan_row_i64(rows, row, 6),
        .outcome = (int)fan_row_i64(rows, row, 7),
        .reason = (int)fan_row_i64(rows, row, 8),
        .code = fan_row_text(rows, row, 9),
        .provider_id = fan_row_text(rows, row, 10),
        .address = fan_row_text(rows, row, 11),
        .format = (int)fan_row_i64(rows, row, 12),
        .body = fan_row_text(rows, row, 13),
        .sent_at = fan_row_time(rows, row, 14),
        .delivered_at = fan_row_time(rows, row, 15),
        .read_at = fan_row_time(rows, row, 16),
        .run = fan_row_i64(rows, row, 17),
        .channel = fan_row_i64(rows, row, 18),
    };
}

static void add_filter(struct fan_args *args, const struct fan_message_filter *filter)
{
    int16_t states[FAN_MESSAGE_STATE_COUNT];
    size_t count = 0;

    for (int state = 0; state < FAN_MESSAGE_STATE_COUNT; state++)
        if (filter->state < 0 || filter->state == state)
            states[count++] = (int16_t)state;
    fan_arg_i16s(args, states, count);
    if (filter->sending < 0)
        fan_arg_null(args);
    else
        fan_arg_bool(args, filter->sending > 0);
}

enum fan_err fan_report_message_page(struct fan_db *db, fan_id account,
        const struct fan_message_filter *filter, struct fan_page page, struct fan_arena *arena,
        struct fan_report_messages *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, filter->campaign);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    add_filter(&args, filter);
    err = fan_db_run(db, &fan_q_report_messages, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_report_messages){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++) {
        out->at[i] = fan_report_read_message(&rows, i);
        out->at[i].variant = (uint32_t)fan_row_i64(&rows, i, 19);
    }
    return FAN_OK;
}

/* ---- totals ---- */

enum fan_err fan_report_totals(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_report_totals *out, struct fan_why *why)
{
    int64_t *const fields[] = { &out->total, &out->pending, &out->sent, &out->failed, &out->skipped,
        &out->unknown, &out->retry, &out->delivered, &out->read, &out->undelivered, &out->replied,
        &out->unsubscribed };
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    err = fan_db_run(db, &fan_q_report_totals, &args, &rows, why);
    if (err)
        return err;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i] = fan_row_i64(&rows, 0, (int)i);
    return FAN_OK;
}

enum fan_err fan_report_campaigns(struct fan_db *db, fan_id account, struct fan_arena *arena,
        int64_t *counts, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    memset(counts, 0, FAN_CAMPAIGN_STATE_COUNT * sizeof *counts);
    fan_args_for(&args, arena, account);
    err = fan_db_run(db, &fan_q_report_campaigns_by_state, &args, &rows, why);
    for (int i = 0; !err && i < rows.count; i++) {
        int64_t state = fan_row_i64(&rows, i, 0);

        if (state >= 0 && state < FAN_CAMPAIGN_STATE_COUNT)
            counts[state] = fan_row_i64(&rows, i, 1);
    }
    return err;
}

enum fan_err fan_report_days_since(struct fan_db *db, fan_id account, fan_time since,
        struct fan_arena *arena, struct fan_report_days *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_time(&args, since);
    err = fan_db_run(db, &fan_q_report_days, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_report_days){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = (struct fan_report_day){
            .day = fan_row_text(&rows, i, 0),
            .sent = fan_row_i64(&rows, i, 1),
            .failed = fan_row_i64(&rows, i, 2),
        };
    return FAN_OK;
}

/* ---- what happens ---- */

enum fan_err fan_report_events_after(struct fan_db *db, fan_id account,
        struct fan_event_place place, int64_t limit, struct fan_arena *arena,
        struct fan_report_events *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, place.xid);
    fan_arg_i64(&args, place.id);
    fan_arg_i64(&args, limit);
    err = fan_db_run(db, &fan_q_report_events, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_report_events){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = (struct fan_report_event){
            .place = { .id = fan_row_i64(&rows, i, 0), .xid = fan_row_i64(&rows, i, 1) },
            .type = (uint32_t)fan_row_i64(&rows, i, 2),
            .at = fan_row_time(&rows, i, 3),
            .run = fan_row_i64(&rows, i, 4),
            .chunk = fan_row_i64(&rows, i, 5),
            .body = fan_row_text(&rows, i, 6),
        };
    return FAN_OK;
}

enum fan_err fan_report_moving(struct fan_db *db, fan_id account, int64_t age,
        struct fan_arena *arena, struct fan_report_movings *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, age);
    err = fan_db_run(db, &fan_q_report_moving, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_report_movings){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = (struct fan_report_moving){
            .campaign = fan_row_i64(&rows, i, 0),
            .state = (enum fan_campaign_state)fan_row_i64(&rows, i, 1),
            .run = fan_row_i64(&rows, i, 2),
        };
    return FAN_OK;
}

enum fan_err fan_report_importing(struct fan_db *db, fan_id account, int64_t age,
        struct fan_arena *arena, struct fan_ids *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    int64_t *ids;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, age);
    err = fan_db_run(db, &fan_q_report_importing, &args, &rows, why);
    if (err)
        return err;
    ids = fan_arena_array(arena, (size_t)rows.count, sizeof *ids);
    for (int i = 0; i < rows.count; i++)
        ids[i] = fan_row_i64(&rows, i, 0);
    *out = (struct fan_ids){ .at = ids, .len = (size_t)rows.count };
    return FAN_OK;
}

#include "sql/store/campaign.h"

#include "sql/queries.h"

static struct fan_campaign read_campaign(const struct fan_rows *rows, int row,
        struct fan_arena *arena)
{
    return (struct fan_campaign){
        .id = fan_row_i64(rows, row, 0),
        .display_id = fan_row_i64(rows, row, 1),
        .name = fan_row_text(rows, row, 2),
        .description = fan_row_text(rows, row, 3),
        .kind = (enum fan_kind)fan_row_i64(rows, row, 4),
        .channel = fan_row_i64(rows, row, 5),
        .content = fan_row_text(rows, row, 6),
        .details = fan_row_text(rows, row, 7),
        .tags = fan_row_i64s(rows, row, 8, arena),
        .scheduled_at = fan_row_time(rows, row, 9),
        .start_date = fan_row_time(rows, row, 10),
        .end_date = fan_row_time(rows, row, 11),
        .state = (enum fan_campaign_state)fan_row_i64(rows, row, 12),
        .enabled = fan_row_bool(rows, row, 13),
        .archived = fan_row_bool(rows, row, 14),
        .at_least_once = fan_row_bool(rows, row, 15),
        .sender = fan_row_i64(rows, row, 16),
        .created_at = fan_row_time(rows, row, 17),
        .updated_at = fan_row_time(rows, row, 18),
        .started_at = fan_row_time(rows, row, 19),
        .ended_at = fan_row_time(rows, row, 20),
        .paused_at = fan_row_time(rows, row, 21),
        .hold_reason = fan_row_text(rows, row, 22),
        .lane = (enum fan_lane)fan_row_i64(rows, row, 23),
        .late_start_grace = (int32_t)fan_row_i64(rows, row, 24),
        .tag_names = fan_row_texts(rows, row, 25, arena),
        .retry = (enum fan_retry_preset)fan_row_i64(rows, row, 26),
        .unknown_wait = fan_row_i64(rows, row, 27),
        .template = fan_row_i64(rows, row, 28),
        .template_version = fan_row_i64(rows, row, 29),
    };
}

enum fan_err fan_campaign_get(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_campaign *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    err = fan_db_run(db, &fan_q_campaign_get, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "there is no campaign %lld", (long long)campaign);
    *out = read_campaign(&rows, 0, arena);
    return FAN_OK;
}

enum fan_err fan_campaign_page(struct fan_db *db, fan_id account,
        const struct fan_campaign_filter *filter, struct fan_page page, struct fan_arena *arena,
        struct fan_campaign_list *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    fan_arg_i16(&args, filter->kind);
    fan_arg_i16(&args, filter->state);
    fan_arg_bool(&args, filter->archived);
    err = fan_db_run(db, &fan_q_campaign_page, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_campaign_list){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = read_campaign(&rows, i, arena);
    return FAN_OK;
}

enum fan_err fan_campaign_count(struct fan_db *db, fan_id account,
        const struct fan_campaign_filter *filter, struct fan_arena *arena, int64_t *out,
        struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i16(&args, filter->kind);
    fan_arg_i16(&args, filter->state);
    fan_arg_bool(&args, filter->archived);
    return fan_db_number(db, &fan_q_campaign_count, &args, out, why);
}

/* ---- writing ---- */

static void add_fields(struct fan_args *args, const struct fan_campaign *campaign)
{
    fan_arg_text(args, campaign->name);
    fan_arg_text(args, campaign->description);
    fan_arg_i16(args, campaign->kind);
    fan_arg_i64_or_null(args, campaign->channel);
    fan_arg_text(args, campaign->content);
    fan_arg_text(args, campaign->details);
    fan_arg_i64s(args, campaign->tags.at, campaign->tags.len);
    fan_arg_time(args, campaign->scheduled_at);
    fan_arg_time(args, campaign->start_date);
    fan_arg_time(args, campaign->end_date);
    fan_arg_i16(args, campaign->state);
    fan_arg_bool(args, campaign->enabled);
    fan_arg_bool(args, campaign->at_least_once);
    fan_arg_i64_or_null(args, campaign->sender);
    fan_arg_i16(args, campaign->retry);
    if (campaign->unknown_wait < 0)
        fan_arg_null(args);
    else
        fan_arg_i64(args, campaign->unknown_wait);
    fan_arg_i16(args, campaign->lane);
    if (campaign->late_start_grace < 0)
        fan_arg_null(args);
    else
        fan_arg_i32(args, campaign->late_start_grace);
    fan_arg_i64_or_null(args, campaign->template);
    if (campaign->template_version == 0)
        fan_arg_null(args);
    else
        fan_arg_i32(args, (int32_t)campaign->template_version);
}

enum fan_err fan_campaign_insert(struct fan_db *db, fan_id account,
        const struct fan_campaign *campaign, struct fan_arena *arena, fan_id *id,
        struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    err = fan_db_run(db, &fan_q_campaign_number_lock, &args, NULL, why);
    if (err)
        return err;
    fan_args_for(&args, arena, account);
    add_fields(&args, campaign);
    return fan_db_number(db, &fan_q_campaign_insert, &args, id, why);
}

enum fan_err fan_campaign_hold(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_campaign *out, struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    err = fan_db_run(db, &fan_q_campaign_lock, &args, NULL, why);
    return err ? err : fan_campaign_get(db, account, campaign, arena, out, why);
}

enum fan_err fan_campaign_update(struct fan_db *db, fan_id account,
        const struct fan_campaign *campaign, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    fan_id found;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    add_fields(&args, campaign);
    fan_arg_i64(&args, campaign->id);
    err = fan_db_number(db, &fan_q_campaign_update, &args, &found, why);
    if (!err && !found)
        err = fan_fail(why, FAN_DENIED, "the campaign was launched: it can no longer be changed");
    return err;
}

enum fan_err fan_campaign_delete(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, bool *deleted, struct fan_why *why)
{
    struct fan_args args;
    fan_id found = 0;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    err = fan_db_number(db, &fan_q_campaign_delete, &args, &found, why);
    *deleted = !err && found;
    return err;
}

enum fan_err fan_campaign_archive(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    return fan_db_run(db, &fan_q_campaign_archive, &args, NULL, why);
}

enum fan_err fan_campaign_feed(struct fan_db *db, fan_id account, fan_id campaign, fan_id tag,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    fan_arg_i64(&args, tag);
    return fan_db_run(db, &fan_q_campaign_feed, &args, NULL, why);
}

enum fan_err fan_user_exists(struct fan_db *db, fan_id account, fan_id user,
        struct fan_arena *arena, bool *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, user);
    err = fan_db_run(db, &fan_q_campaign_user_exists, &args, &rows, why);
    *out = !err && fan_row_bool(&rows, 0, 0);
    return err;
}

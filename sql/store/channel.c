#include "sql/store/channel.h"

#include "sql/queries.h"

static struct fan_channel read_channel(const struct fan_rows *rows, int row,
        struct fan_arena *arena)
{
    return (struct fan_channel){
        .id = fan_row_i64(rows, row, 0),
        .kind = (enum fan_kind)fan_row_i64(rows, row, 1),
        .provider = fan_row_text(rows, row, 2),
        .name = fan_row_text(rows, row, 3),
        .settings = fan_row_text(rows, row, 4),
        .secret_names = fan_row_texts(rows, row, 5, arena),
        .rate = fan_row_real(rows, row, 6),
        .connections = fan_row_i64(rows, row, 7),
        .enabled = fan_row_bool(rows, row, 8),
        .is_default = fan_row_bool(rows, row, 9),
        .created_at = fan_row_time(rows, row, 10),
        .updated_at = fan_row_time(rows, row, 11),
        .health = (enum fan_health_state)fan_row_i64(rows, row, 12),
        .health_reason = (enum fan_health_reason)fan_row_i64(rows, row, 13),
        .health_until = fan_row_i64(rows, row, 14),
        .interval = fan_row_i64(rows, row, 15),
    };
}

static enum fan_err not_found(struct fan_why *why, fan_id channel)
{
    return fan_fail(why, FAN_NOT_FOUND, "there is no channel %lld", (long long)channel);
}

enum fan_err fan_channel_get(struct fan_db *db, fan_id account, fan_id channel,
        struct fan_arena *arena, struct fan_channel *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, channel);
    err = fan_db_run(db, &fan_q_channel_get, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return not_found(why, channel);
    *out = read_channel(&rows, 0, arena);
    return FAN_OK;
}

enum fan_err fan_channel_page(struct fan_db *db, fan_id account, int kind, struct fan_page page,
        struct fan_arena *arena, struct fan_channel_list *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, page.limit);
    fan_arg_i64(&args, page.offset);
    fan_arg_i16(&args, kind);
    err = fan_db_run(db, &fan_q_channel_page, &args, &rows, why);
    if (err)
        return err;
    *out = (struct fan_channel_list){
        .at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at),
        .len = (size_t)rows.count,
    };
    for (int i = 0; i < rows.count; i++)
        out->at[i] = read_channel(&rows, i, arena);
    return FAN_OK;
}

enum fan_err fan_channel_count(struct fan_db *db, fan_id account, int kind, struct fan_arena *arena,
        int64_t *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i16(&args, kind);
    return fan_db_number(db, &fan_q_channel_count, &args, out, why);
}

enum fan_err fan_channel_preferred(struct fan_db *db, fan_id account, enum fan_kind kind,
        struct fan_arena *arena, fan_id *out, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i16(&args, kind);
    return fan_db_number(db, &fan_q_channel_preferred, &args, out, why);
}

/* ---- writing ---- */

static enum fan_err set_pace(struct fan_db *db, fan_id account, fan_id channel, double rate,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, channel);
    fan_arg_i64(&args, rate > 0 ? (int64_t)(1e6 / rate) : 0);
    return fan_db_run(db, &fan_q_channel_pace, &args, NULL, why);
}

static enum fan_err be_the_default(struct fan_db *db, fan_id account, fan_id channel,
        enum fan_kind kind, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, channel);
    fan_arg_i16(&args, kind);
    return fan_db_run(db, &fan_q_channel_no_other_default, &args, NULL, why);
}

static enum fan_err settle(struct fan_db *db, fan_id account, fan_id id,
        const struct fan_channel *channel, struct fan_arena *arena, struct fan_why *why)
{
    enum fan_err err = set_pace(db, account, id, channel->rate, arena, why);

    if (err || !channel->is_default)
        return err;
    return be_the_default(db, account, id, channel->kind, arena, why);
}

enum fan_err fan_channel_insert(struct fan_db *db, fan_id account,
        const struct fan_channel *channel, struct fan_arena *arena, fan_id *id, struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i16(&args, channel->kind);
    fan_arg_text(&args, channel->provider);
    fan_arg_text(&args, channel->name);
    fan_arg_text(&args, channel->settings);
    fan_arg_real(&args, channel->rate);
    fan_arg_i32(&args, (int32_t)channel->connections);
    fan_arg_bool(&args, channel->enabled);
    fan_arg_bool(&args, channel->is_default);
    err = fan_db_number(db, &fan_q_channel_insert, &args, id, why);
    return err ? err : settle(db, account, *id, channel, arena, why);
}

enum fan_err fan_channel_update(struct fan_db *db, fan_id account,
        const struct fan_channel *channel, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    fan_id found;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, channel->id);
    fan_arg_text(&args, channel->name);
    fan_arg_text(&args, channel->settings);
    fan_arg_real(&args, channel->rate);
    fan_arg_i32(&args, (int32_t)channel->connections);
    fan_arg_bool(&args, channel->enabled);
    fan_arg_bool(&args, channel->is_default);
    err = fan_db_number(db, &fan_q_channel_update, &args, &found, why);
    if (err)
        return err;
    if (!found)
        return not_found(why, channel->id);
    return settle(db, account, channel->id, channel, arena, why);
}

enum fan_err fan_channel_seal(struct fan_db *db, fan_id account, fan_id channel,
        const struct fan_channel_secrets *secrets, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, channel);
    fan_arg_bytea(&args, secrets->for_sender);
    fan_arg_bytea(&args, secrets->for_ingester);
    fan_arg_texts(&args, secrets->names.at, secrets->names.len);
    return fan_db_run(db, &fan_q_channel_seal, &args, NULL, why);
}

/* ---- for those who talk to the provider ---- */

bool fan_channel_read_login(const struct fan_rows *rows, struct fan_channel_login *out)
{
    if (rows->count == 0)
        return false;
    *out = (struct fan_channel_login){
        .kind = (enum fan_kind)fan_row_i64(rows, 0, 0),
        .provider = fan_row_text(rows, 0, 1),
        .settings = fan_row_text(rows, 0, 2),
        .sealed = fan_row_text(rows, 0, 3),
        .rate = fan_row_real(rows, 0, 4),
        .connections = fan_row_i64(rows, 0, 5),
        .enabled = fan_row_bool(rows, 0, 6),
    };
    return true;
}

static enum fan_err read_login(struct fan_db *db, const struct fan_query *query, fan_id account,
        fan_id channel, struct fan_arena *arena, struct fan_channel_login *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, channel);
    err = fan_db_run(db, query, &args, &rows, why);
    if (err)
        return err;
    return fan_channel_read_login(&rows, out) ? FAN_OK : not_found(why, channel);
}

enum fan_err fan_channel_for_sender(struct fan_db *db, fan_id account, fan_id channel,
        struct fan_arena *arena, struct fan_channel_login *out, struct fan_why *why)
{
    return read_login(db, &fan_q_channel_for_sender, account, channel, arena, out, why);
}

enum fan_err fan_channel_for_ingester(struct fan_db *db, fan_id account, fan_id channel,
        struct fan_arena *arena, struct fan_channel_login *out, struct fan_why *why)
{
    return read_login(db, &fan_q_channel_for_ingester, account, channel, arena, out, why);
}

void fan_channel_add_for_ingester(struct fan_batch *batch, fan_id account, fan_id channel)
{
    struct fan_args args;

    fan_args_for(&args, fan_batch_arena(batch), account);
    fan_arg_i64(&args, channel);
    fan_batch_add(batch, &fan_q_channel_for_ingester, &args);
}

#include "sql/store/run.h"

#include "sql/queries.h"

uint32_t fan_run_chunk_size(double rate)
{
    double ten_seconds = rate * 10;

    if (rate <= 0 || ten_seconds >= 500)
        return 500;
    return ten_seconds < 1 ? 1 : (uint32_t)ten_seconds;
}

static enum fan_err find(struct fan_db *db, fan_id account, const struct fan_run_new *how,
        struct fan_arena *arena, fan_id *run, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, how->campaign);
    fan_arg_text(&args, how->occurrence);
    err = fan_db_run(db, &fan_q_run_find, &args, &rows, why);
    *run = !err && rows.count ? fan_row_i64(&rows, 0, 0) : 0;
    return err;
}

static enum fan_err insert(struct fan_db *db, fan_id account, const struct fan_run_new *how,
        struct fan_arena *arena, fan_id *run, struct fan_why *why)
{
    struct fan_rows rows, channel;
    struct fan_args args;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, how->campaign);
    err = fan_db_run(db, &fan_q_run_channel, &args, &channel, why);
    if (err)
        return err;
    if (channel.count == 0)
        return fan_fail_field(why, FAN_CONFLICT, "channel_id",
                "no enabled channel can take the campaign");
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, how->campaign);
    fan_arg_text(&args, how->occurrence);
    fan_arg_i64(&args, fan_row_i64(&channel, 0, 0));
    if (how->contacts.at)
        fan_arg_i64s(&args, how->contacts.at, how->contacts.len);
    else
        fan_arg_null(&args);
    fan_arg_i16(&args, (int32_t)fan_run_chunk_size(fan_row_real(&channel, 0, 1)));
    err = fan_db_run(db, &fan_q_run_insert, &args, &rows, why);
    *run = !err && rows.count ? fan_row_i64(&rows, 0, 0) : 0;
    return err;
}

enum fan_err fan_campaign_move(struct fan_db *db, fan_id account, fan_id campaign,
        const int16_t *from, size_t from_count, enum fan_campaign_state to, struct fan_arena *arena,
        bool *moved, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    fan_arg_i16s(&args, from, from_count);
    fan_arg_i16(&args, to);
    err = fan_db_run(db, &fan_q_run_campaign_state, &args, &rows, why);
    *moved = !err && rows.count > 0;
    return err;
}

/* Hold a campaign for the transaction. */
static enum fan_err hold_campaign(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, int64_t *state, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    *state = 0;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    err = fan_db_run(db, &fan_q_run_campaign_lock, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail_field(why, FAN_NOT_FOUND, "id", "there is no campaign %lld",
                (long long)campaign);
    *state = fan_row_i64(&rows, 0, 0);
    return FAN_OK;
}

enum fan_err fan_run_create(struct fan_db *db, fan_id account, const struct fan_run_new *how,
        struct fan_arena *arena, fan_id *run, bool *created, struct fan_why *why)
{
    static const int16_t launchable[] = { FAN_CAMPAIGN_DRAFT, FAN_CAMPAIGN_SCHEDULED };
    int64_t state;
    enum fan_err err = hold_campaign(db, account, how->campaign, arena, &state, why);

    *created = false;
    if (!err)
        err = find(db, account, how, arena, run, why);
    if (err || *run)
        return err;
    if (state != FAN_CAMPAIGN_DRAFT && state != FAN_CAMPAIGN_SCHEDULED)
        return fan_fail_field(why, FAN_CONFLICT, "status",
                "the campaign is %s; only draft and scheduled ones can be sent",
                fan_campaign_state_name((int)state));
    err = insert(db, account, how, arena, run, why);
    if (!err)
        err = fan_campaign_move(db, account, how->campaign, launchable, 2, FAN_CAMPAIGN_PREPARING,
                arena, created, why);
    return err;
}

enum fan_err fan_run_campaigns_due(struct fan_db *db, struct fan_arena *arena,
        const struct fan_run_due **out, size_t *count, struct fan_why *why)
{
    struct fan_run_due *due;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_i64(&args, 100);
    err = fan_db_run(db, &fan_q_run_campaigns_due, &args, &rows, why);
    if (err)
        return err;
    *count = (size_t)rows.count;
    *out = due = fan_arena_array(arena, *count, sizeof *due);
    for (int i = 0; i < rows.count; i++)
        due[i] = (struct fan_run_due){ fan_row_i64(&rows, i, 0), fan_row_i64(&rows, i, 1) };
    return FAN_OK;
}

enum fan_err fan_run_hold_due(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_run_due_now *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    err = fan_db_run(db, &fan_q_run_hold_due, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "campaign %lld is not due", (long long)campaign);
    *out = (struct fan_run_due_now){
        .scheduled_at = fan_row_i64(&rows, 0, 0),
        .grace_s = fan_row_i64(&rows, 0, 1),
        .end_at = fan_row_i64(&rows, 0, 2),
        .now = fan_row_i64(&rows, 0, 3),
    };
    return FAN_OK;
}

enum fan_err fan_run_campaign_hold(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_bytes reason, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    fan_arg_text(&args, reason);
    return fan_db_run(db, &fan_q_run_campaign_hold, &args, NULL, why);
}

enum fan_err fan_runs_live(struct fan_db *db, struct fan_arena *arena,
        const struct fan_run_live **out, size_t *count, struct fan_why *why)
{
    struct fan_run_live *live;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    err = fan_db_run(db, &fan_q_run_live, &args, &rows, why);
    if (err)
        return err;
    *count = (size_t)rows.count;
    *out = live = fan_arena_array(arena, *count, sizeof *live);
    for (int i = 0; i < rows.count; i++)
        live[i] = (struct fan_run_live){
            .account = fan_row_i64(&rows, i, 0),
            .run = fan_row_i64(&rows, i, 1),
            .campaign = fan_row_i64(&rows, i, 2),
            .state = (enum fan_run_state)fan_row_i64(&rows, i, 3),
            .kind = (enum fan_kind)fan_row_i64(&rows, i, 4),
            .channel = fan_row_i64(&rows, i, 5),
            .lane = (enum fan_lane)fan_row_i64(&rows, i, 6),
            .resolved = fan_row_bool(&rows, i, 7),
            .chunk_size = (uint32_t)fan_row_i64(&rows, i, 8),
            .retry = (enum fan_retry_preset)fan_row_i64(&rows, i, 9),
            .unknown_wait = fan_row_null(&rows, i, 10) ? -1 : fan_row_i64(&rows, i, 10),
        };
    return FAN_OK;
}

enum fan_err fan_run_hold(struct fan_db *db, fan_id account, fan_id run, struct fan_arena *arena,
        struct fan_run_audience *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    err = fan_db_run(db, &fan_q_run_load, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "run %lld needs no resolving now", (long long)run);
    *out = (struct fan_run_audience){
        .campaign = fan_row_i64(&rows, 0, 0),
        .kind = (enum fan_kind)fan_row_i64(&rows, 0, 1),
        .channel = fan_row_i64(&rows, 0, 2),
        .lane = (enum fan_lane)fan_row_i64(&rows, 0, 3),
        .due_at = fan_row_i64(&rows, 0, 4),
        .cursor = fan_row_i64(&rows, 0, 5),
        .boundary = fan_row_i64(&rows, 0, 6),
        .chunk_size = (uint32_t)fan_row_i64(&rows, 0, 7),
        .tags = fan_row_i64s(&rows, 0, 8, arena),
        .weights = fan_row_i64s(&rows, 0, 10, arena),
    };
    if (!fan_row_null(&rows, 0, 9))
        out->contacts = fan_row_i64s(&rows, 0, 9, arena);
    return FAN_OK;
}

/* The page's statement, with its parameters behind the account. */
static const struct fan_query *page_query(const struct fan_run_audience *audience, uint32_t limit,
        struct fan_args *args)
{
    fan_arg_i64(args, audience->cursor);
    if (audience->contacts.at) {
        fan_arg_i64(args, limit);
        fan_arg_i16(args, audience->kind);
        fan_arg_i64s(args, audience->contacts.at, audience->contacts.len);
        return &fan_q_run_page_listed;
    }
    fan_arg_i64(args, audience->boundary);
    fan_arg_i64(args, limit);
    fan_arg_i16(args, audience->kind);
    if (audience->tags.len == 0)
        return &fan_q_run_page_all;
    fan_arg_i64s(args, audience->tags.at, audience->tags.len);
    return &fan_q_run_page_tagged;
}

enum fan_err fan_run_page(struct fan_db *db, fan_id account,
        const struct fan_run_audience *audience, uint32_t limit, struct fan_arena *arena,
        struct fan_run_page *out, struct fan_why *why)
{
    const struct fan_query *query;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;
    size_t count, named;

    fan_args_for(&args, arena, account);
    query = page_query(audience, limit, &args);
    err = fan_db_run(db, query, &args, &rows, why);
    if (err)
        return err;
    count = named = (size_t)rows.count;
    if (count && fan_row_null(&rows, rows.count - 1, 1))
        named = (size_t)fan_row_i64(&rows, (int)--count, 2);
    *out = (struct fan_run_page){
        .contacts = fan_arena_array(arena, count, sizeof *out->contacts),
        .skips = fan_arena_array(arena, count, sizeof *out->skips),
        .count = count,
        .end = named ? fan_row_i64(&rows, rows.count - 1, 0) : audience->cursor,
        .last = named < limit,
    };
    for (int i = 0; i < (int)count; i++) {
        out->contacts[i] = fan_row_i64(&rows, i, 1);
        out->skips[i] = (int16_t)fan_row_i64(&rows, i, 2);
    }
    return FAN_OK;
}

enum fan_err fan_run_advance(struct fan_db *db, fan_id account, fan_id run, int64_t cursor,
        bool complete, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64(&args, cursor);
    fan_arg_bool(&args, complete);
    return fan_db_run(db, &fan_q_run_advance, &args, NULL, why);
}

/* ---- control ---- */

/* From which states, by bit, and where to. A campaign that is where it should be stays so. */
static const struct control {
    const char *done; /* "only a running one can be …" */
    unsigned from, there;
    enum fan_campaign_state to;
    int16_t run_from[3], run_from_len, run_to;
} controls[] = {
#define IN(state) (1u << FAN_CAMPAIGN_##state)
    [FAN_RUN_PAUSE] = { "paused", IN(SCHEDULED) | IN(PREPARING) | IN(RUNNING), IN(PAUSED),
            FAN_CAMPAIGN_PAUSED, { FAN_RUN_PREPARING, FAN_RUN_RUNNING }, 2, FAN_RUN_PAUSED },
    [FAN_RUN_RESUME] = { "resumed", IN(PAUSED), IN(SCHEDULED) | IN(PREPARING) | IN(RUNNING),
            FAN_CAMPAIGN_RUNNING, { FAN_RUN_PAUSED }, 1, FAN_RUN_RUNNING },
    [FAN_RUN_CANCEL] = { "cancelled", IN(SCHEDULED) | IN(PREPARING) | IN(RUNNING) | IN(PAUSED),
            IN(CANCELLED), FAN_CAMPAIGN_CANCELLED,
            { FAN_RUN_PREPARING, FAN_RUN_RUNNING, FAN_RUN_PAUSED }, 3, FAN_RUN_CANCELLED },
#undef IN
};

static enum fan_err control_run(struct fan_db *db, fan_id account, fan_id campaign,
        const struct control *how, struct fan_arena *arena, struct fan_run_controlled *out,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    fan_arg_i16s(&args, how->run_from, (size_t)how->run_from_len);
    fan_arg_i16(&args, how->run_to);
    err = fan_db_run(db, &fan_q_run_control, &args, &rows, why);
    if (err || rows.count == 0)
        return err;
    out->run = fan_row_i64(&rows, 0, 0);
    out->state = (enum fan_run_state)fan_row_i64(&rows, 0, 1);
    if (how->to != FAN_CAMPAIGN_RUNNING)
        return FAN_OK;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, out->run);
    return fan_db_run(db, &fan_q_dead_forgive, &args, NULL, why);
}

/* One that never ran waits for its time again; one whose audience is not complete prepares. */
static enum fan_campaign_state goes_to(const struct control *how,
        const struct fan_run_controlled *done)
{
    if (how->to != FAN_CAMPAIGN_RUNNING)
        return how->to;
    if (!done->run)
        return FAN_CAMPAIGN_SCHEDULED;
    return done->state == FAN_RUN_PREPARING ? FAN_CAMPAIGN_PREPARING : FAN_CAMPAIGN_RUNNING;
}

enum fan_err fan_run_control(struct fan_db *db, fan_id account, fan_id campaign,
        enum fan_run_act act, struct fan_arena *arena, struct fan_run_controlled *out,
        struct fan_why *why)
{
    const struct control *how = &controls[act];
    int64_t state;
    int16_t from;
    enum fan_err err = hold_campaign(db, account, campaign, arena, &state, why);

    if (err)
        return err;
    *out = (struct fan_run_controlled){ .campaign = (enum fan_campaign_state)state };
    if (how->there & 1u << state)
        return FAN_OK;
    if (!(how->from & 1u << state))
        return fan_fail_field(why, FAN_CONFLICT, "status", "the campaign is %s: it cannot be %s",
                fan_campaign_state_name((int)state), how->done);
    err = control_run(db, account, campaign, how, arena, out, why);
    if (err)
        return err;
    from = (int16_t)state;
    out->campaign = goes_to(how, out);
    return fan_campaign_move(db, account, campaign, &from, 1, out->campaign, arena, &out->changed,
            why);
}

/* ---- the end ---- */

/* The campaign of a run of which nothing is left; 0: something is. */
static enum fan_err look_over(struct fan_db *db, fan_id account, fan_id run,
        struct fan_arena *arena, fan_id *campaign, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    return fan_db_number(db, &fan_q_run_over, &args, campaign, why);
}

enum fan_err fan_run_complete(struct fan_db *db, fan_id account, fan_id run,
        struct fan_arena *arena, int *ended, fan_id *campaign, struct fan_why *why)
{
    static const int16_t live[] = { FAN_CAMPAIGN_PREPARING, FAN_CAMPAIGN_RUNNING };
    struct fan_args args;
    struct fan_rows rows;
    int64_t state;
    bool moved;
    enum fan_err err = look_over(db, account, run, arena, campaign, why);

    *ended = -1;
    if (err || !*campaign)
        return err;
    err = hold_campaign(db, account, *campaign, arena, &state, why);
    if (err)
        return err;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    err = fan_db_run(db, &fan_q_run_complete, &args, &rows, why);
    if (err || rows.count == 0)
        return err;
    *ended = (int)fan_row_i64(&rows, 0, 0);
    if (*ended == FAN_RUN_CANCELLED)
        return FAN_OK; /* its campaign is cancelled since somebody said so */
    return fan_campaign_move(db, account, *campaign, live, 2,
            *ended == FAN_RUN_COMPLETED ? FAN_CAMPAIGN_COMPLETED : FAN_CAMPAIGN_FAILED, arena,
            &moved, why);
}

/* A row of counters in the order of run_stats. */
static void read_stats(const struct fan_rows *rows, int row, struct fan_run_stats *out)
{
    int64_t *const fields[] = { &out->total, &out->pending, &out->retry, &out->unknown, &out->sent,
        &out->failed, &out->skipped, &out->cancelled, &out->unknown_final, &out->expired,
        &out->undelivered, &out->delivered, &out->read, &out->opened, &out->clicked, &out->replied,
        &out->complained, &out->unsubscribed };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i] = fan_row_i64(rows, row, (int)i);
}

enum fan_err fan_run_stats(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_run_stats *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    err = fan_db_run(db, &fan_q_run_stats, &args, &rows, why);
    if (err)
        return err;
    read_stats(&rows, 0, out);
    err = fan_db_run(db, &fan_q_run_sending, &args, &rows, why);
    if (err)
        return err;
    out->sending = fan_row_i64(&rows, 0, 0);
    out->pending = out->pending > out->sending ? out->pending - out->sending : 0;
    return FAN_OK;
}

enum fan_err fan_run_variant_stats(struct fan_db *db, fan_id account, fan_id campaign,
        struct fan_arena *arena, struct fan_run_stats *out, size_t count, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    memset(out, 0, count * sizeof *out);
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    err = fan_db_run(db, &fan_q_run_variants, &args, &rows, why);
    for (int i = 0; !err && i < rows.count; i++) {
        int64_t variant = fan_row_i64(&rows, i, 18);

        if (variant >= 1 && variant <= (int64_t)count)
            read_stats(&rows, i, &out[variant - 1]);
    }
    return err;
}

enum fan_err fan_run_lead(struct fan_db *db, struct fan_arena *arena, bool *leading,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    err = fan_db_run(db, &fan_q_run_leader, &args, &rows, why);
    if (!err)
        err = fan_db_commit(db, why);
    else
        fan_db_abort(db); /* or the connection would refuse for ever */
    *leading = !err && fan_row_bool(&rows, 0, 0);
    return err;
}

enum fan_err fan_run_depose(struct fan_db *db, fan_time silent_us, struct fan_arena *arena,
        bool *deposed, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    *deposed = false;
    fan_args_begin(&args, arena);
    fan_arg_i64(&args, silent_us);
    err = fan_db_run(db, &fan_q_run_depose, &args, &rows, why);
    if (err) {
        fan_db_abort(db);
        return err;
    }
    *deposed = fan_row_bool(&rows, 0, 0);
    return fan_db_commit(db, why);
}

enum fan_err fan_run_partitions(struct fan_db *owner, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_begin(&args, arena);
    err = fan_db_run(owner, &fan_q_run_partitions, &args, NULL, why);
    if (!err)
        return fan_db_commit(owner, why);
    fan_db_abort(owner);
    return err;
}

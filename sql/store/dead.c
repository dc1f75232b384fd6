#include "sql/store/dead.h"

#include "proto/codec.h"
#include "sql/queries.h"
#include "sql/store/chunk.h"
#include "sql/store/run.h"

/* ---- which chunks ---- */

/* The next chunks that hold any, and the cursor behind them. */
static enum fan_err find_chunks(struct fan_db *db, fan_id account,
        const struct fan_dead_filter *filter, struct fan_arena *arena, struct fan_ids *chunks,
        fan_id *next, struct fan_why *why)
{
    fan_id *ids = fan_arena_array(arena, FAN_DEAD_CHUNKS, sizeof *ids);
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    *next = 0;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, filter->below ? fan_message_home(filter->below - 1) : FAN_ID_MAX);
    fan_arg_i64(&args, filter->campaign);
    fan_arg_i64(&args, FAN_DEAD_CHUNKS);
    err = fan_db_run(db, &fan_q_dead_chunks, &args, &rows, why);
    if (err)
        return err;
    for (int i = 0; i < rows.count; i++)
        ids[i] = fan_row_i64(&rows, i, 0);
    *chunks = (struct fan_ids){ ids, (size_t)rows.count };
    if (rows.count == FAN_DEAD_CHUNKS)
        *next = fan_row_i64(&rows, rows.count - 1, 1);
    return FAN_OK;
}

static void add_filter(struct fan_args *args, const struct fan_dead_filter *filter)
{
    fan_arg_bool(args, filter->unknown);
    fan_arg_i16(args, filter->reason);
    fan_arg_i16(args, filter->outcome);
    fan_arg_text(args, filter->code);
    fan_arg_i64(args, filter->since);
    fan_arg_i64(args, filter->until ? filter->until : INT64_MAX);
}

/* ---- the list ---- */

static enum fan_err read_letters(struct fan_db *db, fan_id account,
        const struct fan_dead_filter *filter, struct fan_ids chunks, uint32_t limit,
        struct fan_arena *arena, struct fan_dead_letters *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, chunks.at, chunks.len);
    fan_arg_i64(&args, filter->below ? filter->below : FAN_ID_MAX);
    add_filter(&args, filter);
    fan_arg_i64(&args, limit);
    err = fan_db_run(db, &fan_q_dead_letters, &args, &rows, why);
    if (err)
        return err;
    out->at = fan_arena_array(arena, (size_t)rows.count, sizeof *out->at);
    out->len = (size_t)rows.count;
    for (int i = 0; i < rows.count; i++)
        out->at[i] = (struct fan_dead_letter){
            .message = fan_report_read_message(&rows, i),
            .campaign = fan_row_i64(&rows, i, 19),
            .failed_at = fan_row_i64(&rows, i, 20),
        };
    return FAN_OK;
}

enum fan_err fan_dead_list(struct fan_db *db, fan_id account, const struct fan_dead_filter *filter,
        uint32_t limit, struct fan_arena *arena, struct fan_dead_letters *out, struct fan_why *why)
{
    struct fan_ids chunks;
    enum fan_err err;

    *out = (struct fan_dead_letters){ .len = 0 };
    err = find_chunks(db, account, filter, arena, &chunks, &out->next, why);
    if (!err)
        err = read_letters(db, account, filter, chunks, limit, arena, out, why);
    if (!err && out->len == limit)
        out->next = out->at[limit - 1].message.id;
    return err;
}

/* ---- trying again ---- */

static enum fan_err run_with(struct fan_db *db, const struct fan_query *query, fan_id account,
        struct fan_ids ids, struct fan_arena *arena, struct fan_rows *rows, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, ids.at, ids.len);
    return fan_db_run(db, query, &args, rows, why);
}

/* Campaigns first, as whoever ends their runs does; then the chunks. */
static enum fan_err hold(struct fan_db *db, fan_id account, struct fan_ids chunks,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err = run_with(db, &fan_q_dead_campaigns, account, chunks, arena, &rows, why);

    for (int i = 0; !err && i < rows.count; i++) {
        fan_args_for(&args, arena, account);
        fan_arg_i64(&args, fan_row_i64(&rows, i, 0));
        err = fan_db_run(db, &fan_q_run_campaign_lock, &args, NULL, why);
    }
    return err ? err : run_with(db, &fan_q_dead_lock, account, chunks, arena, NULL, why);
}

static enum fan_err requeue(struct fan_db *db, fan_id account, struct fan_ids chunks,
        struct fan_ids ids, const struct fan_dead_filter *filter, struct fan_arena *arena,
        struct fan_ids *runs, int64_t *count, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;
    fan_id *list;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, chunks.at, chunks.len);
    if (ids.at)
        fan_arg_i64s(&args, ids.at, ids.len);
    else
        fan_arg_null(&args);
    add_filter(&args, filter);
    err = fan_db_run(db, &fan_q_dead_requeue, &args, &rows, why);
    if (err)
        return err;
    list = fan_arena_array(arena, (size_t)rows.count, sizeof *list);
    for (int i = 0; i < rows.count; i++) {
        *count += fan_row_i64(&rows, i, 0);
        list[i] = fan_row_i64(&rows, i, 1);
    }
    *runs = (struct fan_ids){ list, (size_t)rows.count };
    return FAN_OK;
}

/* The campaigns of runs that go on do so, too. */
static enum fan_err reopen(struct fan_db *db, fan_id account, struct fan_ids runs,
        struct fan_arena *arena, struct fan_dead_requeued *out, struct fan_why *why)
{
    static const int16_t ended[] = { FAN_CAMPAIGN_COMPLETED, FAN_CAMPAIGN_FAILED };
    struct fan_rows rows;
    fan_id *reopened, *campaigns;
    bool moved;
    enum fan_err err = run_with(db, &fan_q_dead_reopen, account, runs, arena, &rows, why);

    if (err)
        return err;
    reopened = fan_arena_array(arena, (size_t)rows.count, sizeof *reopened);
    campaigns = fan_arena_array(arena, (size_t)rows.count, sizeof *campaigns);
    for (int i = 0; !err && i < rows.count; i++) {
        reopened[i] = fan_row_i64(&rows, i, 0);
        campaigns[i] = fan_row_i64(&rows, i, 1);
        err = fan_campaign_move(db, account, campaigns[i], ended, 2, FAN_CAMPAIGN_RUNNING, arena,
                &moved, why);
    }
    out->runs = (struct fan_ids){ reopened, (size_t)rows.count };
    out->campaigns = (struct fan_ids){ campaigns, (size_t)rows.count };
    return err;
}

static struct fan_ids homes_of(struct fan_ids ids, struct fan_arena *arena)
{
    fan_id *homes = fan_arena_array(arena, ids.len, sizeof *homes);

    for (size_t i = 0; i < ids.len; i++)
        homes[i] = fan_message_home(ids.at[i]);
    return (struct fan_ids){ homes, ids.len };
}

enum fan_err fan_dead_requeue(struct fan_db *db, fan_id account, struct fan_ids ids,
        const struct fan_dead_filter *filter, struct fan_arena *arena,
        struct fan_dead_requeued *out, struct fan_why *why)
{
    struct fan_ids chunks, runs = { 0 };
    enum fan_err err = FAN_OK;

    FAN_ASSERT(ids.len <= FAN_DEAD_IDS);
    *out = (struct fan_dead_requeued){ .count = 0 };
    if (ids.at)
        chunks = homes_of(ids, arena);
    else
        err = find_chunks(db, account, filter, arena, &chunks, &out->next, why);
    if (err || chunks.len == 0)
        return err;
    err = hold(db, account, chunks, arena, why);
    if (!err)
        err = requeue(db, account, chunks, ids, filter, arena, &runs, &out->count, why);
    return err || runs.len == 0 ? err : reopen(db, account, runs, arena, out, why);
}

/* ---- deaths ---- */

void fan_dead_add_note(struct fan_batch *batch, fan_id account, struct fan_ids messages)
{
    struct fan_args args;

    fan_args_for(&args, fan_batch_arena(batch), account);
    fan_arg_i64s(&args, messages.at, messages.len);
    fan_batch_add(batch, &fan_q_dead_note, &args);
}

enum fan_err fan_dead_note_unwritten(struct fan_db *db, fan_id account, fan_id run,
        struct fan_ids messages, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64s(&args, messages.at, messages.len);
    return fan_db_run(db, &fan_q_dead_note_unwritten, &args, NULL, why);
}

enum fan_err fan_dead_runs(struct fan_db *db, int64_t least, struct fan_arena *arena,
        const struct fan_dead_run **out, size_t *count, struct fan_why *why)
{
    struct fan_dead_run *list;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    fan_arg_i64(&args, least);
    err = fan_db_run(db, &fan_q_dead_runs, &args, &rows, why);
    if (err)
        return err;
    *count = (size_t)rows.count;
    *out = list = fan_arena_array(arena, *count, sizeof *list);
    for (int i = 0; i < rows.count; i++)
        list[i] = (struct fan_dead_run){
            .account = fan_row_i64(&rows, i, 0),
            .run = fan_row_i64(&rows, i, 1),
            .campaign = fan_row_i64(&rows, i, 2),
            .in_minute = fan_row_i64(&rows, i, 3),
            .in_all = fan_row_i64(&rows, i, 4),
            .resolved = fan_row_bool(&rows, i, 5),
            .recipients = fan_row_i64(&rows, i, 6),
        };
    return FAN_OK;
}

enum fan_err fan_dead_forget(struct fan_db *db, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_begin(&args, arena);
    return fan_db_run(db, &fan_q_dead_forget, &args, NULL, why);
}

#include "sql/store/chunk.h"

#include "sql/queries.h"

#include <stdlib.h>
#include <string.h>

enum fan_err fan_chunks_plan(struct fan_db *db, fan_id account, const struct fan_chunk_plan *plan,
        struct fan_arena *arena, size_t *chunks, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, plan->run);
    fan_arg_i64(&args, plan->channel);
    fan_arg_i16(&args, plan->lane);
    fan_arg_i64(&args, plan->due_at);
    fan_arg_i64s(&args, plan->contacts.at, plan->contacts.len);
    fan_arg_i32(&args, (int32_t)plan->size);
    if (plan->variant)
        fan_arg_i16(&args, (int32_t)plan->variant);
    else
        fan_arg_null(&args);
    err = fan_db_run(db, &fan_q_chunk_plan, &args, &rows, why);
    *chunks = err ? 0 : (size_t)rows.count;
    return err;
}

enum fan_err fan_chunk_skips(struct fan_db *db, fan_id account, fan_id run, fan_id channel,
        const fan_id *contacts, const int16_t *reasons, size_t count, struct fan_arena *arena,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    FAN_ASSERT(count > 0 && count <= FAN_CHUNK_MAX);
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64(&args, channel);
    fan_arg_i16(&args, (int32_t)count);
    err = fan_db_run(db, &fan_q_chunk_skips, &args, &rows, why);
    if (err)
        return err;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, fan_row_i64(&rows, 0, 0));
    fan_arg_i64s(&args, contacts, count);
    fan_arg_i16s(&args, reasons, count);
    return fan_db_run(db, &fan_q_chunk_skipped_messages, &args, NULL, why);
}

enum fan_err fan_chunk_load(struct fan_db *db, fan_id account, fan_id chunk, uint32_t epoch,
        struct fan_arena *arena, struct fan_chunk_planned *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, chunk);
    fan_arg_i32(&args, (int32_t)epoch);
    err = fan_db_run(db, &fan_q_chunk_load, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_CONFLICT, "chunk %lld is not to be rendered at epoch %u",
                (long long)chunk, epoch);
    *out = (struct fan_chunk_planned){
        .run = fan_row_i64(&rows, 0, 0),
        .channel = fan_row_i64(&rows, 0, 1),
        .lane = (enum fan_lane)fan_row_i64(&rows, 0, 2),
        .contacts = fan_row_i64s(&rows, 0, 3, arena),
        .kind = (enum fan_kind)fan_row_i64(&rows, 0, 4),
        .content = fan_row_text(&rows, 0, 5),
        .campaign = fan_row_i64(&rows, 0, 6),
        .crashed = fan_row_i64s(&rows, 0, 7, arena),
        .variant = (uint32_t)fan_row_i64(&rows, 0, 8),
    };
    return FAN_OK;
}

enum fan_err fan_chunk_render_crashed(struct fan_db *db, fan_id account, fan_id chunk,
        uint32_t position, uint64_t renderer, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, chunk);
    fan_arg_i16(&args, (int32_t)position);
    fan_arg_i64(&args, (int64_t)renderer);
    return fan_db_run(db, &fan_q_chunk_render_crashed, &args, NULL, why);
}

enum fan_err fan_chunk_render_survived(struct fan_db *db, fan_id account, fan_id chunk,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, chunk);
    return fan_db_run(db, &fan_q_chunk_render_survived, &args, NULL, why);
}

enum fan_err fan_chunk_fields(struct fan_db *db, fan_id account, fan_id campaign, fan_id channel,
        struct fan_arena *arena, struct fan_chunk_fields *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, campaign);
    fan_arg_i64(&args, channel);
    err = fan_db_run(db, &fan_q_chunk_fields, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "there is no account %lld", (long long)account);
    *out = (struct fan_chunk_fields){
        .fallbacks = fan_row_text(&rows, 0, 0),
        .attributes = fan_row_texts(&rows, 0, 1, arena),
        .account_name = fan_row_text(&rows, 0, 2),
        .account_country = fan_row_text(&rows, 0, 3),
        .campaign_name = fan_row_text(&rows, 0, 4),
        .details = fan_row_text(&rows, 0, 5),
        .channel_name = fan_row_text(&rows, 0, 6),
    };
    return FAN_OK;
}

static int by_id(const void *a, const void *b)
{
    const fan_id *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

static struct fan_ids ascending(struct fan_ids ids, struct fan_arena *arena)
{
    fan_id *sorted = fan_arena_array(arena, ids.len, sizeof *sorted);

    if (ids.len)
        memcpy(sorted, ids.at, ids.len * sizeof *sorted);
    qsort(sorted, ids.len, sizeof *sorted, by_id);
    return (struct fan_ids){ sorted, ids.len };
}

/* The row of a contact among rows that ascend, or -1. Most often it is the next one. */
static int row_of(const struct fan_rows *rows, fan_id contact, int next)
{
    int from = 0, to = rows->count;

    if (next < rows->count && fan_row_i64(rows, next, 0) == contact)
        return next;
    while (from < to) {
        int middle = (from + to) / 2;
        fan_id id = fan_row_i64(rows, middle, 0);

        if (id == contact)
            return middle;
        if (id < contact)
            from = middle + 1;
        else
            to = middle;
    }
    return -1;
}

static void read_person(const struct fan_rows *rows, int row, struct fan_person *person)
{
    struct fan_bytes *const texts[] = { &person->phone, &person->email, &person->first_name,
        &person->last_name, &person->company, &person->country, &person->language,
        &person->attributes, &person->external_id, &person->time_zone };

    person->contact = fan_row_i64(rows, row, 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = fan_row_text(rows, row, (int)i + 1);
    person->suppressed = fan_row_bool(rows, row, 11);
}

enum fan_err fan_chunk_people(struct fan_db *db, fan_id account,
        const struct fan_people_wanted *wanted, struct fan_arena *arena,
        const struct fan_person **people, struct fan_why *why)
{
    struct fan_ids sorted = ascending(wanted->contacts, arena);
    struct fan_person *list;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;
    int row = -1;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, sorted.at, sorted.len);
    fan_arg_i16(&args, wanted->kind);
    fan_arg_bool(&args, wanted->attributes);
    fan_arg_bool(&args, wanted->more);
    err = fan_db_run(db, &fan_q_chunk_people, &args, &rows, why);
    if (err)
        return err;
    *people = list = fan_arena_array(arena, wanted->contacts.len, sizeof *list);
    for (size_t i = 0; i < wanted->contacts.len; i++) {
        row = row_of(&rows, wanted->contacts.at[i], row + 1);
        if (row >= 0)
            read_person(&rows, row, &list[i]);
    }
    return FAN_OK;
}

/* Bodies that do not fit in their rows go to message_body. */
static enum fan_err insert_long_bodies(struct fan_db *db, fan_id account, fan_id chunk,
        const struct fan_chunk_written *messages, struct fan_arena *arena, struct fan_why *why)
{
    fan_id *ids = fan_arena_array(arena, messages->count, sizeof *ids);
    struct fan_bytes *bodies = fan_arena_array(arena, messages->count, sizeof *bodies);
    struct fan_args args;
    size_t count = 0;

    for (size_t i = 0; i < messages->count; i++) {
        if (messages->bodies[i].len <= FAN_BODY_IN_ROW)
            continue;
        ids[count] = fan_message_id(chunk, (uint32_t)i);
        bodies[count++] = messages->bodies[i];
    }
    if (count == 0)
        return FAN_OK;
    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, ids, count);
    fan_arg_texts(&args, bodies, count);
    return fan_db_run(db, &fan_q_chunk_bodies, &args, NULL, why);
}

static int32_t count_in(const struct fan_chunk_written *messages, enum fan_message_state state)
{
    int32_t count = 0;

    for (size_t i = 0; i < messages->count; i++)
        count += messages->states[i] == (int16_t)state;
    return count;
}

enum fan_err fan_chunk_render(struct fan_db *db, fan_id account, fan_id chunk, uint32_t epoch,
        const struct fan_chunk_written *messages, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_bytes *in_row = fan_arena_array(arena, messages->count, sizeof *in_row);
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    for (size_t i = 0; i < messages->count; i++)
        in_row[i] = messages->bodies[i].len <= FAN_BODY_IN_ROW ? messages->bodies[i] : FAN_NO_BYTES;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, chunk);
    fan_arg_i32(&args, (int32_t)epoch);
    fan_arg_i64s(&args, messages->contacts, messages->count);
    fan_arg_i16s(&args, messages->states, messages->count);
    fan_arg_i16s(&args, messages->reasons, messages->count);
    fan_arg_texts(&args, messages->addresses, messages->count);
    fan_arg_i16s(&args, messages->formats, messages->count);
    fan_arg_texts(&args, in_row, messages->count);
    fan_arg_i16(&args, count_in(messages, FAN_MESSAGE_PENDING));
    fan_arg_i16(&args, count_in(messages, FAN_MESSAGE_SKIPPED));
    fan_arg_i16(&args, count_in(messages, FAN_MESSAGE_FAILED));
    err = fan_db_run(db, &fan_q_chunk_render, &args, &rows, why);
    if (err)
        return err;
    if (rows.affected == 0)
        return fan_fail(why, FAN_CONFLICT, "chunk %lld was rendered by somebody else",
                (long long)chunk);
    return insert_long_bodies(db, account, chunk, messages, arena, why);
}

enum fan_err fan_chunks_in_flight(struct fan_db *db, fan_id account, fan_id run, uint32_t limit,
        struct fan_arena *arena, const struct fan_chunk_seen **out, size_t *count,
        struct fan_why *why)
{
    struct fan_chunk_seen *seen;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64(&args, limit);
    err = fan_db_run(db, &fan_q_chunk_in_flight, &args, &rows, why);
    if (err)
        return err;
    *count = (size_t)rows.count;
    *out = seen = fan_arena_array(arena, *count, sizeof *seen);
    for (int i = 0; i < rows.count; i++)
        seen[i] = (struct fan_chunk_seen){
            .chunk = fan_row_i64(&rows, i, 0),
            .epoch = (uint32_t)fan_row_i64(&rows, i, 1),
            .state = (enum fan_chunk_state)fan_row_i64(&rows, i, 2),
            .lane = (enum fan_lane)fan_row_i64(&rows, i, 3),
            .channel = fan_row_i64(&rows, i, 4),
            .owner = (uint64_t)fan_row_i64(&rows, i, 5),
            .expired = fan_row_bool(&rows, i, 6),
            .watermark = (uint32_t)fan_row_i64(&rows, i, 7),
            .size = (uint32_t)fan_row_i64(&rows, i, 8),
        };
    return FAN_OK;
}

enum fan_err fan_chunks_owned(struct fan_db *db, fan_id account, fan_id run, uint64_t owner,
        struct fan_arena *arena, const struct fan_chunk_seen **out, size_t *count,
        struct fan_why *why)
{
    struct fan_chunk_seen *seen;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64(&args, (int64_t)owner);
    err = fan_db_run(db, &fan_q_chunk_owned, &args, &rows, why);
    if (err)
        return err;
    *count = (size_t)rows.count;
    *out = seen = fan_arena_array(arena, *count, sizeof *seen);
    for (int i = 0; i < rows.count; i++)
        seen[i] = (struct fan_chunk_seen){
            .chunk = fan_row_i64(&rows, i, 0),
            .epoch = (uint32_t)fan_row_i64(&rows, i, 1),
            .state = FAN_CHUNK_CLAIMED,
            .owner = owner,
        };
    return FAN_OK;
}

static enum fan_err nothing_unsettled(struct fan_db *db, fan_id account,
        const struct fan_chunk_seen *chunk, struct fan_arena *arena, bool *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, chunk->chunk);
    fan_arg_i32(&args, (int32_t)chunk->epoch);
    fan_arg_i64(&args, fan_message_id(chunk->chunk, 0));
    fan_arg_i64(&args, fan_message_id(chunk->chunk + 1, 0));
    err = fan_db_run(db, &fan_q_chunk_unbegun, &args, &rows, why);
    *out = !err && rows.count > 0 && fan_row_bool(&rows, 0, 0);
    return err;
}

enum fan_err fan_chunk_take_back(struct fan_db *db, fan_id account,
        const struct fan_chunk_seen *chunk, bool unbegun, struct fan_arena *arena, bool *taken,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;
    bool force = false;

    *taken = false;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, chunk->chunk);
    err = fan_db_run(db, &fan_q_chunk_lock_work, &args, NULL, why);
    if (!err && unbegun)
        err = nothing_unsettled(db, account, chunk, arena, &force, why);
    if (err)
        return err;
    fan_arg_i32(&args, (int32_t)chunk->epoch);
    fan_arg_i64_or_null(&args, 0);
    fan_arg_null(&args);
    fan_arg_bool(&args, force);
    err = fan_db_run(db, &fan_q_chunk_release, &args, &rows, why);
    *taken = !err && rows.count > 0;
    return err;
}

/* Lock the home chunks that a sweep is about; their ids are borrowed from the arena. */
static enum fan_err lock_homes(struct fan_db *db, const struct fan_query *query,
        struct fan_args *args, struct fan_arena *arena, struct fan_ids *homes, struct fan_why *why)
{
    struct fan_rows rows;
    enum fan_err err;
    fan_id *ids;

    err = fan_db_run(db, query, args, &rows, why);
    if (err)
        return err;
    ids = fan_arena_array(arena, (size_t)rows.count, sizeof *ids);
    for (int i = 0; i < rows.count; i++)
        ids[i] = fan_row_i64(&rows, i, 0);
    *homes = (struct fan_ids){ ids, (size_t)rows.count };
    return FAN_OK;
}

static int64_t sum_of(const struct fan_rows *rows)
{
    int64_t sum = 0;

    for (int i = 0; i < rows->count; i++)
        sum += fan_row_i64(rows, i, 0);
    return sum;
}

enum fan_err fan_chunks_promote(struct fan_db *db, fan_id account, fan_id run, uint32_t size,
        struct fan_arena *arena, int64_t *promoted, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    struct fan_ids homes;
    enum fan_err err;

    *promoted = 0;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    err = lock_homes(db, &fan_q_chunk_lock_due, &args, arena, &homes, why);
    if (err || homes.len == 0)
        return err;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64s(&args, homes.at, homes.len);
    fan_arg_i32(&args, (int32_t)size);
    err = fan_db_run(db, &fan_q_chunk_promote, &args, &rows, why);
    if (!err)
        *promoted = sum_of(&rows);
    return err;
}

/* Lock them and what they touch; out: those that it is about. */
static enum fan_err lock_cancelled(struct fan_db *db, fan_id account, fan_id run, uint32_t limit,
        struct fan_arena *arena, struct fan_ids *chunks, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;
    fan_id *ids;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64(&args, limit);
    err = fan_db_run(db, &fan_q_chunk_cancel_lock, &args, &rows, why);
    if (err)
        return err;
    ids = fan_arena_array(arena, (size_t)rows.count, sizeof *ids);
    *chunks = (struct fan_ids){ ids, 0 };
    for (int i = 0; i < rows.count; i++) {
        if (fan_row_bool(&rows, i, 1))
            ids[chunks->len++] = fan_row_i64(&rows, i, 0);
    }
    return FAN_OK;
}

enum fan_err fan_chunks_cancel(struct fan_db *db, fan_id account, fan_id run, uint32_t limit,
        struct fan_arena *arena, struct fan_chunks_cancelled *out, struct fan_why *why)
{
    struct fan_ids about = { 0 };
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err = lock_cancelled(db, account, run, limit, arena, &about, why);

    *out = (struct fan_chunks_cancelled){ .chunks = about.len };
    if (err || about.len == 0)
        return err;
    out->first = about.at[0];
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64s(&args, about.at, about.len);
    err = fan_db_run(db, &fan_q_chunk_cancel, &args, &rows, why);
    if (!err)
        out->messages = sum_of(&rows);
    return err;
}

static void add_settle_rules(struct fan_args *args, const struct fan_settle_rules *rules)
{
    fan_arg_i64(args, rules->wait);
    fan_arg_i32(args, (int32_t)rules->tries);
    fan_arg_i32(args, (int32_t)rules->free_tries);
    fan_arg_i64(args, rules->pause);
}

enum fan_err fan_chunks_settle(struct fan_db *db, fan_id account, fan_id run,
        const struct fan_settle_rules *rules, struct fan_arena *arena, int64_t *settled,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    struct fan_ids homes;
    enum fan_err err;

    *settled = 0;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    add_settle_rules(&args, rules);
    err = lock_homes(db, &fan_q_chunk_lock_unknown, &args, arena, &homes, why);
    if (err || homes.len == 0)
        return err;
    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, run);
    fan_arg_i64s(&args, homes.at, homes.len);
    add_settle_rules(&args, rules);
    err = fan_db_run(db, &fan_q_chunk_settle, &args, &rows, why);
    if (!err)
        *settled = sum_of(&rows);
    return err;
}

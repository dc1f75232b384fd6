#include "sql/store/receipt.h"

#include "sql/queries.h"

#include <stdlib.h>

/* ---- which are new ---- */

int fan_receipt_key_compare(const struct fan_receipt_key *a, const struct fan_receipt_key *b)
{
    if (a->channel != b->channel)
        return a->channel < b->channel ? -1 : 1;
    return memcmp(a->key, b->key, FAN_RECEIPT_KEY);
}

static int compare(const void *a, const void *b)
{
    return fan_receipt_key_compare(a, b);
}

/* The keys that a statement answers with, ascending. */
static struct fan_receipt_key *read_keys(const struct fan_rows *rows, struct fan_arena *arena)
{
    struct fan_receipt_key *out = fan_arena_array(arena, (size_t)rows->count, sizeof *out);

    for (int i = 0; i < rows->count; i++) {
        struct fan_bytes key = fan_row_text(rows, i, 1);

        FAN_ASSERT(key.len == FAN_RECEIPT_KEY);
        out[i].channel = fan_row_i64(rows, i, 0);
        memcpy(out[i].key, key.at, FAN_RECEIPT_KEY);
    }
    qsort(out, (size_t)rows->count, sizeof *out, compare);
    return out;
}

/* Both are ascending; an event that stands in @keys twice is new once. */
static void mark_fresh(const struct fan_receipt_key *keys, size_t count,
        const struct fan_receipt_key *noted, size_t noted_len, bool *fresh)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        fresh[i] = at < noted_len && fan_receipt_key_compare(&keys[i], &noted[at]) == 0;
        at += fresh[i];
    }
}

enum fan_err fan_receipts_note(struct fan_db *db, fan_id account,
        const struct fan_receipt_key *keys, size_t count, struct fan_arena *arena, bool *fresh,
        struct fan_why *why)
{
    fan_id *channels = fan_arena_array(arena, count, sizeof *channels);
    struct fan_bytes *texts = fan_arena_array(arena, count, sizeof *texts);
    fan_time *instants = fan_arena_array(arena, count, sizeof *instants);
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    for (size_t i = 0; i < count; i++) {
        channels[i] = keys[i].channel;
        texts[i] = (struct fan_bytes){ (const char *)keys[i].key, FAN_RECEIPT_KEY };
        instants[i] = keys[i].at;
    }
    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, channels, count);
    fan_arg_byteas(&args, texts, count);
    fan_arg_i64s(&args, instants, count);
    err = fan_db_run(db, &fan_q_receipt_note, &args, &rows, why);
    if (!err)
        mark_fresh(keys, count, read_keys(&rows, arena), (size_t)rows.count, fresh);
    return err;
}

/* ---- the merge ---- */

void fan_receipt_rows_make(struct fan_receipt_rows *out, size_t count, struct fan_arena *arena)
{
    *out = (struct fan_receipt_rows){
        .count = count,
        .messages = fan_arena_array(arena, count, sizeof *out->messages),
        .words = fan_arena_array(arena, count, sizeof *out->words),
        .codes = fan_arena_array(arena, count, sizeof *out->codes),
        .heard = fan_arena_array(arena, count, sizeof *out->heard),
        .delivered = fan_arena_array(arena, count, sizeof *out->delivered),
        .read = fan_arena_array(arena, count, sizeof *out->read),
    };
}

/* Leave out what changes nothing: half of what providers say is known already. */
static enum fan_err only_what_matters(struct fan_db *db, fan_id account,
        const struct fan_receipt_rows *in, struct fan_arena *arena, struct fan_receipt_rows *out,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, in->messages, in->count);
    fan_arg_i32s(&args, in->words, in->count);
    fan_arg_texts(&args, in->codes, in->count);
    fan_arg_i64s(&args, in->delivered, in->count);
    fan_arg_i64s(&args, in->read, in->count);
    err = fan_db_run(db, &fan_q_receipt_matters, &args, &rows, why);
    if (err)
        return err;
    fan_receipt_rows_make(out, (size_t)rows.count, arena);
    for (int i = 0; i < rows.count; i++) {
        size_t from = (size_t)fan_row_i64(&rows, i, 0) - 1;

        out->messages[i] = in->messages[from];
        out->words[i] = in->words[from];
        out->codes[i] = in->codes[from];
        out->heard[i] = in->heard[from];
        out->delivered[i] = in->delivered[from];
        out->read[i] = in->read[from];
    }
    return FAN_OK;
}

static enum fan_err lock_homes(struct fan_db *db, fan_id account,
        const struct fan_receipt_rows *rows, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, rows->messages, rows->count);
    return fan_db_run(db, &fan_q_chunk_lock_homes, &args, NULL, why);
}

static struct fan_receipts_run *run_of(struct fan_receipts_runs *runs, fan_id run)
{
    for (size_t i = 0; i < runs->len; i++) {
        if (runs->at[i].run == run)
            return &runs->at[i];
    }
    runs->at[runs->len] = (struct fan_receipts_run){ .run = run };
    return &runs->at[runs->len++];
}

/* The statement answers for each chunk; add them up. */
static void read_runs(const struct fan_rows *rows, struct fan_arena *arena,
        struct fan_receipts_runs *out)
{
    *out = (struct fan_receipts_runs){
        .at = fan_arena_array(arena, (size_t)rows->count, sizeof *out->at),
    };
    for (int i = 0; i < rows->count; i++) {
        struct fan_receipts_run *run = run_of(out, fan_row_i64(rows, i, 0));

        run->delivered += (uint32_t)fan_row_i64(rows, i, 1);
        run->read += (uint32_t)fan_row_i64(rows, i, 2);
        /* One that was reported undelivered and has arrived after all counts back. */
        if (fan_row_i64(rows, i, 3) > 0)
            run->undelivered += (uint32_t)fan_row_i64(rows, i, 3);
        run->flagged += (uint32_t)fan_row_i64(rows, i, 4);
    }
}

enum fan_err fan_receipts_apply(struct fan_db *db, fan_id account,
        const struct fan_receipt_rows *all, struct fan_arena *arena, struct fan_receipts_runs *out,
        struct fan_why *why)
{
    struct fan_receipt_rows in;
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err = only_what_matters(db, account, all, arena, &in, why);

    *out = (struct fan_receipts_runs){ 0 };
    if (err || in.count == 0)
        return err;
    err = lock_homes(db, account, &in, arena, why);
    if (err)
        return err;
    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, in.messages, in.count);
    fan_arg_i32s(&args, in.words, in.count);
    fan_arg_texts(&args, in.codes, in.count);
    fan_arg_i64s(&args, in.heard, in.count);
    fan_arg_i64s(&args, in.delivered, in.count);
    fan_arg_i64s(&args, in.read, in.count);
    err = fan_db_run(db, &fan_q_chunk_receipts, &args, &rows, why);
    if (!err)
        read_runs(&rows, arena, out);
    out->messages = in.count;
    return err;
}

enum fan_err fan_receipts_suppress(struct fan_db *db, fan_id account, const fan_id *messages,
        const struct fan_bytes *reasons, size_t count, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64s(&args, messages, count);
    fan_arg_texts(&args, reasons, count);
    return fan_db_run(db, &fan_q_receipt_suppress, &args, NULL, why);
}

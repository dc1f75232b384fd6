#include "tests/support/world.h"

#include "sql/queries.h"
#include "sql/store/receipt.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL = 8 * 1024 };

static const char first_rows[] =
        "INSERT INTO account (account_id, name) VALUES (1, 'one'), (2, 'two');"
        "INSERT INTO channel (account_id, id, kind, provider, name)"
        " VALUES (1, 1, 1, 'twilio', 'sms'), (2, 1, 1, 'twilio', 'sms');"
        "INSERT INTO channel_pace (account_id, channel_id, interval_us, configured_us)"
        " VALUES (1, 1, 10000, 10000);"
        "INSERT INTO campaign (account_id, id, display_id, name, kind, channel_id, content, state)"
        " VALUES (1, 1, 1, 'c', 1, 1, '{}', 3), (2, 1, 1, 'c', 1, 1, '{}', 3);"
        "INSERT INTO run (account_id, id, campaign_id, occurrence, state, kind, channel_id,"
        " content, resolved, boundary) VALUES (1, 1, 1, 'once', 1, 1, 1, '{}', true, 1 << 30),"
        " (2, 1, 1, 'once', 1, 1, 1, '{}', true, 1 << 30);"
        "SELECT setval('run_id', 100), setval('chunk_id', 100), setval('contact_id', 1000000)";

/* One row for every chunk with a counter that differs from a recount of its messages. */
static const struct fan_query q_wrong = {
    .name = "wrong",
    .sql = "WITH k AS (SELECT account_id, id >> 9 AS home, count(*) AS n,"
           " ARRAY[count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),"
           " count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3),"
           " count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5),"
           " count(*) FILTER (WHERE state = 6), count(*) FILTER (WHERE state = 7),"
           " count(*) FILTER (WHERE state = 8), count(*) FILTER (WHERE progress = 1),"
           " count(*) FILTER (WHERE progress >= 2), count(*) FILTER (WHERE progress >= 3),"
           " count(*) FILTER (WHERE flags & 1 <> 0), count(*) FILTER (WHERE flags & 2 <> 0),"
           " count(*) FILTER (WHERE flags & 4 <> 0), count(*) FILTER (WHERE flags & 8 <> 0),"
           " count(*) FILTER (WHERE flags & 16 <> 0)] AS counts,"
           " min(due) FILTER (WHERE state = 1) AS retry_due,"
           " min(due) FILTER (WHERE state = 2) AS unknown_since"
           " FROM message GROUP BY 1, 2),"
           "c AS (SELECT *, ARRAY[n_pending, n_retry, n_unknown, n_sent, n_failed, n_skipped,"
           " n_cancelled, n_unknown_final, n_expired, n_undelivered, n_delivered, n_read, n_opened,"
           " n_clicked, n_replied, n_complained, n_unsubscribed]::bigint[] AS counts FROM chunk)"
           "SELECT c.account_id, c.id, array_to_string(c.counts, ' '),"
           " coalesce(array_to_string(k.counts, ' '), 'no messages')"
           " FROM c LEFT JOIN k ON k.account_id = c.account_id AND k.home = c.id"
           " WHERE c.counts <> coalesce(k.counts, array_fill(0::bigint, ARRAY[17]))"
           " OR c.state > 0 AND NOT c.is_retry AND coalesce(k.n, 0) <> c.size"
           " OR c.is_retry AND k.n IS NOT NULL OR c.watermark > c.size"
           " OR k.retry_due < coalesce(c.retry_due, k.retry_due + 1)"
           " OR k.unknown_since < coalesce(c.unknown_since, k.unknown_since + 1)",
};

static void must(enum fan_err err, const char *what, const struct fan_why *why)
{
    if (err)
        fan_die("world: %s: %s", what, why->text);
}

/* ---- the world ---- */

static struct fan_db *log_in(const struct world *w, const char *role)
{
    char url[PG_URL];
    struct fan_db *db;

    pg_url_as(w->url, role, url);
    db = pg_connect(url, FAN_DB_HOT);
    fan_db_account(db, w->account);
    return db;
}

void world_open(struct world *w)
{
    *w = (struct world){ .account = WORLD_ACCOUNT, .run = 1, .unknown_wait = 900 * FAN_SECOND };
    pg_migrated_database(w->url);
    pg_exec(w->url, first_rows);
    w->arena = fan_arena_new();
    w->queries = fan_arena_new();
    w->eye = pg_connect(w->url, FAN_DB_FREE);
    w->audience = log_in(w, "fan_audience");
    w->renderer = log_in(w, "fan_renderer");
    w->sender = log_in(w, "fan_sender");
    w->scheduler = log_in(w, "fan_scheduler");
    w->ingester = log_in(w, "fan_ingester");
}

void world_close(struct world *w)
{
    fan_db_free(&w->eye);
    fan_db_free(&w->audience);
    fan_db_free(&w->renderer);
    fan_db_free(&w->sender);
    fan_db_free(&w->scheduler);
    fan_db_free(&w->ingester);
    fan_arena_free(&w->arena);
    fan_arena_free(&w->queries);
}

void world_exec(struct world *w, const char *format, ...)
{
    char sql[SQL];
    va_list values;

    va_start(values, format);
    vsnprintf(sql, sizeof sql, format, values);
    va_end(values);
    must(fan_db_exec(w->eye, sql, &w->why), sql, &w->why);
}

int64_t world_number(struct world *w, const char *format, ...)
{
    struct fan_query *query;
    struct fan_args args;
    struct fan_rows rows;
    char sql[SQL];
    va_list values;

    va_start(values, format);
    vsnprintf(sql, sizeof sql, format, values);
    va_end(values);
    /* A connection knows what it prepared by the query's address: each needs one of its own. */
    query = fan_arena_alloc(w->queries, sizeof *query);
    *query = (struct fan_query){
        .name = "number",
        .sql = fan_arena_printf(w->queries, "%s", sql),
    };
    fan_args_begin(&args, w->arena);
    must(fan_db_run(w->eye, query, &args, &rows, &w->why), sql, &w->why);
    must(fan_db_commit(w->eye, &w->why), sql, &w->why);
    return rows.count ? fan_row_i64(&rows, 0, 0) : -1;
}

int64_t world_wrong_counters(struct world *w)
{
    struct fan_args args;
    struct fan_rows rows;

    fan_args_begin(&args, w->arena);
    must(fan_db_run(w->eye, &q_wrong, &args, &rows, &w->why), "recount", &w->why);
    must(fan_db_commit(w->eye, &w->why), "recount", &w->why);
    for (int i = 0; i < rows.count; i++)
        fprintf(stderr, "account %lld chunk %lld says %.*s\n  its messages say %.*s\n",
                (long long)fan_row_i64(&rows, i, 0), (long long)fan_row_i64(&rows, i, 1),
                FAN_BYTES_ARG(fan_row_text(&rows, i, 2)), FAN_BYTES_ARG(fan_row_text(&rows, i, 3)));
    return rows.count;
}

/* ---- people, planned and rendered ---- */

void world_people(struct world *w, fan_id from, int count)
{
    world_exec(w,
            "INSERT INTO contact (account_id, id, phone, email)"
            " SELECT %lld, i, '+4917' || i, 'p' || i || '@example.org'"
            " FROM generate_series(%lld, %lld) i",
            (long long)w->account, (long long)from, (long long)from + count - 1);
}

fan_id world_plan(struct world *w, fan_id from, int count)
{
    fan_id *contacts = fan_arena_array(w->arena, (size_t)count, sizeof *contacts);
    struct fan_chunk_plan plan = { w->run, WORLD_CHANNEL, FAN_LANE_NORMAL, 0, FAN_CHUNK_MAX,
        { contacts, (size_t)count }, 0 };
    size_t chunks;

    for (int i = 0; i < count; i++)
        contacts[i] = from + i;
    must(fan_chunks_plan(w->audience, w->account, &plan, w->arena, &chunks, &w->why), "plan",
            &w->why);
    must(fan_db_commit(w->audience, &w->why), "plan", &w->why);
    FAN_ASSERT(chunks == 1);
    return world_number(w, "SELECT max(id) FROM chunk WHERE account_id = %lld",
            (long long)w->account);
}

enum fan_err world_render(struct world *w, fan_id chunk, uint32_t epoch)
{
    struct fan_chunk_planned planned;
    struct fan_chunk_written out;
    enum fan_err err =
            fan_chunk_load(w->renderer, w->account, chunk, epoch, w->arena, &planned, &w->why);

    if (!err) {
        out = (struct fan_chunk_written){
            .count = planned.contacts.len,
            .contacts = (fan_id *)planned.contacts.at,
            .states = fan_arena_array(w->arena, planned.contacts.len, sizeof(int16_t)),
            .reasons = fan_arena_array(w->arena, planned.contacts.len, sizeof(int16_t)),
            .formats = fan_arena_array(w->arena, planned.contacts.len, sizeof(int16_t)),
            .addresses = fan_arena_array(w->arena, planned.contacts.len, sizeof(struct fan_bytes)),
            .bodies = fan_arena_array(w->arena, planned.contacts.len, sizeof(struct fan_bytes)),
        };
        for (size_t i = 0; i < out.count; i++) {
            out.formats[i] = 1;
            out.addresses[i] = FAN_LIT("+491700");
            out.bodies[i] = FAN_LIT("hello");
        }
        err = fan_chunk_render(w->renderer, w->account, chunk, epoch, &out, w->arena, &w->why);
    }
    if (err)
        fan_db_abort(w->renderer);
    else
        err = fan_db_commit(w->renderer, &w->why);
    return err;
}

fan_id world_chunk(struct world *w, fan_id from, int count)
{
    fan_id chunk;

    world_people(w, from, count);
    chunk = world_plan(w, from, count);
    must(world_render(w, chunk, 0), "render", &w->why);
    return chunk;
}

/* ---- a sender's steps ---- */

void world_await(struct fan_db *db)
{
    fan_db_io(db);
    while (fan_db_pending(db)) {
        struct pollfd ready = { .fd = fan_db_fd(db), .events = POLLIN };

        if (fan_db_wants_write(db))
            ready.events |= POLLOUT;
        poll(&ready, 1, 20);
        fan_db_io(db);
    }
}

/* What one step answered. */
struct answer {
    struct world *w;
    const struct fan_claim *asked;
    struct fan_claim_taken *taken;
    struct fan_ids *unsendable;
    int index;
    int value; /* -1: no row */
};

/* Hand the step's batch in and wait. */
static int do_step(struct world *w, struct fan_batch *batch, fan_batch_done *done,
        struct answer *answer)
{
    answer->w = w;
    answer->value = -1;
    fan_db_submit(w->sender, &batch, done, answer);
    world_await(w->sender);
    return answer->value;
}

static void on_taken(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct answer *answer = context;

    (void)count;
    must(err, "take", why);
    if (fan_claim_read_take(&rows[0], answer->asked, answer->w->arena, answer->taken))
        answer->value = 0;
}

bool world_take(struct world *w, fan_id chunk, uint32_t epoch, uint64_t owner,
        struct fan_claim_taken *out)
{
    struct fan_batch *batch = fan_batch_new(w->account);
    const struct fan_claim asked = { w->account, chunk, epoch, owner, false };
    struct answer answer = { .asked = &asked, .taken = out };

    fan_claim_add_take(batch, &asked, WORLD_LEASE_US);
    return do_step(w, batch, on_taken, &answer) == 0;
}

static void on_opened(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct answer *answer = context;
    struct fan_ids unsendable;

    (void)count;
    must(err, "open", why);
    answer->value = fan_claim_read_open(&rows[answer->index], answer->w->arena,
            answer->unsendable ? answer->unsendable : &unsendable);
}

int world_open_slice(struct world *w, const struct fan_claim_taken *taken, uint32_t watermark,
        uint32_t count, struct fan_ids *unsendable)
{
    struct fan_batch *batch = fan_batch_new(w->account);
    struct answer answer = { .unsendable = unsendable };

    answer.index = fan_claim_add_open(batch, &taken->claim, false, watermark, count, taken->items,
            FAN_KIND_SMS);
    return do_step(w, batch, on_opened, &answer);
}

static void on_recorded(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct answer *answer = context;

    (void)count;
    must(err, "record", why);
    if (rows[answer->index].count)
        answer->value = (int)fan_claim_read_closed(&rows[answer->index]);
}

int world_record_all(struct world *w, const struct fan_claim *claim,
        const struct fan_claim_outcomes *outcomes)
{
    struct fan_batch *batch = fan_batch_new(w->account);
    struct answer answer = { 0 };

    answer.index = fan_claim_add_close(batch, claim, outcomes, FAN_KIND_SMS);
    return do_step(w, batch, on_recorded, &answer);
}

int world_evidence(struct world *w, const struct fan_claim *claim,
        const struct fan_claim_outcomes *outcomes)
{
    struct fan_batch *batch = fan_batch_new(w->account);
    struct answer answer = { 0 };

    answer.index = fan_claim_add_evidence(batch, claim, outcomes);
    return do_step(w, batch, on_recorded, &answer);
}

struct fan_claim_outcomes world_outcomes(struct world *w, size_t room)
{
    return fan_claim_outcomes_room(room, w->arena);
}

void world_add_outcome(struct fan_claim_outcomes *list, fan_id message,
        enum fan_message_state state)
{
    size_t i = list->count++;

    list->messages[i] = message;
    list->states[i] = (int16_t)state;
    list->outcomes[i] = FAN_ACCEPTED;
    list->attempts[i] = 1;
    list->instants[i] = FAN_SECOND;
    if (state == FAN_MESSAGE_SENT)
        list->provider_ids[i] = FAN_LIT("SM1");
}

int world_record(struct world *w, const struct fan_claim_taken *taken, uint32_t from, uint32_t to,
        enum fan_message_state state)
{
    struct fan_claim_outcomes list = world_outcomes(w, to - from);

    for (uint32_t p = from; p < to; p++)
        world_add_outcome(&list,
                taken->claim.is_retry ? taken->items.at[p] : fan_message_id(taken->claim.chunk, p),
                state);
    return world_record_all(w, &taken->claim, &list);
}

static void on_released(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct answer *answer = context;

    (void)count;
    must(err, "release", why);
    if (rows[answer->index].count)
        answer->value = (int)fan_row_i64(&rows[answer->index], 0, 1);
}

int world_release(struct world *w, const struct fan_claim *claim, int watermark)
{
    struct fan_batch *batch = fan_batch_new(w->account);
    struct answer answer = { 0 };

    fan_claim_add_lock(batch, claim);
    answer.index = fan_claim_add_release(batch, claim, watermark);
    return do_step(w, batch, on_released, &answer);
}

static void on_renewed(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct answer *answer = context;

    (void)count;
    must(err, "renew", why);
    answer->value = rows[0].count ? 0 : -1;
}

bool world_renew(struct world *w, const struct fan_claim *claim)
{
    struct fan_batch *batch = fan_batch_new(w->account);
    struct answer answer = { 0 };

    fan_claim_add_renew(batch, claim, WORLD_LEASE_US);
    return do_step(w, batch, on_renewed, &answer) == 0;
}

/* ---- others' steps ---- */

bool world_take_back(struct world *w, fan_id chunk, uint32_t epoch, bool unbegun)
{
    const struct fan_chunk_seen seen = { .chunk = chunk, .epoch = epoch };
    bool taken;

    must(fan_chunk_take_back(w->scheduler, w->account, &seen, unbegun, w->arena, &taken, &w->why),
            "take back", &w->why);
    must(fan_db_commit(w->scheduler, &w->why), "take back", &w->why);
    return taken;
}

int64_t world_promote(struct world *w, uint32_t size)
{
    int64_t promoted;

    must(fan_chunks_promote(w->scheduler, w->account, w->run, size, w->arena, &promoted, &w->why),
            "promote", &w->why);
    must(fan_db_commit(w->scheduler, &w->why), "promote", &w->why);
    return promoted;
}

int64_t world_settle(struct world *w)
{
    int64_t settled;

    const struct fan_settle_rules rules = { .wait = w->unknown_wait, .tries = 3, .free_tries = 50 };

    must(fan_chunks_settle(w->scheduler, w->account, w->run, &rules, w->arena, &settled, &w->why),
            "settle", &w->why);
    must(fan_db_commit(w->scheduler, &w->why), "settle", &w->why);
    return settled;
}

int world_receipt(struct world *w, fan_id message, int progress, int flags)
{
    int32_t word = progress | flags << FAN_WORD_FLAGS;
    struct fan_bytes code = FAN_NO_BYTES;
    fan_time at = FAN_SECOND, delivered = progress == FAN_PROGRESS_DELIVERED ? at : 0,
             read = progress == FAN_PROGRESS_READ ? at : 0;
    struct fan_receipt_rows rows = { 1, &message, &word, &code, &at, &delivered, &read };
    struct fan_receipts_runs runs;

    must(fan_receipts_apply(w->ingester, w->account, &rows, w->arena, &runs, &w->why), "receipt",
            &w->why);
    must(fan_db_commit(w->ingester, &w->why), "receipt", &w->why);
    return (int)runs.messages;
}

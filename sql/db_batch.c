/*
 * db_batch — whole transactions, queued behind each other, each ended by its own sync.
 *
 * A batch is one implicit transaction: the server begins it with the first statement, commits it at
 * the sync, and undoes it at the sync when a statement fails, so an error stays inside its batch.
 * What a batch must prepare is prepared in front of it, under a sync of its own: so it stays
 * prepared when the batch is undone, for those behind it count on it.
 *
 * A batch that has not been answered is
 *   unsent     the server knows nothing of it; when the connection is lost it is UNAVAILABLE
 *   sent       the server may commit it at any time; when the connection is lost it is UNCERTAIN,
 * unless the server said something that rules a commit out
 */
#include "sql/db_private.h"

#include "proto/fault.h"

#include <libpq-fe.h>
#include <stdlib.h>

enum {
    REPEATS = 3, /* of a batch that met a deadlock or the like */
    RECONNECT_PAUSE_MS = 200,
};

struct statement {
    struct statement *next;
    struct fan_ask ask;
    struct fan_args args;
};

struct fan_batch {
    struct fan_batch *next;
    struct fan_arena *arena;
    fan_id account;
    struct statement *statements; /* with the account's in front, when there is one */
    struct statement **end;
    int count; /* of the caller's */
    fan_batch_done *done;
    void *context;

    /* Since it was sent: */
    bool sent;
    bool preparing;            /* the answers that are coming are those of the preparations */
    struct statement *current; /* whose answer comes next; NULL: only the sync */
    int repeats;
    enum fan_err err; /* it was not, or will not be, committed */
    struct fan_why why;
};

/* ---- a batch ---- */

static struct statement *append(struct fan_batch *batch, const struct fan_query *query)
{
    struct statement *statement = fan_arena_alloc(batch->arena, sizeof *statement);

    statement->ask.query = query;
    statement->ask.args = &statement->args;
    *batch->end = statement;
    batch->end = &statement->next;
    return statement;
}

struct fan_batch *fan_batch_new(fan_id account)
{
    struct fan_batch *batch = calloc(1, sizeof *batch);

    if (!batch)
        fan_die("out of memory: a batch");
    batch->arena = fan_arena_new();
    batch->account = account;
    batch->end = &batch->statements;
    if (account) {
        struct statement *first = append(batch, &fan_db_set_account);
        fan_args_begin(&first->args, batch->arena);
        fan_arg_i64(&first->args, account);
    }
    return batch;
}

struct fan_arena *fan_batch_arena(struct fan_batch *batch)
{
    return batch->arena;
}

int fan_batch_add(struct fan_batch *batch, const struct fan_query *query,
        const struct fan_args *args)
{
    FAN_ASSERT(args->arena == batch->arena);
    append(batch, query)->args = *args;
    return batch->count++;
}

static void clear_results(struct fan_batch *batch)
{
    for (struct statement *one = batch->statements; one; one = one->next)
        fan_db_asks_fini(&one->ask, 1);
}

void fan_batch_free(struct fan_batch **batch)
{
    if (!*batch)
        return;
    clear_results(*batch);
    fan_arena_free(&(*batch)->arena);
    free(*batch);
    *batch = NULL;
}

/* ---- the queue ---- */

static void enqueue(struct fan_db *db, struct fan_batch *batch)
{
    batch->next = NULL;
    batch->sent = false;
    batch->err = FAN_OK;
    if (db->first)
        db->last->next = batch;
    else
        db->first = batch;
    db->last = batch;
    if (!db->unsent)
        db->unsent = batch;
}

void fan_db_submit(struct fan_db *db, struct fan_batch **batch, fan_batch_done *done, void *context)
{
    FAN_ASSERT(db->turn != FAN_TURN_OPEN);
    (*batch)->done = done;
    (*batch)->context = context;
    enqueue(db, *batch);
    db->pending++;
    *batch = NULL;
}

size_t fan_db_pending(const struct fan_db *db)
{
    return db->pending;
}

/* Tell the caller, and be done with it. */
static void finish(struct fan_db *db, struct fan_batch *batch)
{
    struct fan_rows *rows = fan_arena_array(batch->arena, (size_t)batch->count, sizeof *rows);
    struct statement *one = batch->statements;

    if (batch->account)
        one = one->next;
    for (int i = 0; i < batch->count && !batch->err; i++, one = one->next)
        fan_rows_of(&rows[i], one->ask.result);
    FAN_FAULT("batch.answered");
    db->pending--;
    batch->done(batch->context, batch->err, rows, batch->count, &batch->why);
    fan_batch_free(&batch);
}

/* The first batch is settled. */
static void settle_first(struct fan_db *db)
{
    struct fan_batch *batch = db->first;

    db->first = batch->next;
    if (batch->err != FAN_CONFLICT || batch->repeats == REPEATS) {
        finish(db, batch);
        return;
    }
    batch->repeats++;
    clear_results(batch);
    enqueue(db, batch);
}

/* The connection is gone, or cannot be had: answer everybody. What they submit now waits for the
 * next fan_db_io. */
static void lose(struct fan_db *db, const char *reason)
{
    struct fan_batch *batch = db->first;
    bool ended = db->ended;

    fan_db_drop(db);
    db->first = db->last = db->unsent = NULL;
    while (batch) {
        struct fan_batch *next = batch->next;
        if (!batch->err)
            batch->err = fan_fail(&batch->why,
                    batch->sent && !ended ? FAN_UNCERTAIN : FAN_UNAVAILABLE, "%s", reason);
        finish(db, batch);
        batch = next;
    }
}

/* ---- sending ---- */

static bool send_batch(struct fan_db *db, struct fan_batch *batch)
{
    batch->preparing = false;
    batch->current = batch->statements;
    for (struct statement *one = batch->statements; one; one = one->next) {
        if (!fan_db_send_parse(db, &one->ask))
            return false;
        batch->preparing |= one->ask.parsed != 0;
    }
    if (batch->preparing && !PQpipelineSync(db->pg))
        return false;
    for (struct statement *one = batch->statements; one; one = one->next) {
        if (!fan_db_send_execute(db, &one->ask))
            return false;
    }
    FAN_FAULT("batch.before_sync");
    batch->sent = true; /* early: the sync may leave, and its sending still be reported as failed */
    return PQpipelineSync(db->pg) == 1;
}

/* Send until the socket is full. False: the connection is lost. */
static bool send_unsent(struct fan_db *db)
{
    int unflushed = PQflush(db->pg);

    while (db->unsent && unflushed == 0) {
        struct fan_batch *batch = db->unsent;

        if (batch == db->first)
            db->progress_ms = fan_db_now_ms();
        if (!send_batch(db, batch))
            return false;
        db->unsent = batch->next;
        unflushed = PQflush(db->pg);
    }
    db->congested = unflushed > 0;
    return unflushed >= 0;
}

/* ---- reading ---- */

static void note_failure(struct fan_db *db, struct fan_batch *batch, const PGresult *result)
{
    const struct statement *at = batch->current; /* NULL: it was the commit that failed */
    bool fatal = fan_db_result_fatal(result);

    if (!batch->err && PQresultStatus(result) != PGRES_PIPELINE_ABORTED) {
        batch->err = fan_db_judge(result, at ? at->ask.query->name : "commit", NULL, &batch->why);
        if (fatal && !at) /* a session can be ended between the commit and its answer */
            batch->err = batch->why.err = FAN_UNCERTAIN;
    }
    if (at && fan_db_result_stale(result))
        fan_db_forget(db, at->ask.serial);
    db->ended |= fatal;
}

/* Take the answer to a preparation: they come in the order of the statements, for those that made
 * one. */
static void on_prepared(struct fan_db *db, struct fan_batch *batch, PGresult *result)
{
    while (batch->current && !batch->current->ask.parsed)
        batch->current = batch->current->next;
    FAN_ASSERT(batch->current);
    if (!fan_db_result_ok(result)) {
        note_failure(db, batch, result);
        fan_db_forget(db, batch->current->ask.parsed);
    }
    batch->current = batch->current->next;
    PQclear(result);
}

static void on_answer(struct fan_db *db, struct fan_batch *batch, PGresult *result)
{
    if (fan_db_result_ok(result)) {
        FAN_ASSERT(batch->current);
        batch->current->ask.result = result;
    } else {
        note_failure(db, batch, result);
        PQclear(result);
    }
    if (batch->current)
        batch->current = batch->current->next;
}

static void on_sync(struct fan_db *db, struct fan_batch *batch)
{
    if (!batch->preparing) {
        settle_first(db);
        return;
    }
    batch->preparing = false;
    batch->current = batch->statements;
}

static void on_result(struct fan_db *db, PGresult *result)
{
    struct fan_batch *batch = db->first;

    db->progress_ms = fan_db_now_ms();
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        on_sync(db, batch);
    } else if (batch->preparing) {
        on_prepared(db, batch, result);
    } else {
        on_answer(db, batch, result);
    }
}

static bool is_under_way(const struct fan_db *db)
{
    return db->first && db->first->sent;
}

/* On an idle connection that can only be a farewell, which takes two readings: the words, then the
 * end. It must not be mistaken for the answer to what is about to be sent. */
static bool take_input(struct fan_db *db)
{
    return PQconsumeInput(db->pg) && (is_under_way(db) || PQconsumeInput(db->pg));
}

/* Read what has come. False: the connection is lost. */
static bool read_answers(struct fan_db *db)
{
    bool alive = take_input(db);
    int nulls = 0; /* one stands between two statements; two in a row: nothing is coming any more */

    while (is_under_way(db) && (!alive || !PQisBusy(db->pg))) {
        PGresult *result = PQgetResult(db->pg);

        if (!result && ++nulls < 2)
            continue;
        if (!result || fan_db_result_lost(result)) {
            PQclear(result);
            return false;
        }
        nulls = 0;
        on_result(db, result);
        if (db->ended)
            return false;
    }
    return alive;
}

/* ---- the connection ---- */

static bool is_overdue(struct fan_db *db)
{
    db->overdue = is_under_way(db) && fan_db_now_ms() - db->progress_ms > fan_db_patience_ms(db);
    return db->overdue;
}

static bool reconnect(struct fan_db *db)
{
    struct fan_why why;

    if (fan_db_now_ms() - db->attempted_ms < RECONNECT_PAUSE_MS)
        fan_fail(&why, FAN_UNAVAILABLE, "PostgreSQL could not be reached a moment ago");
    else if (!fan_db_connect(db, &why))
        return true;
    lose(db, why.text);
    return false;
}

/* One round of reading and writing; true when another one may have something to do. */
static bool go_on(struct fan_db *db)
{
    if (!db->pg && (!db->first || !reconnect(db)))
        return false;
    if (read_answers(db) && !is_overdue(db) && send_unsent(db))
        return db->unsent && !db->congested;
    if (db->first && !is_under_way(db)) {
        fan_db_drop(db); /* nothing was lost: a new connection may well do */
        return true;
    }
    lose(db,
            db->overdue ? "PostgreSQL did not answer in time"
                        : "the connection to PostgreSQL was lost");
    return false;
}

void fan_db_io(struct fan_db *db)
{
    if (db->in_io)
        return; /* called from a callback: the round that called back goes on */
    FAN_ASSERT(db->turn != FAN_TURN_OPEN);
    db->in_io = true;
    while (go_on(db))
        ;
    db->in_io = false;
}

bool fan_db_wants_write(const struct fan_db *db)
{
    return db->pg && db->congested;
}

static int until(int64_t at_ms)
{
    int64_t left = at_ms - fan_db_now_ms();

    return left < 0 ? 0 : (int)left;
}

int fan_db_due_ms(const struct fan_db *db)
{
    if (!db->first)
        return -1;
    if (!db->pg)
        return until(db->attempted_ms + RECONNECT_PAUSE_MS);
    if (is_under_way(db))
        return until(db->progress_ms + fan_db_patience_ms(db) + 1);
    return 0;
}

void fan_db_free(struct fan_db **db)
{
    struct fan_db *self = *db;

    if (!self)
        return;
    FAN_ASSERT(!self->in_io);
    while (self->first) {
        struct fan_batch *batch = self->first;
        self->first = batch->next;
        fan_batch_free(&batch);
    }
    fan_db_drop(self);
    free((char *)self->options.url);
    free((char *)self->options.user);
    free((char *)self->options.password);
    free((char *)self->options.name);
    free(self);
    *db = NULL;
}

/*
 * db — one connection to PostgreSQL: named statements, binary values, transactions that belong to
 * an account.
 *
 * Two ways of use, not mixed at one time on one connection:
 *   in turn    fan_db_run, fan_db_commit: each statement waits for its answer; BEGIN and the
 *              account travel with the first statement, so a turn without statements costs nothing;
 *   pipelined  fan_db_submit: whole transactions are queued and answered through a callback, while
 *              the caller goes on.
 *
 * Prepared statements are made on first use. A lost connection is opened again by itself at the
 * next use.
 */
#ifndef FAN_SQL_DB_H
#define FAN_SQL_DB_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/time.h"

struct fan_query {
    const char *name;
    const char *sql;
    const char *file; /* sql/queries/<file>.sql */
};

struct fan_db;

/* Planner settings of the connection. */
enum fan_db_use {
    FAN_DB_HOT,  /* data path: generic plans, nested loops over keys only */
    FAN_DB_FREE, /* lists and reports: PostgreSQL's own choice, without jit */
};

struct fan_db_options {
    const char *url;      /* libpq connection string or URI */
    const char *user;     /* the login role; NULL: as the URL says */
    const char *password; /* NULL: none, or as the URL says */
    const char *name;     /* application_name */
    enum fan_db_use use;
    uint32_t statement_timeout_ms; /* 0: 5,000 */
};

/** Make a connection object; it connects at first use. @options is copied. */
struct fan_db *fan_db_new(const struct fan_db_options *options);
/** Close. Batches that are still pending are given up without a call back. */
void fan_db_free(struct fan_db **db);

/** Connect now. fails FAN_UNAVAILABLE */
enum fan_err fan_db_connect(struct fan_db *db, struct fan_why *why) FAN_MUST_CHECK;
bool fan_db_connected(const struct fan_db *db);

/* ---- values ---- */

enum { FAN_ARGS_MAX = 40 };

/* A statement's parameters, in order, in PostgreSQL's binary form; the copies live in the arena. */
struct fan_args {
    struct fan_arena *arena;
    int count;
    uint32_t types[FAN_ARGS_MAX];     /* OIDs */
    const char *values[FAN_ARGS_MAX]; /* NULL: null */
    int lengths[FAN_ARGS_MAX];
};

void fan_args_begin(struct fan_args *args, struct fan_arena *arena);
/** The same, with the account as the first parameter: what almost every statement begins with. */
void fan_args_for(struct fan_args *args, struct fan_arena *arena, fan_id account);

/** null, of any type: cast it in SQL where the type is not plain */
void fan_arg_null(struct fan_args *args);
/** bigint */
void fan_arg_i64(struct fan_args *args, int64_t value);
/** bigint; 0 is null */
void fan_arg_i64_or_null(struct fan_args *args, int64_t value);
/** int */
void fan_arg_i32(struct fan_args *args, int32_t value);
/** smallint */
void fan_arg_i16(struct fan_args *args, int32_t value);
/** boolean */
void fan_arg_bool(struct fan_args *args, bool value);
/** float8 */
void fan_arg_real(struct fan_args *args, double value);
/** timestamptz; 0 is null, INT64_MAX infinity, INT64_MIN -infinity */
void fan_arg_time(struct fan_args *args, fan_time at);
/** text; absent is null. For jsonb cast in SQL: $n::text::jsonb */
void fan_arg_text(struct fan_args *args, struct fan_bytes text);
/** bytea; absent is null */
void fan_arg_bytea(struct fan_args *args, struct fan_bytes bytes);
/** bigint[], int[], smallint[], text[], bytea[]: item[count]; absent items are null */
void fan_arg_i64s(struct fan_args *args, const int64_t *at, size_t count);
void fan_arg_i32s(struct fan_args *args, const int32_t *at, size_t count);
void fan_arg_i16s(struct fan_args *args, const int16_t *at, size_t count);
void fan_arg_texts(struct fan_args *args, const struct fan_bytes *at, size_t count);
void fan_arg_byteas(struct fan_args *args, const struct fan_bytes *at, size_t count);

/* A statement's rows. Values are borrowed from it; it lives until the arena it was read into is
 * reset. A column of another type than the reader's is a mistake in our code, and asserted. */
struct fan_rows {
    void *result;
    int count;        /* rows returned */
    int64_t affected; /* rows inserted, updated or deleted, as the command tag says */
};

bool fan_row_null(const struct fan_rows *rows, int row, int column);
/** smallint, int, bigint (not numeric, which sum(bigint) yields: cast it in SQL); null is 0 */
int64_t fan_row_i64(const struct fan_rows *rows, int row, int column);
/** boolean; null is false */
bool fan_row_bool(const struct fan_rows *rows, int row, int column);
/** float8; null is 0 */
double fan_row_real(const struct fan_rows *rows, int row, int column);
/** timestamptz; null is 0, infinity INT64_MAX, -infinity INT64_MIN */
fan_time fan_row_time(const struct fan_rows *rows, int row, int column);
/** text, bytea, json, jsonb; null is absent */
struct fan_bytes fan_row_text(const struct fan_rows *rows, int row, int column);
/** bigint[], int[], smallint[]; null is empty, null items are 0 */
struct fan_ids fan_row_i64s(const struct fan_rows *rows, int row, int column,
        struct fan_arena *arena);
/** text[], bytea[]; null is empty, null items are absent */
struct fan_texts fan_row_texts(const struct fan_rows *rows, int row, int column,
        struct fan_arena *arena);

/* ---- in turn ---- */

/**
 * Set the account for the transactions that follow; row-level security shows its rows alone.
 *
 * account  0: none; only roles with a policy across accounts see anything then. Must not change
 *          while a transaction is open
 */
void fan_db_account(struct fan_db *db, fan_id account);

/**
 * Run one statement, inside the open transaction or a new one.
 *
 * rows   out; NULL when nobody looks. Lives until args->arena is reset
 * fails  FAN_UNAVAILABLE  no connection, a time-out or lack of resources: undone
 *        FAN_CONFLICT     deadlock or serialisation failure (40P01, 40001): undone; repeat the turn
 *        FAN_INVALID      the statement was refused (constraint, type): undone; field names the
 *                         constraint if one did
 *
 * After a failure everything up to and with fan_db_commit or fan_db_abort is refused for the same
 * reason, so that the second half of a turn is never committed without its first. A handler that
 * deals with a refusal by itself calls fan_db_abort.
 */
enum fan_err fan_db_run(struct fan_db *db, const struct fan_query *query, struct fan_args *args,
        struct fan_rows *rows, struct fan_why *why) FAN_MUST_CHECK;

/** Run one statement that answers with a number, and read it; 0: no row. Fails as fan_db_run does.
 */
enum fan_err fan_db_number(struct fan_db *db, const struct fan_query *query, struct fan_args *args,
        int64_t *out, struct fan_why *why) FAN_MUST_CHECK;

/**
 * Commit the open transaction; none is fine. Whatever it returns, the transaction has ended.
 *
 * fails  FAN_UNCERTAIN    the connection died while the server was committing, and the look
 *                         afterwards (pg_xact_status) gave no answer
 *        FAN_UNAVAILABLE, FAN_CONFLICT, FAN_INVALID  undone
 */
enum fan_err fan_db_commit(struct fan_db *db, struct fan_why *why) FAN_MUST_CHECK;

/** Undo the open transaction; none is fine. Never fails: at worst the connection is dropped. */
void fan_db_abort(struct fan_db *db);

/**
 * Run text that is no named statement and returns nothing worth reading (migrations, LOCK, SET),
 * several statements at once if need be.
 *
 * It runs inside the open transaction, if there is one, and by itself otherwise. Text that opens a
 * transaction leaves it to fan_db_commit or fan_db_abort.
 *
 * fails  as fan_db_run
 *        FAN_UNCERTAIN  the connection was lost outside a transaction
 */
enum fan_err fan_db_exec(struct fan_db *db, const char *sql, struct fan_why *why) FAN_MUST_CHECK;

/* ---- pipelined ---- */

struct fan_batch; /* statements that commit together, in order */

/** Begin a batch for @account; it owns an arena for the arguments (fan_batch_arena). */
struct fan_batch *fan_batch_new(fan_id account);
struct fan_arena *fan_batch_arena(struct fan_batch *batch);
/** Add a statement; @args must have been begun with the batch's arena. Returns its index. */
int fan_batch_add(struct fan_batch *batch, const struct fan_query *query,
        const struct fan_args *args);
/** Give up a batch that was not submitted. */
void fan_batch_free(struct fan_batch **batch);

/**
 * What became of a batch. Called from fan_db_io, never from fan_db_submit.
 *
 * err   FAN_OK: committed. FAN_UNAVAILABLE, FAN_CONFLICT, FAN_INVALID: undone.
 *       FAN_UNCERTAIN: the connection died after it was sent; it may have been committed
 * rows  rows[i] belongs to statement i; valid only during the call; all empty unless FAN_OK
 */
typedef void fan_batch_done(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why);

/**
 * Queue a batch; the next fan_db_io sends it, without waiting for the answers to those before it.
 *
 * A batch that meets a deadlock is repeated up to three times, behind those already queued.
 * Ownership passes to the connection.
 */
void fan_db_submit(struct fan_db *db, struct fan_batch **batch, fan_batch_done *done,
        void *context);

/** Batches submitted and not yet answered. */
size_t fan_db_pending(const struct fan_db *db);

/** The socket to watch, -1 when not connected; it changes when the connection is made again. */
int fan_db_fd(const struct fan_db *db);
/** Whether to watch for room to write as well. */
bool fan_db_wants_write(const struct fan_db *db);
/**
 * Send and read what can be sent and read without waiting, and call back for every batch that is
 * answered. Call it when the socket is ready, after fan_db_submit, and when fan_db_due_ms says so.
 *
 * When the connection is lost every batch is answered, and the next submit connects again: waiting
 * at most the connect time-out, not more often than every 200 ms, and refusing at once in between.
 * A callback may submit; what it submits after a loss waits for the next call.
 */
void fan_db_io(struct fan_db *db);

/** Milliseconds until fan_db_io is to be called even if the socket stays silent: an answer is
 *  overdue then, or a connection may be tried again. -1: never. */
int fan_db_due_ms(const struct fan_db *db);

#endif

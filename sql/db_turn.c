/*
 * db_turn — statements one after the other: a transaction that begins by itself, is committed, or
 * is undone.
 *
 * A commit that was interrupted is looked up afterwards, by the transaction's id, which is asked
 * for in front of the COMMIT and in the same round trip. Two things make the answer a lie, and both
 * change the server's history (its WAL timeline, and when its statistics were last thrown away, as
 * a crash does): a failover may lose our transaction, and a crash may forget that its id was ever
 * given out. Either way the id is given to somebody else. So after another history "committed" may
 * be another's; anything but "committed" still means that ours was not.
 */
#include "sql/db_private.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 2000, LOOK_PAUSE_MS = 50 };

const struct fan_query fan_db_set_account = {
    .name = "set_account",
    .sql = "SELECT fan_set_account($1)",
};
static const struct fan_query begin = { .name = "begin", .sql = "BEGIN" };
static const struct fan_query commit = { .name = "commit", .sql = "COMMIT" };
static const struct fan_query rollback = { .name = "rollback", .sql = "ROLLBACK" };
static const struct fan_query current_xid = {
    .name = "current_xid",
    .sql = "SELECT pg_current_xact_id_if_assigned()",
};
static const struct fan_query fate_of_xid = {
    .name = "fate_of_xid",
    .sql = "SELECT CASE WHEN $1 < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status($1)"
           " ELSE 'in progress' END",
};

void fan_db_account(struct fan_db *db, fan_id account)
{
    FAN_ASSERT(db->turn != FAN_TURN_OPEN || db->account == account);
    db->account = account;
}

/* Undo what is open on the server. */
static void roll_back(struct fan_db *db)
{
    struct fan_ask ask = { .query = &rollback };

    if (!db->pg || PQtransactionStatus(db->pg) == PQTRANS_IDLE)
        return;
    if (fan_db_ask(db, &ask, 1, NULL))
        fan_db_drop(db);
    fan_db_asks_fini(&ask, 1);
}

void fan_db_undo(struct fan_db *db, const struct fan_why *why)
{
    roll_back(db);
    db->turn = FAN_TURN_UNDONE;
    db->undone = *why;
}

enum fan_err fan_db_refuse(const struct fan_db *db, struct fan_why *why)
{
    if (why)
        *why = db->undone;
    return db->undone.err;
}

static void clear_result(void *result)
{
    PQclear(result);
}

/* Hand the last answer out; it dies with the arena of the arguments. */
static void give_rows(struct fan_ask *ask, struct fan_rows *rows, struct fan_arena *arena)
{
    fan_rows_of(rows, ask->result);
    fan_arena_defer(arena, clear_result, ask->result);
    ask->result = NULL;
}

static enum fan_err run_once(struct fan_db *db, const struct fan_query *query,
        struct fan_args *args, struct fan_rows *rows, struct fan_why *why)
{
    struct fan_args account;
    struct fan_ask asks[3] = { 0 };
    int count = 0;
    enum fan_err err = db->turn == FAN_TURN_IDLE ? fan_db_connect(db, why) : FAN_OK;

    if (err)
        return err;
    if (db->turn == FAN_TURN_IDLE)
        asks[count++].query = &begin;
    if (db->turn == FAN_TURN_IDLE && db->account) {
        fan_args_begin(&account, args->arena);
        fan_arg_i64(&account, db->account);
        asks[count++] = (struct fan_ask){ .query = &fan_db_set_account, .args = &account };
    }
    asks[count++] = (struct fan_ask){ .query = query, .args = args };
    err = fan_db_ask(db, asks, count, why);
    if (!err)
        db->turn = FAN_TURN_OPEN;
    if (!err && rows)
        give_rows(&asks[count - 1], rows, args->arena);
    fan_db_asks_fini(asks, count);
    return err;
}

enum fan_err fan_db_run(struct fan_db *db, const struct fan_query *query, struct fan_args *args,
        struct fan_rows *rows, struct fan_why *why)
{
    struct fan_why own;
    bool may_be_stale = db->turn == FAN_TURN_IDLE && db->pg;
    enum fan_err err;

    FAN_ASSERT(!db->first);
    if (rows)
        *rows = (struct fan_rows){ 0 };
    if (db->turn == FAN_TURN_UNDONE)
        return fan_db_refuse(db, why);
    err = run_once(db, query, args, rows, &own);
    if (err == FAN_UNAVAILABLE && may_be_stale && !db->pg && !db->overdue) {
        /* The server had left while we were idle: nothing was begun, a new connection may do. */
        db->turn = FAN_TURN_IDLE;
        err = run_once(db, query, args, rows, &own);
    }
    if (!err)
        return FAN_OK;
    fan_db_undo(db, &own);
    return fan_db_refuse(db, why);
}

enum fan_err fan_db_number(struct fan_db *db, const struct fan_query *query, struct fan_args *args,
        int64_t *out, struct fan_why *why)
{
    struct fan_rows rows;
    enum fan_err err = fan_db_run(db, query, args, &rows, why);

    *out = !err && rows.count ? fan_row_i64(&rows, 0, 0) : 0;
    return err;
}

static void pause_ms(int64_t ms)
{
    struct timespec left = { .tv_nsec = ms * 1000000 };

    nanosleep(&left, NULL);
}

/* Ask what became of transaction @xid; "" when nobody can say now. */
static void ask_fate(struct fan_db *db, int64_t xid, char out[16])
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_args args;
    struct fan_ask ask = { .query = &fate_of_xid, .args = &args };

    out[0] = '\0';
    fan_args_begin(&args, arena);
    fan_arg_i64(&args, xid);
    args.types[0] = OID_XID8;
    if (!fan_db_connect(db, NULL) && !fan_db_ask(db, &ask, 1, NULL))
        snprintf(out, 16, "%s", PQgetvalue(ask.result, 0, 0));
    fan_db_asks_fini(&ask, 1);
    fan_arena_free(&arena);
}

/* Find out what became of transaction @xid, whose commit got no answer under @history. */
static enum fan_err look_up(struct fan_db *db, int64_t xid, const char *history,
        struct fan_why *why)
{
    int64_t deadline_ms = fan_db_now_ms() + LOOK_MS;

    do {
        char fate[16];
        bool same;

        ask_fate(db, xid, fate);
        same = *history && strcmp(history, db->history) == 0;
        if (strcmp(fate, "committed") == 0 && same)
            return FAN_OK;
        if (strcmp(fate, "committed") == 0)
            break;
        if (strcmp(fate, "aborted") == 0 || (*fate && *history && *db->history && !same))
            return fan_fail(why, FAN_UNAVAILABLE,
                    "the connection was lost and the transaction undone");
        pause_ms(LOOK_PAUSE_MS);
    } while (fan_db_now_ms() < deadline_ms);
    return fan_fail(why, FAN_UNCERTAIN, "the connection was lost during the commit");
}

/* The connection went away under a commit whose first ask was for the transaction's id. */
static enum fan_err after_lost_commit(struct fan_db *db, const struct fan_ask *xid,
        struct fan_why *why)
{
    struct fan_rows rows = { 0 };
    char history[FAN_DB_HISTORY];
    int64_t id;

    if (xid->refused)
        return FAN_UNAVAILABLE; /* the session ended in front of the COMMIT */
    if (!fan_db_result_ok(xid->result))
        return fan_fail(why, FAN_UNCERTAIN, "the connection was lost during the commit");
    fan_rows_of(&rows, xid->result);
    id = fan_row_i64(&rows, 0, 0);
    if (!id)
        return FAN_UNAVAILABLE; /* it had written nothing */
    memcpy(history, db->history, sizeof history);
    return look_up(db, id, history, why);
}

enum fan_err fan_db_commit(struct fan_db *db, struct fan_why *why)
{
    struct fan_ask asks[] = { { .query = &current_xid, .flush = true }, { .query = &commit } };
    enum fan_err err;

    if (db->turn == FAN_TURN_IDLE)
        return FAN_OK;
    if (db->turn == FAN_TURN_UNDONE) {
        db->turn = FAN_TURN_IDLE;
        return fan_db_refuse(db, why);
    }
    err = fan_db_ask(db, asks, 2, why);
    db->turn = FAN_TURN_IDLE;
    if (err && db->pg)
        roll_back(db);
    else if (err)
        err = after_lost_commit(db, &asks[0], why);
    fan_db_asks_fini(asks, 2);
    return err;
}

void fan_db_abort(struct fan_db *db)
{
    if (db->turn == FAN_TURN_OPEN)
        roll_back(db);
    db->turn = FAN_TURN_IDLE;
}

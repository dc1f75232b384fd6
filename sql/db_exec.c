/*
 * db_exec — text that is no named statement, by the simple protocol, which pipelines do not know.
 */
#include "sql/db_private.h"

#include <libpq-fe.h>

static bool is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* Read every answer; returns the first failure. The connection is dropped when it is of no use any
 * more. */
static enum fan_err read_all(struct fan_db *db, const char *sql, struct fan_why *why)
{
    int64_t deadline_ms = fan_db_now_ms() + fan_db_patience_ms(db);
    enum fan_err err = FAN_OK;
    bool over = false;
    PGresult *result;

    while (!over && (result = fan_db_next_result(db, deadline_ms))) {
        over = fan_db_result_lost(result) || fan_db_result_fatal(result) || is_copy(result);
        if (!fan_db_result_ok(result) && !fan_db_result_lost(result) && !err)
            err = fan_db_judge(result, "text", sql, why);
        PQclear(result);
    }
    if (!over && !db->overdue)
        return err;
    fan_db_drop(db);
    return err ? err : fan_fail(why, FAN_UNAVAILABLE, "the connection to PostgreSQL was lost");
}

/* The text may have begun or ended a transaction by itself. */
static void note_transaction(struct fan_db *db)
{
    if (!db->pg)
        return;
    db->turn = PQtransactionStatus(db->pg) == PQTRANS_IDLE ? FAN_TURN_IDLE : FAN_TURN_OPEN;
    if (!PQenterPipelineMode(db->pg))
        fan_db_drop(db);
}

static enum fan_err send_and_read(struct fan_db *db, const char *sql, struct fan_why *why)
{
    if (PQexitPipelineMode(db->pg) && PQsendQuery(db->pg, sql))
        return read_all(db, sql, why);
    fan_db_drop(db);
    return fan_fail(why, FAN_UNAVAILABLE, "the connection to PostgreSQL was lost");
}

enum fan_err fan_db_exec(struct fan_db *db, const char *sql, struct fan_why *why)
{
    bool inside = db->turn == FAN_TURN_OPEN;
    struct fan_why own;
    enum fan_err err;

    FAN_ASSERT(!db->first);
    if (db->turn == FAN_TURN_UNDONE)
        return fan_db_refuse(db, why);
    err = inside ? FAN_OK : fan_db_connect(db, why);
    if (err)
        return err;
    err = send_and_read(db, sql, &own);
    note_transaction(db);
    if (!err)
        return FAN_OK;
    if (!inside && !db->pg)
        own.err = FAN_UNCERTAIN; /* parts of the text may have been committed */
    fan_db_undo(db, &own);
    if (!inside)
        db->turn = FAN_TURN_IDLE;
    if (why)
        *why = own;
    return own.err;
}

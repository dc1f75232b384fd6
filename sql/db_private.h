/*
 * db_private — what the files behind sql/db.h share.
 *
 * The connection is always in libpq's pipeline mode and never blocks inside libpq, but to connect:
 * waiting is done here, with a deadline. An exchange is some statements, one sync, and their
 * answers; everything that happens in turn is made of exchanges.
 */
#ifndef FAN_SQL_DB_PRIVATE_H
#define FAN_SQL_DB_PRIVATE_H

#include "sql/db.h"

struct pg_conn;
struct pg_result;

/* PostgreSQL's numbers for the types that we speak (catalog/pg_type.dat; they are for ever). */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_FLOAT8 = 701,
    OID_BYTEA_ARRAY = 1001,
    OID_INT2_ARRAY = 1005,
    OID_INT4_ARRAY = 1007,
    OID_TEXT_ARRAY = 1009,
    OID_INT8_ARRAY = 1016,
    OID_TIMESTAMPTZ = 1184,
    OID_JSONB = 3802,
    OID_XID8 = 5069,
};

/* Between 1970 and 2000, where PostgreSQL's clock begins. */
#define FAN_PG_EPOCH (INT64_C(946684800) * FAN_SECOND)

enum { FAN_DB_BUCKETS = 64, FAN_DB_HISTORY = 64 };

enum fan_db_turn {
    FAN_TURN_IDLE, /* no transaction */
    FAN_TURN_OPEN,
    FAN_TURN_UNDONE, /* it failed; all is refused, lest its second half is committed alone */
};

struct fan_db {
    struct fan_db_options options; /* strings owned */

    struct pg_conn *pg;   /* NULL: not connected */
    int64_t attempted_ms; /* when a connection was last tried */
    bool overdue; /* the last connection was dropped because an answer did not come in time */
    bool ended;   /* the server said that it ends this session */
    char history[FAN_DB_HISTORY]; /* of the server; see fan_db_commit */

    struct fan_prepared *prepared[FAN_DB_BUCKETS];
    uint32_t last_serial;

    fan_id account;
    enum fan_db_turn turn;
    struct fan_why undone; /* why, in FAN_TURN_UNDONE */

    struct fan_batch *first; /* submitted: those sent, then those to send */
    struct fan_batch *last;
    struct fan_batch *unsent; /* the first to send */
    size_t pending;
    int64_t progress_ms; /* when the server last showed life, or had to begin */
    bool congested;      /* the socket takes no more for now */
    bool in_io;
};

/* One statement of an exchange, and its answer. */
struct fan_ask {
    const struct fan_query *query;
    const struct fan_args *args; /* NULL: none */
    bool flush;                  /* have it answered before the rest is begun */
    uint32_t parsed;             /* the prepared statement that is made along with it; 0: none */
    uint32_t serial;             /* the prepared statement that it runs */
    bool refused;             /* out; it was answered with an error, so nothing behind it was run */
    struct pg_result *result; /* out; NULL: never answered */
};

/* ---- db.c ---- */

int64_t fan_db_now_ms(void);

/** Close the connection and forget what belonged to it. */
void fan_db_drop(struct fan_db *db);

/** Milliseconds after which an answer is not waited for any more. */
int64_t fan_db_patience_ms(const struct fan_db *db);

/* ---- db_exchange.c ---- */

/**
 * Send statements and wait for their answers; statements after one that fails are not run.
 *
 * asks   ask[count]; to be cleared with fan_db_asks_fini, whatever is returned
 * Returns the first failure. When the connection is lost it is dropped.
 */
enum fan_err fan_db_ask(struct fan_db *db, struct fan_ask *asks, int count, struct fan_why *why);
void fan_db_asks_fini(struct fan_ask *asks, int count);

/** Wait until PQgetResult would not block. False: not in time. */
bool fan_db_await(struct fan_db *db, int64_t deadline_ms);

/**
 * The next answer, waited for; NULL when the connection is lost or the answer did not come in time.
 * A lost connection may still yield a last result, which says why.
 */
struct pg_result *fan_db_next_result(struct fan_db *db, int64_t deadline_ms);

/* ---- db_turn.c ---- */

extern const struct fan_query fan_db_set_account; /* $1: bigint */

/** Undo the open transaction, and refuse all else with the same reason until the turn ends. */
void fan_db_undo(struct fan_db *db, const struct fan_why *why);
/** Say why the transaction was undone. */
enum fan_err fan_db_refuse(const struct fan_db *db, struct fan_why *why);

/* ---- db_prepared.c ---- */

/** Prepare @ask's statement if this connection has not yet; sets its serial and parsed.
 *  False: cannot be sent. */
bool fan_db_send_parse(struct fan_db *db, struct fan_ask *ask);
/** Run @ask's prepared statement. False: cannot be sent. */
bool fan_db_send_execute(struct fan_db *db, const struct fan_ask *ask);
void fan_db_forget(struct fan_db *db, uint32_t serial);
void fan_db_forget_all(struct fan_db *db);

/* ---- db_error.c ---- */

/** Whether @result is an answer to a statement that ran. */
bool fan_db_result_ok(const struct pg_result *result);
/** Whether the server said in @result that it ends the session. */
bool fan_db_result_fatal(const struct pg_result *result);
/** Whether @result was made up by libpq because the connection is gone. */
bool fan_db_result_lost(const struct pg_result *result);
/** Whether @result says that the prepared statement is of no use any more. */
bool fan_db_result_stale(const struct pg_result *result);

/**
 * What a failed result asks of the caller.
 *
 * name  of the statement
 * sql   its text, to name the line at fault; NULL: not worth it
 */
enum fan_err fan_db_judge(const struct pg_result *result, const char *name, const char *sql,
        struct fan_why *why);

/* ---- db_rows.c ---- */

/** Describe @result; ownership stays with the caller. */
void fan_rows_of(struct fan_rows *rows, struct pg_result *result);

#endif

/*
 * db — the life of a connection. Statements in turn are in db_turn.c, pipelined ones in db_batch.c.
 */
#include "sql/db_private.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STATEMENT_TIMEOUT_MS = 5000, /* unless told otherwise */
    GRACE_MS = 5000,             /* what an answer may take beyond the server's own limit */
    OPTIONS_ROOM = 1024,
};

/* So that no statement waits for ever, whatever becomes of us: the server ends it by itself. */
#define LIMITS \
    " -c lock_timeout=2s -c idle_in_transaction_session_timeout=10s" \
    " -c client_connection_check_interval=2s"

/* Nested loops over primary keys, whatever the statistics say about a table that was filled a
 * second ago; and no compilation, which costs 280 ms for a generic plan on a fresh table. */
#define HOT_PLANS \
    " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off" \
    " -c enable_mergejoin=off -c enable_bitmapscan=off"

static const struct fan_query server_history = {
    .name = "server_history",
    .sql = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || ' ' ||"
           " coalesce((SELECT stats_reset::text FROM pg_stat_wal), '')",
};

int64_t fan_db_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t fan_db_patience_ms(const struct fan_db *db)
{
    return (int64_t)db->options.statement_timeout_ms + GRACE_MS;
}

static char *own_copy(const char *text)
{
    char *own = text ? strdup(text) : NULL;

    if (text && !own)
        fan_die("out of memory: database options");
    return own;
}

struct fan_db *fan_db_new(const struct fan_db_options *options)
{
    struct fan_db *db = calloc(1, sizeof *db);

    if (!db)
        fan_die("out of memory: a database connection");
    db->options = *options;
    db->options.url = own_copy(options->url);
    db->options.user = own_copy(options->user);
    db->options.password = own_copy(options->password);
    db->options.name = own_copy(options->name);
    if (!db->options.statement_timeout_ms)
        db->options.statement_timeout_ms = STATEMENT_TIMEOUT_MS;
    db->attempted_ms = INT64_MIN / 2;
    return db;
}

void fan_db_drop(struct fan_db *db)
{
    PQfinish(db->pg);
    db->pg = NULL;
    db->congested = false;
    fan_db_forget_all(db);
    if (db->turn != FAN_TURN_OPEN)
        return;
    db->turn = FAN_TURN_UNDONE;
    fan_fail(&db->undone, FAN_UNAVAILABLE, "the connection to PostgreSQL was lost");
}

/* What the URL itself asks to be passed to the server; ours follows and wins. */
static void add_options_of_url(const char *url, char *out, size_t room)
{
    PQconninfoOption *parsed = url ? PQconninfoParse(url, NULL) : NULL;

    for (PQconninfoOption *one = parsed; one && one->keyword; one++) {
        if (strcmp(one->keyword, "options") == 0 && one->val)
            snprintf(out, room, "%s", one->val);
    }
    PQconninfoFree(parsed);
}

static void server_options(const struct fan_db *db, char out[OPTIONS_ROOM])
{
    size_t len;

    out[0] = '\0';
    add_options_of_url(db->options.url, out, OPTIONS_ROOM / 2);
    len = strlen(out);
    snprintf(out + len, OPTIONS_ROOM - len,
            " -c timezone=UTC -c jit=off -c statement_timeout=%u%s%s",
            db->options.statement_timeout_ms, LIMITS,
            db->options.use == FAN_DB_HOT ? HOT_PLANS : "");
}

/* libpq lets later words win: our defaults, then what the URL says, then what is not negotiable. */
static PGconn *open_connection(const struct fan_db *db)
{
    char options[OPTIONS_ROOM];
    const char *const words[] = { "connect_timeout", "tcp_user_timeout", "keepalives_idle",
        "keepalives_interval", "keepalives_count", "dbname", "options", "client_encoding",
        "target_session_attrs", "application_name", "user", "password", NULL };
    const char *const values[] = { "3", "5000", "5", "2", "3", db->options.url, options, "UTF8",
        "read-write", db->options.name, db->options.user, db->options.password, NULL };

    server_options(db, options);
    return PQconnectdbParams(words, values, 1);
}

/* libpq's messages have several lines; the first one is the reason. */
static enum fan_err fail_connect(struct fan_db *db, struct fan_why *why)
{
    const char *text = PQerrorMessage(db->pg);
    int len = (int)strcspn(text, "\n");

    fan_fail(why, FAN_UNAVAILABLE, "cannot connect to PostgreSQL: %.*s", len, text);
    fan_db_drop(db);
    return FAN_UNAVAILABLE;
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* A server that cannot say has no history, and then an interrupted commit stays uncertain. */
static enum fan_err note_history(struct fan_db *db, struct fan_why *why)
{
    struct fan_ask ask = { .query = &server_history };
    enum fan_err err = fan_db_ask(db, &ask, 1, why);

    db->history[0] = '\0';
    if (!err)
        snprintf(db->history, sizeof db->history, "%s", PQgetvalue(ask.result, 0, 0));
    fan_db_asks_fini(&ask, 1);
    return db->pg ? FAN_OK : err;
}

enum fan_err fan_db_connect(struct fan_db *db, struct fan_why *why)
{
    if (fan_db_connected(db))
        return FAN_OK;
    fan_db_drop(db);
    db->overdue = db->ended = false;
    db->pg = open_connection(db);
    db->attempted_ms = fan_db_now_ms();
    if (!db->pg)
        fan_die("out of memory: a database connection");
    if (PQstatus(db->pg) != CONNECTION_OK || PQsetnonblocking(db->pg, 1) ||
            !PQenterPipelineMode(db->pg))
        return fail_connect(db, why);
    PQsetNoticeReceiver(db->pg, ignore_notice, NULL);
    return note_history(db, why);
}

bool fan_db_connected(const struct fan_db *db)
{
    return db->pg && PQstatus(db->pg) == CONNECTION_OK;
}

int fan_db_fd(const struct fan_db *db)
{
    return db->pg ? PQsocket(db->pg) : -1;
}

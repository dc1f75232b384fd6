/*
 * db_exchange — statements out, one sync, answers in; each wait has a deadline.
 */
#include "sql/db_private.h"

#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

bool fan_db_await(struct fan_db *db, int64_t deadline_ms)
{
    for (;;) {
        int unflushed = PQflush(db->pg);
        struct pollfd ready = { .fd = PQsocket(db->pg), .events = POLLIN };
        int64_t left = deadline_ms - fan_db_now_ms();

        if (unflushed < 0 || !PQisBusy(db->pg))
            return true; /* a broken connection is PQgetResult's to report */
        if (left <= 0)
            return false;
        if (unflushed)
            ready.events |= POLLOUT;
        poll(&ready, 1, (int)left);
        if (ready.revents && !PQconsumeInput(db->pg))
            return true;
    }
}

PGresult *fan_db_next_result(struct fan_db *db, int64_t deadline_ms)
{
    /* A NULL stands between the answers of two statements; two in a row: nothing is coming. */
    for (int nulls = 0; nulls < 2; nulls++) {
        PGresult *result;

        if (!fan_db_await(db, deadline_ms)) {
            db->overdue = true;
            return NULL;
        }
        result = PQgetResult(db->pg);
        if (result)
            return result;
    }
    return NULL;
}

static bool send_asks(struct fan_db *db, struct fan_ask *asks, int count)
{
    for (int i = 0; i < count; i++) {
        if (!fan_db_send_parse(db, &asks[i]) || !fan_db_send_execute(db, &asks[i]))
            return false;
        if (asks[i].flush && !PQsendFlushRequest(db->pg))
            return false;
    }
    return PQpipelineSync(db->pg) == 1;
}

/* The state of reading an exchange's answers. */
struct reading {
    struct fan_db *db;
    struct fan_why *why;
    int64_t deadline_ms;
    enum fan_err err; /* the first failure */
    bool over;        /* the session has ended; there is nothing more to read */
};

/* The next answer. What stands behind a failed statement is answered as aborted: nothing new. */
static PGresult *read_answer(struct reading *in, struct fan_ask *ask)
{
    PGresult *result = in->over ? NULL : fan_db_next_result(in->db, in->deadline_ms);

    if (!result || fan_db_result_lost(result)) {
        in->over = true;
        return result;
    }
    if (fan_db_result_ok(result) || PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
        return result;
    ask->refused = true;
    if (!in->err)
        in->err = fan_db_judge(result, ask->query->name, NULL, in->why);
    if (fan_db_result_stale(result))
        fan_db_forget(in->db, ask->serial);
    in->over = fan_db_result_fatal(result);
    return result;
}

static void read_ask(struct reading *in, struct fan_ask *ask)
{
    if (ask->parsed) {
        PGresult *prepared = read_answer(in, ask);
        if (!fan_db_result_ok(prepared))
            fan_db_forget(in->db, ask->parsed);
        PQclear(prepared);
    }
    ask->result = read_answer(in, ask);
}

static void read_sync(struct reading *in)
{
    PGresult *result = in->over ? NULL : fan_db_next_result(in->db, in->deadline_ms);

    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC)
        in->over = true; /* we have lost count of the answers: this connection is of no use */
    PQclear(result);
}

static enum fan_err fail_lost(struct fan_db *db, struct fan_why *why)
{
    const char *text = db->overdue ? "the answer did not come in time" : PQerrorMessage(db->pg);
    int len = (int)strcspn(text, "\n");

    return fan_fail(why, FAN_UNAVAILABLE, "the connection to PostgreSQL was lost: %.*s", len, text);
}

enum fan_err fan_db_ask(struct fan_db *db, struct fan_ask *asks, int count, struct fan_why *why)
{
    struct reading in = {
        .db = db,
        .why = why,
        .deadline_ms = fan_db_now_ms() + fan_db_patience_ms(db),
    };

    if (send_asks(db, asks, count)) {
        for (int i = 0; i < count; i++)
            read_ask(&in, &asks[i]);
        read_sync(&in);
    } else {
        in.over = true;
    }
    if (in.over && !in.err)
        in.err = fail_lost(db, why);
    if (in.over)
        fan_db_drop(db);
    return in.err;
}

void fan_db_asks_fini(struct fan_ask *asks, int count)
{
    for (int i = 0; i < count; i++) {
        PQclear(asks[i].result);
        asks[i].result = NULL;
    }
}

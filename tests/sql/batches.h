/*
 * batches — submit batches and wait for what becomes of them.
 */
#ifndef FAN_TESTS_SQL_BATCHES_H
#define FAN_TESTS_SQL_BATCHES_H

#include "tests/sql/fixture.h"

#include <poll.h>

/* What became of one batch. */
struct answer {
    int calls;
    enum fan_err err;
    int count;        /* of its statements */
    int64_t first;    /* the first statement's first value, when it returned one */
    int64_t affected; /* by the last statement */
    struct fan_why why;
};

static inline void on_done(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct answer *answer = context;

    answer->calls++;
    answer->err = err;
    answer->count = count;
    if (err) {
        answer->why = *why;
        assert_int_equal(count ? rows[0].count : 0, 0);
        return;
    }
    if (count && rows[0].count)
        answer->first = fan_row_i64(&rows[0], 0, 0);
    if (count)
        answer->affected = rows[count - 1].affected;
}

static inline void add_plain(struct fan_batch *batch, const struct fan_query *query)
{
    struct fan_args args;

    fan_args_begin(&args, fan_batch_arena(batch));
    fan_batch_add(batch, query, &args);
}

static inline void add_id(struct fan_batch *batch, const struct fan_query *query, int64_t id)
{
    struct fan_args args;

    fan_args_begin(&args, fan_batch_arena(batch));
    fan_arg_i64(&args, id);
    fan_batch_add(batch, query, &args);
}

static inline void add_note(struct fan_batch *batch, int64_t id, int32_t n)
{
    struct fan_args args;

    fan_args_begin(&args, fan_batch_arena(batch));
    fan_arg_i64(&args, id);
    fan_arg_i32(&args, n);
    fan_batch_add(batch, &q_note, &args);
}

static inline void add_sleep(struct fan_batch *batch, double seconds)
{
    struct fan_args args;

    fan_args_begin(&args, fan_batch_arena(batch));
    fan_arg_real(&args, seconds);
    fan_batch_add(batch, &q_sleep, &args);
}

/** Submit a batch that inserts one note. */
static inline void submit_note(struct fan_db *db, int64_t id, int32_t n, struct answer *answer)
{
    struct fan_batch *batch = fan_batch_new(0);

    add_note(batch, id, n);
    fan_db_submit(db, &batch, on_done, answer);
}

/** One turn of an event loop. */
static inline void turn(struct fan_db *db)
{
    struct pollfd ready = { .fd = fan_db_fd(db), .events = POLLIN };
    int due_ms = fan_db_due_ms(db);

    if (fan_db_wants_write(db))
        ready.events |= POLLOUT;
    if (due_ms < 0 || due_ms > 50)
        due_ms = 50;
    poll(&ready, 1, due_ms);
    fan_db_io(db);
}

/** Go on until everything is answered. */
static inline void settle(struct fan_db *db)
{
    fan_db_io(db);
    while (fan_db_pending(db))
        turn(db);
}

#endif

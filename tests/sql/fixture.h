/*
 * fixture — a database of its own for a test of the connection, with one table under row-level
 * security and one without, and the shortest way to run a statement.
 */
#ifndef FAN_TESTS_SQL_FIXTURE_H
#define FAN_TESTS_SQL_FIXTURE_H

#include "tests/support/pg.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct fixture {
    char url[PG_URL]; /* the superuser's */
    struct fan_db *db;
    struct fan_arena *arena;
    struct fan_args args;
    struct fan_rows rows;
    struct fan_why why;
};

static const char fixture_schema[] =
        "CREATE FUNCTION fan_set_account(account bigint) RETURNS void LANGUAGE sql AS"
        " $$ SELECT set_config('fan.account', account::text, true) $$;"
        "CREATE TABLE note (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0 CHECK (n >= 0));"
        "CREATE TABLE late (id bigint, CONSTRAINT late_once UNIQUE (id) DEFERRABLE"
        " INITIALLY DEFERRED);"
        "CREATE TABLE secret (account_id bigint, id bigint, PRIMARY KEY (account_id, id));"
        "ALTER TABLE secret ENABLE ROW LEVEL SECURITY;"
        "ALTER TABLE secret FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON secret USING (account_id ="
        " (SELECT nullif(current_setting('fan.account', true), '')::bigint));"
        "DO $$ BEGIN CREATE ROLE fan_test_tenant LOGIN; EXCEPTION WHEN duplicate_object"
        " OR unique_violation THEN NULL; END $$;"
        "GRANT ALL ON note, late, secret TO fan_test_tenant";

static const struct fan_query q_note = {
    .name = "note",
    .sql = "INSERT INTO note VALUES ($1, $2)",
};
static const struct fan_query q_notes = { .name = "notes", .sql = "SELECT count(*) FROM note" };
static const struct fan_query q_bump = {
    .name = "bump",
    .sql = "UPDATE note SET n = n + 1 WHERE id = $1 RETURNING n",
};
static const struct fan_query q_late = { .name = "late", .sql = "INSERT INTO late VALUES ($1)" };
static const struct fan_query q_sleep = { .name = "sleep", .sql = "SELECT pg_sleep($1)" };
static const struct fan_query q_pid = { .name = "pid", .sql = "SELECT pg_backend_pid()" };
static const struct fan_query q_missing = { .name = "missing", .sql = "SELECT 1 FROM nowhere" };

static inline int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    pg_fresh_database(f->url);
    pg_exec(f->url, fixture_schema);
    f->db = pg_connect(f->url, FAN_DB_HOT);
    f->arena = fan_arena_new();
    *state = f;
    return 0;
}

static inline int fixture_close(void **state)
{
    struct fixture *f = *state;

    fan_db_free(&f->db);
    fan_arena_free(&f->arena);
    free(f);
    return 0;
}

/** Begin the next statement's parameters. */
static inline struct fan_args *fresh_args(struct fixture *f)
{
    fan_args_begin(&f->args, f->arena);
    return &f->args;
}

/** Run with the parameters that were begun. */
static inline enum fan_err run(struct fixture *f, const struct fan_query *query)
{
    return fan_db_run(f->db, query, &f->args, &f->rows, &f->why);
}

static inline enum fan_err run_plain(struct fixture *f, const struct fan_query *query)
{
    fresh_args(f);
    return run(f, query);
}

static inline enum fan_err run_id(struct fixture *f, const struct fan_query *query, int64_t id)
{
    fan_arg_i64(fresh_args(f), id);
    return run(f, query);
}

static inline enum fan_err run_note(struct fixture *f, int64_t id, int32_t n)
{
    fan_arg_i64(fresh_args(f), id);
    fan_arg_i32(&f->args, n);
    return run(f, &q_note);
}

static inline enum fan_err commit(struct fixture *f)
{
    return fan_db_commit(f->db, &f->why);
}

/** How many notes there are, as another connection sees it. */
static inline int64_t notes(const struct fixture *f)
{
    return pg_number(f->url, q_notes.sql);
}

#endif

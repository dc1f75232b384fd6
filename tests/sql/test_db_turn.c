#include "tests/sql/fixture.h"

#include <pthread.h>
#include <stdio.h>

static const struct fan_query q_account = {
    .name = "account",
    .sql = "SELECT nullif(current_setting('fan.account', true), '')::bigint",
};
static const struct fan_query q_secret = {
    .name = "secret",
    .sql = "INSERT INTO secret VALUES ($1, $2)",
};
static const struct fan_query q_secrets = {
    .name = "secrets",
    .sql = "SELECT count(*) FROM secret",
};
static const struct fan_query q_setting = {
    .name = "setting",
    .sql = "SELECT current_setting($1)",
};
static const struct fan_query q_all_notes = { .name = "all_notes", .sql = "SELECT * FROM note" };
static const struct fan_query q_to_int = { .name = "to_int", .sql = "SELECT $1::text::int" };
static const struct fan_query q_die = {
    .name = "die",
    .sql = "SELECT pg_terminate_backend(pg_backend_pid())",
};

static void a_turn_without_statements_does_not_connect(void **state)
{
    struct fixture *f = *state;

    fan_db_account(f->db, 7);
    assert_int_equal(commit(f), FAN_OK);
    fan_db_abort(f->db);
    assert_false(fan_db_connected(f->db));
    assert_int_equal(fan_db_fd(f->db), -1);
}

static void what_is_committed_is_seen_by_others(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(f->rows.affected, 1);
    assert_int_equal(run_note(f, 2, 0), FAN_OK);
    assert_int_equal(notes(f), 0);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 2);
}

static void what_is_aborted_is_gone(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    fan_db_abort(f->db);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 0);
    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 1);
}

static void the_account_lasts_for_one_transaction(void **state)
{
    struct fixture *f = *state;

    fan_db_account(f->db, 7);
    assert_int_equal(run_plain(f, &q_account), FAN_OK);
    assert_int_equal(fan_row_i64(&f->rows, 0, 0), 7);
    assert_int_equal(commit(f), FAN_OK);
    fan_db_account(f->db, 0);
    assert_int_equal(run_plain(f, &q_account), FAN_OK);
    assert_int_equal(fan_row_i64(&f->rows, 0, 0), 0);
    assert_int_equal(commit(f), FAN_OK);
}

/* Count the secrets that @account sees. */
static int64_t secrets_of(struct fixture *f, fan_id account)
{
    int64_t count;

    fan_db_account(f->db, account);
    assert_int_equal(run_plain(f, &q_secrets), FAN_OK);
    count = fan_row_i64(&f->rows, 0, 0);
    assert_int_equal(commit(f), FAN_OK);
    return count;
}

static void an_account_sees_its_rows_alone(void **state)
{
    struct fixture *f = *state;
    char url[PG_URL];

    pg_url_as(f->url, "fan_test_tenant", url);
    fan_db_free(&f->db);
    f->db = pg_connect(url, FAN_DB_HOT);
    for (fan_id account = 1; account <= 2; account++) {
        fan_db_account(f->db, account);
        fan_arg_i64(fresh_args(f), account);
        fan_arg_i64(&f->args, 100);
        assert_int_equal(run(f, &q_secret), FAN_OK);
        assert_int_equal(commit(f), FAN_OK);
    }
    assert_int_equal(secrets_of(f, 1), 1);
    assert_int_equal(secrets_of(f, 2), 1);
    assert_int_equal(secrets_of(f, 3), 0);
    assert_int_equal(secrets_of(f, 0), 0);
    fan_db_account(f->db, 1);
    fan_arg_i64(fresh_args(f), 2);
    fan_arg_i64(&f->args, 101);
    assert_int_equal(run(f, &q_secret), FAN_INVALID); /* somebody else's row */
    fan_db_abort(f->db);
}

static void assert_setting(struct fixture *f, const char *name, const char *expected)
{
    fan_arg_text(fresh_args(f), fan_bytes_of(name));
    assert_int_equal(run(f, &q_setting), FAN_OK);
    assert_true(fan_bytes_eq_text(fan_row_text(&f->rows, 0, 0), expected));
}

static void each_use_has_its_settings(void **state)
{
    struct fixture *f = *state;

    assert_setting(f, "enable_seqscan", "off");
    assert_setting(f, "plan_cache_mode", "force_generic_plan");
    assert_setting(f, "jit", "off");
    assert_setting(f, "TimeZone", "UTC");
    assert_setting(f, "lock_timeout", "2s");
    assert_setting(f, "statement_timeout", "5s");
    assert_setting(f, "application_name", "test");
    fan_db_free(&f->db);
    f->db = pg_connect(f->url, FAN_DB_FREE);
    assert_setting(f, "enable_seqscan", "on");
    assert_setting(f, "jit", "off");
}

static void the_options_of_the_url_are_kept(void **state)
{
    struct fixture *f = *state;
    char url[PG_URL * 2];

    snprintf(url, sizeof url, "%s&options=-c%%20search_path%%3Dpg_catalog", f->url);
    fan_db_free(&f->db);
    f->db = pg_connect(url, FAN_DB_HOT);
    assert_setting(f, "search_path", "pg_catalog");
    assert_setting(f, "enable_seqscan", "off");
}

static void a_refusal_names_the_constraint_and_no_value(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(run_note(f, 1, 0), FAN_INVALID);
    assert_string_equal(f->why.field, "note_pkey");
    fan_db_abort(f->db);
    assert_int_equal(run_note(f, 1, -4711), FAN_INVALID);
    assert_string_equal(f->why.field, "note_n_check");
    assert_null(strstr(f->why.text, "4711"));
    fan_db_abort(f->db);
    fan_arg_null(fresh_args(f));
    fan_arg_i32(&f->args, 0);
    assert_int_equal(run(f, &q_note), FAN_INVALID);
    assert_string_equal(f->why.field, "id");
    fan_db_abort(f->db);
    fan_arg_text(fresh_args(f), FAN_LIT("Erika Mustermann"));
    assert_int_equal(run(f, &q_to_int), FAN_INVALID);
    assert_null(strstr(f->why.text, "Erika"));
    fan_db_abort(f->db);
}

static void a_statement_that_does_not_fit_is_named(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_plain(f, &q_missing), FAN_INVALID);
    assert_non_null(strstr(f->why.text, "missing"));
    assert_non_null(strstr(f->why.text, "nowhere"));
    fan_db_abort(f->db);
    pg_exec(f->url, "CREATE TABLE nowhere (x int)");
    assert_int_equal(run_plain(f, &q_missing), FAN_OK); /* it was not remembered as prepared */
    assert_int_equal(commit(f), FAN_OK);
}

static void a_failed_turn_refuses_all_else_until_it_ends(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(run_note(f, 2, -1), FAN_INVALID);
    assert_int_equal(run_note(f, 3, 0), FAN_INVALID);
    assert_string_equal(f->why.field, "note_n_check");
    assert_int_equal(commit(f), FAN_INVALID);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 0);
}

static void a_commit_can_be_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_id(f, &q_late, 1), FAN_OK);
    assert_int_equal(run_id(f, &q_late, 1), FAN_OK);
    assert_int_equal(commit(f), FAN_INVALID);
    assert_string_equal(f->why.field, "late_once");
    assert_int_equal(run_id(f, &q_late, 1), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(pg_number(f->url, "SELECT count(*) FROM late"), 1);
}

static void a_slow_statement_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct fan_db_options options = { .url = f->url, .name = "test", .statement_timeout_ms = 100 };

    fan_db_free(&f->db);
    f->db = fan_db_new(&options);
    fan_arg_real(fresh_args(f), 10);
    assert_int_equal(run(f, &q_sleep), FAN_UNAVAILABLE);
    assert_true(fan_db_connected(f->db));
    fan_db_abort(f->db);
    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
}

static void a_lock_is_not_waited_for_long(void **state)
{
    struct fixture *f = *state;
    struct fan_db *other = pg_connect(f->url, FAN_DB_HOT);

    assert_int_equal(fan_db_exec(other, "BEGIN; LOCK TABLE note", &f->why), FAN_OK);
    assert_int_equal(run_note(f, 1, 0), FAN_UNAVAILABLE);
    assert_non_null(strstr(f->why.text, "55P03"));
    fan_db_free(&other);
}

struct rival {
    struct fan_db *db;
    struct fan_arena *arena;
    enum fan_err err;
};

static enum fan_err bump(struct fan_db *db, struct fan_arena *arena, int64_t id)
{
    struct fan_args args;

    fan_args_begin(&args, arena);
    fan_arg_i64(&args, id);
    return fan_db_run(db, &q_bump, &args, NULL, NULL);
}

static void *bump_first_note(void *context)
{
    struct rival *rival = context;

    rival->err = bump(rival->db, rival->arena, 1);
    return NULL;
}

static void a_deadlock_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct rival rival = { .db = pg_connect(f->url, FAN_DB_HOT), .arena = fan_arena_new() };
    enum fan_err ours;
    pthread_t thread;

    pg_exec(f->url, "INSERT INTO note VALUES (1), (2)");
    assert_int_equal(bump(f->db, f->arena, 1), FAN_OK);
    assert_int_equal(bump(rival.db, rival.arena, 2), FAN_OK);
    pthread_create(&thread, NULL, bump_first_note, &rival);
    ours = bump(f->db, f->arena, 2);
    fan_db_abort(f->db);
    pthread_join(thread, NULL);
    assert_true((ours == FAN_CONFLICT) != (rival.err == FAN_CONFLICT));
    assert_true(ours == FAN_OK || rival.err == FAN_OK);
    fan_db_free(&rival.db);
    fan_arena_free(&rival.arena);
}

static void a_connection_that_died_idle_is_replaced_unnoticed(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    pg_exec(f->url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    assert_int_equal(run_note(f, 2, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 2);
}

static void a_connection_that_dies_in_a_transaction_undoes_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(run_plain(f, &q_die), FAN_UNAVAILABLE);
    assert_int_equal(commit(f), FAN_UNAVAILABLE);
    fan_db_abort(f->db);
    assert_int_equal(run_note(f, 2, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 1);
}

static void a_session_that_ends_in_front_of_the_commit_is_undone(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    pg_exec(f->url,
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    assert_int_equal(commit(f), FAN_UNAVAILABLE);
    assert_int_equal(notes(f), 0);
}

static void a_table_that_changes_under_a_statement_is_a_conflict(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run_plain(f, &q_all_notes), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    pg_exec(f->url, "ALTER TABLE note ADD COLUMN more int");
    assert_int_equal(run_plain(f, &q_all_notes), FAN_CONFLICT);
    fan_db_abort(f->db);
    assert_int_equal(run_plain(f, &q_all_notes), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
}

static void text_runs_alone_or_inside_the_transaction(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fan_db_exec(f->db, "INSERT INTO note VALUES (1); SELECT 1", &f->why), FAN_OK);
    assert_int_equal(notes(f), 1);
    assert_int_equal(run_note(f, 2, 0), FAN_OK);
    assert_int_equal(fan_db_exec(f->db, "INSERT INTO note VALUES (3)", &f->why), FAN_OK);
    assert_int_equal(notes(f), 1);
    fan_db_abort(f->db);
    assert_int_equal(fan_db_exec(f->db, "BEGIN; INSERT INTO note VALUES (4)", &f->why), FAN_OK);
    assert_int_equal(notes(f), 1);
    assert_int_equal(run_note(f, 5, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 3);
}

static void text_that_fails_names_the_line(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fan_db_exec(f->db, "SELECT 1;\n-- grün\nSELECT nothing", &f->why),
            FAN_INVALID);
    assert_non_null(strstr(f->why.text, "line 3"));
    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(fan_db_exec(f->db, "SELECT nothing", &f->why), FAN_INVALID);
    assert_int_equal(commit(f), FAN_INVALID);
    fan_db_abort(f->db);
    assert_int_equal(notes(f), 0);
}

static void copy_is_not_for_text(void **state)
{
    struct fixture *f = *state;

    assert_int_not_equal(fan_db_exec(f->db, "COPY note FROM STDIN", &f->why), FAN_OK);
    assert_int_equal(run_note(f, 1, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
}

static void nobody_at_home_is_unavailable(void **state)
{
    struct fixture *f = *state;

    fan_db_free(&f->db);
    f->db = pg_connect("postgresql:///x?host=/nonexistent", FAN_DB_HOT);
    assert_int_equal(fan_db_connect(f->db, &f->why), FAN_UNAVAILABLE);
    assert_int_equal(run_note(f, 1, 0), FAN_UNAVAILABLE);
    assert_int_equal(commit(f), FAN_UNAVAILABLE);
    fan_db_abort(f->db);
    assert_int_equal(commit(f), FAN_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_turn_without_statements_does_not_connect),
        TEST(what_is_committed_is_seen_by_others),
        TEST(what_is_aborted_is_gone),
        TEST(the_account_lasts_for_one_transaction),
        TEST(an_account_sees_its_rows_alone),
        TEST(each_use_has_its_settings),
        TEST(the_options_of_the_url_are_kept),
        TEST(a_refusal_names_the_constraint_and_no_value),
        TEST(a_statement_that_does_not_fit_is_named),
        TEST(a_failed_turn_refuses_all_else_until_it_ends),
        TEST(a_commit_can_be_refused),
        TEST(a_slow_statement_is_unavailable),
        TEST(a_lock_is_not_waited_for_long),
        TEST(a_deadlock_is_a_conflict),
        TEST(a_connection_that_died_idle_is_replaced_unnoticed),
        TEST(a_connection_that_dies_in_a_transaction_undoes_it),
        TEST(a_session_that_ends_in_front_of_the_commit_is_undone),
        TEST(a_table_that_changes_under_a_statement_is_a_conflict),
        TEST(text_runs_alone_or_inside_the_transaction),
        TEST(text_that_fails_names_the_line),
        TEST(copy_is_not_for_text),
        TEST(nobody_at_home_is_unavailable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

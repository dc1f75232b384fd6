/*
 * What becomes of statements when the connection, the server or its answer is lost.
 */
#include "tests/sql/batches.h"
#include "tests/support/pg_proxy.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { RECONNECT_PAUSE_MS = 250 }; /* what fan_db_io leaves between two attempts, and some more */

static char through_proxy[PG_URL];

static const char end_others[] = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                                 " WHERE datname = current_database() AND pid <> pg_backend_pid()";

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

    nanosleep(&left, NULL);
}

/* ---- a commit without an answer ---- */

static int open_through_proxy(void **state)
{
    struct fixture *f;

    fixture_open(state);
    f = *state;
    pg_proxy_start(f->url, through_proxy);
    fan_db_free(&f->db);
    f->db = pg_connect(through_proxy, FAN_DB_HOT);
    assert_int_equal(run_note(f, 1, 0), FAN_OK); /* so that all is prepared */
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(run_note(f, 2, 0), FAN_OK);
    return 0;
}

static int close_through_proxy(void **state)
{
    struct fixture *f = *state;

    fan_db_free(&f->db);
    pg_proxy_stop();
    return fixture_close(state);
}

static void a_commit_that_was_done_is_found_out(void **state)
{
    struct fixture *f = *state;

    pg_proxy_cut(PG_CUT_ANSWER, "COMMIT");
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 2);
    assert_int_equal(run_note(f, 3, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
}

static void a_commit_that_never_arrived_is_found_out(void **state)
{
    struct fixture *f = *state;

    pg_proxy_cut(PG_CUT_REQUEST, "commit.");
    assert_int_equal(commit(f), FAN_UNAVAILABLE);
    assert_int_equal(notes(f), 1);
    assert_int_equal(run_note(f, 2, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 2);
}

static void a_commit_of_which_nothing_was_heard_is_uncertain(void **state)
{
    struct fixture *f = *state;

    pg_proxy_cut(PG_CUT_DEAF, "commit.");
    assert_int_equal(commit(f), FAN_UNCERTAIN);
    assert_int_equal(notes(f), 2);
    assert_int_equal(commit(f), FAN_OK);
}

static void a_lost_commit_of_a_reader_undid_nothing(void **state)
{
    struct fixture *f = *state;

    fan_db_abort(f->db);
    assert_int_equal(run_plain(f, &q_notes), FAN_OK);
    pg_proxy_cut(PG_CUT_ANSWER, "COMMIT");
    assert_int_equal(commit(f), FAN_UNAVAILABLE);
}

/* Crash the server at the cut, while a transaction is open that has written. */
static void crash_at_cut(struct fixture *f)
{
    assert_int_equal(run_plain(f, &q_pid), FAN_OK);
    pg_proxy_crash((pid_t)fan_row_i64(&f->rows, 0, 0));
}

static void a_commit_found_behind_a_crash_may_be_anothers(void **state)
{
    struct fixture *f = *state;

    crash_at_cut(f);
    pg_proxy_cut(PG_CUT_ANSWER, "COMMIT");
    assert_int_equal(commit(f), FAN_UNCERTAIN);
    pg_await();
    assert_int_equal(notes(f), 2);
}

static void a_commit_not_found_behind_a_crash_was_not_done(void **state)
{
    struct fixture *f = *state;
    enum fan_err err;

    crash_at_cut(f);
    pg_proxy_cut(PG_CUT_REQUEST, "commit.");
    err = commit(f);
    assert_true(err == FAN_UNAVAILABLE || err == FAN_UNCERTAIN); /* the latter if it is slow */
    pg_await();
    assert_int_equal(notes(f), 1);
}

static void batches_without_an_answer_are_uncertain(void **state)
{
    struct fixture *f = *state;
    struct answer answers[3] = { 0 };

    fan_db_abort(f->db);
    pg_proxy_cut(PG_CUT_ANSWER, "INSERT");
    for (int i = 0; i < 3; i++)
        submit_note(f->db, 10 + i, 0, &answers[i]);
    settle(f->db);
    for (int i = 0; i < 3; i++)
        assert_int_equal(answers[i].err, FAN_UNCERTAIN);
    pause_ms(RECONNECT_PAUSE_MS);
    submit_note(f->db, 20, 0, &answers[0]);
    settle(f->db);
    assert_int_equal(answers[0].err, FAN_OK);
}

/* ---- a session that ends ---- */

static void an_ended_session_undoes_what_it_had_begun(void **state)
{
    struct fixture *f = *state;
    struct fan_batch *batch = fan_batch_new(0);
    struct answer answers[2] = { 0 };

    add_note(batch, 1, 0);
    add_sleep(batch, 4);
    fan_db_submit(f->db, &batch, on_done, &answers[0]);
    submit_note(f->db, 2, 0, &answers[1]);
    fan_db_io(f->db);
    pause_ms(100);
    pg_exec(f->url, end_others);
    settle(f->db);
    assert_int_equal(answers[0].err, FAN_UNAVAILABLE); /* the server said so itself */
    assert_int_equal(answers[1].err, FAN_UNAVAILABLE);
    assert_int_equal(notes(f), 0);
    pause_ms(RECONNECT_PAUSE_MS);
    submit_note(f->db, 3, 0, &answers[0]);
    settle(f->db);
    assert_int_equal(answers[0].err, FAN_OK);
}

static void a_session_that_ended_idle_is_replaced_unnoticed(void **state)
{
    struct fixture *f = *state;
    struct answer answer = { 0 };

    submit_note(f->db, 1, 0, &answer);
    settle(f->db);
    pg_exec(f->url, end_others);
    pause_ms(RECONNECT_PAUSE_MS);
    submit_note(f->db, 2, 0, &answer);
    settle(f->db);
    assert_int_equal(answer.err, FAN_OK);
    assert_int_equal(answer.calls, 2);
    assert_int_equal(notes(f), 2);
}

static void an_idle_connection_that_is_hung_up_is_not_watched_for_ever(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fan_db_connect(f->db, &f->why), FAN_OK);
    pg_exec(f->url, end_others);
    for (int i = 0; i < 10 && fan_db_fd(f->db) >= 0; i++)
        turn(f->db);
    assert_int_equal(fan_db_fd(f->db), -1);
    assert_int_equal(fan_db_due_ms(f->db), -1);
}

/* ---- a server that goes away ---- */

static void a_killed_server_is_used_again_when_it_is_back(void **state)
{
    struct fixture *f = *state;
    struct fan_batch *batch = fan_batch_new(0);
    struct answer answers[3] = { 0 };

    assert_int_equal(fan_db_connect(f->db, &f->why), FAN_OK);
    add_note(batch, 1, 0);
    add_sleep(batch, 4);
    fan_db_submit(f->db, &batch, on_done, &answers[0]);
    fan_db_io(f->db);
    pg_kill();
    settle(f->db);
    assert_true(answers[0].err == FAN_UNCERTAIN || answers[0].err == FAN_UNAVAILABLE);
    submit_note(f->db, 2, 0, &answers[1]);
    settle(f->db);
    assert_int_equal(answers[1].err, FAN_UNAVAILABLE);
    assert_int_equal(run_note(f, 3, 0), FAN_UNAVAILABLE);
    fan_db_abort(f->db);
    pg_start();
    pause_ms(RECONNECT_PAUSE_MS);
    submit_note(f->db, 4, 0, &answers[2]);
    settle(f->db);
    assert_int_equal(answers[2].err, FAN_OK);
    assert_int_equal(run_note(f, 5, 0), FAN_OK);
    assert_int_equal(commit(f), FAN_OK);
    assert_int_equal(notes(f), 2);
}

static void a_server_that_is_away_is_not_asked_all_the_time(void **state)
{
    struct fixture *f = *state;
    struct answer answer = { 0 };
    int64_t began;

    pg_stop();
    began = now_ms();
    for (int i = 0; i < 1000; i++) {
        submit_note(f->db, i, 0, &answer);
        assert_int_equal(answer.calls, i); /* never from fan_db_submit */
        fan_db_io(f->db);
        assert_int_equal(answer.calls, i + 1);
        assert_int_equal(answer.err, FAN_UNAVAILABLE);
    }
    assert_true(now_ms() - began < 2000);
    pg_start();
}

struct stubborn {
    struct fan_db *db;
    int calls;
};

static void submit_again(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct stubborn *stubborn = context;
    struct fan_batch *batch = fan_batch_new(0);

    stubborn->calls++;
    fan_db_submit(stubborn->db, &batch, submit_again, stubborn);
}

static void a_stubborn_caller_does_not_make_it_spin(void **state)
{
    struct fixture *f = *state;
    struct stubborn stubborn = { .db = f->db };

    pg_stop();
    submit_again(&stubborn, FAN_OK, NULL, 0, NULL);
    fan_db_io(f->db);
    assert_int_equal(stubborn.calls, 2);
    assert_int_equal(fan_db_pending(f->db), 1);
    assert_true(fan_db_due_ms(f->db) > 50);
    pg_start();
}

static void a_server_that_falls_silent_is_given_up(void **state)
{
    struct fan_db_options options = { .name = "test", .statement_timeout_ms = 1 };
    struct fixture *f = *state;
    struct answer answer = { 0 };
    int64_t began = now_ms();
    int64_t pid;

    fan_db_free(&f->db);
    options.url = f->url;
    f->db = fan_db_new(&options);
    while (run_plain(f, &q_pid))
        fan_db_abort(f->db); /* one millisecond is not much */
    pid = fan_row_i64(&f->rows, 0, 0);
    fan_db_abort(f->db);
    assert_int_equal(kill((pid_t)pid, SIGSTOP), 0);
    submit_note(f->db, 1, 0, &answer);
    settle(f->db);
    kill((pid_t)pid, SIGKILL);
    assert_int_equal(answer.err, FAN_UNCERTAIN);
    assert_in_range(now_ms() - began, 5000, 8000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
#define PROXY_TEST(name) \
    cmocka_unit_test_setup_teardown(name, open_through_proxy, close_through_proxy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROXY_TEST(a_commit_that_was_done_is_found_out),
        PROXY_TEST(a_commit_that_never_arrived_is_found_out),
        PROXY_TEST(a_commit_of_which_nothing_was_heard_is_uncertain),
        PROXY_TEST(a_lost_commit_of_a_reader_undid_nothing),
        PROXY_TEST(a_commit_found_behind_a_crash_may_be_anothers),
        PROXY_TEST(a_commit_not_found_behind_a_crash_was_not_done),
        PROXY_TEST(batches_without_an_answer_are_uncertain),
        TEST(an_ended_session_undoes_what_it_had_begun),
        TEST(a_session_that_ended_idle_is_replaced_unnoticed),
        TEST(an_idle_connection_that_is_hung_up_is_not_watched_for_ever),
        TEST(a_killed_server_is_used_again_when_it_is_back),
        TEST(a_server_that_is_away_is_not_asked_all_the_time),
        TEST(a_stubborn_caller_does_not_make_it_spin),
        TEST(a_server_that_falls_silent_is_given_up),
    };

    pg_own();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

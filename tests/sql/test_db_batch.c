#include "tests/sql/batches.h"

#include <time.h>

enum { MANY = 1000 };

static const struct fan_query q_account = {
    .name = "account",
    .sql = "SELECT coalesce(nullif(current_setting('fan.account', true), ''), '0')::bigint",
};
static const struct fan_query q_share = {
    .name = "share",
    .sql = "SELECT n FROM note WHERE id = $1 FOR SHARE",
};
static const struct fan_query q_all_notes = { .name = "all_notes", .sql = "SELECT * FROM note" };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_batch_commits_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct fan_batch *batch = fan_batch_new(0);
    struct answer answer = { 0 };

    add_note(batch, 1, 5);
    add_note(batch, 2, 0);
    add_id(batch, &q_bump, 1);
    fan_db_submit(f->db, &batch, on_done, &answer);
    assert_null(batch);
    assert_int_equal(fan_db_pending(f->db), 1);
    assert_int_equal(answer.calls, 0);
    settle(f->db);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.err, FAN_OK);
    assert_int_equal(answer.count, 3);
    assert_int_equal(answer.affected, 1);
    assert_int_equal(notes(f), 2);
    assert_int_equal(pg_number(f->url, "SELECT n FROM note WHERE id = 1"), 6);
}

static void each_batch_has_its_own_account(void **state)
{
    struct fixture *f = *state;
    struct answer answers[3] = { 0 };

    for (int i = 0; i < 3; i++) {
        struct fan_batch *batch = fan_batch_new(i == 1 ? 0 : i + 7);
        add_plain(batch, &q_account);
        fan_db_submit(f->db, &batch, on_done, &answers[i]);
    }
    settle(f->db);
    assert_int_equal(answers[0].first, 7);
    assert_int_equal(answers[1].first, 0);
    assert_int_equal(answers[2].first, 9);
}

static void a_thousand_batches_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    struct answer *answers = fan_arena_array(f->arena, MANY, sizeof *answers);

    for (int i = 0; i < MANY; i++)
        submit_note(f->db, i, 0, &answers[i]);
    settle(f->db);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(answers[i].calls, 1);
        assert_int_equal(answers[i].err, FAN_OK);
    }
    assert_int_equal(notes(f), MANY);
}

static void large_batches_flow_while_the_socket_is_full(void **state)
{
    enum { BATCHES = 40, SIZE = 1024 * 1024 };
    static const struct fan_query q_echo = { .name = "echo", .sql = "SELECT 1::bigint, $1" };
    struct fixture *f = *state;
    struct answer answers[BATCHES] = { 0 };
    char *text = fan_arena_alloc(f->arena, SIZE);

    memset(text, 'x', SIZE);
    for (int i = 0; i < BATCHES; i++) {
        struct fan_batch *batch = fan_batch_new(0);
        struct fan_args args;
        fan_args_begin(&args, fan_batch_arena(batch));
        fan_arg_text(&args, (struct fan_bytes){ text, SIZE });
        fan_batch_add(batch, &q_echo, &args);
        fan_db_submit(f->db, &batch, on_done, &answers[i]);
    }
    settle(f->db);
    for (int i = 0; i < BATCHES; i++)
        assert_int_equal(answers[i].first, 1);
}

static void a_failing_batch_leaves_its_neighbours_alone(void **state)
{
    struct fixture *f = *state;
    struct answer answers[5] = { 0 };

    for (int i = 0; i < 5; i++)
        submit_note(f->db, i, i == 2 ? -1 : 0, &answers[i]);
    settle(f->db);
    for (int i = 0; i < 5; i++)
        assert_int_equal(answers[i].err, i == 2 ? FAN_INVALID : FAN_OK);
    assert_string_equal(answers[2].why.field, "note_n_check");
    assert_int_equal(notes(f), 4);
}

static void what_stood_in_front_of_the_failure_is_undone(void **state)
{
    struct fixture *f = *state;
    struct fan_batch *batch = fan_batch_new(3);
    struct answer answer = { 0 };

    add_note(batch, 1, 0);
    add_note(batch, 2, -1);
    add_note(batch, 3, 0);
    fan_db_submit(f->db, &batch, on_done, &answer);
    settle(f->db);
    assert_int_equal(answer.err, FAN_INVALID);
    assert_int_equal(answer.count, 3);
    assert_int_equal(notes(f), 0);
}

static void a_batch_can_be_refused_at_its_commit(void **state)
{
    struct fixture *f = *state;
    struct answer answers[3] = { 0 };

    for (int i = 0; i < 3; i++) {
        struct fan_batch *batch = fan_batch_new(0);
        add_id(batch, &q_late, i);
        add_id(batch, &q_late, i == 1 ? i : i + 10);
        fan_db_submit(f->db, &batch, on_done, &answers[i]);
    }
    settle(f->db);
    assert_int_equal(answers[0].err, FAN_OK);
    assert_int_equal(answers[1].err, FAN_INVALID);
    assert_string_equal(answers[1].why.field, "late_once");
    assert_int_equal(answers[2].err, FAN_OK);
    assert_int_equal(pg_number(f->url, "SELECT count(*) FROM late"), 4);
}

static void a_statement_that_cannot_be_prepared_fails_its_batches_alone(void **state)
{
    struct fixture *f = *state;
    struct answer answers[4] = { 0 };
    struct fan_batch *batch;

    for (int i = 0; i < 4; i++) {
        batch = fan_batch_new(0);
        add_note(batch, i, 0);
        if (i % 2)
            add_plain(batch, &q_missing);
        fan_db_submit(f->db, &batch, on_done, &answers[i]);
    }
    settle(f->db);
    for (int i = 0; i < 4; i++)
        assert_int_equal(answers[i].err, i % 2 ? FAN_INVALID : FAN_OK);
    assert_int_equal(notes(f), 2);
    pg_exec(f->url, "CREATE TABLE nowhere (x int)");
    batch = fan_batch_new(0);
    add_plain(batch, &q_missing);
    fan_db_submit(f->db, &batch, on_done, &answers[0]);
    settle(f->db);
    assert_int_equal(answers[0].err, FAN_OK);
}

static void a_statement_is_prepared_even_when_its_first_batch_is_undone(void **state)
{
    struct fixture *f = *state;
    struct fan_batch *batch = fan_batch_new(0);
    struct answer undone = { 0 }, next = { 0 };

    add_note(batch, 1, -1);
    add_id(batch, &q_bump, 1);
    fan_db_submit(f->db, &batch, on_done, &undone);
    batch = fan_batch_new(0);
    add_note(batch, 1, 0);
    add_id(batch, &q_bump, 1);
    fan_db_submit(f->db, &batch, on_done, &next);
    settle(f->db);
    assert_int_equal(undone.err, FAN_INVALID);
    assert_int_equal(next.err, FAN_OK);
    assert_int_equal(pg_number(f->url, "SELECT n FROM note"), 1);
}

static void a_deadlocked_batch_is_repeated(void **state)
{
    struct fixture *f = *state;
    struct fan_db *other = pg_connect(f->url, FAN_DB_HOT);
    struct answer answers[2] = { 0 };

    pg_exec(f->url, "INSERT INTO note VALUES (1), (2)");
    for (int i = 0; i < 2; i++) {
        struct fan_batch *batch = fan_batch_new(0);
        add_id(batch, &q_bump, 1 + i);
        add_sleep(batch, 0.3);
        add_id(batch, &q_bump, 2 - i);
        fan_db_submit(i ? other : f->db, &batch, on_done, &answers[i]);
    }
    while (fan_db_pending(f->db) || fan_db_pending(other)) {
        turn(f->db);
        turn(other);
    }
    assert_int_equal(answers[0].err, FAN_OK);
    assert_int_equal(answers[1].err, FAN_OK);
    assert_int_equal(pg_number(f->url, "SELECT sum(n)::bigint FROM note"), 4);
    fan_db_free(&other);
}

static void a_table_that_changes_under_a_batch_is_no_matter(void **state)
{
    struct fixture *f = *state;
    struct answer answers[2] = { 0 };

    for (int i = 0; i < 2; i++) {
        struct fan_batch *batch = fan_batch_new(0);
        add_plain(batch, &q_all_notes);
        fan_db_submit(f->db, &batch, on_done, &answers[i]);
        settle(f->db);
        assert_int_equal(answers[i].err, FAN_OK);
        pg_exec(f->url, "ALTER TABLE note ADD COLUMN IF NOT EXISTS more int");
    }
}

static void a_slow_statement_undoes_its_batch_alone(void **state)
{
    struct fan_db_options options = { .name = "test", .statement_timeout_ms = 100 };
    struct fixture *f = *state;
    struct fan_batch *batch = fan_batch_new(0);
    struct answer slow = { 0 }, next = { 0 };

    fan_db_free(&f->db);
    options.url = f->url;
    f->db = fan_db_new(&options);
    add_note(batch, 1, 0);
    add_sleep(batch, 10);
    fan_db_submit(f->db, &batch, on_done, &slow);
    submit_note(f->db, 2, 0, &next);
    settle(f->db);
    assert_int_equal(slow.err, FAN_UNAVAILABLE);
    assert_int_equal(next.err, FAN_OK);
    assert_int_equal(notes(f), 1);
}

static void a_batch_is_sent_while_those_before_it_are_under_way(void **state)
{
    struct fixture *f = *state;
    struct fan_db *other = pg_connect(f->url, FAN_DB_HOT);
    struct fan_batch *batch = fan_batch_new(0);
    struct answer first = { 0 }, second = { 0 };
    int64_t began;

    assert_int_equal(fan_db_exec(other, "BEGIN; INSERT INTO note VALUES (1)", &f->why), FAN_OK);
    submit_note(f->db, 1, 0, &first); /* waits for the other's fate */
    fan_db_io(f->db);
    add_id(batch, &q_share, 1);
    fan_db_submit(f->db, &batch, on_done, &second);
    began = now_ms();
    fan_db_io(f->db);
    assert_true(now_ms() - began < 500); /* nobody waits in there */
    assert_int_equal(fan_db_pending(f->db), 2);
    fan_db_abort(other);
    settle(f->db);
    assert_int_equal(first.err, FAN_OK);
    assert_int_equal(second.err, FAN_OK);
    fan_db_free(&other);
}

struct chain {
    struct fan_db *db;
    int left;
    int failed;
};

static void submit_link(struct chain *chain);

static void on_link(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct chain *chain = context;

    chain->failed += err != FAN_OK;
    if (chain->left > 0)
        submit_link(chain);
    fan_db_io(chain->db); /* has no effect in here, and does no harm */
}

static void submit_link(struct chain *chain)
{
    struct fan_batch *batch = fan_batch_new(0);

    add_note(batch, chain->left--, 0);
    fan_db_submit(chain->db, &batch, on_link, chain);
}

static void an_answer_may_submit_the_next_batch(void **state)
{
    struct fixture *f = *state;
    struct chain chain = { .db = f->db, .left = 50 };

    submit_link(&chain);
    settle(f->db);
    assert_int_equal(chain.left, 0);
    assert_int_equal(chain.failed, 0);
    assert_int_equal(notes(f), 50);
}

static void an_empty_batch_is_fine(void **state)
{
    struct fixture *f = *state;
    struct fan_batch *batch = fan_batch_new(0);
    struct answer answer = { 0 };

    fan_db_submit(f->db, &batch, on_done, &answer);
    settle(f->db);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.err, FAN_OK);
}

static void both_uses_may_follow_each_other(void **state)
{
    struct fixture *f = *state;
    struct answer answer = { 0 };

    for (int i = 0; i < 4; i += 2) {
        assert_int_equal(run_note(f, i, 0), FAN_OK);
        assert_int_equal(commit(f), FAN_OK);
        submit_note(f->db, i + 1, 0, &answer);
        settle(f->db);
        assert_int_equal(answer.err, FAN_OK);
    }
    assert_int_equal(notes(f), 4);
}

static void what_is_given_up_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct fan_batch *batch = fan_batch_new(7);
    struct answer answer = { 0 };

    add_note(batch, 1, 0);
    fan_batch_free(&batch);
    fan_batch_free(&batch);
    submit_note(f->db, 1, 0, &answer);
    fan_db_free(&f->db);
    assert_int_equal(answer.calls, 0);
    assert_int_equal(notes(f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_commits_as_a_whole),
        TEST(each_batch_has_its_own_account),
        TEST(a_thousand_batches_are_answered_in_order),
        TEST(large_batches_flow_while_the_socket_is_full),
        TEST(a_failing_batch_leaves_its_neighbours_alone),
        TEST(what_stood_in_front_of_the_failure_is_undone),
        TEST(a_batch_can_be_refused_at_its_commit),
        TEST(a_statement_that_cannot_be_prepared_fails_its_batches_alone),
        TEST(a_statement_is_prepared_even_when_its_first_batch_is_undone),
        TEST(a_deadlocked_batch_is_repeated),
        TEST(a_table_that_changes_under_a_batch_is_no_matter),
        TEST(a_slow_statement_undoes_its_batch_alone),
        TEST(a_batch_is_sent_while_those_before_it_are_under_way),
        TEST(an_answer_may_submit_the_next_batch),
        TEST(an_empty_batch_is_fine),
        TEST(both_uses_may_follow_each_other),
        TEST(what_is_given_up_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sql/store/analytics: the log across accounts, counted once, on a real database. */
#include "sql/store/analytics.h"
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

static struct world w;
static struct fan_db *reader;

static struct fan_db *log_in(void)
{
    char url[PG_URL];

    pg_url_as(w.url, "fan_analytics", url);
    return pg_connect(url, FAN_DB_HOT);
}

static int make(void **state)
{
    world_open(&w);
    reader = log_in();
    return 0;
}

static int drop(void **state)
{
    fan_db_free(&reader);
    world_close(&w);
    return 0;
}

static struct fan_stat_events next(int64_t limit)
{
    struct fan_stat_events out = { 0 };

    assert_int_equal(fan_stat_events_next(reader, limit, w.arena, &out, &w.why), FAN_OK);
    return out;
}

static void commit(void)
{
    assert_int_equal(fan_db_commit(reader, &w.why), FAN_OK);
}

static void the_log_is_read_across_accounts_in_order_and_once(void **state)
{
    struct fan_stat_events events;

    for (int account = 1; account <= 2; account++)
        world_exec(&w,
                "INSERT INTO event (account_id, type, run_id, body)"
                " VALUES (%d, 1028, 1, '\\x80'), (%d, 1028, NULL, '\\x80')",
                account, account);
    events = next(3);
    assert_int_equal(events.len, 3);
    assert_int_equal(events.at[0].account, 1);
    assert_int_equal(events.at[0].campaign, 1);
    assert_int_equal(events.at[1].campaign, 0);
    assert_int_equal(events.at[2].account, 2);
    assert_int_equal(fan_stat_advance(reader, &events.at[2], w.arena, &w.why), FAN_OK);
    commit();
    assert_int_equal(next(3).len, 1);
    fan_db_abort(reader);
    assert_int_equal(next(3).len, 1); /* it was not said to be counted */
    commit();
}

static void an_event_that_commits_late_is_not_skipped(void **state)
{
    struct fan_db *slow = pg_connect(w.url, FAN_DB_FREE);
    struct fan_stat_events events;

    assert_int_equal(fan_db_exec(slow,
                             "BEGIN; INSERT INTO event (account_id, type, body)"
                             " VALUES (1, 1028, '\\x80')",
                             &w.why),
            FAN_OK);
    world_exec(&w, "INSERT INTO event (account_id, type, body) VALUES (2, 1028, '\\x80')");
    assert_int_equal(next(10).len, 0); /* the later one waits for the earlier one */
    commit();
    assert_int_equal(fan_db_commit(slow, &w.why), FAN_OK);
    events = next(10);
    assert_int_equal(events.len, 2);
    assert_int_equal(events.at[0].account, 1);
    commit();
    fan_db_free(&slow);
}

static void one_reads_at_a_time(void **state)
{
    struct fan_db *other = log_in();
    struct fan_stat_events events;

    assert_int_equal(next(10).len, 0);
    assert_int_equal(fan_stat_events_next(other, 10, w.arena, &events, &w.why), FAN_NOT_FOUND);
    commit();
    fan_db_free(&other);
}

static void counts_are_added_to_their_minutes(void **state)
{
    struct fan_stat_minute minutes[] = {
        { 1, 1, 1, INT64_C(1795176000000000), { 0 } },
        { 2, 1, 1, INT64_C(1795176000000000), { 0 } },
    };

    for (uint32_t i = 0; i < FAN_STAT_COUNT; i++)
        minutes[0].counts[i] = i + 1;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fan_stat_minutes_add(reader, minutes, 2, w.arena, &w.why), FAN_OK);
        commit();
    }
    assert_int_equal(world_number(&w, "SELECT count(*) FROM stat_minute"), 2);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM stat_minute WHERE account_id = 1"
                             " AND minute = '2026-11-20T12:00:00Z' AND planned = 3"
                             " AND sent = 6 AND failed = 9 AND retry = 12 AND unknown = 15"
                             " AND skipped = 18 AND cancelled = 21 AND delivered = 24"
                             " AND read = 27 AND undelivered = 30 AND flagged = 33"),
            1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_log_is_read_across_accounts_in_order_and_once),
        TEST(an_event_that_commits_late_is_not_skipped),
        TEST(one_reads_at_a_time),
        TEST(counts_are_added_to_their_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

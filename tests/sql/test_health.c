/* A channel's health and learned rate: of several senders, the first one does it. */
#include "sql/store/health.h"
#include "tests/support/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { ONE = 101, TWO = 102 };

static struct world w;

static int make(void **state)
{
    world_open(&w);
    return 0;
}

static int drop(void **state)
{
    world_close(&w);
    return 0;
}

/* What a batch's first statement said: a number, or -1 without a row. */
static void keep_number(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    int64_t *out = context;

    (void)why;
    assert_int_equal(err, FAN_OK);
    assert_int_equal(count, 1);
    *out = rows[0].count ? fan_row_i64(&rows[0], 0, 0) : -1;
}

static int64_t run(struct fan_batch **batch)
{
    int64_t number = 0;

    fan_db_submit(w.sender, batch, keep_number, &number);
    world_await(w.sender);
    return number;
}

static struct fan_health_step step_of(uint64_t sender, enum fan_health_state state, uint32_t ms,
        struct fan_channel_health_changed *news)
{
    *news = (struct fan_channel_health_changed){ WORLD_CHANNEL, (uint32_t)state + 1,
        state == FAN_HEALTH_OPEN ? FAN_HEALTH_FAILING : 0, ms };
    return (struct fan_health_step){ WORLD_ACCOUNT, WORLD_CHANNEL, sender, news };
}

static bool open_longer(uint64_t sender, uint32_t ms, bool longer)
{
    struct fan_batch *batch = fan_batch_new(WORLD_ACCOUNT);
    struct fan_channel_health_changed news;
    struct fan_health_step step = step_of(sender, FAN_HEALTH_OPEN, ms, &news);

    fan_health_add_open(batch, &step, longer);
    return run(&batch) > 0;
}

static bool open_it(uint64_t sender, uint32_t ms)
{
    return open_longer(sender, ms, true);
}

static bool try_it(uint64_t sender, int64_t wait_us)
{
    struct fan_batch *batch = fan_batch_new(WORLD_ACCOUNT);
    struct fan_channel_health_changed news;
    struct fan_health_step step = step_of(sender, FAN_HEALTH_HALF_OPEN, 0, &news);

    fan_health_add_try(batch, &step, wait_us);
    return run(&batch) > 0;
}

static bool close_it(uint64_t sender)
{
    struct fan_batch *batch = fan_batch_new(WORLD_ACCOUNT);
    struct fan_channel_health_changed news;
    struct fan_health_step step = step_of(sender, FAN_HEALTH_CLOSED, 0, &news);

    fan_health_add_close(batch, &step);
    return run(&batch) >= 0;
}

static int64_t state(void)
{
    return world_number(&w, "SELECT health FROM channel_pace");
}

static int64_t events(void)
{
    return world_number(&w, "SELECT count(*) FROM event WHERE type = %d", 0x0410);
}

static void a_channel_is_opened_once_however_many_senders_say_so(void **unused)
{
    assert_true(open_it(ONE, 60000));
    assert_false(open_it(TWO, 60000));
    assert_int_equal(state(), FAN_HEALTH_OPEN);
    assert_int_equal(world_number(&w, "SELECT health_times FROM channel_pace"), 1);
    assert_int_equal(events(), 1);
}

static void it_is_tried_by_one_sender_and_not_before_its_time(void **unused)
{
    assert_true(open_it(ONE, 60000));
    assert_false(try_it(TWO, 60000000));
    world_exec(&w, "UPDATE channel_pace SET health_until = fan_now()");
    assert_true(try_it(TWO, 60000000));
    assert_false(try_it(ONE, 60000000));
    assert_false(close_it(ONE));
    assert_false(open_it(ONE, 1000));
    assert_true(close_it(TWO));
    assert_int_equal(state(), FAN_HEALTH_CLOSED);
    assert_int_equal(world_number(&w, "SELECT health_times FROM channel_pace"), 0);
    assert_int_equal(events(), 3);
}

static void a_try_that_fails_opens_it_again_and_counts(void **unused)
{
    assert_true(open_it(ONE, 0));
    assert_true(try_it(ONE, 60000000));
    assert_true(open_it(ONE, 60000));
    assert_int_equal(state(), FAN_HEALTH_OPEN);
    assert_int_equal(world_number(&w, "SELECT health_times FROM channel_pace"), 2);
    world_exec(&w, "UPDATE channel_pace SET health_until = 0");
    assert_true(try_it(ONE, 60000000));
    assert_true(open_longer(ONE, 60000, false));
    assert_int_equal(state(), FAN_HEALTH_OPEN);
    assert_int_equal(world_number(&w, "SELECT health_times FROM channel_pace"), 2);
}

static void a_sender_that_died_trying_is_followed_by_another(void **unused)
{
    assert_true(open_it(ONE, 0));
    assert_true(try_it(ONE, 0));
    assert_true(try_it(TWO, 60000000));
    assert_false(close_it(ONE));
    assert_true(close_it(TWO));
}

static int64_t throttle(int64_t interval, int64_t cut)
{
    struct fan_batch *batch = fan_batch_new(WORLD_ACCOUNT);

    fan_health_add_throttled(batch, WORLD_ACCOUNT, WORLD_CHANNEL, 5000000, interval, cut, 1000000);
    return run(&batch);
}

static int64_t grow(int64_t interval, int64_t grown)
{
    struct fan_batch *batch = fan_batch_new(WORLD_ACCOUNT);

    fan_health_add_grow(batch, WORLD_ACCOUNT, WORLD_CHANNEL, interval, grown, 10000000);
    return run(&batch);
}

static void the_rate_is_cut_once_a_second_and_everybody_waits(void **unused)
{
    assert_int_equal(throttle(10000, 14286), 14286);
    assert_int_equal(throttle(10000, 14286), 14286); /* another sender's, of the same moment */
    assert_int_equal(throttle(14286, 20409), 14286);
    assert_in_range(world_number(&w, "SELECT tat - fan_now() FROM channel_pace"), 4000000, 5000000);
    world_exec(&w, "UPDATE channel_pace SET learned_at = learned_at - 1000000");
    assert_int_equal(throttle(14286, 20409), 20409);
    assert_int_equal(world_number(&w, "SELECT configured_us FROM channel_pace"), 10000);
}

static void it_grows_after_ten_clean_seconds_only(void **unused)
{
    assert_int_equal(throttle(10000, 14286), 14286);
    assert_int_equal(grow(14286, 14005), -1);
    world_exec(&w, "UPDATE channel_pace SET learned_at = learned_at - 10000000");
    assert_int_equal(grow(14286, 14005), -1); /* throttled since, though not cut */
    world_exec(&w, "UPDATE channel_pace SET throttled_at = throttled_at - 10000000");
    assert_int_equal(grow(10000, 9000), -1);
    assert_int_equal(grow(14286, 14005), 14005);
    assert_int_equal(grow(14005, 13730), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_channel_is_opened_once_however_many_senders_say_so),
        TEST(it_is_tried_by_one_sender_and_not_before_its_time),
        TEST(a_try_that_fails_opens_it_again_and_counts),
        TEST(a_sender_that_died_trying_is_followed_by_another),
        TEST(the_rate_is_cut_once_a_second_and_everybody_waits),
        TEST(it_grows_after_ten_clean_seconds_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/sandbox/backlog.h"

enum { PROVIDERS = 2, CAP = 1000 };

struct fixture {
    struct fan_backlog backlog;
    struct fan_backlog_list due[PROVIDERS];
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fan_backlog_init(&fixture.backlog, CAP);
    for (size_t i = 0; i < PROVIDERS; i++)
        fixture.due[i] = (struct fan_backlog_list){ FAN_BACKLOG_NONE, FAN_BACKLOG_NONE };
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fan_backlog_fini(&((struct fixture *)*state)->backlog);
    return 0;
}

static uint32_t add(struct fan_backlog *backlog, uint64_t serial, uint32_t due_ms)
{
    uint32_t index = fan_backlog_add(backlog);

    assert_int_not_equal(index, FAN_BACKLOG_NONE);
    backlog->at[index].serial = serial;
    backlog->at[index].due_ms = due_ms;
    backlog->at[index].provider = serial % PROVIDERS;
    fan_backlog_wait(backlog, index);
    return index;
}

/* Take everything that is due; returns how many, and checks that none came early. */
static unsigned take(struct fixture *fixture, uint32_t now_ms)
{
    unsigned taken = 0;

    fan_backlog_due(&fixture->backlog, now_ms, fixture->due);
    for (size_t provider = 0; provider < PROVIDERS; provider++) {
        uint32_t index;

        while ((index = fan_backlog_pop(&fixture->backlog, &fixture->due[provider])) !=
                FAN_BACKLOG_NONE) {
            const struct fan_pending *pending = &fixture->backlog.at[index];

            assert_int_equal(pending->provider, provider);
            assert_true(pending->due_ms / FAN_BACKLOG_TICK_MS <= now_ms / FAN_BACKLOG_TICK_MS);
            fan_backlog_remove(&fixture->backlog, index);
            taken++;
        }
    }
    return taken;
}

static void each_record_is_due_once_and_in_time(void **state)
{
    struct fixture *fixture = *state;
    unsigned taken = 0;

    for (uint64_t i = 0; i < CAP; i++)
        add(&fixture->backlog, i, (uint32_t)(i * 37)); /* beyond one turn of the wheel */
    for (uint32_t now = 0; now <= CAP * 37; now += 10) {
        unsigned right = now / FAN_BACKLOG_TICK_MS;

        taken += take(fixture, now);
        if (right > 0) /* what was due at the start waits for the first tick */
            assert_in_range(taken, now / 37 > 0 ? now / 37 - 1 : 0, now / 37 + 2);
    }
    assert_int_equal(taken, CAP);
    assert_int_equal(fixture->backlog.used, 0);
}

static void a_sleep_longer_than_the_wheel_loses_nothing(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 0; i < CAP; i++)
        add(&fixture->backlog, i, (uint32_t)(i * 97));
    assert_int_equal(take(fixture, 10 * CAP * 97), CAP);
}

static void what_is_due_already_comes_with_the_next_tick(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(take(fixture, 5000), 0);
    add(&fixture->backlog, 1, 0);
    assert_int_equal(take(fixture, 5000 + FAN_BACKLOG_TICK_MS), 1);
}

static void the_cap_holds_and_freed_records_are_used_again(void **state)
{
    struct fixture *fixture = *state;
    uint32_t last = 0;

    for (uint64_t i = 0; i < CAP; i++)
        last = add(&fixture->backlog, i, 100);
    assert_int_equal(fan_backlog_add(&fixture->backlog), FAN_BACKLOG_NONE);
    assert_int_equal(take(fixture, 200), CAP);
    for (uint64_t i = 0; i < CAP; i++)
        last = add(&fixture->backlog, i, 100);
    assert_in_range(last, 0, CAP - 1);
    assert_int_equal(fixture->backlog.room, CAP);
}

static void a_list_keeps_its_order(void **state)
{
    struct fixture *fixture = *state;
    struct fan_backlog_list list = { FAN_BACKLOG_NONE, FAN_BACKLOG_NONE };
    uint32_t a = fan_backlog_add(&fixture->backlog), b = fan_backlog_add(&fixture->backlog);

    fan_backlog_push(&fixture->backlog, &list, b);
    fan_backlog_push(&fixture->backlog, &list, a);
    assert_int_equal(fan_backlog_pop(&fixture->backlog, &list), b);
    fan_backlog_push(&fixture->backlog, &list, b);
    assert_int_equal(fan_backlog_pop(&fixture->backlog, &list), a);
    assert_int_equal(fan_backlog_pop(&fixture->backlog, &list), b);
    assert_int_equal(fan_backlog_pop(&fixture->backlog, &list), FAN_BACKLOG_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_record_is_due_once_and_in_time),
        TEST(a_sleep_longer_than_the_wheel_loses_nothing),
        TEST(what_is_due_already_comes_with_the_next_tick),
        TEST(the_cap_holds_and_freed_records_are_used_again),
        TEST(a_list_keeps_its_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

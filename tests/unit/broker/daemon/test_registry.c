#include "broker/daemon/registry.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { RENDER = 0x0201, SEND = 0x0203 };

static struct fan_worker *add(struct fan_registry *registry, uint64_t incarnation,
        enum fan_kind kind, int64_t takes, uint64_t credit)
{
    const struct fan_hello hello = {
        .worker = incarnation,
        .role = FAN_LIT("sender"),
        .kind = kind,
        .takes = { &takes, 1 },
    };
    struct fan_worker *worker = fan_registry_add(registry, &hello, 0);

    worker->met = true;
    worker->lane[FAN_LANE_NORMAL].granted = credit;
    return worker;
}

static uint64_t chosen(struct fan_registry *registry, uint32_t number, enum fan_kind kind)
{
    struct fan_worker *worker = fan_registry_choose(registry, number, kind, FAN_LANE_NORMAL);

    return worker ? worker->incarnation : 0;
}

static void a_frame_goes_to_who_takes_its_number_and_kind(void **state)
{
    struct fan_registry registry = { 0 };

    add(&registry, 1, FAN_KIND_SMS, SEND, 5);
    add(&registry, 2, FAN_KIND_EMAIL, SEND, 5);
    add(&registry, 3, 0, RENDER, 5);
    assert_int_equal(chosen(&registry, SEND, FAN_KIND_SMS), 1);
    assert_int_equal(chosen(&registry, SEND, FAN_KIND_EMAIL), 2);
    assert_int_equal(chosen(&registry, SEND, FAN_KIND_PUSH), 0);
    assert_int_equal(chosen(&registry, RENDER, FAN_KIND_PUSH), 3); /* serves any kind */
    assert_int_equal(chosen(&registry, RENDER, 0), 3);
    assert_int_equal(chosen(&registry, 0x0299, 0), 0);
    fan_registry_fini(&registry);
}

static void who_has_most_credit_comes_first_and_equals_take_turns(void **state)
{
    struct fan_registry registry = { 0 };
    struct fan_worker *rich = add(&registry, 1, 0, SEND, 3);

    add(&registry, 2, 0, SEND, 2);
    add(&registry, 3, 0, SEND, 2);
    assert_int_equal(chosen(&registry, SEND, 0), 1);
    fan_worker_sent(rich, FAN_LANE_NORMAL);
    fan_worker_sent(rich, FAN_LANE_NORMAL);
    assert_int_equal(chosen(&registry, SEND, 0), 2);
    assert_int_equal(chosen(&registry, SEND, 0), 3);
    assert_int_equal(chosen(&registry, SEND, 0), 2);
    fan_registry_fini(&registry);
}

static void nobody_is_chosen_without_credit_or_before_it_was_met(void **state)
{
    struct fan_registry registry = { 0 };
    struct fan_worker *worker = add(&registry, 1, 0, SEND, 1);

    worker->met = false;
    assert_int_equal(chosen(&registry, SEND, 0), 0);
    worker->met = true;
    worker->is_full = true;
    assert_int_equal(chosen(&registry, SEND, 0), 0);
    worker->is_full = false;
    fan_worker_sent(worker, FAN_LANE_NORMAL);
    assert_int_equal(chosen(&registry, SEND, 0), 0);
    fan_registry_fini(&registry);
}

static void a_total_that_comes_late_takes_nothing_back(void **state)
{
    struct fan_registry registry = { 0 };
    struct fan_worker *worker = add(&registry, 1, 0, SEND, 0);

    fan_worker_credit(worker, &(struct fan_credit){ .normal = 8 }, 1);
    fan_worker_credit(worker, &(struct fan_credit){ .normal = 5 }, 2);
    fan_worker_credit(worker, &(struct fan_credit){ .normal = 8 }, 3);
    assert_int_equal(fan_worker_left(worker, FAN_LANE_NORMAL), 8);
    fan_registry_fini(&registry);
}

static void a_frame_that_never_came_gives_its_credit_back(void **state)
{
    struct fan_registry registry = { 0 };
    struct fan_worker *worker = add(&registry, 1, 0, SEND, 4);
    struct fan_credit credit = { .normal = 4 };
    fan_time now = 100 * FAN_SECOND;

    assert_int_equal(fan_worker_credit(worker, &credit, now), 0);
    for (int i = 0; i < 3; i++)
        fan_worker_sent(worker, FAN_LANE_NORMAL);
    credit.normal_came = 1;
    assert_int_equal(fan_worker_credit(worker, &credit, now + FAN_SECOND), 0); /* on their way? */
    assert_int_equal(fan_worker_credit(worker, &credit, now + 6 * FAN_SECOND), 0);
    assert_int_equal(fan_worker_credit(worker, &credit, now + 12 * FAN_SECOND), 2);
    assert_int_equal(fan_worker_left(worker, FAN_LANE_NORMAL), 3);
    credit.normal_came = 3; /* they come after all */
    assert_int_equal(fan_worker_credit(worker, &credit, now + 13 * FAN_SECOND), 0);
    assert_int_equal(fan_worker_left(worker, FAN_LANE_NORMAL), 1);
    fan_registry_fini(&registry);
}

static void a_worker_that_says_nothing_for_three_seconds_is_silent(void **state)
{
    struct fan_registry registry = { 0 };
    struct fan_worker *one = add(&registry, 1, 0, SEND, 1);

    add(&registry, 2, 0, SEND, 1);
    for (fan_time now = 0; now <= 3 * FAN_SECOND; now += FAN_SECOND / 4) {
        one->heard = now;
        assert_null(fan_registry_silent(&registry, now));
    }
    assert_int_equal(fan_registry_silent(&registry, 3 * FAN_SECOND + 1)->incarnation, 2);
    fan_registry_fini(&registry);
}

static void a_broker_that_was_stopped_itself_blames_nobody(void **state)
{
    struct fan_registry registry = { 0 };

    add(&registry, 1, 0, SEND, 1);
    assert_null(fan_registry_silent(&registry, 0));
    assert_null(fan_registry_silent(&registry, 10 * FAN_SECOND));
    for (int i = 1; i <= 12; i++)
        assert_null(fan_registry_silent(&registry, 10 * FAN_SECOND + i * FAN_SECOND / 4));
    assert_non_null(fan_registry_silent(&registry, 13 * FAN_SECOND + 1));
    fan_registry_fini(&registry);
}

static void a_worker_that_left_is_found_no_more(void **state)
{
    struct fan_registry registry = { 0 };
    struct fan_worker *worker = add(&registry, 1, 0, SEND, 1);

    add(&registry, 2, 0, SEND, 1);
    fan_registry_remove(&registry, &worker);
    assert_null(worker);
    assert_null(fan_registry_find(&registry, 1));
    assert_non_null(fan_registry_find(&registry, 2));
    fan_registry_fini(&registry);
}

static void more_workers_than_there_are_sockets_are_refused(void **state)
{
    static struct fan_registry registry;
    const struct fan_hello hello = { .worker = FAN_WORKERS_MAX + 1 };

    for (uint64_t i = 1; i <= FAN_WORKERS_MAX; i++)
        add(&registry, i, 0, SEND, 1);
    assert_null(fan_registry_add(&registry, &hello, 0));
    fan_registry_fini(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_goes_to_who_takes_its_number_and_kind),
        cmocka_unit_test(who_has_most_credit_comes_first_and_equals_take_turns),
        cmocka_unit_test(nobody_is_chosen_without_credit_or_before_it_was_met),
        cmocka_unit_test(a_total_that_comes_late_takes_nothing_back),
        cmocka_unit_test(a_frame_that_never_came_gives_its_credit_back),
        cmocka_unit_test(a_worker_that_says_nothing_for_three_seconds_is_silent),
        cmocka_unit_test(a_broker_that_was_stopped_itself_blames_nobody),
        cmocka_unit_test(more_workers_than_there_are_sockets_are_refused),
        cmocka_unit_test(a_worker_that_left_is_found_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

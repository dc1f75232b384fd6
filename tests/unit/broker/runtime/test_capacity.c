#include "broker/runtime/capacity.h"

#include <stdio.h>
#include <stdlib.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct fan_capacity with_brokers(uint32_t frames, int brokers)
{
    struct fan_capacity capacity = { .frames = frames };

    for (int i = 0; i < brokers; i++)
        fan_capacity_live(&capacity, i, true);
    return capacity;
}

static void each_live_broker_gets_its_share(void **state)
{
    struct fan_capacity capacity = with_brokers(8, 2);

    assert_int_equal(fan_capacity_grant(&capacity, 0), 4);
    assert_int_equal(fan_capacity_grant(&capacity, 1), 4);
}

static void a_worker_with_room_for_one_frame_takes_one_from_each_broker(void **state)
{
    struct fan_capacity capacity = with_brokers(1, 2);

    assert_int_equal(fan_capacity_grant(&capacity, 0), 1);
    assert_int_equal(fan_capacity_grant(&capacity, 1), 1);
}

static void who_takes_nothing_grants_nothing(void **state)
{
    struct fan_capacity capacity = with_brokers(0, 2);

    assert_int_equal(fan_capacity_grant(&capacity, 0), 0);
}

static void finished_frames_are_granted_again(void **state)
{
    struct fan_capacity capacity = with_brokers(4, 1);

    assert_int_equal(fan_capacity_grant(&capacity, 0), 4);
    fan_capacity_came(&capacity, 0);
    fan_capacity_came(&capacity, 0);
    assert_int_equal(fan_capacity_grant(&capacity, 0), 4);
    assert_int_equal(fan_capacity_finished(&capacity), 0);
    assert_false(fan_capacity_is_due(&capacity, 0));
    assert_int_equal(fan_capacity_finished(&capacity), 0);
    assert_true(fan_capacity_is_due(&capacity, 0));
    assert_int_equal(fan_capacity_grant(&capacity, 0), 6);
}

static void a_silent_broker_leaves_its_share_to_the_others(void **state)
{
    struct fan_capacity capacity = with_brokers(8, 2);

    fan_capacity_grant(&capacity, 0);
    fan_capacity_grant(&capacity, 1);
    fan_capacity_came(&capacity, 1);
    fan_capacity_live(&capacity, 1, false);
    assert_int_equal(fan_capacity_grant(&capacity, 0), 7); /* one of its frames is in flight */
}

static void frames_of_a_forgotten_broker_still_take_room(void **state)
{
    struct fan_capacity capacity = with_brokers(4, 1);

    fan_capacity_grant(&capacity, 0);
    for (int i = 0; i < 3; i++)
        fan_capacity_came(&capacity, 0);
    fan_capacity_forgotten(&capacity, 0);
    assert_int_equal(fan_capacity_grant(&capacity, 0), 1);
    assert_int_equal(fan_capacity_finished(&capacity), -1);
    assert_int_equal(fan_capacity_grant(&capacity, 0), 2);
}

static void a_frame_given_back_twice_changes_nothing(void **state)
{
    struct fan_capacity capacity = with_brokers(2, 1);

    assert_int_equal(fan_capacity_finished(&capacity), -1);
    assert_int_equal(fan_capacity_grant(&capacity, 0), 2);
}

/* Brokers send what they were granted, at random; they come, go and forget. */
static void what_is_in_flight_stays_within_the_capacity(void **state)
{
    enum { BROKERS = 3, STEPS = 200000 };
    struct fan_capacity capacity = with_brokers(10, BROKERS);
    uint64_t granted[BROKERS] = { 0 }, sent[BROKERS] = { 0 };
    uint64_t in_flight = 0;

    srandom(7);
    for (int step = 0; step < STEPS; step++) {
        int broker = (int)(random() % BROKERS);

        switch (random() % 8) {
        case 0:
        case 1:
            granted[broker] = fan_capacity_grant(&capacity, broker);
            break;
        case 2:
        case 3:
        case 4:
            if (sent[broker] < granted[broker] && capacity.line[broker].live) {
                sent[broker]++;
                in_flight++;
                fan_capacity_came(&capacity, broker);
            }
            break;
        case 5:
        case 6:
            if (in_flight) {
                in_flight--;
                fan_capacity_finished(&capacity);
            }
            break;
        default:
            if (random() % 100 != 0)
                break;
            fan_capacity_forgotten(&capacity, broker);
            granted[broker] = sent[broker] = 0;
        }
        assert_true(in_flight <= 10 + BROKERS - 1);
        assert_true(granted[broker] <= capacity.line[broker].told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_live_broker_gets_its_share),
        cmocka_unit_test(a_worker_with_room_for_one_frame_takes_one_from_each_broker),
        cmocka_unit_test(who_takes_nothing_grants_nothing),
        cmocka_unit_test(finished_frames_are_granted_again),
        cmocka_unit_test(a_silent_broker_leaves_its_share_to_the_others),
        cmocka_unit_test(frames_of_a_forgotten_broker_still_take_room),
        cmocka_unit_test(a_frame_given_back_twice_changes_nothing),
        cmocka_unit_test(what_is_in_flight_stays_within_the_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/cli/supervise.h"

#define AT(seconds) ((fan_time)((seconds)*FAN_SECOND))

static const struct fan_slot_rules database = { .gate = true,
    .wave = 0,
    .leave = 2,
    .stop_ms = 3000 };
static const struct fan_slot_rules job = { .once = true,
    .gate = true,
    .wave = 1,
    .leave = 1,
    .restart_ms = FAN_BACKOFF_MOST_MS };
static const struct fan_slot_rules worker = { .wave = 2,
    .leave = 1,
    .stop_ms = 1000,
    .restart_ms = FAN_BACKOFF_MOST_MS };
static const struct fan_slot_rules door = { .wave = 2, .leave = 0 };

static void a_pause_doubles_up_to_half_a_minute(void **state)
{
    static const struct {
        uint32_t failures, least, most;
    } cases[] = {
        { 0, 400, 600 },
        { 1, 400, 600 },
        { 2, 800, 1200 },
        { 3, 1600, 2400 },
        { 6, 12800, 19200 },
        { 7, 24000, 36000 },
        { 1000, 24000, 36000 },
        { UINT32_MAX, 24000, 36000 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(fan_backoff_ms(cases[i].failures, FAN_BACKOFF_MOST_MS, 0), cases[i].least);
        for (uint32_t random = 0; random < 100000; random += 997)
            assert_in_range(fan_backoff_ms(cases[i].failures, FAN_BACKOFF_MOST_MS, random),
                    cases[i].least, cases[i].most);
    }
}

static void a_pause_is_never_longer_than_it_may_be(void **state)
{
    assert_int_equal(fan_backoff_ms(1, 100, 0), 80);
    for (uint32_t random = 0; random < 1000; random++)
        assert_in_range(fan_backoff_ms(20, 100, random), 80, 120);
    assert_int_equal(fan_backoff_ms(20, 0, 7), 0);
}

static void pauses_differ_by_chance(void **state)
{
    assert_int_not_equal(fan_backoff_ms(3, 30000, 1), fan_backoff_ms(3, 30000, 700));
}

static void a_wave_waits_for_the_gates_before_it(void **state)
{
    struct fan_slot slots[3];

    fan_slot_init(&slots[0], database);
    fan_slot_init(&slots[1], job);
    fan_slot_init(&slots[2], worker);
    assert_true(fan_slot_may_start(slots, 3, 0, AT(1)));
    assert_false(fan_slot_may_start(slots, 3, 1, AT(1)));

    fan_slot_started(&slots[0], 10, AT(1));
    assert_false(fan_slot_may_start(slots, 3, 1, AT(1)));
    fan_slot_ready(&slots[0], AT(2));
    assert_true(fan_slot_may_start(slots, 3, 1, AT(2)));
    assert_false(fan_slot_may_start(slots, 3, 2, AT(2)));

    fan_slot_started(&slots[1], 11, AT(2));
    fan_slot_ready(&slots[1], AT(2));
    assert_false(fan_slot_may_start(slots, 3, 2, AT(2))); /* a job is a gate when it is done */
    fan_slot_ended(&slots[1], true, AT(3), 0);
    assert_true(fan_slot_may_start(slots, 3, 2, AT(3)));
    assert_false(fan_slots_ready(slots, 3));
    fan_slot_started(&slots[2], 12, AT(3));
    fan_slot_ready(&slots[2], AT(3));
    assert_true(fan_slots_ready(slots, 3));
}

static void nothing_is_restarted_while_its_gate_is_closed(void **state)
{
    struct fan_slot slots[2];

    fan_slot_init(&slots[0], database);
    fan_slot_init(&slots[1], worker);
    fan_slot_started(&slots[0], 10, AT(0));
    fan_slot_ended(&slots[0], false, AT(1), 0);
    assert_false(fan_slot_may_start(slots, 2, 1, AT(100)));
}

static void a_job_that_failed_is_repeated(void **state)
{
    struct fan_slot slot;

    fan_slot_init(&slot, job);
    fan_slot_started(&slot, 10, AT(0));
    fan_slot_ended(&slot, false, AT(1), 0);
    assert_int_equal(slot.state, FAN_SLOT_WAITING);
    assert_false(fan_slot_may_start(&slot, 1, 0, AT(1) + 399 * FAN_MS));
    assert_true(fan_slot_may_start(&slot, 1, 0, AT(1) + 400 * FAN_MS));
}

static void a_process_that_ended_well_is_started_again_all_the_same(void **state)
{
    struct fan_slot slot;

    fan_slot_init(&slot, worker);
    fan_slot_started(&slot, 10, AT(0));
    fan_slot_ended(&slot, true, AT(1), 0);
    assert_int_equal(slot.state, FAN_SLOT_WAITING);
    assert_int_equal(slot.restarts, 1);
}

static void a_minute_of_health_is_a_new_beginning(void **state)
{
    struct fan_slot slot;
    fan_time now = 0;

    fan_slot_init(&slot, worker);
    for (int i = 1; i <= FAN_STORM_FAILURES; i++) {
        fan_slot_started(&slot, 10, now);
        now += AT(59);
        fan_slot_ended(&slot, false, now, 0);
        assert_int_equal(slot.failures, i);
        assert_int_equal(fan_slot_storm(&slot), i == FAN_STORM_FAILURES);
    }
    fan_slot_started(&slot, 10, now);
    fan_slot_ended(&slot, false, now + AT(60), 0);
    assert_int_equal(slot.failures, 1);
    assert_int_equal(slot.restarts, FAN_STORM_FAILURES + 1);
    assert_false(fan_slot_storm(&slot));
}

static void a_program_that_cannot_be_run_waits_longer_and_longer(void **state)
{
    struct fan_slot slot;

    fan_slot_init(&slot, worker);
    for (uint32_t i = 1; i < 9; i++) {
        fan_slot_ended(&slot, false, AT(1000), 0);
        assert_int_equal(slot.failures, i);
        assert_int_equal(slot.not_before, AT(1000) + fan_backoff_ms(i, 30000, 0) * FAN_MS);
    }
}

static void processes_stop_in_their_order(void **state)
{
    struct fan_slot slots[3];

    fan_slot_init(&slots[0], database);
    fan_slot_init(&slots[1], worker);
    fan_slot_init(&slots[2], door);
    for (int i = 0; i < 3; i++)
        fan_slot_started(&slots[i], 10 + i, AT(0));
    assert_false(fan_slot_may_stop(slots, 3, 0));
    assert_false(fan_slot_may_stop(slots, 3, 1));
    assert_true(fan_slot_may_stop(slots, 3, 2));

    fan_slot_stopping(&slots[2], AT(1));
    assert_false(fan_slot_may_stop(slots, 3, 2));
    assert_false(fan_slot_may_stop(slots, 3, 1));
    fan_slot_ended(&slots[2], false, AT(2), 0);
    assert_int_equal(slots[2].state, FAN_SLOT_DONE);
    assert_true(fan_slot_may_stop(slots, 3, 1));

    fan_slot_stopping(&slots[1], AT(2));
    fan_slot_ended(&slots[1], true, AT(3), 0);
    assert_true(fan_slot_may_stop(slots, 3, 0));
    assert_false(fan_slots_gone(slots, 3));
    fan_slot_stopping(&slots[0], AT(3));
    fan_slot_ended(&slots[0], true, AT(4), 0);
    assert_true(fan_slots_gone(slots, 3));
}

static void what_does_not_stop_in_time_is_overdue(void **state)
{
    struct fan_slot slot;

    fan_slot_init(&slot, worker);
    fan_slot_started(&slot, 10, AT(0));
    assert_false(fan_slot_overdue(&slot, AT(1000)));
    fan_slot_stopping(&slot, AT(1000));
    assert_false(fan_slot_overdue(&slot, AT(1000) + 999 * FAN_MS));
    assert_true(fan_slot_overdue(&slot, AT(1001)));
}

static void what_waits_for_its_back_off_stops_at_once(void **state)
{
    struct fan_slot slot;

    fan_slot_init(&slot, worker);
    fan_slot_started(&slot, 10, AT(0));
    fan_slot_ended(&slot, false, AT(1), 0);
    assert_true(fan_slot_may_stop(&slot, 1, 0));
    fan_slot_stopping(&slot, AT(1));
    assert_int_equal(slot.state, FAN_SLOT_DONE);
    assert_false(fan_slot_may_start(&slot, 1, 0, AT(100)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_doubles_up_to_half_a_minute),
        cmocka_unit_test(a_pause_is_never_longer_than_it_may_be),
        cmocka_unit_test(pauses_differ_by_chance),
        cmocka_unit_test(a_wave_waits_for_the_gates_before_it),
        cmocka_unit_test(nothing_is_restarted_while_its_gate_is_closed),
        cmocka_unit_test(a_job_that_failed_is_repeated),
        cmocka_unit_test(a_process_that_ended_well_is_started_again_all_the_same),
        cmocka_unit_test(a_minute_of_health_is_a_new_beginning),
        cmocka_unit_test(a_program_that_cannot_be_run_waits_longer_and_longer),
        cmocka_unit_test(processes_stop_in_their_order),
        cmocka_unit_test(what_does_not_stop_in_time_is_overdue),
        cmocka_unit_test(what_waits_for_its_back_off_stops_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

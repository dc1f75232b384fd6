#include "actors/lib/decide/slots.h"

#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define AT (1000 * FAN_SECOND)

/* Use all that are left from @now on, each as soon as it may be; returns when the last one was. */
static fan_time use_all(struct fan_slots *slots, fan_time now, fan_time interval, fan_time *first)
{
    *first = 0;
    while (fan_slots_left(slots, now) > 0) {
        if (fan_slots_next(slots) > now) {
            now = fan_slots_next(slots);
            continue;
        }
        fan_slots_use(slots, now, interval);
        *first = *first ? *first : now;
    }
    return now;
}

static void slots_are_used_one_interval_apart(void **state)
{
    struct fan_slots slots = { .count = 0 };
    fan_time first;

    assert_int_equal(fan_slots_left(&slots, AT), 0);
    fan_slots_add(&slots, 5, AT, FAN_SECOND);
    assert_int_equal(fan_slots_left(&slots, AT), 5);
    assert_int_equal(use_all(&slots, AT, FAN_SECOND, &first), AT + 4 * FAN_SECOND);
    assert_int_equal(first, AT);
}

/* Of a slow channel the next block is asked for while one slot is left: it is used at its time, and
 * not when the new block begins. */
static void what_is_left_of_a_block_is_used_before_the_next_one(void **state)
{
    struct fan_slots slots = { .count = 0 };

    fan_slots_add(&slots, 1, AT + FAN_SECOND, 2 * FAN_SECOND);
    fan_slots_add(&slots, 2, AT + 9 * FAN_SECOND, 2 * FAN_SECOND); /* others have those between */
    assert_int_equal(fan_slots_left(&slots, AT), 3);
    assert_int_equal(fan_slots_next(&slots), AT + FAN_SECOND);
    fan_slots_use(&slots, AT + FAN_SECOND, 2 * FAN_SECOND);
    assert_int_equal(fan_slots_next(&slots), AT + 9 * FAN_SECOND);
    fan_slots_use(&slots, AT + 9 * FAN_SECOND, 2 * FAN_SECOND);
    assert_int_equal(fan_slots_next(&slots), AT + 11 * FAN_SECOND);
}

static void a_pause_is_not_made_up_for_by_a_burst(void **state)
{
    struct fan_slots slots = { .count = 0 };
    fan_time now = AT + 500 * FAN_MS;
    int burst = 0;

    fan_slots_add(&slots, 100, AT, 10 * FAN_MS); /* of one second */
    while (fan_slots_left(&slots, now) > 0 && fan_slots_next(&slots) <= now) {
        fan_slots_use(&slots, now, 10 * FAN_MS);
        burst++;
    }
    assert_in_range(burst, 1, 6);
    assert_int_equal(fan_slots_left(&slots, AT + FAN_SECOND + 51 * FAN_MS), 0);
}

static void a_block_whose_time_is_over_leaves_the_next_one_as_it_is(void **state)
{
    struct fan_slots slots = { .count = 0 };

    fan_slots_add(&slots, 2, AT, FAN_SECOND);
    fan_slots_add(&slots, 3, AT + 10 * FAN_SECOND, FAN_SECOND);
    assert_int_equal(fan_slots_left(&slots, AT + 5 * FAN_SECOND), 3);
    assert_int_equal(fan_slots_next(&slots), AT + 10 * FAN_SECOND);
}

static void there_is_room_for_a_few_blocks(void **state)
{
    struct fan_slots slots = { .count = 0 };

    for (int i = 0; i < FAN_SLOTS_BLOCKS; i++) {
        assert_true(fan_slots_have_room(&slots));
        fan_slots_add(&slots, 1, AT + i * FAN_SECOND, FAN_SECOND);
    }
    assert_false(fan_slots_have_room(&slots));
    fan_slots_use(&slots, AT, FAN_SECOND);
    assert_true(fan_slots_have_room(&slots));
}

/* However blocks come, no second sees more slots than there were for it, and 5 % more. */
static void no_second_sees_more_than_its_slots(void **state)
{
    static const fan_time interval = 10 * FAN_MS;
    struct fan_slots slots = { .count = 0 };
    fan_time tat = AT, used[2048];
    uint32_t random = 7;
    size_t count = 0;

    for (fan_time now = AT; now < AT + 12 * FAN_SECOND; now += FAN_MS) {
        random = random * 1664525u + 1013904223u;
        if (fan_slots_left(&slots, now) < 25 && fan_slots_have_room(&slots)) {
            tat = tat < now ? now : tat;
            tat += (random >> 30) * interval; /* others had some */
            fan_slots_add(&slots, 50, tat, interval);
            tat += 50 * interval;
        }
        if (random >> 24 == 0)
            now += 30 * FAN_MS; /* away for a moment */
        while (fan_slots_left(&slots, now) > 0 && fan_slots_next(&slots) <= now && count < 2048) {
            fan_slots_use(&slots, now, interval);
            used[count++] = now;
        }
    }
    assert_true(count > 900); /* and hardly one is lost */
    for (size_t i = 0; i + 106 < count; i++)
        assert_true(used[i + 106] - used[i] >= FAN_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_used_one_interval_apart),
        cmocka_unit_test(what_is_left_of_a_block_is_used_before_the_next_one),
        cmocka_unit_test(a_pause_is_not_made_up_for_by_a_burst),
        cmocka_unit_test(a_block_whose_time_is_over_leaves_the_next_one_as_it_is),
        cmocka_unit_test(there_is_room_for_a_few_blocks),
        cmocka_unit_test(no_second_sees_more_than_its_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

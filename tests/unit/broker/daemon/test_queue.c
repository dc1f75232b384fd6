#include "broker/daemon/queue.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* Packets are not looked into: numbers serve as well. */
static struct fan_packet *packet(uintptr_t number)
{
    return (struct fan_packet *)number; /* NOLINT(performance-no-int-to-ptr) */
}

static void on_late(void *context, struct fan_packet *late)
{
    int *count = context;

    (void)late;
    (*count)++;
}

static const struct fan_queue_key key = { 0x0203, FAN_KIND_SMS, FAN_LANE_NORMAL };

static bool put(struct fan_queues *queues, uintptr_t number, size_t bytes, fan_time dies_at,
        fan_time now)
{
    const struct fan_queued frame = { packet(number), bytes, dies_at };

    return fan_queues_put(queues, &key, &frame, now);
}

static void frames_leave_in_the_order_they_came(void **state)
{
    int late = 0;
    struct fan_queues queues = { .bytes_max = 1000, .on_late = on_late, .context = &late };

    for (uintptr_t i = 1; i <= 3; i++)
        assert_true(put(&queues, i, 10, 100, 0));
    for (uintptr_t i = 1; i <= 3; i++) {
        assert_ptr_equal(fan_queue_peek(&queues, queues.at[0], 1)->packet, packet(i));
        fan_queue_pop(&queues, queues.at[0]);
    }
    assert_null(fan_queue_peek(&queues, queues.at[0], 1));
    assert_int_equal(queues.bytes, 0);
    assert_int_equal(late, 0);
    fan_queues_fini(&queues);
}

static void the_newest_is_refused_when_64_wait(void **state)
{
    int late = 0;
    struct fan_queues queues = { .bytes_max = 100000, .on_late = on_late, .context = &late };

    for (uintptr_t i = 1; i <= FAN_QUEUE_FRAMES; i++)
        assert_true(put(&queues, i, 10, i == 1 ? 50 : 100, 0));
    assert_false(put(&queues, 99, 10, 100, 0));
    assert_int_equal(fan_queues_waiting(&queues, FAN_LANE_NORMAL), FAN_QUEUE_FRAMES);
    assert_int_equal(fan_queues_waiting(&queues, FAN_LANE_URGENT), 0);
    assert_true(put(&queues, 99, 10, 100, 60)); /* the oldest's time is over */
    assert_int_equal(late, 1);
    fan_queues_fini(&queues);
    assert_int_equal(late, 1 + FAN_QUEUE_FRAMES);
}

static void the_newest_is_refused_when_too_many_bytes_wait(void **state)
{
    int late = 0;
    struct fan_queues queues = { .bytes_max = 100, .on_late = on_late, .context = &late };

    assert_true(put(&queues, 1, 60, 100, 0));
    assert_false(put(&queues, 2, 60, 100, 0));
    assert_true(put(&queues, 3, 40, 100, 0));
    fan_queues_fini(&queues);
}

static void a_frame_whose_time_is_over_is_not_handed_out(void **state)
{
    int late = 0;
    struct fan_queues queues = { .bytes_max = 100, .on_late = on_late, .context = &late };

    put(&queues, 1, 1, 10, 0);
    put(&queues, 2, 1, 30, 0);
    assert_ptr_equal(fan_queue_peek(&queues, queues.at[0], 20)->packet, packet(2));
    assert_int_equal(late, 1);
    assert_int_equal(queues.bytes, 1);
    fan_queues_fini(&queues);
}

static void senseless_keys_do_not_use_up_the_table(void **state)
{
    int late = 0;
    struct fan_queues queues = { .bytes_max = 100000, .on_late = on_late, .context = &late };
    const struct fan_queued frame = { packet(1), 1, 10 };

    for (uint32_t number = 0; number < 3 * FAN_QUEUES_MAX; number++) {
        const struct fan_queue_key other = { number, 0, FAN_LANE_NORMAL };
        bool taken = fan_queues_put(&queues, &other, &frame, 0);

        assert_int_equal(taken, number < FAN_QUEUES_MAX);
    }
    for (size_t i = 0; i < queues.len; i++)
        assert_null(fan_queue_peek(&queues, queues.at[i], 11));
    assert_true(put(&queues, 7, 1, 20, 11));
    assert_int_equal(queues.len, FAN_QUEUES_MAX);
    fan_queues_fini(&queues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_leave_in_the_order_they_came),
        cmocka_unit_test(the_newest_is_refused_when_64_wait),
        cmocka_unit_test(the_newest_is_refused_when_too_many_bytes_wait),
        cmocka_unit_test(a_frame_whose_time_is_over_is_not_handed_out),
        cmocka_unit_test(senseless_keys_do_not_use_up_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

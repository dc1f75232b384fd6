/* A sender's claim on a chunk: who gets it, and what it may open. */
#include "tests/support/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

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

static struct fan_claim_taken take(fan_id chunk, uint32_t epoch, uint64_t owner)
{
    struct fan_claim_taken taken = { 0 };

    assert_true(world_take(&w, chunk, epoch, owner, &taken));
    return taken;
}

static void a_rendered_chunk_is_claimed_under_a_new_epoch(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 10);
    struct fan_claim_taken taken = take(chunk, 0, WORLD_OWNER);

    assert_int_equal(taken.claim.epoch, 1);
    assert_int_equal(taken.size, 10);
    assert_int_equal(taken.watermark, 0);
    assert_int_equal(taken.run, w.run);
    assert_int_equal(taken.channel, WORLD_CHANNEL);
    assert_int_equal(taken.kind, FAN_KIND_SMS);
    assert_false(taken.claim.is_retry);
}

static void a_planned_chunk_is_not_to_be_claimed(void **state)
{
    struct fan_claim_taken taken;

    world_people(&w, 1, 3);
    assert_false(world_take(&w, world_plan(&w, 1, 3), 0, WORLD_OWNER, &taken));
}

static void a_stale_frame_claims_nothing(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 3);
    struct fan_claim_taken taken = take(chunk, 0, WORLD_OWNER);

    assert_int_equal(world_release(&w, &taken.claim, -1), FAN_CHUNK_RENDERED);
    assert_false(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    assert_false(world_take(&w, chunk, 1, WORLD_OWNER, &taken));
    assert_true(world_take(&w, chunk, 2, WORLD_OWNER, &taken));
}

static void a_claimed_chunk_is_refused_to_everybody_else(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 3);
    struct fan_claim_taken taken = take(chunk, 0, WORLD_OWNER);

    assert_false(world_take(&w, chunk, 0, WORLD_OWNER + 1, &taken));
    assert_false(world_take(&w, chunk, 1, WORLD_OWNER + 1, &taken));
}

static void a_chunk_of_a_run_that_does_not_run_is_not_claimed(void **state)
{
    static const int states[] = { FAN_RUN_PAUSED, FAN_RUN_COMPLETED, FAN_RUN_CANCELLED };
    fan_id chunk = world_chunk(&w, 1, 3);
    struct fan_claim_taken taken;

    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        world_exec(&w, "UPDATE run SET state = %d WHERE account_id = 1", states[i]);
        assert_false(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    }
    world_exec(&w, "UPDATE run SET state = 0 WHERE account_id = 1");
    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
}

static void a_chunk_is_not_claimed_before_it_is_due(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 3);
    struct fan_claim_taken taken;

    world_exec(&w, "UPDATE chunk SET due_at = fan_now() + 3600000000 WHERE id = %lld",
            (long long)chunk);
    assert_false(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
}

static void an_open_moves_the_watermark_by_at_most_what_is_left(void **state)
{
    struct fan_claim_taken taken = take(world_chunk(&w, 1, 10), 0, WORLD_OWNER);
    struct fan_ids unsendable;

    assert_int_equal(world_open_slice(&w, &taken, 0, 4, &unsendable), 4);
    assert_int_equal(unsendable.len, 0);
    assert_int_equal(world_open_slice(&w, &taken, 4, 100, NULL), 10);
    assert_int_equal(world_open_slice(&w, &taken, 10, 1, NULL), -1);
    assert_int_equal(world_wrong_counters(&w), 0);
}

static void an_open_is_refused_with_another_epoch_owner_or_watermark(void **state)
{
    struct fan_claim_taken taken = take(world_chunk(&w, 1, 10), 0, WORLD_OWNER), other = taken;

    other.claim.epoch++;
    assert_int_equal(world_open_slice(&w, &other, 0, 4, NULL), -1);
    other = taken;
    other.claim.owner++;
    assert_int_equal(world_open_slice(&w, &other, 0, 4, NULL), -1);
    assert_int_equal(world_open_slice(&w, &taken, 1, 4, NULL), -1);
    assert_int_equal(world_open_slice(&w, &taken, 0, 4, NULL), 4);
    assert_int_equal(world_open_slice(&w, &taken, 0, 4, NULL), -1); /* a repetition */
    assert_int_equal(world_number(&w, "SELECT watermark FROM chunk"), 4);
}

/* Each of these stops the sending; the second undoes it. */
static void an_open_is_refused_while_sending_is_stopped(void **state)
{
    static const char *const stops[][2] = {
        { "UPDATE chunk SET lease_until = fan_now() - 1",
                "UPDATE chunk SET lease_until = fan_now() + 1000000000" },
        { "UPDATE run SET state = 2", "UPDATE run SET state = 1" },
        { "UPDATE run SET state = 5", "UPDATE run SET state = 1" },
        { "UPDATE channel SET enabled = false", "UPDATE channel SET enabled = true" },
        { "UPDATE ctl SET send_enabled = false", "UPDATE ctl SET send_enabled = true" },
    };
    struct fan_claim_taken taken = take(world_chunk(&w, 1, 10), 0, WORLD_OWNER);

    for (uint32_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        world_exec(&w, "%s", stops[i][0]);
        assert_int_equal(world_open_slice(&w, &taken, i, 1, NULL), -1);
        world_exec(&w, "%s", stops[i][1]);
        assert_int_equal(world_open_slice(&w, &taken, i, 1, NULL), (int)i + 1);
    }
}

static void who_opted_out_since_the_writing_is_not_to_be_sent(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 10);
    struct fan_claim_taken taken = take(chunk, 0, WORLD_OWNER);
    struct fan_ids unsendable;

    world_exec(&w,
            "INSERT INTO suppression (account_id, contact_id, kind, reason) VALUES"
            " (1, 2, 1, 'asked'), (1, 3, 0, 'asked'), (1, 4, 2, 'other kind'),"
            " (2, 5, 1, 'other account'), (1, 9, 1, 'beyond the slice')");
    assert_int_equal(world_open_slice(&w, &taken, 0, 6, &unsendable), 6);
    assert_int_equal(unsendable.len, 2);
    assert_int_equal(unsendable.at[0] + unsendable.at[1], 2 * fan_message_id(chunk, 0) + 1 + 2);
}

static void what_a_callback_settled_first_is_not_to_be_sent(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 10);
    struct fan_claim_taken taken = take(chunk, 0, WORLD_OWNER);
    struct fan_ids unsendable;

    assert_int_equal(world_receipt(&w, fan_message_id(chunk, 5), FAN_PROGRESS_DELIVERED, 0), 1);
    assert_int_equal(world_open_slice(&w, &taken, 0, 10, &unsendable), 10);
    assert_int_equal(unsendable.len, 1);
    assert_int_equal(unsendable.at[0], fan_message_id(chunk, 5));
    assert_int_equal(world_record(&w, &taken, 5, 6, FAN_MESSAGE_SKIPPED), 0);
    assert_int_equal(world_wrong_counters(&w), 0);
}

static void a_claim_can_be_held_longer_until_it_is_over(void **state)
{
    struct fan_claim_taken taken = take(world_chunk(&w, 1, 3), 0, WORLD_OWNER);

    world_exec(&w, "UPDATE chunk SET lease_until = 1");
    assert_true(world_renew(&w, &taken.claim));
    assert_int_equal(world_open_slice(&w, &taken, 0, 1, NULL), 1);
    world_release(&w, &taken.claim, -1);
    assert_false(world_renew(&w, &taken.claim));
}

/* ---- send slots ---- */

struct grant {
    struct fan_claim_slots slots;
    int index;
    bool there;
};

static void on_slots(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct grant *grant = context;

    assert_int_equal(err, FAN_OK);
    grant->there = fan_claim_read_slots(&rows[grant->index], &grant->slots);
}

static struct fan_claim_slots ask_slots(uint32_t wanted)
{
    struct fan_batch *batch = fan_batch_new(w.account);
    struct grant grant = { .index = fan_claim_add_slots(batch, 1, WORLD_CHANNEL, wanted) };

    fan_db_submit(w.sender, &batch, on_slots, &grant);
    world_await(w.sender);
    assert_true(grant.there);
    return grant.slots;
}

static void slots_are_granted_up_to_the_horizon_and_no_further(void **state)
{
    struct fan_claim_slots first = ask_slots(60), second = ask_slots(60), third = ask_slots(60);

    assert_int_equal(first.granted, 60); /* a hundred a second, a second ahead */
    assert_int_equal(first.wait_us, 0);
    assert_int_equal(first.interval_us, 10000);
    assert_in_range(second.granted, 40, 60);
    assert_in_range(second.wait_us, 1, 600000);
    assert_in_range(first.granted + second.granted + third.granted, 100, 120);
}

static void a_slow_channel_gets_a_slot_at_a_time_and_is_told_when_to_ask_again(void **state)
{
    struct fan_claim_slots slots;

    world_exec(&w, "UPDATE channel_pace SET interval_us = 5000000");
    assert_int_equal(ask_slots(10).granted, 1);
    slots = ask_slots(10);
    assert_int_equal(slots.granted, 0);
    assert_in_range(slots.wait_us, 3000000, 4000001);
}

static void without_a_rate_all_are_granted_at_once(void **state)
{
    struct fan_claim_slots slots;

    world_exec(&w, "UPDATE channel_pace SET interval_us = 0");
    for (int i = 0; i < 3; i++) {
        slots = ask_slots(500);
        assert_int_equal(slots.granted, 500);
        assert_int_equal(slots.wait_us, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
        TEST(a_rendered_chunk_is_claimed_under_a_new_epoch),
        TEST(a_planned_chunk_is_not_to_be_claimed),
        TEST(a_stale_frame_claims_nothing),
        TEST(a_claimed_chunk_is_refused_to_everybody_else),
        TEST(a_chunk_of_a_run_that_does_not_run_is_not_claimed),
        TEST(a_chunk_is_not_claimed_before_it_is_due),
        TEST(an_open_moves_the_watermark_by_at_most_what_is_left),
        TEST(an_open_is_refused_with_another_epoch_owner_or_watermark),
        TEST(an_open_is_refused_while_sending_is_stopped),
        TEST(who_opted_out_since_the_writing_is_not_to_be_sent),
        TEST(what_a_callback_settled_first_is_not_to_be_sent),
        TEST(a_claim_can_be_held_longer_until_it_is_over),
        TEST(slots_are_granted_up_to_the_horizon_and_no_further),
        TEST(a_slow_channel_gets_a_slot_at_a_time_and_is_told_when_to_ask_again),
        TEST(without_a_rate_all_are_granted_at_once),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

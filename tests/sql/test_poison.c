/* Messages that senders died of. */
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

static void must_work(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    assert_int_equal(err, FAN_OK);
}

/* As a replay says it: the claim ends, and this message's request was being written. */
static void die_writing(const struct fan_claim *claim, fan_id message, int watermark)
{
    struct fan_batch *batch = fan_batch_new(WORLD_ACCOUNT);

    fan_claim_add_lock(batch, claim);
    fan_claim_add_crashed(batch, claim, message);
    fan_claim_add_release(batch, claim, watermark);
    fan_db_submit(w.sender, &batch, must_work, NULL);
    world_await(w.sender);
}

static struct fan_claim_taken opened(fan_id chunk, uint32_t epoch)
{
    struct fan_claim_taken taken;

    assert_true(world_take(&w, chunk, epoch, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, taken.watermark, 500, NULL), (int)taken.size);
    return taken;
}

static int64_t crashes(void)
{
    return world_number(&w, "SELECT sum(crashes)::bigint FROM message");
}

static void the_third_death_makes_it_a_dead_letter_and_nobody_else(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 5);

    for (uint32_t death = 0; death < 3; death++) {
        struct fan_claim_taken taken = opened(chunk, 2 * death);

        assert_int_equal(world_number(&w, "SELECT count(*) FROM message WHERE state = 4"), 0);
        die_writing(&taken.claim, fan_message_id(chunk, 2), 0);
        die_writing(&taken.claim, fan_message_id(chunk, 2), 0); /* the replay was killed, too */
        assert_int_equal(crashes(), death + 1);
    }
    assert_int_equal(world_number(&w,
                             "SELECT id & 511 FROM message WHERE state = 4 AND reason = 12"),
            2);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message WHERE state = 0"), 4);
    assert_int_equal(world_wrong_counters(&w), 0);
}

static void a_claim_that_was_taken_back_meanwhile_tells_it_as_evidence(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 2);
    struct fan_claim_taken taken = opened(chunk, 0);
    struct fan_claim_outcomes list = world_outcomes(&w, 1);

    world_exec(&w, "UPDATE message SET crashes = 1");
    world_exec(&w, "UPDATE chunk SET lease_until = 1");
    assert_true(world_take_back(&w, chunk, taken.claim.epoch, false));
    world_add_outcome(&list, fan_message_id(chunk, 0), FAN_MESSAGE_RETRY);
    list.crashed = fan_message_id(chunk, 0);
    assert_int_equal(world_evidence(&w, &taken.claim, &list), 1);
    assert_int_equal(world_evidence(&w, &taken.claim, &list), -1);
    assert_int_equal(crashes(), 3);
    list.messages[0] = list.crashed = fan_message_id(chunk, 1);
    world_exec(&w, "UPDATE message SET crashes = 2 WHERE id & 511 = 1");
    world_evidence(&w, &taken.claim, &list);
    assert_int_equal(world_number(&w, "SELECT id & 511 FROM message WHERE state = 4"), 1);
    assert_int_equal(world_wrong_counters(&w), 0);
}

static void what_another_sender_holds_by_now_is_not_touched(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 2);
    struct fan_claim_taken dead = opened(chunk, 0);

    assert_int_equal(world_release(&w, &dead.claim, 0), FAN_CHUNK_RENDERED);
    opened(chunk, 2);
    die_writing(&dead.claim, fan_message_id(chunk, 0), 0);
    assert_int_equal(crashes(), 0);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message WHERE state = 0"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_third_death_makes_it_a_dead_letter_and_nobody_else),
        TEST(a_claim_that_was_taken_back_meanwhile_tells_it_as_evidence),
        TEST(what_another_sender_holds_by_now_is_not_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

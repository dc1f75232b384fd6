/* Messages that senders, or renderers, died of. */
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

/* ---- renderers ---- */

static void render_died(fan_id chunk, uint32_t position, uint64_t renderer)
{
    assert_int_equal(fan_chunk_render_crashed(w.renderer, WORLD_ACCOUNT, chunk, position, renderer,
                             w.arena, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.renderer, &w.why), FAN_OK);
}

static size_t crashed(fan_id chunk)
{
    struct fan_chunk_planned planned;

    assert_int_equal(fan_chunk_load(w.renderer, WORLD_ACCOUNT, chunk, 0, w.arena, &planned, &w.why),
            FAN_OK);
    fan_db_abort(w.renderer);
    for (size_t i = 0; i < planned.crashed.len; i++)
        assert_int_equal(planned.crashed.at[i], 3);
    return planned.crashed.len;
}

static void each_renderer_that_died_writing_a_copy_counts_once(void **state)
{
    fan_id chunk;

    world_people(&w, 1, 5);
    chunk = world_plan(&w, 1, 5);
    assert_int_equal(crashed(chunk), 0);
    for (uint64_t renderer = 100; renderer < 103; renderer++) {
        render_died(chunk, 3, renderer);
        render_died(chunk, 3, renderer); /* whoever counted it was killed, too */
    }
    render_died(chunk, 5, 103); /* nobody stands there */
    assert_int_equal(crashed(chunk), 3);
    assert_int_equal(fan_chunk_render_survived(w.renderer, WORLD_ACCOUNT, chunk, w.arena, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.renderer, &w.why), FAN_OK);
    assert_int_equal(world_render(&w, chunk, 0), FAN_OK);
    render_died(chunk, 3, 104); /* told late: the chunk is written */
    assert_int_equal(world_number(&w, "SELECT count(*) FROM render_crash"), 0);
}

static void a_chunk_that_a_renderer_is_at_is_passed_over(void **state)
{
    struct fan_chunk_planned planned;
    struct fan_db *other;
    char url[PG_URL];
    fan_id chunk;

    world_people(&w, 1, 5);
    chunk = world_plan(&w, 1, 5);
    pg_url_as(w.url, "fan_renderer", url);
    other = pg_connect(url, FAN_DB_HOT);
    fan_db_account(other, WORLD_ACCOUNT);
    assert_int_equal(fan_chunk_load(other, WORLD_ACCOUNT, chunk, 0, w.arena, &planned, &w.why),
            FAN_OK);
    assert_int_equal(world_render(&w, chunk, 0), FAN_CONFLICT);
    fan_db_free(&other); /* it died */
    for (int i = 0; i < 100 && world_render(&w, chunk, 0); i++)
        world_exec(&w, "SELECT pg_sleep(0.02)");
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message"), 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_third_death_makes_it_a_dead_letter_and_nobody_else),
        TEST(a_claim_that_was_taken_back_meanwhile_tells_it_as_evidence),
        TEST(what_another_sender_holds_by_now_is_not_touched),
        TEST(each_renderer_that_died_writing_a_copy_counts_once),
        TEST(a_chunk_that_a_renderer_is_at_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

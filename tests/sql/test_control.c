/* Pausing, resuming and cancelling a run, each as the process that does it. */
#include "tests/support/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static struct world w;
static struct fan_db *gateway;

static int make(void **state)
{
    char url[PG_URL];

    world_open(&w);
    pg_url_as(w.url, "fan_gateway", url);
    gateway = pg_connect(url, FAN_DB_FREE);
    fan_db_account(gateway, 1);
    return 0;
}

static int drop(void **state)
{
    fan_db_free(&gateway);
    world_close(&w);
    return 0;
}

static struct fan_run_controlled control(enum fan_run_act act)
{
    struct fan_run_controlled done;

    assert_int_equal(fan_run_control(gateway, 1, WORLD_CAMPAIGN, act, w.arena, &done, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(gateway, &w.why), FAN_OK);
    return done;
}

/* One step of the scheduler's; how many chunks it was about. */
static size_t cancel_step(uint32_t limit)
{
    struct fan_chunks_cancelled done;
    int64_t before = world_number(&w, "SELECT sum(n_cancelled)::bigint FROM chunk");

    assert_int_equal(fan_chunks_cancel(w.scheduler, 1, w.run, limit, w.arena, &done, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.scheduler, &w.why), FAN_OK);
    assert_int_equal(world_wrong_counters(&w), 0);
    assert_int_equal(world_number(&w, "SELECT sum(n_cancelled)::bigint FROM chunk"),
            before + done.messages);
    return done.chunks;
}

static void cancel_all(uint32_t limit)
{
    for (int steps = 0; cancel_step(limit) > 0; steps++)
        assert_true(steps < 100);
}

static int complete(void)
{
    fan_id campaign;
    int ended;

    assert_int_equal(fan_run_complete(w.scheduler, 1, w.run, w.arena, &ended, &campaign, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.scheduler, &w.why), FAN_OK);
    return ended;
}

static int64_t messages_in(enum fan_message_state state)
{
    return world_number(&w, "SELECT count(*) FROM message WHERE account_id = 1 AND state = %d",
            state);
}

/* ---- pausing ---- */

static void what_is_paused_is_neither_claimed_nor_opened(void **state)
{
    fan_id held = world_chunk(&w, 1, 4), waiting = world_chunk(&w, 11, 4);
    struct fan_claim_taken taken, other;
    struct fan_run_controlled done;

    assert_true(world_take(&w, held, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, 2, NULL), 2);
    done = control(FAN_RUN_PAUSE);
    assert_true(done.changed);
    assert_int_equal(done.run, w.run);
    assert_int_equal(done.campaign, FAN_CAMPAIGN_PAUSED);
    assert_int_equal(world_open_slice(&w, &taken, 2, 2, NULL), -1);
    assert_false(world_take(&w, waiting, 0, WORLD_OWNER, &other));
    assert_int_equal(world_record(&w, &taken, 0, 1, FAN_MESSAGE_SENT), 1); /* was on its way */
    assert_int_equal(world_release(&w, &taken.claim, 1), FAN_CHUNK_RENDERED);
    assert_false(control(FAN_RUN_PAUSE).changed);

    assert_int_equal(control(FAN_RUN_RESUME).state, FAN_RUN_RUNNING);
    assert_true(world_take(&w, held, 2, WORLD_OWNER, &taken));
    assert_int_equal(taken.watermark, 1);
    assert_int_equal(world_open_slice(&w, &taken, 1, 3, NULL), 4);
    assert_int_equal(world_wrong_counters(&w), 0);
}

static void a_run_whose_audience_is_not_complete_goes_on_preparing(void **state)
{
    struct fan_run_audience audience;
    struct fan_run_controlled done;

    world_exec(&w, "UPDATE run SET state = 0, resolved = false");
    control(FAN_RUN_PAUSE);
    assert_int_equal(fan_run_hold(w.audience, 1, w.run, w.arena, &audience, &w.why), FAN_NOT_FOUND);
    fan_db_abort(w.audience);
    done = control(FAN_RUN_RESUME);
    assert_int_equal(done.state, FAN_RUN_PREPARING);
    assert_int_equal(done.campaign, FAN_CAMPAIGN_PREPARING);
    assert_int_equal(fan_run_hold(w.audience, 1, w.run, w.arena, &audience, &w.why), FAN_OK);
    fan_db_abort(w.audience);
}

static void a_campaign_that_has_ended_is_not_controlled(void **state)
{
    struct fan_run_controlled done;

    for (int to = FAN_CAMPAIGN_COMPLETED; to <= FAN_CAMPAIGN_FAILED; to++) {
        world_exec(&w, "UPDATE campaign SET state = %d", to);
        for (int act = FAN_RUN_PAUSE; act <= FAN_RUN_CANCEL; act++) {
            assert_int_equal(fan_run_control(gateway, 1, WORLD_CAMPAIGN, (enum fan_run_act)act,
                                     w.arena, &done, &w.why),
                    FAN_CONFLICT);
            assert_string_equal(w.why.field, "status");
            fan_db_abort(gateway);
        }
    }
    fan_db_account(gateway, 2);
    assert_int_equal(fan_run_control(gateway, 2, 99, FAN_RUN_PAUSE, w.arena, &done, &w.why),
            FAN_NOT_FOUND);
    fan_db_abort(gateway);
}

/* ---- cancelling ---- */

/* Planned, rendered, held with some of every state, and a retry chunk: all that a run may have. */
static void a_run_in_the_middle(struct fan_claim_taken *held)
{
    fan_id first = world_chunk(&w, 1, 6), second = world_chunk(&w, 11, 6);

    world_people(&w, 21, 6);
    world_plan(&w, 21, 6);
    assert_true(world_take(&w, first, 0, WORLD_OWNER, held));
    assert_int_equal(world_open_slice(&w, held, 0, 6, NULL), 6);
    assert_int_equal(world_record(&w, held, 0, 3, FAN_MESSAGE_RETRY), 3);
    assert_int_equal(world_record(&w, held, 3, 6, FAN_MESSAGE_SENT), 3);
    assert_int_equal(world_release(&w, &held->claim, -1), FAN_CHUNK_DONE);
    world_exec(&w,
            "UPDATE message SET due = CASE WHEN id & 511 < 2 THEN 1 ELSE 1::bigint << 60 END"
            " WHERE state = 1; UPDATE chunk SET retry_due = 1 WHERE n_retry > 0");
    assert_int_equal(world_promote(&w, 10), 2); /* the third stays in retry */
    assert_true(world_take(&w, second, 0, WORLD_OWNER, held));
    assert_int_equal(world_open_slice(&w, held, 0, 4, NULL), 4);
    assert_int_equal(world_record(&w, held, 0, 1, FAN_MESSAGE_RETRY), 1);
    assert_int_equal(world_record(&w, held, 1, 2, FAN_MESSAGE_UNKNOWN), 1);
}

static void everything_that_nobody_has_begun_is_cancelled(void **state)
{
    for (uint32_t limit = 1; limit < 4; limit++) {
        struct fan_claim_taken held;

        if (limit > 1) {
            drop(state);
            make(state);
        }
        a_run_in_the_middle(&held);
        control(FAN_RUN_CANCEL);
        cancel_all(limit);
        assert_int_equal(messages_in(FAN_MESSAGE_CANCELLED), 2 + 1 + 1 + 6);
        assert_int_equal(messages_in(FAN_MESSAGE_PENDING), 4); /* the sender's */
        assert_int_equal(complete(), -1);
        assert_int_equal(world_record(&w, &held, 2, 3, FAN_MESSAGE_SENT), 1);
        assert_int_equal(world_release(&w, &held.claim, 3), FAN_CHUNK_RENDERED);
        cancel_all(limit);
        assert_int_equal(messages_in(FAN_MESSAGE_CANCELLED), 13);
        assert_int_equal(messages_in(FAN_MESSAGE_PENDING) + messages_in(FAN_MESSAGE_RETRY), 0);
        assert_int_equal(complete(), -1); /* one is unknown */
        w.unknown_wait = 0;
        assert_int_equal(world_settle(&w), 1);
        assert_int_equal(complete(), FAN_RUN_CANCELLED);
        assert_int_equal(world_number(&w, "SELECT state FROM campaign WHERE account_id = 1"),
                FAN_CAMPAIGN_CANCELLED);
        assert_int_equal(world_number(&w,
                                 "SELECT count(*) FROM message WHERE state = 6 AND reason = %d",
                                 FAN_REASON_CANCELLED),
                13);
        assert_int_equal(complete(), -1);
    }
}

static void the_statistics_of_a_cancelled_run_add_up_at_every_step(void **state)
{
    struct fan_claim_taken held;
    struct fan_run_stats stats;
    size_t chunks = 1;

    a_run_in_the_middle(&held);
    for (int step = 0; chunks > 0 || step < 2; step++) {
        assert_int_equal(fan_run_stats(gateway, 1, WORLD_CAMPAIGN, w.arena, &stats, &w.why),
                FAN_OK);
        assert_int_equal(fan_db_commit(gateway, &w.why), FAN_OK);
        assert_int_equal(stats.total, 18);
        assert_int_equal(stats.pending + stats.sending + stats.retry + stats.unknown + stats.sent +
                        stats.cancelled,
                18);
        if (step == 0)
            control(FAN_RUN_CANCEL);
        else
            chunks = cancel_step(1);
    }
    assert_int_equal(stats.cancelled, 10);
}

static void what_was_rendered_late_is_cancelled_too(void **state)
{
    fan_id chunk;

    world_people(&w, 1, 3);
    chunk = world_plan(&w, 1, 3);
    control(FAN_RUN_CANCEL);
    world_exec(&w, "UPDATE run SET state = 1"); /* as its renderer read it */
    assert_int_equal(world_render(&w, chunk, 0), FAN_OK);
    world_exec(&w, "UPDATE run SET state = 5");
    cancel_all(20);
    assert_int_equal(messages_in(FAN_MESSAGE_CANCELLED), 3);
    assert_int_equal(world_render(&w, chunk, 0), FAN_CONFLICT);
    fan_db_abort(w.renderer);
    assert_int_equal(complete(), FAN_RUN_CANCELLED);
}

static void a_cancelled_message_that_was_accepted_is_sent(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 2);
    struct fan_claim_taken taken;
    struct fan_claim_outcomes knows = world_outcomes(&w, 1);

    world_exec(&w, "UPDATE run SET at_least_once = true");
    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, 2, NULL), 2);
    world_exec(&w, "UPDATE chunk SET lease_until = 1");
    assert_true(world_take_back(&w, chunk, 1, false));
    w.unknown_wait = 0;
    assert_int_equal(world_settle(&w), 2);
    control(FAN_RUN_CANCEL);
    cancel_all(20);
    assert_int_equal(messages_in(FAN_MESSAGE_CANCELLED), 2);
    world_receipt(&w, fan_message_id(chunk, 0), FAN_PROGRESS_DELIVERED, 0);
    world_add_outcome(&knows, fan_message_id(chunk, 1), FAN_MESSAGE_SENT);
    assert_int_equal(world_evidence(&w, &taken.claim, &knows), 1);
    assert_int_equal(messages_in(FAN_MESSAGE_SENT), 2);
    assert_int_equal(world_wrong_counters(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
        TEST(what_is_paused_is_neither_claimed_nor_opened),
        TEST(a_run_whose_audience_is_not_complete_goes_on_preparing),
        TEST(a_campaign_that_has_ended_is_not_controlled),
        TEST(everything_that_nobody_has_begun_is_cancelled),
        TEST(the_statistics_of_a_cancelled_run_add_up_at_every_step),
        TEST(what_was_rendered_late_is_cancelled_too),
        TEST(a_cancelled_message_that_was_accepted_is_sent),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

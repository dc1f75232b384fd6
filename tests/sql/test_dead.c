/* Dead letters: found by their chunks' counters, and tried again when somebody says so. */
#include "tests/support/world.h"

#include "sql/store/dead.h"

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

/* A chunk of six, done: two failed, one may have been sent, two were sent, one opted out. */
static fan_id a_chunk(fan_id from)
{
    fan_id chunk = world_chunk(&w, from, 6);
    struct fan_claim_taken taken;

    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, 6, NULL), 6);
    assert_int_equal(world_record(&w, &taken, 0, 2, FAN_MESSAGE_FAILED), 2);
    assert_int_equal(world_record(&w, &taken, 2, 3, FAN_MESSAGE_UNKNOWN), 1);
    assert_int_equal(world_record(&w, &taken, 3, 5, FAN_MESSAGE_SENT), 2);
    assert_int_equal(world_record(&w, &taken, 5, 6, FAN_MESSAGE_SKIPPED), 1);
    assert_int_equal(world_release(&w, &taken.claim, -1), FAN_CHUNK_DONE);
    w.unknown_wait = 0;
    assert_int_equal(world_settle(&w), 1);
    return chunk;
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

static struct fan_dead_requeued requeue(struct fan_ids ids, const struct fan_dead_filter *filter)
{
    struct fan_dead_requeued done;

    assert_int_equal(fan_dead_requeue(gateway, 1, ids, filter, w.arena, &done, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(gateway, &w.why), FAN_OK);
    assert_int_equal(world_wrong_counters(&w), 0);
    return done;
}

static const struct fan_ids nobody = { .at = NULL };

/* Send what is due again. */
static void send_retries(enum fan_message_state outcome, int count)
{
    struct fan_claim_taken taken;
    fan_id chunk;

    assert_int_equal(world_promote(&w, 100), count);
    chunk = world_number(&w, "SELECT max(id) FROM chunk WHERE account_id = 1 AND is_retry");
    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, (uint32_t)count, NULL), count);
    assert_int_not_equal(world_record(&w, &taken, 0, (uint32_t)count, outcome), -1);
    assert_int_equal(world_release(&w, &taken.claim, -1), FAN_CHUNK_DONE);
    assert_int_equal(world_wrong_counters(&w), 0);
}

static int64_t in_state(enum fan_message_state state)
{
    return world_number(&w, "SELECT count(*) FROM message WHERE account_id = 1 AND state = %d",
            state);
}

/* ---- looking ---- */

static void they_are_read_page_by_page_whatever_its_size(void **state)
{
    fan_id seen[40];

    for (int i = 0; i < 25; i++) /* more than one look is about */
        world_exec(&w, "SELECT setval('chunk_id', %lld)", (long long)a_chunk(1 + 10 * i) + 3);
    for (uint32_t limit = 1; limit < 60; limit += 7) {
        struct fan_dead_filter filter = { .campaign = WORLD_CAMPAIGN };
        struct fan_dead_letters page;
        size_t count = 0;

        do {
            assert_int_equal(fan_dead_list(gateway, 1, &filter, limit, w.arena, &page, &w.why),
                    FAN_OK);
            for (size_t i = 0; i < page.len; i++, count++) {
                assert_true(count == 0 || page.at[i].message.id < seen[(count - 1) % 40]);
                seen[count % 40] = page.at[i].message.id;
                assert_int_equal(page.at[i].message.state, FAN_MESSAGE_FAILED);
                assert_int_equal(page.at[i].campaign, WORLD_CAMPAIGN);
                assert_true(page.at[i].failed_at > 0);
            }
            filter.below = page.next;
        } while (page.next);
        assert_int_equal(count, 50);
    }
    assert_int_equal(fan_db_commit(gateway, &w.why), FAN_OK);
}

static size_t how_many(struct fan_dead_filter filter)
{
    struct fan_dead_letters page;

    assert_int_equal(fan_dead_list(gateway, 1, &filter, 100, w.arena, &page, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(gateway, &w.why), FAN_OK);
    assert_int_equal(page.next, 0);
    return page.len;
}

static void a_filter_lets_through_what_it_names(void **state)
{
    fan_id chunk = a_chunk(1);
    fan_time now;

    world_exec(&w,
            "UPDATE message SET reason = 8, outcome = 4, code = '21211' WHERE id = %lld;"
            "UPDATE message SET reason = 7, outcome = 2 WHERE id = %lld",
            (long long)fan_message_id(chunk, 0), (long long)fan_message_id(chunk, 1));
    now = world_number(&w, "SELECT fan_now()");
    assert_int_equal(how_many((struct fan_dead_filter){ 0 }), 2);
    assert_int_equal(how_many((struct fan_dead_filter){ .unknown = true }), 3);
    assert_int_equal(how_many((struct fan_dead_filter){ .campaign = 99 }), 0);
    assert_int_equal(how_many((struct fan_dead_filter){ .reason = 8 }), 1);
    assert_int_equal(how_many((struct fan_dead_filter){ .outcome = 2 }), 1);
    assert_int_equal(how_many((struct fan_dead_filter){ .code = FAN_LIT("21211") }), 1);
    assert_int_equal(how_many((struct fan_dead_filter){ .code = FAN_LIT("1") }), 0);
    assert_int_equal(how_many((struct fan_dead_filter){ .since = now }), 0);
    assert_int_equal(how_many((struct fan_dead_filter){ .until = now }), 2);
    fan_db_account(gateway, 2);
}

/* ---- trying again ---- */

static void a_run_that_had_ended_goes_on_and_ends_again(void **state)
{
    const struct fan_dead_filter all = { .campaign = WORLD_CAMPAIGN };
    struct fan_dead_requeued done;

    a_chunk(1);
    assert_int_equal(complete(), FAN_RUN_COMPLETED);
    done = requeue(nobody, &all);
    assert_int_equal(done.count, 2);
    assert_int_equal(done.next, 0);
    assert_int_equal(done.runs.len, 1);
    assert_int_equal(done.campaigns.at[0], WORLD_CAMPAIGN);
    assert_int_equal(world_number(&w, "SELECT state FROM campaign WHERE account_id = 1"),
            FAN_CAMPAIGN_RUNNING);
    assert_int_equal(complete(), -1);
    assert_int_equal(requeue(nobody, &all).count, 0); /* they are not dead any more */
    send_retries(FAN_MESSAGE_SENT, 2);
    assert_int_equal(complete(), FAN_RUN_COMPLETED);
    assert_int_equal(in_state(FAN_MESSAGE_SENT), 4);
    assert_int_equal(in_state(FAN_MESSAGE_UNKNOWN_FINAL), 1); /* nobody said so */
    assert_int_equal(requeue(nobody, &all).runs.len, 0);
    assert_int_equal(world_number(&w, "SELECT state FROM campaign WHERE account_id = 1"),
            FAN_CAMPAIGN_COMPLETED);
}

static void they_get_all_their_tries_anew(void **state)
{
    const struct fan_dead_filter all = { .campaign = WORLD_CAMPAIGN };

    a_chunk(1);
    world_exec(&w, "UPDATE message SET attempt = 2 WHERE state = 4");
    assert_int_equal(requeue(nobody, &all).count, 2);
    assert_int_equal(world_promote(&w, 100), 2);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM message WHERE state = 0"
                             " AND free_tries = 0 AND forgiven = 3 AND attempt = 3"),
            2);
}

static void on_copies(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    assert_int_equal(err, FAN_OK);
    assert_int_equal(rows[0].count, 2);
    for (int i = 0; i < 2; i++)
        fan_claim_read_copy(&rows[0], i, context);
}

/* One whose fifty free tries were used up fails no earlier than any other: its next throttle is the
 * first again. Attempts go on being counted, as their rows are. */
static void they_get_all_their_free_tries_anew_too(void **state)
{
    const struct fan_dead_filter all = { .campaign = WORLD_CAMPAIGN };
    struct fan_claim claim = { .account = WORLD_ACCOUNT, .is_retry = true };
    struct fan_batch *batch = fan_batch_new(WORLD_ACCOUNT);
    struct fan_claim_copy copy;
    fan_id ids[2];

    claim.chunk = a_chunk(1);
    ids[0] = fan_message_id(claim.chunk, 0);
    ids[1] = fan_message_id(claim.chunk, 1);
    world_exec(&w, "UPDATE message SET attempt = 51, free_tries = 50 WHERE state = 4");
    assert_int_equal(requeue(nobody, &all).count, 2);
    assert_int_equal(world_promote(&w, 100), 2);
    claim.chunk = world_number(&w, "SELECT max(id) FROM chunk WHERE is_retry");
    fan_claim_add_copies(batch, &claim, 0, 2, (struct fan_ids){ ids, 2 });
    fan_db_submit(w.sender, &batch, on_copies, &copy);
    world_await(w.sender);
    assert_int_equal(copy.tries, 0);
    assert_int_equal(copy.free_tries, 0);
    assert_int_equal(copy.attempts, 52);
}

static void what_may_have_been_sent_is_only_sent_again_when_one_says_so(void **state)
{
    const struct fan_dead_filter all = { .campaign = WORLD_CAMPAIGN, .unknown = true };
    const struct fan_dead_filter surely_dead = { .campaign = 0 };
    fan_id unknown = fan_message_id(a_chunk(1), 2);

    assert_int_equal(requeue((struct fan_ids){ &unknown, 1 }, &surely_dead).count, 0);
    assert_int_equal(requeue(nobody, &all).count, 3);
    send_retries(FAN_MESSAGE_FAILED, 3);
    assert_int_equal(in_state(FAN_MESSAGE_FAILED), 3);
}

static void exactly_those_that_are_named_are_tried_again(void **state)
{
    const struct fan_dead_filter any = { .campaign = 0 };
    fan_id chunk = a_chunk(1), other = a_chunk(11);
    const fan_id ids[] = {
        fan_message_id(other, 1), fan_message_id(chunk, 0), fan_message_id(chunk, 0), /* twice */
        fan_message_id(chunk, 3), fan_message_id(chunk, 5), /* sent; skipped */
        fan_message_id(chunk + 5000, 1),                    /* not there */
    };

    assert_int_equal(requeue((struct fan_ids){ ids, 6 }, &any).count, 2);
    assert_int_equal(requeue((struct fan_ids){ ids, 6 }, &any).count, 0);
    send_retries(FAN_MESSAGE_SENT, 2);
    assert_int_equal(in_state(FAN_MESSAGE_SKIPPED), 2);
    assert_int_equal(in_state(FAN_MESSAGE_FAILED), 2);
}

static void those_of_a_cancelled_run_and_those_without_a_text_stay(void **state)
{
    const struct fan_dead_filter all = { .campaign = WORLD_CAMPAIGN, .unknown = true };
    fan_id chunk = a_chunk(1);

    world_exec(&w, "UPDATE message SET body = NULL WHERE id = %lld",
            (long long)fan_message_id(chunk, 0));
    world_exec(&w, "UPDATE run SET state = 5 WHERE account_id = 1");
    assert_int_equal(requeue(nobody, &all).count, 0);
    world_exec(&w, "UPDATE run SET state = 1 WHERE account_id = 1");
    assert_int_equal(requeue(nobody, &all).count, 2);
}

static void a_large_campaign_is_done_in_steps(void **state)
{
    struct fan_dead_filter all = { .campaign = WORLD_CAMPAIGN };
    int64_t count = 0;
    int steps = 0;

    for (int i = 0; i < 2 * FAN_DEAD_CHUNKS + 1; i++)
        a_chunk(1 + 10 * i);
    assert_int_equal(complete(), FAN_RUN_COMPLETED);
    do {
        struct fan_dead_requeued done = requeue(nobody, &all);
        count += done.count;
        all.below = done.next;
        steps++;
    } while (all.below);
    assert_int_equal(steps, 3);
    assert_int_equal(count, 2 * (2 * FAN_DEAD_CHUNKS + 1));
}

static void a_late_proof_beats_the_repetition(void **state)
{
    const struct fan_dead_filter all = { .campaign = WORLD_CAMPAIGN };
    struct fan_ids unsendable;
    struct fan_claim_taken taken;
    fan_id chunk = a_chunk(1), again;

    assert_int_equal(requeue(nobody, &all).count, 2);
    assert_int_equal(world_promote(&w, 100), 2);
    world_receipt(&w, fan_message_id(chunk, 0), FAN_PROGRESS_DELIVERED, 0);
    again = world_number(&w, "SELECT max(id) FROM chunk WHERE account_id = 1 AND is_retry");
    assert_true(world_take(&w, again, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, 2, &unsendable), 2);
    assert_int_equal(unsendable.len, 1);
    assert_int_equal(unsendable.at[0], fan_message_id(chunk, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
        TEST(they_are_read_page_by_page_whatever_its_size),
        TEST(a_filter_lets_through_what_it_names),
        TEST(a_run_that_had_ended_goes_on_and_ends_again),
        TEST(they_get_all_their_tries_anew),
        TEST(they_get_all_their_free_tries_anew_too),
        TEST(what_may_have_been_sent_is_only_sent_again_when_one_says_so),
        TEST(exactly_those_that_are_named_are_tried_again),
        TEST(those_of_a_cancelled_run_and_those_without_a_text_stay),
        TEST(a_large_campaign_is_done_in_steps),
        TEST(a_late_proof_beats_the_repetition),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

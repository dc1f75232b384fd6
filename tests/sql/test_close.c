/* What becomes of what a claim opened: outcomes, evidence, the claim's end. After every step all
 * counters equal a recount. */
#include "sql/store/event.h"
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
    assert_int_equal(world_wrong_counters(&w), 0);
    world_close(&w);
    return 0;
}

/* A chunk of so many people, claimed, of which so many are open. */
static struct fan_claim_taken opened(fan_id from, int size, uint32_t open)
{
    fan_id chunk = world_chunk(&w, from, size);
    struct fan_claim_taken taken = { 0 };

    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, open, NULL), (int)open);
    return taken;
}

static int64_t count_in(enum fan_message_state state)
{
    assert_int_equal(world_wrong_counters(&w), 0);
    return world_number(&w, "SELECT count(*) FROM message WHERE state = %d", (int)state);
}

static void on_batch(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    assert_int_equal(err, FAN_OK);
}

/* One word of evidence about one position. */
static int say(const struct fan_claim *claim, uint32_t position, enum fan_message_state state)
{
    struct fan_claim_outcomes list = world_outcomes(&w, 1);

    world_add_outcome(&list, fan_message_id(claim->chunk, position), state);
    return world_evidence(&w, claim, &list);
}

/* ---- close ---- */

static void every_outcome_is_recorded_once(void **state)
{
    static const enum fan_message_state states[] = { FAN_MESSAGE_SENT, FAN_MESSAGE_RETRY,
        FAN_MESSAGE_UNKNOWN, FAN_MESSAGE_FAILED, FAN_MESSAGE_SKIPPED, FAN_MESSAGE_CANCELLED };
    struct fan_claim_taken taken = opened(1, 12, 12);

    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(world_record(&w, &taken, 2 * i, 2 * i + 2, states[i]), 2);
        assert_int_equal(count_in(states[i]), 2);
        assert_int_equal(world_record(&w, &taken, 2 * i, 2 * i + 2, FAN_MESSAGE_SENT), 0);
        assert_int_equal(count_in(states[i]), 2);
    }
    assert_int_equal(count_in(FAN_MESSAGE_PENDING), 0);
}

static void an_unknown_waits_for_evidence_as_long_as_the_scheduler_says(void **state)
{
    struct fan_claim_taken taken = opened(1, 2, 2);

    assert_int_equal(world_record(&w, &taken, 0, 2, FAN_MESSAGE_UNKNOWN), 2);
    assert_int_equal(world_settle(&w), 0);
    world_exec(&w,
            "UPDATE message SET due = due - 899000000;"
            " UPDATE chunk SET unknown_since = unknown_since - 899000000");
    assert_int_equal(world_settle(&w), 0);
    world_exec(&w,
            "UPDATE message SET due = due - 1000000;"
            " UPDATE chunk SET unknown_since = unknown_since - 1000000");
    assert_int_equal(world_settle(&w), 2);
}

static void a_try_that_cost_none_is_counted_apart(void **state)
{
    struct fan_claim_taken taken = opened(1, 2, 2);
    struct fan_claim_outcomes list = world_outcomes(&w, 2);

    world_add_outcome(&list, fan_message_id(taken.claim.chunk, 0), FAN_MESSAGE_RETRY);
    world_add_outcome(&list, fan_message_id(taken.claim.chunk, 1), FAN_MESSAGE_RETRY);
    list.free[1] = 1;
    assert_int_equal(world_record_all(&w, &taken.claim, &list), 2);
    assert_int_equal(world_promote(&w, 500), 2);
    assert_int_equal(world_number(&w,
                             "SELECT sum((id & 511) * 100 + attempt * 10 + free_tries)::bigint"
                             " FROM message"),
            121);
}

/* Accepted ones that stand apart, one of them known already, alone or beside another outcome: two
 * statements that must say the same. */
static void accepted_messages_are_recorded_alike_alone_and_among_others(void **state)
{
    for (uint32_t others = 0; others <= 1; others++) {
        struct fan_claim_taken taken = opened(1 + 20 * others, 12, 12);
        struct fan_claim_outcomes list = world_outcomes(&w, 5);
        fan_id first = fan_message_id(taken.claim.chunk, 0);

        assert_int_equal(world_record(&w, &taken, 7, 8, FAN_MESSAGE_SKIPPED), 1);
        for (uint32_t i = 0; i < 4; i++)
            world_add_outcome(&list, first + (fan_id[]){ 9, 2, 7, 4 }[i], FAN_MESSAGE_SENT);
        if (others)
            world_add_outcome(&list, first + 3, FAN_MESSAGE_FAILED);
        assert_int_equal(world_record_all(&w, &taken.claim, &list), 3 + (int)others);
        assert_int_equal(world_wrong_counters(&w), 0);
        assert_int_equal(world_number(&w,
                                 "SELECT sum((id & 511) * 10 + outcome)::bigint FROM message"
                                 " WHERE id >= %lld AND state = 3 AND provider_id = 'SM1'"
                                 " AND sent_at = timestamptz '1970-01-01 00:00:01Z'"
                                 " AND due IS NULL AND was = 0 AND free_tries = 0",
                                 (long long)first),
                (2 + 4 + 9) * 10 + 3);
        assert_int_equal(world_number(&w,
                                 "SELECT n_sent * 10 + n_failed FROM chunk WHERE id = %lld",
                                 (long long)taken.claim.chunk),
                30 + others);
    }
}

static void a_close_by_another_epoch_or_owner_changes_nothing(void **state)
{
    struct fan_claim_taken taken = opened(1, 2, 2), other = taken;

    other.claim.epoch++;
    assert_int_equal(world_record(&w, &other, 0, 2, FAN_MESSAGE_SENT), -1);
    other = taken;
    other.claim.owner++;
    assert_int_equal(world_record(&w, &other, 0, 2, FAN_MESSAGE_SENT), -1);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 0);
}

static void a_close_needs_the_epoch_and_not_the_lease(void **state)
{
    struct fan_claim_taken taken = opened(1, 2, 2);

    world_exec(&w, "UPDATE chunk SET lease_until = 1");
    assert_int_equal(world_record(&w, &taken, 0, 2, FAN_MESSAGE_SENT), 2);
}

static void a_close_cannot_speak_of_another_chunks_messages(void **state)
{
    struct fan_claim_taken one = opened(1, 2, 2), two = opened(10, 2, 2);
    struct fan_claim_outcomes list = world_outcomes(&w, 1);

    world_add_outcome(&list, fan_message_id(two.claim.chunk, 0), FAN_MESSAGE_SENT);
    assert_int_equal(world_record_all(&w, &one.claim, &list), 0);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 0);
}

static void a_recipient_whom_the_provider_rules_out_is_suppressed(void **state)
{
    struct fan_claim_taken taken = opened(7, 1, 1);
    struct fan_claim_outcomes list = world_outcomes(&w, 1);

    world_add_outcome(&list, fan_message_id(taken.claim.chunk, 0), FAN_MESSAGE_FAILED);
    list.suppress[0] = true;
    assert_int_equal(world_record_all(&w, &taken.claim, &list), 1);
    assert_int_equal(world_number(&w, "SELECT contact_id * 10 + kind FROM suppression"), 71);
}

static void settle_with_an_event(const struct fan_claim_taken *taken)
{
    const struct fan_messages_settled fact = { .chunk = taken->claim.chunk, .sent = 2 };
    struct fan_claim_outcomes list = world_outcomes(&w, 2);
    struct fan_batch *batch = fan_batch_new(1);

    for (uint32_t p = 0; p < 2; p++)
        world_add_outcome(&list, fan_message_id(taken->claim.chunk, p), FAN_MESSAGE_SENT);
    list.run = w.run;
    list.event = &fact;
    fan_claim_add_close(batch, &taken->claim, &list, FAN_KIND_SMS);
    fan_db_submit(w.sender, &batch, on_batch, NULL);
    world_await(w.sender);
}

static void a_batch_that_is_repeated_writes_one_event(void **state)
{
    struct fan_claim_taken taken = opened(1, 4, 4), stale = taken;

    stale.claim.epoch--;
    settle_with_an_event(&stale);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM event"), 0);
    settle_with_an_event(&taken);
    settle_with_an_event(&taken);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM event"), 1);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 2);
}

/* ---- the end of a claim ---- */

static void the_owner_takes_the_watermark_back_over_what_it_never_started(void **state)
{
    struct fan_claim_taken taken = opened(1, 10, 6);

    assert_int_equal(world_record(&w, &taken, 0, 2, FAN_MESSAGE_SENT), 2);
    assert_int_equal(world_release(&w, &taken.claim, 3), FAN_CHUNK_RENDERED);
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN), 1); /* the third, whose answer is missing */
    assert_int_equal(count_in(FAN_MESSAGE_PENDING), 7);
    assert_int_equal(world_number(&w, "SELECT watermark FROM chunk"), 3);
    assert_int_equal(world_release(&w, &taken.claim, 0), -1);
}

/* Whether the claim ended; what was left of it is not touched otherwise. */
static bool ends_plainly(const struct fan_claim *claim)
{
    struct fan_batch *batch = fan_batch_new(w.account);

    fan_claim_add_done(batch, claim);
    fan_db_submit(w.sender, &batch, on_batch, NULL);
    world_await(w.sender);
    return world_number(&w, "SELECT count(*) FROM chunk WHERE state = 3 AND owner IS NULL");
}

static void a_claim_ends_plainly_only_when_nothing_is_left(void **state)
{
    struct fan_claim_taken taken = opened(1, 4, 3), other = taken;

    world_record(&w, &taken, 0, 2, FAN_MESSAGE_SENT);
    assert_false(ends_plainly(&taken.claim));
    world_record(&w, &taken, 2, 3, FAN_MESSAGE_UNKNOWN);
    assert_false(ends_plainly(&taken.claim)); /* one is not opened */
    assert_int_equal(world_open_slice(&w, &taken, 3, 1, NULL), 4);
    assert_false(ends_plainly(&taken.claim)); /* one is pending */
    world_record(&w, &taken, 3, 4, FAN_MESSAGE_RETRY);
    other.claim.owner++;
    assert_false(ends_plainly(&other.claim));
    other = taken;
    other.claim.epoch++;
    assert_false(ends_plainly(&other.claim));
    assert_true(ends_plainly(&taken.claim));
    assert_int_equal(world_number(&w, "SELECT epoch FROM chunk"), taken.claim.epoch + 1);
}

static void a_release_never_raises_the_watermark(void **state)
{
    struct fan_claim_taken taken = opened(1, 10, 4);

    assert_int_equal(world_release(&w, &taken.claim, 9), FAN_CHUNK_RENDERED);
    assert_int_equal(world_number(&w, "SELECT watermark FROM chunk"), 4);
}

static void a_chunk_that_was_opened_to_its_end_is_done(void **state)
{
    struct fan_claim_taken taken = opened(1, 5, 5);

    assert_int_equal(world_record(&w, &taken, 0, 5, FAN_MESSAGE_SENT), 5);
    assert_int_equal(world_release(&w, &taken.claim, -1), FAN_CHUNK_DONE);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 5);
}

static void a_chunk_is_taken_back_only_when_its_lease_is_over(void **state)
{
    struct fan_claim_taken taken = opened(1, 10, 6);

    assert_false(world_take_back(&w, taken.claim.chunk, 1, false));
    world_exec(&w, "UPDATE chunk SET lease_until = 1");
    assert_false(world_take_back(&w, taken.claim.chunk, 0, false));
    assert_true(world_take_back(&w, taken.claim.chunk, 1, false));
    assert_false(world_take_back(&w, taken.claim.chunk, 1, false));
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN), 6);
    assert_int_equal(world_number(&w, "SELECT watermark FROM chunk"), 6);
}

static void from_a_dead_worker_only_what_it_had_not_begun_is_taken_at_once(void **state)
{
    struct fan_claim_taken begun = opened(1, 5, 2), settled = opened(10, 5, 2), none = { 0 };
    fan_id third = world_chunk(&w, 20, 5);

    assert_true(world_take(&w, third, 0, WORLD_OWNER, &none));
    assert_int_equal(world_record(&w, &settled, 0, 2, FAN_MESSAGE_SENT), 2);
    assert_false(world_take_back(&w, begun.claim.chunk, 1, true));
    assert_true(world_take_back(&w, settled.claim.chunk, 1, true));
    assert_true(world_take_back(&w, third, 1, true));
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN), 0);
    assert_int_equal(world_open_slice(&w, &none, 0, 1, NULL), -1); /* it lived after all */
}

/* ---- evidence ---- */

static void after_the_end_acceptance_counts_and_no_guess(void **state)
{
    struct fan_claim_taken taken = opened(1, 4, 4);

    world_exec(&w, "UPDATE chunk SET lease_until = 1");
    assert_true(world_take_back(&w, taken.claim.chunk, 1, false));
    assert_int_equal(world_record(&w, &taken, 0, 1, FAN_MESSAGE_SENT), -1);
    assert_int_equal(say(&taken.claim, 0, FAN_MESSAGE_SENT), 1);
    assert_int_equal(say(&taken.claim, 1, FAN_MESSAGE_FAILED), 1);
    assert_int_equal(say(&taken.claim, 2, FAN_MESSAGE_RETRY), 1);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 1);
    assert_int_equal(count_in(FAN_MESSAGE_FAILED), 1);
    assert_int_equal(count_in(FAN_MESSAGE_RETRY), 1);
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN), 1);
    assert_int_equal(say(&taken.claim, 0, FAN_MESSAGE_FAILED), -1);
    assert_int_equal(say(&taken.claim, 1, FAN_MESSAGE_RETRY), -1);
    assert_int_equal(say(&taken.claim, 1, FAN_MESSAGE_SENT), 1);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 2);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM message WHERE state = 3"
                             " AND reason <> 0"),
            0);
}

static void never_started_counts_only_under_the_epoch_that_opened_it(void **state)
{
    struct fan_claim_taken taken = opened(1, 4, 4);
    struct fan_claim other = taken.claim;

    assert_int_equal(world_release(&w, &taken.claim, -1), FAN_CHUNK_DONE);
    other.epoch++;
    assert_int_equal(say(&other, 0, FAN_MESSAGE_RETRY), -1);
    other.epoch = taken.claim.epoch - 1;
    assert_int_equal(say(&other, 0, FAN_MESSAGE_RETRY), -1);
    assert_int_equal(say(&taken.claim, 0, FAN_MESSAGE_RETRY), 1);
    assert_int_equal(count_in(FAN_MESSAGE_RETRY), 1);
}

static void evidence_about_nothing_is_fine(void **state)
{
    struct fan_claim_taken taken = opened(1, 4, 4);
    struct fan_claim_outcomes none = world_outcomes(&w, 0);

    assert_int_equal(world_evidence(&w, &taken.claim, &none), -1);
}

static void a_final_unknown_that_was_accepted_after_all_is_sent(void **state)
{
    struct fan_claim_taken taken = opened(1, 2, 2);

    w.unknown_wait = 0;
    assert_int_equal(world_release(&w, &taken.claim, -1), FAN_CHUNK_DONE);
    assert_int_equal(world_settle(&w), 2);
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN_FINAL), 2);
    assert_int_equal(say(&taken.claim, 0, FAN_MESSAGE_RETRY), -1);
    assert_int_equal(say(&taken.claim, 0, FAN_MESSAGE_SENT), 1);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 1);
}

/* ---- two accounts ---- */

static void no_account_touches_anothers_rows(void **state)
{
    struct fan_claim_taken taken = opened(1, 4, 4);
    struct fan_claim_taken theirs = taken;

    world_exec(&w,
            "INSERT INTO chunk (account_id, id, run_id, channel_id, size, state, contacts)"
            " SELECT 2, id, 1, 1, 4, 0, '{1,2,3,4}' FROM chunk");
    theirs.claim.account = 2;
    w.account = 2;
    fan_db_account(w.scheduler, 2);
    assert_int_equal(world_open_slice(&w, &theirs, 4, 1, NULL), -1);
    assert_int_equal(world_record(&w, &theirs, 0, 4, FAN_MESSAGE_SENT), -1);
    assert_int_equal(say(&theirs.claim, 0, FAN_MESSAGE_SENT), -1);
    assert_int_equal(world_release(&w, &theirs.claim, -1), -1);
    assert_false(world_take_back(&w, taken.claim.chunk, 1, true));
    theirs.claim.account = 1; /* another account's number in the parameters alone */
    assert_int_equal(world_record(&w, &theirs, 0, 4, FAN_MESSAGE_SENT), -1);
    assert_int_equal(say(&theirs.claim, 0, FAN_MESSAGE_SENT), -1);
    assert_int_equal(world_release(&w, &theirs.claim, -1), -1);
    w.account = 1;
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message WHERE state <> 0"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
        TEST(every_outcome_is_recorded_once),
        TEST(an_unknown_waits_for_evidence_as_long_as_the_scheduler_says),
        TEST(a_try_that_cost_none_is_counted_apart),
        TEST(accepted_messages_are_recorded_alike_alone_and_among_others),
        TEST(a_close_by_another_epoch_or_owner_changes_nothing),
        TEST(a_close_needs_the_epoch_and_not_the_lease),
        TEST(a_close_cannot_speak_of_another_chunks_messages),
        TEST(a_recipient_whom_the_provider_rules_out_is_suppressed),
        TEST(a_batch_that_is_repeated_writes_one_event),
        TEST(the_owner_takes_the_watermark_back_over_what_it_never_started),
        TEST(a_claim_ends_plainly_only_when_nothing_is_left),
        TEST(a_release_never_raises_the_watermark),
        TEST(a_chunk_that_was_opened_to_its_end_is_done),
        TEST(a_chunk_is_taken_back_only_when_its_lease_is_over),
        TEST(from_a_dead_worker_only_what_it_had_not_begun_is_taken_at_once),
        TEST(after_the_end_acceptance_counts_and_no_guess),
        TEST(never_started_counts_only_under_the_epoch_that_opened_it),
        TEST(evidence_about_nothing_is_fine),
        TEST(a_final_unknown_that_was_accepted_after_all_is_sent),
        TEST(no_account_touches_anothers_rows),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

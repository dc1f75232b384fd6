/* Chunks outside of a claim: planned, skipped, rendered, promoted, settled, and what providers say
 * about their messages. After every step all counters equal a recount. */
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

static int64_t count_in(enum fan_message_state state)
{
    assert_int_equal(world_wrong_counters(&w), 0);
    return world_number(&w, "SELECT count(*) FROM message WHERE state = %d", (int)state);
}

static struct fan_claim_taken take(fan_id chunk, uint32_t epoch)
{
    struct fan_claim_taken taken = { 0 };

    assert_true(world_take(&w, chunk, epoch, WORLD_OWNER, &taken));
    return taken;
}

/* A chunk whose messages were all opened and came to @state. */
static struct fan_claim_taken recorded(fan_id from, uint32_t size, enum fan_message_state state)
{
    struct fan_claim_taken taken = take(world_chunk(&w, from, (int)size), 0);

    assert_int_equal(world_open_slice(&w, &taken, 0, size, NULL), (int)size);
    assert_int_equal(world_record(&w, &taken, 0, size, state), (int)size);
    assert_int_equal(world_release(&w, &taken.claim, -1), FAN_CHUNK_DONE);
    return taken;
}

/* The newest chunk, taken: a retry chunk that was just made. */
static struct fan_claim_taken take_newest(void)
{
    return take(world_number(&w, "SELECT max(id) FROM chunk"), 0);
}

/* ---- planning and writing ---- */

static void a_page_becomes_chunks_of_the_runs_size_in_order(void **state)
{
    fan_id contacts[7] = { 11, 12, 13, 14, 15, 16, 17 };
    struct fan_chunk_plan plan = { w.run, WORLD_CHANNEL, FAN_LANE_URGENT, 5, 3, { contacts, 7 },
        0 };
    size_t chunks;

    assert_int_equal(fan_chunks_plan(w.audience, 1, &plan, w.arena, &chunks, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.audience, &w.why), FAN_OK);
    assert_int_equal(chunks, 3);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM chunk WHERE lane = 1 AND due_at = 5"
                             " AND size = cardinality(contacts) AND contacts IN"
                             " ('{11,12,13}', '{14,15,16}', '{17}')"),
            3);
}

static void skipped_people_are_messages_of_a_chunk_that_is_done(void **state)
{
    const fan_id contacts[] = { 4, 9 };
    const int16_t reasons[] = { FAN_REASON_SUPPRESSED, FAN_REASON_NO_ADDRESS };

    assert_int_equal(fan_chunk_skips(w.audience, 1, w.run, WORLD_CHANNEL, contacts, reasons, 2,
                             w.arena, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.audience, &w.why), FAN_OK);
    assert_int_equal(count_in(FAN_MESSAGE_SKIPPED), 2);
    assert_int_equal(world_number(&w, "SELECT sum(contact_id * reason)::bigint FROM message"),
            4 * 2 + 9);
}

/* "id phone attributes suppressed" of everybody, by position. */
static const char *people_of(struct fan_ids contacts, enum fan_kind kind, bool attributes)
{
    const struct fan_people_wanted wanted = { contacts, kind, attributes, attributes };
    const struct fan_person *people;
    const char *line = "";

    assert_int_equal(fan_chunk_people(w.renderer, 1, &wanted, w.arena, &people, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.renderer, &w.why), FAN_OK);
    for (size_t i = 0; i < contacts.len; i++)
        line = fan_arena_printf(w.arena, "%s%lld %.*s %.*s %d,", line, (long long)people[i].contact,
                FAN_BYTES_ARG(people[i].phone), FAN_BYTES_ARG(people[i].attributes),
                people[i].suppressed);
    return line;
}

static void a_chunks_people_are_found_by_position_wherever_they_live(void **state)
{
    static const int64_t near[] = { 1, 3, 4, 5, 6 }, far[] = { 900, 2, 777, 5, 1, 3, 4 };

    world_people(&w, 1, 6);
    world_people(&w, 900, 1);
    world_exec(&w,
            "UPDATE contact SET attributes = '{\"a\": 1}' WHERE id IN (2, 3);"
            "UPDATE contact SET phone = NULL WHERE id = 6;"
            "INSERT INTO suppression (account_id, contact_id, kind, reason) VALUES"
            " (1, 1, 0, 'asked'), (1, 3, 3, 'asked'), (1, 5, 1, 'asked'), (1, 5, 0, 'asked'),"
            " (2, 2, 0, 'asked'), (2, 900, 1, 'asked');"
            "DELETE FROM contact WHERE id = 4;"
            "INSERT INTO contact (account_id, id, phone) VALUES (2, 4, '+4999')");
    assert_string_equal(people_of((struct fan_ids){ near, 5 }, FAN_KIND_SMS, true),
            "1 +49171 {} 1,3 +49173 {\"a\": 1} 0,0   0,5 +49175 {} 1,6  {} 0,");
    assert_string_equal(people_of((struct fan_ids){ near, 5 }, FAN_KIND_EMAIL, false),
            "1 +49171  1,3 +49173  1,0   0,5 +49175  1,6   0,");
    assert_string_equal(people_of((struct fan_ids){ far, 7 }, FAN_KIND_SMS, true),
            "900 +4917900 {} 0,2 +49172 {\"a\": 1} 0,0   0,5 +49175 {} 1,1 +49171 {} 1,"
            "3 +49173 {\"a\": 1} 0,0   0,");
    assert_string_equal(people_of((struct fan_ids){ far + 2, 1 }, FAN_KIND_SMS, true), "0   0,");
}

static void liquid_reads_more_of_a_person(void **state)
{
    static const int64_t one[] = { 1 };
    struct fan_people_wanted wanted = { { one, 1 }, FAN_KIND_SMS, false, true };
    const struct fan_person *people;

    world_people(&w, 1, 1);
    world_exec(&w, "UPDATE contact SET external_id = 'C-1', time_zone = 'Asia/Kolkata'");
    assert_int_equal(fan_chunk_people(w.renderer, 1, &wanted, w.arena, &people, &w.why), FAN_OK);
    assert_true(fan_bytes_eq_text(people[0].external_id, "C-1"));
    assert_true(fan_bytes_eq_text(people[0].time_zone, "Asia/Kolkata"));
    assert_null(people[0].attributes.at);
    assert_int_equal(fan_db_commit(w.renderer, &w.why), FAN_OK);
}

static void a_chunk_is_written_once(void **state)
{
    fan_id chunk;

    world_people(&w, 1, 5);
    chunk = world_plan(&w, 1, 5);
    assert_int_equal(world_render(&w, chunk, 1), FAN_CONFLICT);
    assert_int_equal(world_render(&w, chunk, 0), FAN_OK);
    assert_int_equal(world_render(&w, chunk, 0), FAN_CONFLICT);
    assert_int_equal(count_in(FAN_MESSAGE_PENDING), 5);
}

static void of_two_who_write_a_chunk_at_once_one_is_refused(void **state)
{
    struct fan_bytes text[2] = { FAN_LIT("a"), FAN_LIT("b") };
    fan_id contacts[2] = { 1, 2 };
    int16_t zero[2] = { 0 }, one[2] = { 1, 1 };
    const struct fan_chunk_written written = { 2, contacts, zero, zero, one, text, text };
    fan_id chunk;

    world_people(&w, 1, 2);
    chunk = world_plan(&w, 1, 2);
    assert_int_equal(fan_chunk_render(w.renderer, 1, chunk, 0, &written, w.arena, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.renderer, &w.why), FAN_OK);
    assert_int_equal(fan_chunk_render(w.renderer, 1, chunk, 0, &written, w.arena, &w.why),
            FAN_CONFLICT);
    fan_db_abort(w.renderer);
    assert_int_equal(count_in(FAN_MESSAGE_PENDING), 2);
}

static void messages_stand_at_their_positions_and_are_counted(void **state)
{
    struct fan_bytes addresses[4] = { FAN_LIT("+1"), FAN_NO_BYTES, FAN_LIT("+3"), FAN_LIT("+4") };
    struct fan_bytes bodies[4] = { FAN_LIT("one"), FAN_NO_BYTES, FAN_NO_BYTES, FAN_LIT("") };
    int16_t states[4] = { FAN_MESSAGE_PENDING, FAN_MESSAGE_SKIPPED, FAN_MESSAGE_FAILED,
        FAN_MESSAGE_PENDING };
    int16_t reasons[4] = { 0, FAN_REASON_NO_ADDRESS, FAN_REASON_TEMPLATE, 0 };
    int16_t formats[4] = { 1, 1, 1, 2 };
    fan_id contacts[4] = { 1, 2, 3, 4 };
    const struct fan_chunk_written written = { 4, contacts, states, reasons, formats, addresses,
        bodies };
    fan_id chunk;

    world_people(&w, 1, 4);
    chunk = world_plan(&w, 1, 4);
    assert_int_equal(fan_chunk_render(w.renderer, 1, chunk, 0, &written, w.arena, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.renderer, &w.why), FAN_OK);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM message JOIN (VALUES"
                             " (0, 1, 0, 0, '+1', 1, 'one'), (1, 2, 5, 1, NULL, 1, NULL),"
                             " (2, 3, 4, %d, '+3', 1, NULL), (3, 4, 0, 0, '+4', 2, ''))"
                             " v(place, contact, state, reason, address, format, body)"
                             " ON id = %lld + place AND contact_id = contact"
                             " AND message.state = v.state AND message.reason = v.reason"
                             " AND message.address IS NOT DISTINCT FROM v.address"
                             " AND message.format = v.format"
                             " AND message.body IS NOT DISTINCT FROM v.body",
                             FAN_REASON_TEMPLATE, (long long)fan_message_id(chunk, 0)),
            4);
    assert_int_equal(world_wrong_counters(&w), 0);
}

static void long_bodies_stand_beside_their_messages(void **state)
{
    static char longer[FAN_BODY_IN_ROW + 1];
    struct fan_bytes text[2] = { { longer, sizeof longer }, { longer, FAN_BODY_IN_ROW } };
    fan_id contacts[2] = { 1, 2 };
    int16_t zero[2] = { 0 }, one[2] = { 1, 1 };
    const struct fan_chunk_written written = { 2, contacts, zero, zero, one, text, text };
    fan_id chunk;

    memset(longer, 'x', sizeof longer);
    world_people(&w, 1, 2);
    chunk = world_plan(&w, 1, 2);
    assert_int_equal(fan_chunk_render(w.renderer, 1, chunk, 0, &written, w.arena, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.renderer, &w.why), FAN_OK);
    assert_int_equal(world_number(&w, "SELECT id FROM message WHERE body IS NULL"),
            fan_message_id(chunk, 0));
    assert_int_equal(world_number(&w, "SELECT length(body) FROM message_body WHERE id = %lld",
                             (long long)fan_message_id(chunk, 0)),
            FAN_BODY_IN_ROW + 1);
}

/* ---- retries ---- */

static void due_retries_become_a_chunk_that_alone_answers_for_them(void **state)
{
    struct fan_claim_taken first = recorded(1, 5, FAN_MESSAGE_RETRY), second;

    assert_int_equal(world_promote(&w, 500), 5);
    assert_int_equal(world_promote(&w, 500), 0);
    assert_int_equal(count_in(FAN_MESSAGE_PENDING), 5);
    second = take_newest();
    assert_true(second.claim.is_retry);
    assert_int_equal(second.items.len, 5);
    assert_int_equal(world_open_slice(&w, &second, 0, 3, NULL), 3);
    assert_int_equal(world_record(&w, &first, 0, 5, FAN_MESSAGE_SENT), -1);
    assert_int_equal(world_record(&w, &second, 0, 3, FAN_MESSAGE_SENT), 3);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 3);
    assert_int_equal(world_release(&w, &second.claim, -1), FAN_CHUNK_RENDERED);
    assert_int_equal(world_number(&w, "SELECT min(attempt) FROM message"), 1);
}

static void retries_of_several_chunks_go_together_and_are_split_by_size(void **state)
{
    for (fan_id from = 1; from < 100; from += 10)
        recorded(from, 7, FAN_MESSAGE_RETRY);
    assert_int_equal(world_promote(&w, 50), 70);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM chunk WHERE is_retry"), 2);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM message m WHERE EXISTS (SELECT FROM"
                             " chunk c WHERE c.id = m.work AND m.id = ANY (c.items))"),
            70);
}

static void a_retry_waits_until_it_is_due(void **state)
{
    recorded(1, 4, FAN_MESSAGE_RETRY);
    world_exec(&w, "UPDATE message SET due = fan_now() + 1000000000 WHERE id %% 2 = 0");
    assert_int_equal(world_promote(&w, 500), 2);
    assert_int_equal(count_in(FAN_MESSAGE_RETRY), 2);
    assert_int_equal(world_promote(&w, 500), 0);
    world_exec(&w,
            "UPDATE message SET due = 1 WHERE state = 1; UPDATE chunk SET retry_due = 1"
            " WHERE retry_due IS NOT NULL");
    assert_int_equal(world_promote(&w, 500), 2);
}

static void a_retry_chunk_given_back_leaves_unknowns_to_their_homes(void **state)
{
    struct fan_claim_taken retry;

    recorded(1, 3, FAN_MESSAGE_RETRY);
    recorded(10, 3, FAN_MESSAGE_RETRY);
    assert_int_equal(world_promote(&w, 500), 6);
    retry = take_newest();
    assert_int_equal(world_open_slice(&w, &retry, 0, 5, NULL), 5);
    assert_int_equal(world_release(&w, &retry.claim, 4), FAN_CHUNK_RENDERED);
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN), 4);
    assert_int_equal(count_in(FAN_MESSAGE_PENDING), 2);
}

static void what_a_callback_settled_is_not_retried(void **state)
{
    struct fan_claim_taken first = recorded(1, 3, FAN_MESSAGE_RETRY), retry;
    struct fan_ids unsendable;

    assert_int_equal(world_receipt(&w, fan_message_id(first.claim.chunk, 0), 2, 0), 1);
    assert_int_equal(world_promote(&w, 500), 2);
    retry = take_newest();
    assert_int_equal(world_receipt(&w, fan_message_id(first.claim.chunk, 1), 2, 0), 1);
    assert_int_equal(world_open_slice(&w, &retry, 0, 2, &unsendable), 2);
    assert_int_equal(unsendable.len, 1);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 2);
}

/* ---- the policy ---- */

static void at_most_once_gives_an_unknown_up(void **state)
{
    w.unknown_wait = 0;
    recorded(1, 4, FAN_MESSAGE_UNKNOWN);
    assert_int_equal(world_settle(&w), 4);
    assert_int_equal(world_settle(&w), 0);
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN_FINAL), 4);
}

static void at_least_once_tries_an_unknown_again(void **state)
{
    w.unknown_wait = 0;
    world_exec(&w, "UPDATE run SET at_least_once = true");
    recorded(1, 4, FAN_MESSAGE_UNKNOWN);
    assert_int_equal(world_settle(&w), 4);
    assert_int_equal(count_in(FAN_MESSAGE_RETRY), 4);
    assert_int_equal(world_promote(&w, 500), 4);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message WHERE flags = 64"), 4);
}

/* Three in doubt, in a run with keys that live for @life_us since the first opening. */
static void in_doubt(int64_t life_us)
{
    world_exec(&w, "UPDATE run SET key_us = %lld", (long long)life_us);
    recorded(1, 3, FAN_MESSAGE_UNKNOWN);
}

static void at_once_while_its_key_lives_an_unknown_is_tried_again(void **state)
{
    w.unknown_wait = 3600 * FAN_SECOND;
    in_doubt(60 * FAN_SECOND);
    assert_int_equal(world_settle(&w), 3);
    assert_int_equal(count_in(FAN_MESSAGE_RETRY), 3);
    assert_int_equal(world_promote(&w, 500), 3);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message WHERE flags = 64"), 3);
}

static void behind_its_life_the_policy_decides(void **state)
{
    w.unknown_wait = 3600 * FAN_SECOND;
    in_doubt(1);
    assert_int_equal(world_settle(&w), 0);
    w.unknown_wait = 0;
    assert_int_equal(world_settle(&w), 3);
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN_FINAL), 3);
}

static void a_key_allows_no_more_than_the_tries(void **state)
{
    w.unknown_wait = 3600 * FAN_SECOND;
    in_doubt(60 * FAN_SECOND);
    world_exec(&w,
            "UPDATE message SET attempt = CASE id & 3 WHEN 0 THEN 2 WHEN 1 THEN 50 ELSE 49 END,"
            " free_tries = CASE id & 3 WHEN 0 THEN 0 WHEN 1 THEN 50 ELSE 49 END");
    assert_int_equal(world_settle(&w), 1);
    assert_int_equal(world_number(&w, "SELECT id & 3 FROM message WHERE state = 1"), 2);
}

static void who_was_tried_anew_by_somebody_has_no_key(void **state)
{
    w.unknown_wait = 3600 * FAN_SECOND;
    in_doubt(60 * FAN_SECOND);
    world_exec(&w, "UPDATE message SET forgiven = 1, attempt = 1");
    assert_int_equal(world_settle(&w), 0);
}

static void at_least_once_ends_when_the_tries_are_used_up(void **state)
{
    w.unknown_wait = 0;
    world_exec(&w, "UPDATE run SET at_least_once = true");
    recorded(1, 4, FAN_MESSAGE_UNKNOWN);
    world_exec(&w,
            "UPDATE message SET attempt = CASE id & 3 WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 40 END,"
            " free_tries = CASE id & 3 WHEN 2 THEN 39 WHEN 3 THEN 38 ELSE 0 END");
    assert_int_equal(world_settle(&w), 4);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM message WHERE state = 1"
                             " AND id & 3 IN (0, 2)"),
            2);
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN_FINAL), 2);
}

/* ---- receipts ---- */

static void receipts_merge_in_any_order_and_any_number_of_times(void **state)
{
    static const int orders[][4] = { { 1, 2, 3, 3 }, { 3, 2, 1, 2 }, { 2, 1, 3, 1 } };
    struct fan_claim_taken taken = recorded(1, 3, FAN_MESSAGE_SENT);

    for (uint32_t i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++) {
            world_receipt(&w, fan_message_id(taken.claim.chunk, i), orders[i][k], 1 << k % 3);
            assert_int_equal(world_wrong_counters(&w), 0);
        }
    }
    assert_int_equal(world_number(&w, "SELECT n_read FROM chunk"), 3);
    assert_int_equal(world_number(&w, "SELECT n_undelivered FROM chunk"), 0);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM message WHERE progress = 3"
                             " AND flags = 7"),
            3);
    assert_int_equal(world_receipt(&w, fan_message_id(taken.claim.chunk, 0), 3, 7), 0);
}

static void undelivered_is_taken_back_when_it_was_delivered_after_all(void **state)
{
    struct fan_claim_taken taken = recorded(1, 1, FAN_MESSAGE_SENT);

    world_receipt(&w, fan_message_id(taken.claim.chunk, 0), FAN_PROGRESS_UNDELIVERED, 0);
    assert_int_equal(world_number(&w, "SELECT n_undelivered FROM chunk"), 1);
    world_receipt(&w, fan_message_id(taken.claim.chunk, 0), FAN_PROGRESS_DELIVERED, 0);
    assert_int_equal(world_number(&w, "SELECT n_undelivered FROM chunk"), 0);
    assert_int_equal(world_number(&w, "SELECT n_delivered FROM chunk"), 1);
}

static void a_receipt_proves_acceptance_whatever_was_recorded(void **state)
{
    static const enum fan_message_state states[] = { FAN_MESSAGE_RETRY, FAN_MESSAGE_UNKNOWN,
        FAN_MESSAGE_SENT, FAN_MESSAGE_FAILED };

    for (fan_id i = 0; i < 4; i++) {
        struct fan_claim_taken taken = recorded(1 + 10 * i, 1, states[i]);
        assert_int_equal(world_receipt(&w, fan_message_id(taken.claim.chunk, 0), 0, 0),
                states[i] != FAN_MESSAGE_SENT);
        assert_int_equal(count_in(FAN_MESSAGE_SENT), i + 1);
    }
}

static void a_receipt_before_the_close_wins_and_the_close_changes_nothing(void **state)
{
    struct fan_claim_taken taken = take(world_chunk(&w, 1, 2), 0);

    assert_int_equal(world_open_slice(&w, &taken, 0, 2, NULL), 2);
    assert_int_equal(world_receipt(&w, fan_message_id(taken.claim.chunk, 0), 3, 0), 1);
    assert_int_equal(count_in(FAN_MESSAGE_SENT), 1);
    assert_int_equal(world_record(&w, &taken, 0, 2, FAN_MESSAGE_UNKNOWN), 1);
    assert_int_equal(count_in(FAN_MESSAGE_UNKNOWN), 1);
}

static void who_was_never_written_to_cannot_have_received(void **state)
{
    struct fan_claim_taken taken = recorded(1, 1, FAN_MESSAGE_SKIPPED);

    assert_int_equal(world_receipt(&w, fan_message_id(taken.claim.chunk, 0), 3, 1), 0);
    assert_int_equal(world_receipt(&w, fan_message_id(999, 0), 3, 1), 0);
    fan_db_account(w.ingester, 2);
    w.account = 2;
    assert_int_equal(world_receipt(&w, fan_message_id(taken.claim.chunk, 0), 3, 1), 0);
    w.account = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
        TEST(a_page_becomes_chunks_of_the_runs_size_in_order),
        TEST(skipped_people_are_messages_of_a_chunk_that_is_done),
        TEST(a_chunks_people_are_found_by_position_wherever_they_live),
        TEST(liquid_reads_more_of_a_person),
        TEST(a_chunk_is_written_once),
        TEST(of_two_who_write_a_chunk_at_once_one_is_refused),
        TEST(messages_stand_at_their_positions_and_are_counted),
        TEST(long_bodies_stand_beside_their_messages),
        TEST(due_retries_become_a_chunk_that_alone_answers_for_them),
        TEST(retries_of_several_chunks_go_together_and_are_split_by_size),
        TEST(a_retry_waits_until_it_is_due),
        TEST(a_retry_chunk_given_back_leaves_unknowns_to_their_homes),
        TEST(what_a_callback_settled_is_not_retried),
        TEST(at_most_once_gives_an_unknown_up),
        TEST(at_least_once_tries_an_unknown_again),
        TEST(at_once_while_its_key_lives_an_unknown_is_tried_again),
        TEST(behind_its_life_the_policy_decides),
        TEST(a_key_allows_no_more_than_the_tries),
        TEST(who_was_tried_anew_by_somebody_has_no_key),
        TEST(at_least_once_ends_when_the_tries_are_used_up),
        TEST(receipts_merge_in_any_order_and_any_number_of_times),
        TEST(undelivered_is_taken_back_when_it_was_delivered_after_all),
        TEST(a_receipt_proves_acceptance_whatever_was_recorded),
        TEST(a_receipt_before_the_close_wins_and_the_close_changes_nothing),
        TEST(who_was_never_written_to_cannot_have_received),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sql/store/receipt: what was said about messages, on a real database as the ingester's role. */
#include "sql/store/receipt.h"
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

static const fan_time at = INT64_C(1795176000000000);

static struct world w;
static struct fan_claim_taken taken; /* a chunk of four, all sent */

static int make(void **state)
{
    fan_id chunk;

    world_open(&w);
    chunk = world_chunk(&w, 1, 4);
    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, 4, NULL), 4);
    assert_int_equal(world_record(&w, &taken, 0, 4, FAN_MESSAGE_SENT), 4);
    return 0;
}

static int drop(void **state)
{
    assert_int_equal(world_wrong_counters(&w), 0);
    world_close(&w);
    return 0;
}

static void commit(void)
{
    assert_int_equal(fan_db_commit(w.ingester, &w.why), FAN_OK);
}

static fan_id message(uint32_t position)
{
    return fan_message_id(taken.claim.chunk, position);
}

/* ---- keys ---- */

static struct fan_receipt_key key(fan_id channel, unsigned char text)
{
    return (struct fan_receipt_key){ .channel = channel, .key = { text }, .at = at };
}

static void an_event_is_fresh_once(void **state)
{
    const struct fan_receipt_key keys[] = { key(1, 'a'), key(1, 'a'), key(1, 'b'), key(2, 'a') };
    const struct fan_receipt_key more[] = { key(1, 'a'), key(1, 'c'), key(2, 'a') };
    bool fresh[4];

    assert_int_equal(fan_receipts_note(w.ingester, 1, keys, 4, w.arena, fresh, &w.why), FAN_OK);
    commit();
    assert_true(fresh[0] && !fresh[1] && fresh[2] && fresh[3]);
    assert_int_equal(fan_receipts_note(w.ingester, 1, more, 3, w.arena, fresh, &w.why), FAN_OK);
    commit();
    assert_true(!fresh[0] && fresh[1] && !fresh[2]);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM provider_event"), 4);
}

static void what_was_undone_is_fresh_again(void **state)
{
    const struct fan_receipt_key one = key(1, 'a');
    bool fresh = false;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(fan_receipts_note(w.ingester, 1, &one, 1, w.arena, &fresh, &w.why),
                FAN_OK);
        assert_true(fresh);
        fan_db_abort(w.ingester);
    }
}

/* ---- the merge ---- */

/* What one provider says about a message of the chunk. */
struct said {
    uint32_t position;
    enum fan_progress progress;
    int flags;
    const char *code;
    fan_time at;
};

static struct fan_receipts_runs apply(const struct said *said, size_t count)
{
    struct fan_receipt_rows rows;
    struct fan_receipts_runs out = { 0 };

    fan_receipt_rows_make(&rows, count, w.arena);
    for (size_t i = 0; i < count; i++) {
        rows.messages[i] = message(said[i].position);
        rows.words[i] = (int32_t)said[i].progress | said[i].flags << FAN_WORD_FLAGS;
        rows.codes[i] = fan_bytes_of(said[i].code);
        rows.heard[i] = said[i].at;
        if (said[i].progress == FAN_PROGRESS_DELIVERED)
            rows.delivered[i] = said[i].at;
        if (said[i].progress == FAN_PROGRESS_READ)
            rows.read[i] = said[i].at;
    }
    assert_int_equal(fan_receipts_apply(w.ingester, 1, &rows, w.arena, &out, &w.why), FAN_OK);
    commit();
    return out;
}

static void what_became_new_is_told_by_run(void **state)
{
    const struct said said[] = {
        { 0, FAN_PROGRESS_UNDELIVERED, 0, "30003", at },
        { 1, FAN_PROGRESS_DELIVERED, 0, NULL, at },
        { 2, FAN_PROGRESS_READ, FAN_FLAG_OPENED, NULL, at },
        { 3, FAN_PROGRESS_NONE, FAN_FLAG_CLICKED, NULL, at },
    };
    struct fan_receipts_runs runs = apply(said, 4);

    assert_int_equal(runs.len, 1);
    assert_int_equal(runs.messages, 4);
    assert_int_equal(runs.at[0].run, w.run);
    assert_int_equal(runs.at[0].undelivered, 1);
    assert_int_equal(runs.at[0].delivered, 2);
    assert_int_equal(runs.at[0].read, 1);
    assert_int_equal(runs.at[0].flagged, 2);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM message WHERE code = '30003'"), 1);
    runs = apply(said, 4);
    assert_int_equal(runs.len + runs.messages, 0);
}

enum { WORDS = 5, ORDERS = 120 };

/* To each message of a chunk of so many, the same words in another order, and the last one twice.
 */
static void tell_in_every_order(const struct said *story)
{
    for (int order = 0; order < ORDERS; order++) {
        struct said left[WORDS], next;
        int rest = order;

        memcpy(left, story, sizeof left);
        for (int len = WORDS; len > 0; rest /= len--) {
            int pick = rest % len;

            next = left[pick];
            next.position = (uint32_t)order;
            left[pick] = left[len - 1];
            apply(&next, 1);
        }
        assert_int_equal(apply(&next, 1).messages, 0);
    }
}

static void in_whatever_order_words_come_the_message_is_the_same(void **state)
{
    static const struct said stories[][WORDS] = {
        { { 0, FAN_PROGRESS_NONE, 0, NULL, at + 1 }, { 0, FAN_PROGRESS_DELIVERED, 0, NULL, at + 2 },
                { 0, FAN_PROGRESS_DELIVERED, 0, NULL, at + 3 },
                { 0, FAN_PROGRESS_READ, FAN_FLAG_OPENED, NULL, at + 5 },
                { 0, FAN_PROGRESS_UNDELIVERED, 0, "30003", at + 4 } },
        { { 0, FAN_PROGRESS_UNDELIVERED, 0, "30008", at + 1 },
                { 0, FAN_PROGRESS_UNDELIVERED, 0, "30003", at + 2 },
                { 0, FAN_PROGRESS_UNDELIVERED, 0, NULL, at + 3 },
                { 0, FAN_PROGRESS_NONE, FAN_FLAG_CLICKED, NULL, at + 4 },
                { 0, FAN_PROGRESS_NONE, FAN_FLAG_UNSUBSCRIBED, NULL, at + 5 } },
    };

    for (size_t i = 0; i < 2; i++) {
        fan_id chunk = world_chunk(&w, 100 + (fan_id)i * ORDERS, ORDERS);

        assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
        assert_int_equal(world_open_slice(&w, &taken, 0, ORDERS, NULL), ORDERS);
        if (i == 0) /* else callbacks come before we recorded what we sent */
            assert_int_equal(world_record(&w, &taken, 0, ORDERS, FAN_MESSAGE_SENT), ORDERS);
        tell_in_every_order(stories[i]);
        assert_int_equal(world_number(&w,
                                 "SELECT count(DISTINCT (state, progress, flags, code,"
                                 " delivered_at, read_at)) FROM message WHERE id >> 9 = %lld",
                                 (long long)chunk),
                1);
        assert_int_equal(world_number(&w,
                                 "SELECT count(*) FROM message WHERE id >> 9 = %lld AND state = 3"
                                 " AND coalesce(code, '-') = '%s'",
                                 (long long)chunk, i == 0 ? "-" : "30008"),
                ORDERS);
    }
}

static void a_recipient_is_suppressed_on_the_kind_that_was_used(void **state)
{
    const fan_id messages[] = { message(0), message(1), message(0), 99 * 512 };
    const struct fan_bytes reasons[] = { FAN_LIT("unsubscribed"), FAN_LIT("complained"),
        FAN_LIT("unsubscribed"), FAN_LIT("unsubscribed") };

    for (int i = 0; i < 2; i++) {
        assert_int_equal(fan_receipts_suppress(w.ingester, 1, messages, reasons, 4, w.arena,
                                 &w.why),
                FAN_OK);
        commit();
    }
    assert_int_equal(world_number(&w, "SELECT count(*) FROM suppression WHERE kind = 1"), 2);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM suppression"), 2);
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM suppression s JOIN message m ON"
                             " m.contact_id = s.contact_id WHERE m.id = %lld"
                             " AND s.reason = 'complained'",
                             (long long)message(1)),
            1);
}

static void another_account_s_messages_are_out_of_reach(void **state)
{
    const fan_id messages[] = { message(0) };
    const struct fan_bytes reasons[] = { FAN_LIT("unsubscribed") };

    fan_db_account(w.ingester, 2);
    assert_int_equal(fan_receipts_suppress(w.ingester, 2, messages, reasons, 1, w.arena, &w.why),
            FAN_OK);
    commit();
    fan_db_account(w.ingester, 1);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM suppression"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_fresh_once),
        TEST(what_was_undone_is_fresh_again),
        TEST(what_became_new_is_told_by_run),
        TEST(in_whatever_order_words_come_the_message_is_the_same),
        TEST(a_recipient_is_suppressed_on_the_kind_that_was_used),
        TEST(another_account_s_messages_are_out_of_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

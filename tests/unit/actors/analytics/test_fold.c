/* actors/analytics/fold.c */
#include "actors/analytics/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

#define MINUTE (60 * FAN_SECOND)

static const fan_time noon = INT64_C(1795176000000000);

static struct fan_arena *arena;
static struct fan_stat_event events[16];
static size_t len;

static int setup(void **state)
{
    arena = fan_arena_new();
    len = 0;
    return 0;
}

static int teardown(void **state)
{
    fan_arena_free(&arena);
    return 0;
}

static void add(fan_id account, fan_id run, fan_time at, const struct fan_schema *schema,
        const void *message)
{
    struct fan_buffer body;

    fan_buffer_init(&body, 4096);
    fan_encode(schema, message, &body);
    events[len++] = (struct fan_stat_event){
        .account = account,
        .campaign = run ? run + 100 : 0,
        .run = run,
        .at = at,
        .type = schema->number,
        .body = fan_bytes_dup(fan_buffer_bytes(&body), arena),
    };
    fan_buffer_fini(&body);
}

static void settled(fan_id account, fan_id run, fan_time at, uint32_t sent)
{
    add(account, run, at, &fan_schema_messages_settled,
            &(struct fan_messages_settled){ .chunk = 1, .sent = sent });
}

static struct folded fold_all(void)
{
    return fold(&(struct fan_stat_events){ events, len }, arena);
}

static void each_event_counts_where_it_belongs(void **state)
{
    static const uint32_t wanted[FAN_STAT_COUNT] = { [FAN_STAT_PLANNED] = 500,
        [FAN_STAT_SENT] = 60,
        [FAN_STAT_FAILED] = 2,
        [FAN_STAT_RETRY] = 3,
        [FAN_STAT_UNKNOWN] = 4,
        [FAN_STAT_SKIPPED] = 12,
        [FAN_STAT_CANCELLED] = 11,
        [FAN_STAT_DELIVERED] = 30,
        [FAN_STAT_READ] = 8,
        [FAN_STAT_UNDELIVERED] = 6,
        [FAN_STAT_FLAGGED] = 9 };
    struct folded out;

    add(1, 2, noon, &fan_schema_chunks_planned,
            &(struct fan_chunks_planned){ .chunks = 1, .recipients = 500, .skipped = 7 });
    add(1, 2, noon + 1, &fan_schema_messages_settled,
            &(struct fan_messages_settled){ .chunk = 9,
                    .sent = 60,
                    .failed = 2,
                    .retry = 3,
                    .unknown = 4,
                    .skipped = 5,
                    .cancelled = 11 });
    add(1, 2, noon + 2, &fan_schema_receipts_applied,
            &(struct fan_receipts_applied){ .delivered = 30,
                    .read = 8,
                    .undelivered = 6,
                    .flagged = 9 });
    out = fold_all();
    assert_int_equal(out.len, 1);
    assert_int_equal(out.at[0].account, 1);
    assert_int_equal(out.at[0].campaign, 102);
    assert_int_equal(out.at[0].run, 2);
    assert_int_equal(out.at[0].minute, noon);
    assert_memory_equal(out.at[0].counts, wanted, sizeof wanted);
}

static void minutes_runs_and_accounts_are_kept_apart(void **state)
{
    struct folded out;

    settled(1, 2, noon + MINUTE, 1);
    settled(1, 2, noon, 2);
    settled(2, 2, noon, 4);
    settled(1, 3, noon, 8);
    settled(1, 2, noon + MINUTE - 1, 16);
    out = fold_all();
    assert_int_equal(out.len, 4);
    assert_int_equal(out.at[0].counts[FAN_STAT_SENT], 18);
    assert_int_equal(out.at[1].minute, noon + MINUTE);
    assert_int_equal(out.at[1].counts[FAN_STAT_SENT], 1);
    assert_int_equal(out.at[2].run, 3);
    assert_int_equal(out.at[3].account, 2);
}

static void what_counts_nothing_is_passed_over(void **state)
{
    struct folded out;

    settled(1, 0, noon, 1); /* of no run */
    add(1, 2, noon, &fan_schema_chunk_done, &(struct fan_chunk_done){ .chunk = 5 });
    out = fold_all();
    assert_int_equal(out.len, 0);
    assert_int_equal(out.unread, 0);
}

static void an_event_that_cannot_be_read_is_counted_as_such(void **state)
{
    struct folded out;

    settled(1, 2, noon, 1);
    settled(1, 2, noon, 2);
    events[0].body = FAN_LIT("\xc1");
    out = fold_all();
    assert_int_equal(out.unread, 1);
    assert_int_equal(out.len, 1);
    assert_int_equal(out.at[0].counts[FAN_STAT_SENT], 2);
}

static void no_events_are_no_minutes(void **state)
{
    assert_int_equal(fold_all().len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_event_counts_where_it_belongs, setup, teardown),
        cmocka_unit_test_setup_teardown(minutes_runs_and_accounts_are_kept_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(what_counts_nothing_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_that_cannot_be_read_is_counted_as_such, setup,
                teardown),
        cmocka_unit_test_setup_teardown(no_events_are_no_minutes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

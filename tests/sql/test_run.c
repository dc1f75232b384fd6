/* Runs: launched once, their audience page by page, their end. Each as the process that does it. */
#include "tests/support/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

/* ---- launching ---- */

static void draft(fan_id campaign, const char *tags)
{
    world_exec(&w,
            "INSERT INTO campaign (account_id, id, display_id, name, kind, channel_id, content,"
            " tag_ids) VALUES (1, %lld, %lld, 'x', 1, 1, '{\"text\": \"hi\"}', '%s')",
            (long long)campaign, (long long)campaign, tags);
}

static enum fan_err launch(fan_id campaign, struct fan_ids contacts, fan_id *run, bool *created)
{
    const struct fan_run_new how = { campaign, FAN_LIT("once"), contacts };
    enum fan_err err = fan_run_create(w.scheduler, 1, &how, w.arena, run, created, &w.why);

    if (err)
        fan_db_abort(w.scheduler);
    return err ? err : fan_db_commit(w.scheduler, &w.why);
}

static void a_campaign_is_launched_once_however_often_it_is_triggered(void **state)
{
    fan_id first, second;
    bool created;

    draft(5, "{}");
    assert_int_equal(launch(5, (struct fan_ids){ 0 }, &first, &created), FAN_OK);
    assert_true(created);
    assert_int_equal(launch(5, (struct fan_ids){ 0 }, &second, &created), FAN_OK);
    assert_false(created);
    assert_int_equal(first, second);
    assert_int_equal(world_number(&w,
                             "SELECT state FROM campaign WHERE id = 5"
                             " AND account_id = 1"),
            FAN_CAMPAIGN_PREPARING);
}

static void what_cannot_be_launched_is_refused(void **state)
{
    fan_id run;
    bool created;

    assert_int_equal(launch(99, (struct fan_ids){ 0 }, &run, &created), FAN_NOT_FOUND);
    draft(5, "{}");
    world_exec(&w, "UPDATE campaign SET state = 5 WHERE id = 5");
    assert_int_equal(launch(5, (struct fan_ids){ 0 }, &run, &created), FAN_CONFLICT);
    assert_string_equal(w.why.field, "status");
    world_exec(&w, "UPDATE campaign SET state = 0; UPDATE channel SET enabled = false");
    assert_int_equal(launch(5, (struct fan_ids){ 0 }, &run, &created), FAN_CONFLICT);
    assert_string_equal(w.why.field, "channel_id");
}

/* ---- the audience ---- */

/* Resolve the run page by page; the line lists contacts with the reasons why they are skipped. */
static const char *resolve(fan_id run, uint32_t limit)
{
    struct fan_run_audience audience;
    struct fan_run_page page;
    const char *line = "";
    int pages = 0;

    do {
        assert_int_equal(fan_run_hold(w.audience, 1, run, w.arena, &audience, &w.why), FAN_OK);
        assert_int_equal(fan_run_page(w.audience, 1, &audience, limit, w.arena, &page, &w.why),
                FAN_OK);
        for (size_t i = 0; i < page.count; i++)
            line = fan_arena_printf(w.arena, "%s %lld:%d", line, (long long)page.contacts[i],
                    page.skips[i]);
        assert_int_equal(fan_run_advance(w.audience, 1, run, page.end, page.last, w.arena, &w.why),
                FAN_OK);
        assert_int_equal(fan_db_commit(w.audience, &w.why), FAN_OK);
        assert_true(++pages < 1000);
    } while (!page.last);
    return line;
}

/* Seven people: a twin of the first, one without a phone, one who opted out, one of another
 * account. */
static void people(void)
{
    world_people(&w, 1, 6);
    world_exec(&w,
            "UPDATE contact SET phone = (SELECT phone FROM contact WHERE id = 1)"
            " WHERE id = 3;"
            "UPDATE contact SET phone = NULL WHERE id = 4;"
            "INSERT INTO suppression (account_id, contact_id, kind, reason)"
            " VALUES (1, 5, 0, 'asked'), (1, 6, 3, 'other kind'), (2, 2, 0, 'asked');"
            "INSERT INTO contact (account_id, id, phone) VALUES (2, 7, '+4917999');"
            "INSERT INTO contact_tag (account_id, tag_id, contact_id) VALUES"
            " (1, 1, 2), (1, 1, 3), (1, 2, 3), (1, 2, 5), (1, 3, 6), (2, 1, 7)");
}

static fan_id launched(const char *tags, struct fan_ids contacts)
{
    bool created;
    fan_id run;

    draft(5, tags);
    assert_int_equal(launch(5, contacts, &run, &created), FAN_OK);
    return run;
}

static void everybody_is_read_in_pages_of_any_size(void **state)
{
    people();
    for (uint32_t limit = 1; limit < 8; limit++) {
        fan_id run = launched("{}", (struct fan_ids){ 0 });
        assert_string_equal(resolve(run, limit), " 1:0 2:0 3:3 4:1 5:2 6:0");
        world_exec(&w,
                "DELETE FROM run WHERE campaign_id = 5;"
                "DELETE FROM campaign WHERE id = 5");
    }
}

static void who_has_any_of_the_tags_is_written_to_once(void **state)
{
    people();
    for (uint32_t limit = 1; limit < 5; limit++) {
        fan_id run = launched("{1,2}", (struct fan_ids){ 0 });
        assert_string_equal(resolve(run, limit), " 2:0 3:0 5:2"); /* the twin is not in it */
        world_exec(&w,
                "DELETE FROM run WHERE campaign_id = 5;"
                "DELETE FROM campaign WHERE id = 5");
    }
}

/* Ask @w.audience, in its transaction, for a number. */
static int64_t asked(const char *sql)
{
    const struct fan_query query = { .name = sql, .file = "test", .sql = sql };
    struct fan_args args;
    struct fan_rows rows;

    fan_args_begin(&args, w.arena);
    assert_int_equal(fan_db_run(w.audience, &query, &args, &rows, &w.why), FAN_OK);
    return fan_row_i64(&rows, 0, 0);
}

/* Rows of a table, and of its indexes, that the transaction of @w.audience has read so far. */
#define ROWS_READ(table) \
    asked("SELECT pg_stat_get_xact_tuples_returned('" table "'::regclass)" \
          " + pg_stat_get_xact_tuples_fetched('" table "'::regclass)" \
          " + coalesce(sum(pg_stat_get_xact_tuples_returned(indexrelid)), 0)::bigint" \
          " FROM pg_index WHERE indrelid = '" table "'::regclass")

/* The first page of a run, as the transaction sees it. */
static struct fan_run_page first_page(fan_id run)
{
    struct fan_run_audience audience;
    struct fan_run_page page;

    assert_int_equal(fan_run_hold(w.audience, 1, run, w.arena, &audience, &w.why), FAN_OK);
    assert_int_equal(fan_run_page(w.audience, 1, &audience, 5000, w.arena, &page, &w.why), FAN_OK);
    return page;
}

/* The index that begins with the contact would read everybody, and a planner may prefer it. */
static void of_a_few_with_a_tag_nobody_else_is_read(void **state)
{
    world_people(&w, 1, 20000);
    world_exec(&w,
            "INSERT INTO contact_tag (account_id, tag_id, contact_id)"
            " SELECT 1, 1, i FROM generate_series(1, 20000) i;"
            "ANALYZE contact, contact_tag;"
            "INSERT INTO contact_tag (account_id, tag_id, contact_id) VALUES (1, 2, 19000)");
    assert_int_equal(first_page(launched("{2}", (struct fan_ids){ 0 })).count, 1);
    assert_in_range(ROWS_READ("contact_tag"), 1, 20);
    fan_db_abort(w.audience);
}

static void a_late_page_does_not_begin_with_the_first_person(void **state)
{
    static const char pages_read[] =
            "SELECT pg_stat_get_xact_blocks_fetched('contact_tag_pkey'::regclass)";
    fan_id run;

    world_people(&w, 1, 20000);
    world_exec(&w,
            "INSERT INTO contact_tag (account_id, tag_id, contact_id)"
            " SELECT 1, 1, i FROM generate_series(1, 20000) i");
    run = launched("{1}", (struct fan_ids){ 0 });
    world_exec(&w, "UPDATE run SET cursor = 19990 WHERE id = %lld", (long long)run);
    assert_int_equal(first_page(run).count, 10);
    assert_in_range(asked(pages_read), 1, 10);
    fan_db_abort(w.audience);
}

/* People who live apart are read one by one, those who live together as one range; on tables that
 * nobody has analysed. */
static void a_page_reads_its_people_and_not_everybody_between_them(void **state)
{
    world_people(&w, 1, 20000);
    world_exec(&w,
            "INSERT INTO suppression (account_id, contact_id, kind, reason)"
            " SELECT 1, i, 0, 'asked' FROM generate_series(2, 20000, 3) i;"
            "INSERT INTO contact_tag (account_id, tag_id, contact_id) VALUES"
            " (1, 1, 100), (1, 1, 10000), (1, 1, 19000);"
            "INSERT INTO contact_tag (account_id, tag_id, contact_id)"
            " SELECT 1, 2, i FROM generate_series(5000, 6999, 2) i");
    assert_int_equal(first_page(launched("{1}", (struct fan_ids){ 0 })).count, 3);
    assert_in_range(ROWS_READ("contact"), 3, 20);
    assert_in_range(ROWS_READ("suppression"), 0, 10);
    fan_db_abort(w.audience);
    world_exec(&w, "DELETE FROM run WHERE campaign_id = 5; DELETE FROM campaign WHERE id = 5");
    assert_int_equal(first_page(launched("{2}", (struct fan_ids){ 0 })).count, 1000);
    assert_in_range(ROWS_READ("contact"), 2000, 4100);
    assert_in_range(ROWS_READ("suppression"), 600, 1400);
    fan_db_abort(w.audience);
}

/* People close together and far apart, many of whom share a number or an address or have none, with
 * some of whom only their tags are left; and their likes in another account. */
static void a_crowd(void)
{
    pg_exec(w.url,
            "INSERT INTO contact (account_id, id, phone, email) SELECT a, i,"
            " CASE WHEN i % 11 > 0 THEN '+49' || hashint8(i) % 97 END,"
            " CASE WHEN i % 13 > 0 THEN 'p' || hashint8(i + 7) % 97 END"
            " FROM generate_series(1, 2) a, (SELECT i FROM generate_series(1, 150) i"
            "   UNION ALL SELECT i * 50 FROM generate_series(4, 60) i) z;"
            "INSERT INTO contact_tag (account_id, tag_id, contact_id)"
            " SELECT account_id, t, id FROM contact, generate_series(1, 3) t"
            " WHERE hashint8(id * 10 + t) % 3 = 0;"
            "INSERT INTO suppression (account_id, contact_id, kind, reason)"
            " SELECT account_id, id, k, 'asked' FROM contact, unnest(ARRAY[0, 1, 3]) k"
            " WHERE hashint8(id * 10 + k + account_id) % 15 = 0;"
            "DELETE FROM contact WHERE id % 17 = 0 OR id BETWEEN 40 AND 60 OR id > 2700");
}

/* What resolve() is to say, one person at a time. */
static const char *by_the_rules(int kind, const char *tags)
{
    const struct fan_query query = { .name = "rules",
        .file = "test",
        .sql = "WITH a AS MATERIALIZED ("
               "  SELECT c.id, CASE WHEN $1::smallint = 3 THEN email ELSE phone END AS address"
               "  FROM contact c WHERE account_id = 1 AND ($2::text = '{}' OR EXISTS (SELECT"
               "    FROM contact_tag t WHERE t.account_id = 1 AND t.contact_id = c.id"
               "    AND t.tag_id = ANY ($2::bigint[]))))"
               " SELECT string_agg(' ' || id || ':' || CASE WHEN address IS NULL THEN 1"
               "  WHEN EXISTS (SELECT FROM suppression s WHERE s.account_id = 1"
               "    AND s.contact_id = a.id AND s.kind IN (0, $1)) THEN 2"
               "  WHEN EXISTS (SELECT FROM a d WHERE d.address = a.address AND d.id < a.id) THEN 3"
               "  ELSE 0 END, '' ORDER BY id) FROM a" };
    struct fan_args args;
    struct fan_rows rows;

    fan_args_begin(&args, w.arena);
    fan_arg_i16(&args, kind);
    fan_arg_text(&args, fan_bytes_of(tags));
    assert_int_equal(fan_db_run(w.eye, &query, &args, &rows, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.eye, &w.why), FAN_OK);
    return fan_arena_printf(w.arena, "%.*s", FAN_BYTES_ARG(fan_row_text(&rows, 0, 0)));
}

static void pages_say_what_the_rules_say(void **state)
{
    static const char *const tags[] = { "{}", "{1}", "{1,2}", "{3,1,2}" };
    static const uint32_t limits[] = { 1, 7, 60, 1000 };
    static const int kinds[] = { FAN_KIND_SMS, FAN_KIND_EMAIL };

    a_crowd();
    for (int i = 0; i < 2 * 4 * 4; i++) {
        int kind = kinds[i % 2];
        const char *tag = tags[i / 2 % 4];
        fan_id run = launched(tag, (struct fan_ids){ 0 });

        world_exec(&w, "UPDATE run SET kind = %d WHERE campaign_id = 5", kind);
        assert_string_equal(resolve(run, limits[i / 8]), by_the_rules(kind, tag));
        world_exec(&w,
                "DELETE FROM run WHERE campaign_id = 5;"
                "DELETE FROM campaign WHERE id = 5");
    }
}

/* The same of a list of the crowd, in which some stand twice and some are gone. */
static const char *by_the_rules_of_a_list(int kind, struct fan_ids list)
{
    const struct fan_query query = { .name = "list_rules",
        .file = "test",
        .sql = "WITH l AS (SELECT * FROM unnest($2::bigint[]) WITH ORDINALITY u(id, place)),"
               " a AS (SELECT id, CASE WHEN $1::smallint = 3 THEN email ELSE phone END AS address"
               "  FROM contact WHERE account_id = 1 AND id IN (SELECT id FROM l))"
               " SELECT string_agg(' ' || l.id || ':' || CASE WHEN address IS NULL THEN 1"
               "  WHEN EXISTS (SELECT FROM suppression s WHERE s.account_id = 1"
               "    AND s.contact_id = l.id AND s.kind IN (0, $1)) THEN 2"
               "  WHEN EXISTS (SELECT FROM l e WHERE e.id = l.id AND e.place < l.place) THEN 3"
               "  WHEN EXISTS (SELECT FROM a d WHERE d.address = a.address AND d.id < a.id) THEN 3"
               "  ELSE 0 END, '' ORDER BY place) FROM l LEFT JOIN a USING (id)" };
    struct fan_args args;
    struct fan_rows rows;

    fan_args_begin(&args, w.arena);
    fan_arg_i16(&args, kind);
    fan_arg_i64s(&args, list.at, list.len);
    assert_int_equal(fan_db_run(w.eye, &query, &args, &rows, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.eye, &w.why), FAN_OK);
    return fan_arena_printf(w.arena, "%.*s", FAN_BYTES_ARG(fan_row_text(&rows, 0, 0)));
}

static void pages_of_a_list_say_what_the_rules_say(void **state)
{
    static const uint32_t limits[] = { 1, 7, 60, 1000 };
    static const int kinds[] = { FAN_KIND_SMS, FAN_KIND_EMAIL };
    fan_id list[160];

    a_crowd();
    for (int i = 0; i < 160; i++)
        list[i] = i % 3 ? 1 + i * 89 % 150 : i * 50 % 3100;
    for (int i = 0; i < 2 * 4; i++) {
        const struct fan_ids ids = { list, 160 };
        fan_id run = launched("{}", ids);

        world_exec(&w, "UPDATE run SET kind = %d WHERE campaign_id = 5", kinds[i % 2]);
        assert_string_equal(resolve(run, limits[i / 2]), by_the_rules_of_a_list(kinds[i % 2], ids));
        world_exec(&w,
                "DELETE FROM run WHERE campaign_id = 5;"
                "DELETE FROM campaign WHERE id = 5");
    }
}

static void of_a_list_everybody_is_written_to_once_whoever_stands_in_it_twice(void **state)
{
    static const int64_t list[] = { 6, 3, 6, 1, 4, 5, 777, 7, 2 };

    people();
    for (uint32_t limit = 1; limit < 10; limit++) {
        fan_id run = launched("{}", (struct fan_ids){ list, 9 });
        assert_string_equal(resolve(run, limit), " 6:0 3:3 6:3 1:0 4:1 5:2 777:1 7:1 2:0");
        world_exec(&w,
                "DELETE FROM run WHERE campaign_id = 5;"
                "DELETE FROM campaign WHERE id = 5");
    }
}

static void a_list_of_nobody_is_not_everybody(void **state)
{
    static const int64_t none[1] = { 0 };

    people();
    assert_string_equal(resolve(launched("{}", (struct fan_ids){ none, 0 }), 5), "");
}

static void who_came_after_the_launch_is_not_in_it(void **state)
{
    fan_id run;

    people();
    run = launched("{}", (struct fan_ids){ 0 });
    world_people(&w, 50, 3);
    assert_string_equal(resolve(run, 100), " 1:0 2:0 3:3 4:1 5:2 6:0");
}

static void a_run_is_held_by_one_resolver_at_a_time(void **state)
{
    struct fan_run_audience audience;
    struct fan_db *other;
    char url[PG_URL];
    fan_id run;

    people();
    run = launched("{}", (struct fan_ids){ 0 });
    pg_url_as(w.url, "fan_audience", url);
    other = pg_connect(url, FAN_DB_HOT);
    fan_db_account(other, 1);
    assert_int_equal(fan_run_hold(w.audience, 1, run, w.arena, &audience, &w.why), FAN_OK);
    assert_int_equal(fan_run_hold(other, 1, run, w.arena, &audience, &w.why), FAN_NOT_FOUND);
    fan_db_abort(other);
    fan_db_abort(w.audience);
    assert_int_equal(fan_run_hold(other, 1, run, w.arena, &audience, &w.why), FAN_OK);
    fan_db_free(&other);
}

static void a_resolver_sees_its_accounts_run_alone(void **state)
{
    struct fan_run_audience audience;
    fan_id run;

    people();
    run = launched("{}", (struct fan_ids){ 0 });
    fan_db_account(w.audience, 2);
    assert_int_equal(fan_run_hold(w.audience, 1, run, w.arena, &audience, &w.why), FAN_NOT_FOUND);
    assert_int_equal(fan_run_hold(w.audience, 2, run, w.arena, &audience, &w.why), FAN_NOT_FOUND);
}

/* ---- the end ---- */

static int complete(void)
{
    fan_id campaign;
    int ended;

    assert_int_equal(fan_run_complete(w.scheduler, 1, w.run, w.arena, &ended, &campaign, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.scheduler, &w.why), FAN_OK);
    return ended;
}

static void a_run_ends_when_nothing_is_left_of_it(void **state)
{
    struct fan_claim_taken taken;
    fan_id chunk = world_chunk(&w, 1, 4);

    assert_int_equal(complete(), -1); /* rendered */
    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    assert_int_equal(world_open_slice(&w, &taken, 0, 4, NULL), 4);
    assert_int_equal(world_record(&w, &taken, 0, 1, FAN_MESSAGE_SENT), 1);
    assert_int_equal(world_record(&w, &taken, 1, 2, FAN_MESSAGE_RETRY), 1);
    assert_int_equal(world_record(&w, &taken, 2, 3, FAN_MESSAGE_UNKNOWN), 1);
    assert_int_equal(world_record(&w, &taken, 3, 4, FAN_MESSAGE_FAILED), 1);
    assert_int_equal(complete(), -1); /* claimed */
    assert_int_equal(world_release(&w, &taken.claim, -1), FAN_CHUNK_DONE);
    assert_int_equal(complete(), -1); /* one to retry, one unknown */
    world_receipt(&w, fan_message_id(chunk, 1), 2, 0);
    assert_int_equal(complete(), -1);
    world_receipt(&w, fan_message_id(chunk, 2), 2, 0);
    assert_int_equal(complete(), FAN_RUN_COMPLETED);
    assert_int_equal(world_number(&w, "SELECT state FROM campaign WHERE account_id = 1"),
            FAN_CAMPAIGN_COMPLETED);
    assert_int_equal(complete(), -1);
}

static void a_run_that_nobody_received_has_failed(void **state)
{
    const fan_id contacts[] = { 1 };
    const int16_t reasons[] = { FAN_REASON_NO_ADDRESS };

    assert_int_equal(fan_chunk_skips(w.audience, 1, w.run, WORLD_CHANNEL, contacts, reasons, 1,
                             w.arena, &w.why),
            FAN_OK);
    assert_int_equal(fan_db_commit(w.audience, &w.why), FAN_OK);
    assert_int_equal(complete(), FAN_RUN_FAILED);
}

static void a_run_does_not_end_before_its_audience_is_complete(void **state)
{
    world_exec(&w, "UPDATE run SET resolved = false");
    assert_int_equal(complete(), -1);
    world_exec(&w, "UPDATE run SET resolved = true");
    assert_int_equal(complete(), FAN_RUN_COMPLETED); /* to nobody, which is not a failure */
}

/* ---- across accounts ---- */

static void the_scheduler_sees_live_runs_of_all_accounts(void **state)
{
    const struct fan_run_live *runs;
    size_t count;

    world_exec(&w, "UPDATE run SET state = 2 WHERE account_id = 2");
    fan_db_account(w.scheduler, 0);
    assert_int_equal(fan_runs_live(w.scheduler, w.arena, &runs, &count, &w.why), FAN_OK);
    assert_int_equal(count, 2);
    assert_int_equal(runs[0].account, 1);
    assert_int_equal(runs[1].account, 2);
    assert_int_equal(runs[1].state, FAN_RUN_PAUSED);
    assert_int_equal(fan_db_commit(w.scheduler, &w.why), FAN_OK);
}

static void one_scheduler_leads_until_its_connection_ends(void **state)
{
    struct fan_db *other;
    char url[PG_URL];
    bool leading;

    pg_url_as(w.url, "fan_scheduler", url);
    other = pg_connect(url, FAN_DB_FREE);
    fan_db_account(w.scheduler, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fan_run_lead(w.scheduler, w.arena, &leading, &w.why), FAN_OK);
        assert_true(leading);
        assert_int_equal(fan_run_lead(other, w.arena, &leading, &w.why), FAN_OK);
        assert_false(leading);
    }
    fan_db_free(&w.scheduler);
    for (int i = 0; i < 100 && !leading; i++)
        assert_int_equal(fan_run_lead(other, w.arena, &leading, &w.why), FAN_OK);
    assert_true(leading);
    fan_db_free(&other);
}

static void a_leader_that_is_silent_for_long_is_replaced(void **state)
{
    struct fan_db *other;
    char url[PG_URL];
    bool leading, deposed;

    pg_url_as(w.url, "fan_scheduler", url);
    other = pg_connect(url, FAN_DB_FREE);
    fan_db_account(w.scheduler, 0);
    assert_int_equal(fan_run_lead(w.scheduler, w.arena, &leading, &w.why), FAN_OK);
    assert_true(leading);
    assert_int_equal(fan_run_depose(other, 600 * FAN_SECOND, w.arena, &deposed, &w.why), FAN_OK);
    assert_false(deposed);
    assert_int_equal(fan_run_depose(other, 0, w.arena, &deposed, &w.why), FAN_OK);
    assert_true(deposed);
    for (int i = 0; i < 100 && deposed; i++)
        assert_int_equal(fan_run_depose(other, 0, w.arena, &deposed, &w.why), FAN_OK);
    assert_int_equal(fan_run_lead(other, w.arena, &leading, &w.why), FAN_OK);
    assert_true(leading);
    assert_int_equal(fan_run_lead(w.scheduler, w.arena, &leading, &w.why), FAN_OK);
    assert_false(leading);
    fan_db_free(&other);
}

static void there_is_always_a_partition_for_the_next_chunks(void **state)
{
    for (int64_t newest = 1; newest < 1 << 19; newest += 100000) {
        world_exec(&w, "SELECT setval('chunk_id', %lld)", (long long)newest);
        assert_int_equal(fan_run_partitions(w.eye, w.arena, &w.why), FAN_OK);
        world_exec(&w,
                "INSERT INTO message (account_id, id, contact_id)"
                " VALUES (1, (%lld + 100000)::bigint << 9, 1)",
                (long long)newest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
        TEST(a_campaign_is_launched_once_however_often_it_is_triggered),
        TEST(what_cannot_be_launched_is_refused),
        TEST(everybody_is_read_in_pages_of_any_size),
        TEST(who_has_any_of_the_tags_is_written_to_once),
        TEST(of_a_few_with_a_tag_nobody_else_is_read),
        TEST(a_late_page_does_not_begin_with_the_first_person),
        TEST(a_page_reads_its_people_and_not_everybody_between_them),
        TEST(pages_say_what_the_rules_say),
        TEST(pages_of_a_list_say_what_the_rules_say),
        TEST(of_a_list_everybody_is_written_to_once_whoever_stands_in_it_twice),
        TEST(a_list_of_nobody_is_not_everybody),
        TEST(who_came_after_the_launch_is_not_in_it),
        TEST(a_run_is_held_by_one_resolver_at_a_time),
        TEST(a_resolver_sees_its_accounts_run_alone),
        TEST(a_run_ends_when_nothing_is_left_of_it),
        TEST(a_run_that_nobody_received_has_failed),
        TEST(a_run_does_not_end_before_its_audience_is_complete),
        TEST(the_scheduler_sees_live_runs_of_all_accounts),
        TEST(one_scheduler_leads_until_its_connection_ends),
        TEST(a_leader_that_is_silent_for_long_is_replaced),
        TEST(there_is_always_a_partition_for_the_next_chunks),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

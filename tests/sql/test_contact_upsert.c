/* sql/store/contact_upsert: blocks of an import, their people and the cursor, on a real database as
 * the audience's role. */
#include "sql/store/contact_upsert.h"
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

enum { IMPORT = 5 };

static struct world w;

static int make(void **state)
{
    world_open(&w);
    world_exec(&w,
            "INSERT INTO import (account_id, id, state, header, mapping, tag_ids, blocks)"
            " VALUES (1, 5, 0, '{id,phone}', '{external_id,phone}', '{9}', 2);"
            "INSERT INTO import_block (account_id, import_id, seq, first_line, body)"
            " VALUES (1, 5, 0, 2, 'a,1'), (1, 5, 1, 3, 'b,2')");
    return 0;
}

static int drop(void **state)
{
    world_close(&w);
    return 0;
}

static void commit(void)
{
    assert_int_equal(fan_db_commit(w.audience, &w.why), FAN_OK);
}

/* ---- the cursor ---- */

static enum fan_err hold(struct fan_import_held *out)
{
    return fan_import_hold(w.audience, 1, IMPORT, w.arena, out, &w.why);
}

static enum fan_import_state advance(int32_t seq, int64_t *rows)
{
    const struct fan_import_counts counts = { .rows = 10,
        .created = 7,
        .updated = 2,
        .rejected = 1,
        .warnings = 3 };
    enum fan_import_state state = FAN_IMPORT_FAILED;

    assert_int_equal(fan_import_advance(w.audience, 1, IMPORT, seq, &counts, w.arena, &state, rows,
                             &w.why),
            FAN_OK);
    commit();
    return state;
}

static void blocks_are_taken_in_one_after_the_other(void **state)
{
    struct fan_import_held held;
    struct fan_import_block block;
    int64_t rows;

    assert_int_equal(hold(&held), FAN_OK);
    assert_int_equal(held.next_block, 0);
    assert_int_equal(held.columns, 2);
    assert_true(fan_bytes_eq_text(held.mapping.at[1], "phone"));
    assert_int_equal(held.tags.at[0], 9);
    assert_int_equal(fan_import_block_get(w.audience, 1, IMPORT, 0, w.arena, &block, &w.why),
            FAN_OK);
    assert_int_equal(block.first_line, 2);
    assert_true(fan_bytes_eq_text(block.body, "a,1"));
    assert_int_equal(advance(0, &rows), FAN_IMPORT_RECEIVING);
    assert_int_equal(rows, 10);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM import_block"), 1);
    assert_int_equal(hold(&held), FAN_OK);
    assert_int_equal(held.next_block, 1);
    assert_int_equal(advance(1, &rows), FAN_IMPORT_RECEIVING);
    assert_int_equal(rows, 20);
}

static void an_import_that_waits_for_more_is_left_alone(void **state)
{
    struct fan_import_held held;

    world_exec(&w, "UPDATE import SET next_block = 2");
    assert_int_equal(hold(&held), FAN_NOT_FOUND);
    fan_db_abort(w.audience);
}

static void the_last_block_of_a_whole_file_ends_the_import(void **state)
{
    struct fan_import_held held;
    int64_t rows;

    world_exec(&w, "UPDATE import SET state = 1, next_block = 1");
    assert_int_equal(hold(&held), FAN_OK);
    assert_int_equal(advance(1, &rows), FAN_IMPORT_COMPLETED);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM import WHERE ended_at IS NOT NULL"), 1);
    assert_int_equal(hold(&held), FAN_NOT_FOUND);
    fan_db_abort(w.audience);
}

static void a_file_whose_end_was_announced_late_ends_without_a_block(void **state)
{
    struct fan_import_held held;
    int64_t rows;

    world_exec(&w, "UPDATE import SET state = 1, next_block = 2");
    assert_int_equal(hold(&held), FAN_OK);
    assert_int_equal(advance(-1, &rows), FAN_IMPORT_COMPLETED);
    assert_int_equal(world_number(&w, "SELECT next_block FROM import"), 2);
}

static void an_import_is_held_by_one_process(void **state)
{
    struct fan_import_held held;
    struct fan_db *mine = w.audience;
    char url[PG_URL];

    assert_int_equal(hold(&held), FAN_OK);
    pg_url_as(w.url, "fan_audience", url);
    w.audience = pg_connect(url, FAN_DB_HOT);
    fan_db_account(w.audience, 1);
    assert_int_equal(hold(&held), FAN_NOT_FOUND);
    fan_db_free(&w.audience);
    w.audience = mine;
    commit();
}

static void another_account_s_import_is_not_seen(void **state)
{
    struct fan_import_held held;

    fan_db_account(w.audience, 2);
    assert_int_equal(fan_import_hold(w.audience, 2, IMPORT, w.arena, &held, &w.why), FAN_NOT_FOUND);
    fan_db_abort(w.audience);
    fan_db_account(w.audience, 1);
}

static void a_block_that_is_missing_is_said_to_be(void **state)
{
    struct fan_import_block block;

    assert_int_equal(fan_import_block_get(w.audience, 1, IMPORT, 7, w.arena, &block, &w.why),
            FAN_INVALID);
    fan_db_abort(w.audience);
}

/* ---- people ---- */

static struct fan_contact_keys_list candidates(struct fan_bytes external_id, struct fan_bytes phone,
        struct fan_bytes email)
{
    const struct fan_texts keys[FAN_COLUMN_KEYS] = { { &external_id, external_id.at != NULL },
        { &phone, phone.at != NULL }, { &email, email.at != NULL } };
    struct fan_contact_keys_list out;

    assert_int_equal(fan_import_candidates(w.audience, 1, keys, w.arena, &out, &w.why), FAN_OK);
    commit();
    return out;
}

static void candidates_are_found_by_every_key(void **state)
{
    struct fan_contact_keys_list found;

    world_exec(&w,
            "INSERT INTO contact (account_id, id, external_id, phone, email) VALUES"
            " (1, 1, 'e', '+1', 'a@b.c'), (1, 2, NULL, '+1', NULL),"
            " (1, 3, NULL, NULL, 'a@b.c'), (1, 4, 'f', '+2', NULL), (2, 5, 'e', '+1', NULL)");
    found = candidates(FAN_LIT("e"), FAN_NO_BYTES, FAN_NO_BYTES);
    assert_int_equal(found.len, 1);
    assert_int_equal(found.at[0].contact, 1);
    assert_true(fan_bytes_eq_text(found.at[0].keys[FAN_COLUMN_EMAIL], "a@b.c"));
    found = candidates(FAN_NO_BYTES, FAN_LIT("+1"), FAN_NO_BYTES);
    assert_int_equal(found.len, 2);
    assert_int_equal(found.at[0].contact + found.at[1].contact, 3);
    assert_int_equal(candidates(FAN_LIT("e"), FAN_LIT("+1"), FAN_LIT("a@b.c")).len, 5);
    assert_int_equal(candidates(FAN_LIT("?"), FAN_LIT("?"), FAN_LIT("?")).len, 0);
}

static void many_who_share_a_number_are_a_bounded_many(void **state)
{
    world_exec(&w,
            "INSERT INTO contact (account_id, id, phone)"
            " SELECT 1, i, '+1' FROM generate_series(1, 100) i");
    assert_int_equal(candidates(FAN_NO_BYTES, FAN_LIT("+1"), FAN_NO_BYTES).len, 16);
}

/* One person, with an external id, a phone and a first name. */
static enum fan_err put(fan_id id, const char *external_id, const char *phone, const char *name,
        const char *attributes)
{
    struct fan_bytes nothing = FAN_NO_BYTES,
                     texts[] = { fan_bytes_of(external_id), fan_bytes_of(phone), fan_bytes_of(name),
                         fan_bytes_of(attributes) };
    struct fan_contact_table table = { .count = 1, .ids = &id, .attributes = &texts[3] };

    for (int i = 0; i < FAN_COLUMN_COUNT; i++)
        table.columns[i] = &nothing;
    table.columns[FAN_COLUMN_EXTERNAL_ID] = &texts[0];
    table.columns[FAN_COLUMN_PHONE] = &texts[1];
    table.columns[FAN_COLUMN_FIRST_NAME] = &texts[2];
    return fan_import_put_people(w.audience, 1, &table, w.arena, &w.why);
}

static void what_is_not_said_stays_and_attributes_are_merged(void **state)
{
    fan_id id;

    assert_int_equal(fan_import_new_ids(w.audience, 1, w.arena, &id, &w.why), FAN_OK);
    assert_int_equal(put(id, "e", "+1", "Ann", "{\"city\":\"Rome\",\"vip\":\"no\"}"), FAN_OK);
    commit();
    assert_int_equal(put(id, NULL, "+2", NULL, "{\"vip\":\"yes\"}"), FAN_OK);
    commit();
    assert_int_equal(world_number(&w,
                             "SELECT count(*) FROM contact WHERE id = %lld"
                             " AND external_id = 'e' AND phone = '+2'"
                             " AND first_name = 'Ann' AND attributes ="
                             " '{\"city\":\"Rome\",\"vip\":\"yes\"}'",
                             (long long)id),
            1);
}

static void a_contact_that_is_as_the_file_says_is_not_written_again(void **state)
{
    int64_t before;

    assert_int_equal(put(1, "e", "+1", "Ann", "{\"city\":\"Rome\"}"), FAN_OK);
    commit();
    before = world_number(&w, "SELECT xmin::text::bigint FROM contact");
    assert_int_equal(put(1, "e", NULL, "Ann", NULL), FAN_OK);
    commit();
    assert_int_equal(world_number(&w, "SELECT xmin::text::bigint FROM contact"), before);
    assert_int_equal(put(1, "e", NULL, "Anna", NULL), FAN_OK);
    commit();
    assert_int_not_equal(world_number(&w, "SELECT xmin::text::bigint FROM contact"), before);
}

static void an_external_id_that_somebody_just_took_is_a_conflict(void **state)
{
    world_exec(&w, "INSERT INTO contact (account_id, id, external_id) VALUES (1, 1, 'e')");
    assert_int_equal(put(2, "e", NULL, NULL, NULL), FAN_CONFLICT);
    fan_db_abort(w.audience);
}

static void tags_are_given_once(void **state)
{
    const fan_id tags[] = { 7, 7, 8, 7 }, contacts[] = { 1, 2, 1, 1 };

    for (int i = 0; i < 2; i++) {
        assert_int_equal(fan_import_tag_people(w.audience, 1, tags, contacts, 4, w.arena, &w.why),
                FAN_OK);
        commit();
    }
    assert_int_equal(world_number(&w, "SELECT count(*) FROM contact_tag"), 3);
}

static void errors_are_kept_by_line_and_field(void **state)
{
    struct fan_import_error list[] = {
        { 4, FAN_LIT("phone"), FAN_LIT("too short"), true, FAN_LIT("a,1") },
        { 4, FAN_LIT("email"), FAN_LIT("no @"), true, FAN_LIT("a,1") },
        { 5, FAN_LIT(""), FAN_LIT("nobody"), false, FAN_NO_BYTES },
    };

    assert_int_equal(fan_import_note_errors(w.audience, 1, IMPORT,
                             &(struct fan_import_errors){ list, 3 }, w.arena, &w.why),
            FAN_OK);
    commit();
    assert_int_equal(world_number(&w, "SELECT count(*) FROM import_error WHERE warning"), 2);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM import_error WHERE record IS NULL"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blocks_are_taken_in_one_after_the_other),
        TEST(an_import_that_waits_for_more_is_left_alone),
        TEST(the_last_block_of_a_whole_file_ends_the_import),
        TEST(a_file_whose_end_was_announced_late_ends_without_a_block),
        TEST(an_import_is_held_by_one_process),
        TEST(another_account_s_import_is_not_seen),
        TEST(a_block_that_is_missing_is_said_to_be),
        TEST(candidates_are_found_by_every_key),
        TEST(many_who_share_a_number_are_a_bounded_many),
        TEST(what_is_not_said_stays_and_attributes_are_merged),
        TEST(a_contact_that_is_as_the_file_says_is_not_written_again),
        TEST(an_external_id_that_somebody_just_took_is_a_conflict),
        TEST(tags_are_given_once),
        TEST(errors_are_kept_by_line_and_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

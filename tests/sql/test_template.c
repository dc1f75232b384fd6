/* sql/store/template.c, and what a run takes of a template: whose it is, and that it stays. */
#include "tests/support/world.h"

#include "sql/store/template.h"

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

static void commit(struct fan_db *db)
{
    assert_int_equal(fan_db_commit(db, &w.why), FAN_OK);
}

static fan_id a_template(const char *name, const char *content)
{
    const struct fan_template_row row = {
        .name = fan_bytes_of(name),
        .kind = FAN_KIND_SMS,
        .version = { .content = fan_bytes_of(content) },
    };
    fan_id id = 0;

    assert_int_equal(fan_template_insert(gateway, 1, &row, w.arena, &id, &w.why), FAN_OK);
    commit(gateway);
    return id;
}

static int64_t add_version(fan_id template, const char *content)
{
    const struct fan_template_version version = { .content = fan_bytes_of(content) };
    int64_t number = 0;

    assert_int_equal(fan_template_add_version(gateway, 1, template, &version, w.arena, &number,
                             &w.why),
            FAN_OK);
    commit(gateway);
    return number;
}

static void a_version_is_read_by_its_number_or_as_the_newest(void **state)
{
    fan_id id = a_template("One", "{\"text\":\"first\"}");
    struct fan_template_row row;

    assert_int_equal(add_version(id, "{\"text\":\"second\"}"), 2);
    assert_int_equal(fan_template_get(gateway, 1, id, 0, w.arena, &row, &w.why), FAN_OK);
    assert_int_equal(row.latest, 2);
    assert_true(fan_bytes_eq_text(row.version.content, "{\"text\": \"second\"}"));
    assert_int_equal(fan_template_get(gateway, 1, id, 1, w.arena, &row, &w.why), FAN_OK);
    assert_int_equal(row.version.number, 1);
    assert_true(fan_bytes_eq_text(row.version.content, "{\"text\": \"first\"}"));
    assert_int_equal(fan_template_get(gateway, 1, id, 3, w.arena, &row, &w.why), FAN_NOT_FOUND);
    commit(gateway);
}

static void what_is_not_there_gets_no_version(void **state)
{
    const struct fan_template_version version = { .content = FAN_LIT("{}") };
    int64_t number;

    assert_int_equal(fan_template_add_version(gateway, 1, 999, &version, w.arena, &number, &w.why),
            FAN_NOT_FOUND);
    fan_db_abort(gateway);
    assert_int_equal(world_number(&w, "SELECT count(*) FROM template_version"), 0);
}

static void a_version_that_was_not_committed_leaves_its_number_free(void **state)
{
    fan_id id = a_template("Undone", "{}");
    const struct fan_template_version version = { .content = FAN_LIT("{}") };
    int64_t number;

    assert_int_equal(fan_template_add_version(gateway, 1, id, &version, w.arena, &number, &w.why),
            FAN_OK);
    fan_db_abort(gateway);
    assert_int_equal(add_version(id, "{}"), 2);
}

static void another_account_sees_none_of_it(void **state)
{
    fan_id id = a_template("Mine", "{}"), found = 0;
    struct fan_template_row row;

    fan_db_account(gateway, 2);
    assert_int_equal(fan_template_get(gateway, 1, id, 0, w.arena, &row, &w.why), FAN_NOT_FOUND);
    assert_int_equal(fan_template_find(gateway, 1, FAN_LIT("Mine"), w.arena, &found, &w.why),
            FAN_OK);
    assert_int_equal(found, 0);
    fan_db_abort(gateway);
    fan_db_account(gateway, 1);
    assert_int_equal(fan_template_find(gateway, 1, FAN_LIT("Mine"), w.arena, &found, &w.why),
            FAN_OK);
    assert_int_equal(found, id);
    commit(gateway);
}

/* A run of the world's campaign made by one who may: the gateway, or the scheduler. */
static void launch_again(struct fan_db *db, const char *occurrence)
{
    const struct fan_run_new how = { .campaign = WORLD_CAMPAIGN,
        .occurrence = fan_bytes_of(occurrence) };
    bool created = false;
    fan_id run;

    world_exec(&w, "UPDATE campaign SET state = 0");
    assert_int_equal(fan_run_create(db, 1, &how, w.arena, &run, &created, &w.why), FAN_OK);
    commit(db);
    assert_true(created);
}

static bool run_has(const char *occurrence, const char *text, int version)
{
    return world_number(&w,
                   "SELECT count(*) FROM run WHERE occurrence = '%s' AND content->>'text' = '%s'"
                   " AND template_version IS NOT DISTINCT FROM nullif(%d, 0)",
                   occurrence, text, version) == 1;
}

static void a_run_keeps_the_content_that_it_was_launched_with(void **state)
{
    fan_id id = a_template("Frozen", "{\"text\":\"first\"}");

    world_exec(&w, "UPDATE campaign SET content = '{\"text\":\"own\"}'");
    launch_again(gateway, "own");
    world_exec(&w, "UPDATE campaign SET content = '{}', template_id = %lld", (long long)id);
    launch_again(gateway, "newest");
    add_version(id, "{\"text\":\"second\"}");
    launch_again(w.scheduler, "newer");
    world_exec(&w, "UPDATE campaign SET template_version = 1");
    launch_again(w.scheduler, "named");
    assert_true(run_has("own", "own", 0));
    assert_true(run_has("newest", "first", 1));
    assert_true(run_has("newer", "second", 2));
    assert_true(run_has("named", "first", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_version_is_read_by_its_number_or_as_the_newest, make,
                drop),
        cmocka_unit_test_setup_teardown(what_is_not_there_gets_no_version, make, drop),
        cmocka_unit_test_setup_teardown(a_version_that_was_not_committed_leaves_its_number_free,
                make, drop),
        cmocka_unit_test_setup_teardown(another_account_sees_none_of_it, make, drop),
        cmocka_unit_test_setup_teardown(a_run_keeps_the_content_that_it_was_launched_with, make,
                drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

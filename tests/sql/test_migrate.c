#include "sql/migrate.h"
#include "tests/sql/fixture.h"

#include <pthread.h>
#include <stdio.h>

static const struct fan_migration two[] = {
    { 1, "0001_first", "CREATE TABLE first (id int);\nCREATE INDEX ON first (id);" },
    { 2, "0002_second", "CREATE TABLE second (id int);" },
    { 0 },
};
static const struct fan_migration three[] = {
    { 1, "0001_first", "CREATE TABLE first (id int);\nCREATE INDEX ON first (id);" },
    { 2, "0002_second", "CREATE TABLE second (id int);" },
    { 3, "0003_third", "INSERT INTO second VALUES (3);" },
    { 0 },
};
static const struct fan_migration edited[] = {
    { 1, "0001_first", "CREATE TABLE first (id bigint);" },
    { 2, "0002_second", "CREATE TABLE second (id int);" },
    { 0 },
};
static const struct fan_migration broken[] = {
    { 1, "0001_first", "CREATE TABLE first (id int);\nCREATE INDEX ON first (id);" },
    { 2, "0002_broken", "CREATE TABLE second (id int);\n\nCREATE TABLE second (id int) x;" },
    { 0 },
};
static const struct fan_migration leaving[] = {
    { 1, "0001_leaving", "CREATE TABLE first (id int);\nCOMMIT;" },
    { 0 },
};

static void count(void *context, const char *name)
{
    ++*(int *)context;
}

static enum fan_err migrate(struct fixture *f, const struct fan_migration *table)
{
    return fan_migrate_with(f->db, table, NULL, NULL, &f->why);
}

static enum fan_err check(struct fixture *f, const struct fan_migration *table)
{
    return fan_schema_check_with(f->db, table, f->arena, &f->why);
}

static int64_t applied(struct fixture *f)
{
    return pg_number(f->url, "SELECT count(*) FROM schema_migration");
}

static bool has_table(struct fixture *f, const char *name)
{
    char sql[128];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_tables WHERE tablename = '%s'", name);
    return pg_number(f->url, sql) == 1;
}

static void what_is_missing_is_applied_once(void **state)
{
    struct fixture *f = *state;
    int reported = 0;

    assert_int_equal(fan_migrate_with(f->db, two, count, &reported, &f->why), FAN_OK);
    assert_int_equal(reported, 2);
    assert_int_equal(fan_migrate_with(f->db, three, count, &reported, &f->why), FAN_OK);
    assert_int_equal(reported, 3);
    assert_int_equal(fan_migrate_with(f->db, three, count, &reported, &f->why), FAN_OK);
    assert_int_equal(reported, 3);
    assert_int_equal(applied(f), 3);
    assert_int_equal(pg_number(f->url, "SELECT count(*) FROM second"), 1);
}

static void an_edited_migration_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(migrate(f, two), FAN_OK);
    assert_int_equal(migrate(f, edited), FAN_CONFLICT);
    assert_non_null(strstr(f->why.text, "0001_first"));
}

static void a_newer_database_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(migrate(f, three), FAN_OK);
    assert_int_equal(migrate(f, two), FAN_CONFLICT);
    assert_int_equal(applied(f), 3);
}

static void a_failed_migration_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(migrate(f, broken), FAN_INVALID);
    assert_non_null(strstr(f->why.text, "0002_broken"));
    assert_non_null(strstr(f->why.text, "line 3"));
    assert_int_equal(applied(f), 1);
    assert_true(has_table(f, "first"));
    assert_false(has_table(f, "second"));
    assert_int_equal(migrate(f, two), FAN_OK); /* with the text put right */
    assert_int_equal(applied(f), 2);
}

static void a_migration_that_ends_its_transaction_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(migrate(f, leaving), FAN_INVALID);
    assert_non_null(strstr(f->why.text, "0001_leaving"));
}

static void the_check_tells_older_from_newer(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(check(f, two), FAN_CONFLICT);
    assert_non_null(strstr(f->why.text, "fanfare migrate"));
    assert_int_equal(migrate(f, two), FAN_OK);
    assert_int_equal(check(f, two), FAN_OK);
    assert_int_equal(check(f, three), FAN_CONFLICT);
    assert_non_null(strstr(f->why.text, "fanfare migrate"));
    assert_int_equal(migrate(f, three), FAN_OK);
    assert_int_equal(check(f, two), FAN_CONFLICT);
    assert_null(strstr(f->why.text, "fanfare migrate"));
}

static void every_role_may_check(void **state)
{
    struct fixture *f = *state;
    char url[PG_URL];

    assert_int_equal(migrate(f, two), FAN_OK);
    fan_db_free(&f->db);
    pg_url_as(f->url, "fan_test_tenant", url);
    f->db = pg_connect(url, FAN_DB_HOT);
    assert_int_equal(check(f, two), FAN_OK);
}

struct migrator {
    struct fan_db *db;
    enum fan_err err;
    int reported;
};

static void *run_migrator(void *context)
{
    struct migrator *self = context;

    self->err = fan_migrate_with(self->db, three, count, &self->reported, NULL);
    return NULL;
}

static void several_at_once_apply_each_migration_once(void **state)
{
    enum { COUNT = 4 };
    struct fixture *f = *state;
    struct migrator migrators[COUNT] = { 0 };
    pthread_t threads[COUNT];
    int reported = 0;

    for (int i = 0; i < COUNT; i++) {
        migrators[i].db = pg_connect(f->url, FAN_DB_FREE);
        pthread_create(&threads[i], NULL, run_migrator, &migrators[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(migrators[i].err, FAN_OK);
        reported += migrators[i].reported;
        fan_db_free(&migrators[i].db);
    }
    assert_int_equal(reported, 3);
}

static void a_connection_keeps_its_limits_after_migrating(void **state)
{
    static const struct fan_query q_timeout = {
        .name = "timeout",
        .sql = "SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'",
    };
    struct fixture *f = *state;

    assert_int_equal(migrate(f, two), FAN_OK);
    assert_int_equal(run_plain(f, &q_timeout), FAN_OK);
    assert_int_equal(fan_row_i64(&f->rows, 0, 0), 5000);
}

static void the_schema_of_this_build_is_whole(void **state)
{
    struct fixture *f = *state;
    char url[PG_URL];

    pg_migrated_database(url);
    fan_db_free(&f->db);
    f->db = pg_connect(url, FAN_DB_HOT);
    assert_int_equal(fan_schema_check(f->db, f->arena, &f->why), FAN_OK);
    assert_int_equal(fan_migrate(f->db, NULL, NULL, &f->why), FAN_OK);
    pg_migrated_database(url);
    assert_true(pg_number(url, "SELECT count(*) FROM schema_migration") > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_missing_is_applied_once),
        TEST(an_edited_migration_is_refused),
        TEST(a_newer_database_is_refused),
        TEST(a_failed_migration_leaves_nothing_behind),
        TEST(a_migration_that_ends_its_transaction_is_refused),
        TEST(the_check_tells_older_from_newer),
        TEST(every_role_may_check),
        TEST(several_at_once_apply_each_migration_once),
        TEST(a_connection_keeps_its_limits_after_migrating),
        TEST(the_schema_of_this_build_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

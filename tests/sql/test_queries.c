/*
 * Every named query is prepared and explained as each role that runs it ("-- role:" beneath its
 * name), against a migrated database, under row-level security and with the planner settings of the
 * data path. A plan that reads all of a big table, or all that an account has in it, fails, unless
 * the query says why it may ("-- scan: reason").
 */
#include "proto/json.h"
#include "sql/queries.h"
#include "tests/support/pg.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka wants the headers above
#include <cmocka.h>

enum { TEXT = 64 * 1024 };

static char url[PG_URL];
static int faults; /* all are shown, not the first alone */

static const char *const big_tables[] = { "contact", "contact_tag", "message", "message_body",
    "chunk", "event", "import_block", "import_error", "suppression", "provider_event", "attempt",
    "stat_minute", "idempotency" };

/* A query as its file shows it. */
struct block {
    char name[64];
    char roles[1024];
    bool may_scan;
    char sql[TEXT];
};

static bool is_big(struct fan_bytes table)
{
    for (size_t i = 0; i < sizeof big_tables / sizeof *big_tables; i++) {
        struct fan_bytes name = fan_bytes_of(big_tables[i]);
        bool partition = fan_bytes_starts(table, name) && table.len > name.len + 2 &&
                table.at[name.len] == '_' && table.at[name.len + 1] == 'p' &&
                table.at[name.len + 2] >= '0' && table.at[name.len + 2] <= '9';

        if (fan_bytes_eq(table, name) || partition)
            return true;
    }
    return false;
}

/* The condition by which a node finds its rows: "((account_id = $1) AND (id = o.id))". */
static struct fan_bytes condition_of(const struct fan_json *plan)
{
    struct fan_bytes by_index = fan_json_get_text(plan, "Index Cond");

    return by_index.at ? by_index : fan_json_get_text(plan, "Recheck Cond");
}

/* Walk a plan; returns the big table of which it reads all, or all of an account's, or absent
 * bytes. Beneath a LIMIT reading in the index's order is fine. */
static struct fan_bytes scanned(const struct fan_json *plan, bool limited)
{
    const struct fan_json *children = fan_json_get(plan, "Plans");
    struct fan_bytes type = fan_json_get_text(plan, "Node Type");
    struct fan_bytes table = fan_json_get_text(plan, "Relation Name");
    struct fan_bytes condition = condition_of(plan);
    bool by_more = condition.at && memmem(condition.at, condition.len, " AND ", strlen(" AND "));

    limited = limited || fan_bytes_eq(type, FAN_LIT("Limit"));
    if (is_big(table) && fan_bytes_ends(type, FAN_LIT("Scan")) && !by_more &&
            !(limited && condition.at))
        return table;
    for (size_t i = 0; i < fan_json_size(children); i++) {
        struct fan_bytes found = scanned(fan_json_at(children, i), limited);
        if (found.at)
            return found;
    }
    return FAN_NO_BYTES;
}

static int parameters(const char *sql)
{
    int most = 0;

    for (const char *at = strchr(sql, '$'); at; at = strchr(at + 1, '$')) {
        int number = atoi(at + 1);
        most = number > most ? number : most;
    }
    return most;
}

static void complain(const struct block *block, const char *role, struct fan_bytes what)
{
    print_error("%s as %s: %.*s\n", block->name, role, FAN_BYTES_ARG(what));
    faults++;
}

static void explain(struct fan_db *db, const struct block *block, const char *role,
        struct fan_arena *arena)
{
    struct fan_why why = { 0 };
    struct fan_query query = { .name = "explain", .file = "test" };
    struct fan_buffer text;
    const struct fan_json *plan;
    struct fan_args args;
    struct fan_rows rows;
    struct fan_bytes table;
    int count = parameters(block->sql);

    fan_buffer_init(&text, TEXT);
    fan_buffer_printf(&text, "PREPARE q AS %s", block->sql);
    fan_buffer_add(&text, "", 1);
    if (fan_db_exec(db, text.at, &why)) {
        complain(block, role, fan_bytes_of(why.text));
        fan_buffer_fini(&text);
        return;
    }
    fan_buffer_clear(&text);
    fan_buffer_add_text(&text, "EXPLAIN (FORMAT JSON) EXECUTE q");
    for (int i = 0; i < count; i++)
        fan_buffer_printf(&text, "%sNULL", i ? ", " : "(");
    fan_buffer_add(&text, count ? ")" : "", count ? 2 : 1);
    query.sql = text.at;
    fan_args_begin(&args, arena);
    if (fan_db_run(db, &query, &args, &rows, &why)) {
        complain(block, role, fan_bytes_of(why.text));
        fan_buffer_fini(&text);
        return;
    }
    assert_int_equal(fan_json_parse(fan_row_text(&rows, 0, 0), arena, &plan, &why), FAN_OK);
    table = scanned(fan_json_get(fan_json_at(plan, 0), "Plan"), false);
    if (table.at && !block->may_scan)
        complain(block, role,
                fan_bytes_of(fan_arena_printf(arena, "reads all of %.*s:\n%.*s",
                        FAN_BYTES_ARG(table), FAN_BYTES_ARG(fan_row_text(&rows, 0, 0)))));
    fan_buffer_fini(&text);
}

static void explain_as(const struct block *block, const char *role)
{
    struct fan_arena *arena = fan_arena_new();
    char as_role[PG_URL];
    struct fan_db *db;

    pg_url_as(url, strcmp(role, "fan_owner") == 0 ? "postgres" : role, as_role);
    db = pg_connect(as_role, FAN_DB_HOT);
    fan_db_account(db, 1);
    explain(db, block, role, arena);
    fan_db_abort(db);
    fan_db_free(&db);
    fan_arena_free(&arena);
}

static void check(const struct block *block)
{
    char roles[sizeof block->roles];
    char *left = NULL;

    if (!block->name[0])
        return;
    if (!block->roles[0])
        complain(block, "nobody", FAN_LIT("does not say its role"));
    snprintf(roles, sizeof roles, "%s", block->roles);
    for (char *role = strtok_r(roles, ", \n", &left); role; role = strtok_r(NULL, ", \n", &left))
        explain_as(block, role);
}

static void check_file(const char *path)
{
    static struct block block;
    char line[1024];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    memset(&block, 0, sizeof block);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "-- name: ", 9) == 0) {
            sscanf(line, "-- name: %63s", block.name);
            continue;
        }
        if (strncmp(line, "-- role:", 8) == 0)
            snprintf(block.roles, sizeof block.roles, "%s", line + 8);
        else if (strncmp(line, "-- scan:", 8) == 0)
            block.may_scan = true;
        else if (strncmp(line, "--", 2) != 0 && block.name[0])
            strncat(block.sql, line, sizeof block.sql - strlen(block.sql) - 1);
        if (strchr(line, ';') && strncmp(line, "--", 2) != 0 && block.name[0]) {
            check(&block);
            memset(&block, 0, sizeof block);
        }
    }
    fclose(file);
}

static void every_query_is_index_driven_for_each_role_that_runs_it(void **state)
{
    const char *source = getenv("FAN_SOURCE");
    char folder[512], path[1024];
    const struct dirent *entry;
    DIR *list;

    (void)state;
    snprintf(folder, sizeof folder, "%s/sql/queries", source ? source : ".");
    list = opendir(folder);
    assert_non_null(list);
    while ((entry = readdir(list))) {
        if (!strstr(entry->d_name, ".sql"))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        check_file(path);
    }
    closedir(list);
    assert_int_equal(faults, 0);
}

static void every_generated_query_can_be_prepared(void **state)
{
    struct fan_db *db = pg_connect(url, FAN_DB_FREE);
    struct fan_why why = { 0 };

    (void)state;
    for (const struct fan_query *const *query = fan_queries; *query; query++) {
        char sql[TEXT];

        snprintf(sql, sizeof sql, "PREPARE \"%s\" AS %s", (*query)->name, (*query)->sql);
        if (fan_db_exec(db, sql, &why))
            fail_msg("%s: %s", (*query)->name, why.text);
    }
    fan_db_free(&db);
}

static int make_database(void **state)
{
    (void)state;
    pg_migrated_database(url);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_query_is_index_driven_for_each_role_that_runs_it),
        cmocka_unit_test(every_generated_query_can_be_prepared),
    };

    return cmocka_run_group_tests(tests, make_database, NULL);
}

#include "sql/migrate.h"

#include "sql/db_private.h"

#include <sodium.h>
#include <stddef.h>
#include <time.h>

enum {
    LOCK_WAIT_MS = 60 * 1000,
    LOCK_POLL_MS = 200,
    PATIENCE_MS = 30 * 60 * 1000, /* for one migration */
    CHECKSUM = crypto_generichash_BYTES,
};

/* One for all Fanfares of a database: any number that nobody else takes. */
#define LOCK_KEY "7306358154620301921"

static const struct fan_query try_lock = {
    .name = "migration_try_lock",
    .sql = "SELECT pg_try_advisory_lock(" LOCK_KEY ")",
};
static const struct fan_query migration_applied = {
    .name = "migration_applied",
    .sql = "SELECT number, checksum FROM schema_migration ORDER BY number",
};
static const struct fan_query migration_insert = {
    .name = "migration_insert",
    .sql = "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
};
static const struct fan_query table_exists = {
    .name = "migration_table_exists",
    .sql = "SELECT to_regclass('schema_migration') IS NOT NULL",
};
static const struct fan_query newest_applied = {
    .name = "migration_newest",
    .sql = "SELECT max(number) FROM schema_migration",
};

static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
                                   " number int PRIMARY KEY,"
                                   " name text NOT NULL,"
                                   " checksum bytea NOT NULL,"
                                   " applied_at timestamptz NOT NULL DEFAULT clock_timestamp());"
                                   "GRANT SELECT ON schema_migration TO PUBLIC";

/* What a bringing up to date carries around. */
struct work {
    struct fan_db *db;
    const struct fan_migration *table;
    struct fan_arena *arena;
    struct fan_why *why;
    void (*report)(void *context, const char *name);
    void *context;
};

static struct fan_bytes checksum_of(const struct fan_migration *migration, struct fan_arena *arena)
{
    struct fan_bytes sql = fan_bytes_of(migration->sql);
    unsigned char *sum = fan_arena_alloc(arena, CHECKSUM);

    crypto_generichash(sum, CHECKSUM, (const unsigned char *)sql.at, sql.len, NULL, 0);
    return (struct fan_bytes){ (char *)sum, CHECKSUM };
}

/* Run a statement in a transaction of its own. */
static enum fan_err run_alone(struct work *work, const struct fan_query *query,
        struct fan_rows *rows)
{
    struct fan_args args;
    enum fan_err err;

    fan_args_begin(&args, work->arena);
    err = fan_db_run(work->db, query, &args, rows, work->why);
    if (!err)
        err = fan_db_commit(work->db, work->why);
    if (err)
        fan_db_abort(work->db);
    return err;
}

static enum fan_err lock(struct work *work)
{
    static const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };
    int64_t deadline_ms = fan_db_now_ms() + LOCK_WAIT_MS;
    struct fan_rows rows;

    for (;;) {
        enum fan_err err = run_alone(work, &try_lock, &rows);

        if (err || fan_row_bool(&rows, 0, 0))
            return err;
        if (fan_db_now_ms() > deadline_ms)
            return fan_fail(work->why, FAN_UNAVAILABLE,
                    "another migration of this database has been running for a minute");
        nanosleep(&pause, NULL);
    }
}

static const struct fan_migration *find(const struct fan_migration *table, int64_t number)
{
    while (table->number && table->number != number)
        table++;
    return table->number ? table : NULL;
}

/* Refuse a database whose history is not a part of ours. */
static enum fan_err check_history(struct work *work, const struct fan_rows *applied)
{
    for (int row = 0; row < applied->count; row++) {
        int64_t number = fan_row_i64(applied, row, 0);
        const struct fan_migration *ours = find(work->table, number);

        if (!ours)
            return fan_fail(work->why, FAN_CONFLICT,
                    "the database has migration %d, which this build does not know: it is newer",
                    (int)number);
        if (!fan_bytes_eq(fan_row_text(applied, row, 1), checksum_of(ours, work->arena)))
            return fan_fail(work->why, FAN_CONFLICT,
                    "migration %s was changed after it had been applied", ours->name);
    }
    return FAN_OK;
}

static bool is_applied(const struct fan_rows *applied, int number)
{
    for (int row = 0; row < applied->count; row++) {
        if (fan_row_i64(applied, row, 0) == number)
            return true;
    }
    return false;
}

static enum fan_err apply(struct work *work, const struct fan_migration *migration)
{
    struct fan_args args;
    struct fan_why cause = { 0 };
    enum fan_err err;

    fan_args_begin(&args, work->arena);
    fan_arg_i32(&args, migration->number);
    fan_arg_text(&args, fan_bytes_of(migration->name));
    fan_arg_bytea(&args, checksum_of(migration, work->arena));
    err = fan_db_run(work->db, &migration_insert, &args, NULL, &cause);
    if (!err)
        err = fan_db_exec(work->db, migration->sql, &cause);
    if (!err && work->db->turn != FAN_TURN_OPEN)
        err = fan_fail(&cause, FAN_INVALID, "it ends its transaction by itself");
    if (!err)
        err = fan_db_commit(work->db, &cause);
    if (err) {
        fan_db_abort(work->db);
        return fan_fail(work->why, err, "migration %s: %s", migration->name, cause.text);
    }
    if (work->report)
        work->report(work->context, migration->name);
    return FAN_OK;
}

static enum fan_err apply_missing(struct work *work)
{
    struct fan_rows applied;
    enum fan_err err = fan_db_exec(work->db, create_table, work->why);

    if (!err)
        err = run_alone(work, &migration_applied, &applied);
    if (!err)
        err = check_history(work, &applied);
    for (const struct fan_migration *one = work->table; one->number && !err; one++) {
        if (!is_applied(&applied, one->number))
            err = apply(work, one);
    }
    return err;
}

/* A large table takes its time to change: neither the server nor we give up early. */
static enum fan_err begin_patience(struct fan_db *db, struct fan_why *why)
{
    db->options.statement_timeout_ms = PATIENCE_MS;
    fan_db_drop(db);
    return fan_db_connect(db, why);
}

enum fan_err fan_migrate_with(struct fan_db *db, const struct fan_migration *table,
        void (*report)(void *context, const char *name), void *context, struct fan_why *why)
{
    uint32_t timeout_ms = db->options.statement_timeout_ms;
    struct work work = {
        .db = db,
        .table = table,
        .arena = fan_arena_new(),
        .why = why,
        .report = report,
        .context = context,
    };
    enum fan_err err = begin_patience(db, why);

    if (!err)
        err = lock(&work);
    if (!err)
        err = apply_missing(&work);
    db->options.statement_timeout_ms = timeout_ms;
    fan_db_drop(db); /* and the lock with it */
    fan_arena_free(&work.arena);
    return err;
}

enum fan_err fan_migrate(struct fan_db *db, void (*report)(void *context, const char *name),
        void *context, struct fan_why *why)
{
    return fan_migrate_with(db, fan_migrations, report, context, why);
}

static int newest_of(const struct fan_migration *table)
{
    int newest = 0;

    for (; table->number; table++)
        newest = table->number;
    return newest;
}

/* The newest migration that was applied; 0: none. */
static enum fan_err find_applied(struct work *work, int *out)
{
    struct fan_rows rows;
    enum fan_err err = run_alone(work, &table_exists, &rows);

    *out = 0;
    if (err || !fan_row_bool(&rows, 0, 0))
        return err;
    err = run_alone(work, &newest_applied, &rows);
    if (!err)
        *out = (int)fan_row_i64(&rows, 0, 0);
    return err;
}

enum fan_err fan_schema_check_with(struct fan_db *db, const struct fan_migration *table,
        struct fan_arena *arena, struct fan_why *why)
{
    struct work work = { .db = db, .arena = arena, .why = why };
    int ours = newest_of(table);
    int applied;
    enum fan_err err = find_applied(&work, &applied);

    if (err || applied == ours)
        return err;
    if (applied < ours)
        return fan_fail(why, FAN_CONFLICT,
                "the database is at migration %d, this build needs %d: run fanfare migrate",
                applied, ours);
    return fan_fail(why, FAN_CONFLICT,
            "the database is at migration %d, this build knows %d: install the newer build",
            applied, ours);
}

enum fan_err fan_schema_check(struct fan_db *db, struct fan_arena *arena, struct fan_why *why)
{
    return fan_schema_check_with(db, fan_migrations, arena, why);
}

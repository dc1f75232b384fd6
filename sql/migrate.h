/*
 * migrate — brings a database to the schema that this build expects.
 *
 * One advisory lock, one transaction a migration, and a checksum of what was applied: a migration
 * that was edited after it ran is refused.
 */
#ifndef FAN_SQL_MIGRATE_H
#define FAN_SQL_MIGRATE_H

#include "sql/db.h"

struct fan_migration {
    int number; /* 0 ends the table */
    const char *name;
    const char *sql;
};

/** Generated from sql/migrations/, ascending. */
extern const struct fan_migration fan_migrations[];

/**
 * Apply what is missing, as the owner role that @db logs in as. @db connects again, and once more
 * afterwards.
 *
 * report  called for each migration that was applied; may be NULL
 * fails   FAN_CONFLICT     an applied migration's text differs from ours, or the database is newer
 *                          than we are
 *         FAN_INVALID      a migration failed; the text names it; it was undone
 *         FAN_UNAVAILABLE  no connection, or somebody else holds the lock for longer than a minute
 */
enum fan_err fan_migrate(struct fan_db *db, void (*report)(void *context, const char *name),
        void *context, struct fan_why *why) FAN_MUST_CHECK;

/** The same with another table of migrations. */
enum fan_err fan_migrate_with(struct fan_db *db, const struct fan_migration *table,
        void (*report)(void *context, const char *name), void *context,
        struct fan_why *why) FAN_MUST_CHECK;

/** fails FAN_CONFLICT when the schema is older or newer than this build; the text says what to do.
 */
enum fan_err fan_schema_check(struct fan_db *db, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** The same with another table of migrations. */
enum fan_err fan_schema_check_with(struct fan_db *db, const struct fan_migration *table,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

#endif

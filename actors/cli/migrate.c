/*
 * fanfare migrate — bring the database to the schema of this build.
 */
#include "actors/cli/command.h"
#include "actors/cli/home.h"
#include "actors/cli/schema.h"
#include "sql/migrate.h"

#include <stdio.h>

struct migrate_options {
    const char *home;
    const char *database_url;
    const char *user;
};

static const struct fan_option options[] = {
    FAN_OPTION(TEXT, struct migrate_options, database_url, "database-url", "URL",
            "the database (FANFARE_DATABASE_URL; else the cluster of DIR)"),
    FAN_OPTION(TEXT, struct migrate_options, user, "user", "ROLE",
            "who owns the schema (as the URL says)"),
    FAN_OPTION(TEXT, struct migrate_options, home, "home", "DIR", "as of `fanfare up`"),
    FAN_OPTIONS_END,
};

static void report(void *context, const char *name)
{
    (void)context;
    printf("applied %s\n", name);
    fflush(stdout);
}

struct fan_db *fan_owner_db(const char *url, const char *user)
{
    const struct fan_db_options db = { .url = url,
        .user = user && *user ? user : NULL,
        .name = "fanfare",
        .use = FAN_DB_FREE };

    return fan_db_new(&db);
}

enum fan_err fan_schema_update(struct fan_db *db, struct fan_why *why)
{
    return fan_migrate(db, report, NULL, why);
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct migrate_options *asked = call->options;
    struct fan_home home;
    struct fan_db *db;
    enum fan_err err = fan_home_find(asked->home, call->arena, &home, why);

    (void)exit_code;
    if (err)
        return err;
    if (asked->database_url)
        db = fan_owner_db(asked->database_url, asked->user);
    else
        db = fan_owner_db(home.database_url, home.own_cluster ? "fan_owner" : asked->user);
    err = fan_schema_update(db, why);
    if (!err)
        puts("the schema is up to date");
    fan_db_free(&db);
    return err;
}

const struct fan_command fan_command_migrate = {
    .name = "migrate",
    .arguments = "",
    .summary = "bring the database to the schema of this version",
    .details = "Several at once wait for each other. A migration that was changed after it ran is\n"
               "refused.",
    .table = options,
    .options_size = sizeof(struct migrate_options),
    .run = run,
};

/*
 * fanfare prepare — what must be true before the processes start: the schema is up to date, there
 * are keys to seal secrets with, an account and a key to its API. A job of `fanfare up`, which
 * repeats it until it succeeds: every step leaves what is already there alone.
 */
#include "actors/cli/command.h"
#include "actors/cli/first_account.h"
#include "actors/cli/home.h"
#include "actors/cli/schema.h"
#include "actors/lib/seal/seal.h"
#include "actors/lib/seal/token.h"

struct prepare_options {
    const char *home;
    const char *user;
};

static const struct fan_option options[] = {
    FAN_OPTION(TEXT, struct prepare_options, home, "home", "DIR", "as of `fanfare up`"),
    FAN_OPTION(TEXT, struct prepare_options, user, "user", "ROLE", "who owns the schema"),
    FAN_OPTIONS_END,
};

static enum fan_err make_keys(const struct fan_home *home, struct fan_arena *arena,
        struct fan_why *why)
{
    static const char *const readers[] = { "sender", "ingester", NULL };
    const char *folder = fan_arena_printf(arena, "%s/keys", home->state);
    enum fan_err err = fan_token_key_create(folder, why);

    for (const char *const *reader = readers; !err && *reader; reader++)
        err = fan_seal_keypair_create(folder, *reader, why);
    return err;
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct prepare_options *asked = call->options;
    struct fan_db *db = NULL;
    struct fan_home home;
    enum fan_err err = fan_home_find(asked->home, call->arena, &home, why);

    (void)exit_code;
    if (!err)
        err = make_keys(&home, call->arena, why);
    if (!err) {
        db = fan_owner_db(home.database_url, asked->user);
        err = fan_schema_update(db, why);
    }
    if (!err)
        err = fan_first_account(db, home.api_key_file, call->arena, why);
    fan_db_free(&db);
    return err;
}

const struct fan_command fan_command_prepare = {
    .name = "prepare",
    .arguments = "",
    .summary = "bring schema, keys and the first account about",
    .table = options,
    .options_size = sizeof(struct prepare_options),
    .hidden = true,
    .run = run,
};

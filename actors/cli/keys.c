/*
 * fanfare keys — another key to the API, for a program or a person.
 */
#include "actors/cli/command.h"
#include "actors/cli/first_account.h"
#include "actors/cli/home.h"
#include "actors/cli/schema.h"

#include <stdio.h>

struct keys_options {
    const char *home;
    uint32_t account;
};

static const struct keys_options defaults = { .account = 1 };

static const struct fan_option options[] = {
    FAN_OPTION(NUMBER, struct keys_options, account, "account", "NUMBER", "whose (1)"),
    FAN_OPTION(TEXT, struct keys_options, home, "home", "DIR", "as of `fanfare up`"),
    FAN_OPTIONS_END,
};

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct keys_options *asked = call->options;
    struct fan_bytes key;
    struct fan_home home;
    enum fan_err err = fan_home_find(asked->home, call->arena, &home, why);

    (void)exit_code;
    if (err)
        return err;
    if (home.own_cluster) /* which lets in nobody but the user it runs as */
        err = fan_home_enter(asked->home, call->arena, &home, why);
    struct fan_db *db = fan_owner_db(home.database_url, home.own_cluster ? "fan_owner" : NULL);
    if (!err)
        err = fan_new_key(db, asked->account, call->arguments.at[0], call->arena, &key, why);
    if (!err)
        printf("%.*s\n", FAN_BYTES_ARG(key));
    fan_db_free(&db);
    return err;
}

const struct fan_command fan_command_keys = {
    .name = "keys",
    .arguments = "NAME",
    .summary = "make another API key, and print it this once",
    .details = "NAME says what it is for. It may do what the account's owner may do.",
    .table = options,
    .defaults = &defaults,
    .options_size = sizeof(struct keys_options),
    .least = 1,
    .most = 1,
    .run = run,
};

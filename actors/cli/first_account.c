#include "actors/cli/first_account.h"

#include "actors/cli/file.h"
#include "sql/store/account.h"

#include <unistd.h>

enum { FIRST = 1 }; /* the number that the first account gets */

/* The owner may be bound by row-level security, and then sees no account before it says which. */
static const struct fan_query any_account = {
    .name = "cli_any_account",
    .sql = "SELECT is_called FROM account_id",
};
static const struct fan_query owner_of = {
    .name = "cli_owner_of",
    .sql = "SELECT id FROM app_user WHERE account_id = $1 AND role = 'owner' ORDER BY id LIMIT 1",
};
static const struct fan_query add_key = {
    .name = "cli_add_key",
    .sql = "INSERT INTO api_key (account_id, user_id, name, hash) VALUES ($1, $2, $3, $4)",
};

static enum fan_err insert_key(struct fan_db *db, fan_id account, fan_id user,
        struct fan_bytes name, struct fan_bytes key, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    char hash[FAN_KEY_HASH];

    fan_api_key_hash(key, hash);
    fan_args_begin(&args, arena);
    fan_arg_i64(&args, account);
    fan_arg_i64(&args, user);
    fan_arg_text(&args, name);
    fan_arg_bytea(&args, (struct fan_bytes){ hash, sizeof(hash) });
    return fan_db_run(db, &add_key, &args, NULL, why);
}

enum fan_err fan_new_key(struct fan_db *db, fan_id account, struct fan_bytes name,
        struct fan_arena *arena, struct fan_bytes *key, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_db_account(db, account);
    fan_args_begin(&args, arena);
    fan_arg_i64(&args, account);
    err = fan_db_run(db, &owner_of, &args, &rows, why);
    if (!err && rows.count == 0)
        err = fan_fail(why, FAN_NOT_FOUND, "there is no account %lld", (long long)account);
    *key = fan_api_key_new(account, arena);
    if (!err)
        err = insert_key(db, account, fan_row_i64(&rows, 0, 0), name, *key, arena, why);
    if (err) {
        fan_db_abort(db);
        return err;
    }
    return fan_db_commit(db, why);
}

static enum fan_err look_for_account(struct fan_db *db, struct fan_arena *arena, bool *found,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_begin(&args, arena);
    err = fan_db_run(db, &any_account, &args, &rows, why);
    *found = !err && fan_row_bool(&rows, 0, 0);
    return err ? err : fan_db_commit(db, why);
}

enum fan_err fan_first_account(struct fan_db *db, const char *key_file, struct fan_arena *arena,
        struct fan_why *why)
{
    static const struct fan_account_new first = { .name = FAN_LIT("Fanfare"),
        .email = FAN_LIT("owner@localhost") };
    struct fan_account_made made;
    bool found;
    enum fan_err err;

    if (access(key_file, F_OK) == 0)
        return FAN_OK;
    err = look_for_account(db, arena, &found, why);
    if (!err && found)
        err = fan_new_key(db, FIRST, FAN_LIT("fanfare up"), arena, &made.key, why);
    if (err == FAN_NOT_FOUND || (!err && !found))
        err = fan_account_create_first(db, &first, arena, &made, why);
    return err ? err : fan_file_replace(key_file, fan_bytes_cstr(made.key, arena), 0600, why);
}

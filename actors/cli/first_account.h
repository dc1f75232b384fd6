/*
 * first_account — an account to begin with, and a key to its API in a file.
 */
#ifndef FAN_CLI_FIRST_ACCOUNT_H
#define FAN_CLI_FIRST_ACCOUNT_H

#include "sql/db.h"

/**
 * See that @key_file holds an API key of the first account, which is made if there is none.
 *
 * db     logged in as the owner of the schema
 * fails  as fan_db_run; FAN_UNAVAILABLE also when the file cannot be written. Calling again is safe
 */
enum fan_err fan_first_account(struct fan_db *db, const char *key_file, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Make another key for the account's owner; shown now and never again. fails FAN_NOT_FOUND */
enum fan_err fan_new_key(struct fan_db *db, fan_id account, struct fan_bytes name,
        struct fan_arena *arena, struct fan_bytes *key, struct fan_why *why) FAN_MUST_CHECK;

#endif

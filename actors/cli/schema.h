/*
 * schema — the database brought up to date, as its owner.
 */
#ifndef FAN_CLI_SCHEMA_H
#define FAN_CLI_SCHEMA_H

#include "sql/db.h"

/** A connection as @user, who owns the schema; "" or NULL: as the URL says. */
struct fan_db *fan_owner_db(const char *url, const char *user);

/** Apply the migrations that are missing, and print each. fails as fan_migrate does */
enum fan_err fan_schema_update(struct fan_db *db, struct fan_why *why) FAN_MUST_CHECK;

#endif

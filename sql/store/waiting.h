/*
 * store/waiting — what waits across accounts, for the scheduler's sweep.
 */
#ifndef FAN_SQL_STORE_WAITING_H
#define FAN_SQL_STORE_WAITING_H

#include "sql/db.h"

struct fan_waiting_import {
    fan_id account, import;
};

/** Imports that nobody moved for a second though they could. */
enum fan_err fan_imports_waiting(struct fan_db *db, struct fan_arena *arena,
        const struct fan_waiting_import **out, size_t *count, struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * store/control — what holds for the whole installation: the kill switch, and the hold on a
 * database that is not the one that was confirmed. Claims and openings ask both.
 *
 * All fail as fan_db_run does.
 */
#ifndef FAN_SQL_STORE_CONTROL_H
#define FAN_SQL_STORE_CONTROL_H

#include "sql/db.h"

struct fan_control {
    bool send_enabled;
    struct fan_bytes stop_reason; /* why it is not; absent otherwise */
    struct fan_bytes hold_reason; /* why a person must confirm this database; absent: it is fine */
    fan_time changed_at;
    struct fan_bytes changed_by;
    fan_time now;   /* by the database's clock */
    bool confirmed; /* a person confirmed this database; the scheduler has not heard of it yet */
};

/** Whether anything may be sent. */
static inline bool fan_control_may_send(const struct fan_control *control)
{
    return control->send_enabled && !control->hold_reason.at;
}

/** "enabled", "stopped" or "held". */
const char *fan_control_word(const struct fan_control *control);

enum fan_err fan_control_get(struct fan_db *db, struct fan_arena *arena, struct fan_control *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** Stop all sending (@reason says why), or let it go on. @who says so. */
enum fan_err fan_control_set(struct fan_db *db, bool send_enabled, struct fan_bytes reason,
        struct fan_bytes who, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/** Say that a database that is held may send. @held: out, false when it was not */
enum fan_err fan_control_confirm(struct fan_db *db, struct fan_bytes who, struct fan_arena *arena,
        bool *held, struct fan_why *why) FAN_MUST_CHECK;

#endif

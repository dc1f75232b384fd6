/*
 * store/event — the event log: facts as rows, written in the transaction that makes them true.
 */
#ifndef FAN_SQL_STORE_EVENT_H
#define FAN_SQL_STORE_EVENT_H

#include "proto/message.h"
#include "sql/db.h"

/** Begin the parameters of a statement that writes a fact by itself: account, type, run, chunk,
 * body. */
void fan_event_args(struct fan_args *args, struct fan_arena *arena, fan_id account, fan_id run,
        fan_id chunk, const struct fan_schema *schema, const void *message);

/** Write a fact (a NEWS message) into the log. run, chunk: 0 when it has none. Emit the same
 * message afterwards. */
enum fan_err fan_event_insert(struct fan_db *db, fan_id account, fan_id run, fan_id chunk,
        const struct fan_schema *schema, const void *message, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Forget events older than @days, at most @limit. @dropped: out */
enum fan_err fan_events_drop_old(struct fan_db *db, uint32_t days, uint32_t limit,
        struct fan_arena *arena, int64_t *dropped, struct fan_why *why) FAN_MUST_CHECK;

#endif

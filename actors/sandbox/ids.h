/*
 * ids — how accepted messages are named, and how recipients are written. Pure.
 */
#ifndef FAN_ACTORS_SANDBOX_IDS_H
#define FAN_ACTORS_SANDBOX_IDS_H

#include "proto/arena.h"
#include "proto/bytes.h"

/** A message's id at Twilio and at Meta, made from @session (one for each start) and its serial; in
 * @arena. */
struct fan_bytes fan_sandbox_sid(uint64_t session, uint64_t serial, struct fan_arena *arena);
struct fan_bytes fan_sandbox_wamid(uint64_t session, uint64_t serial, uint64_t to,
        struct fan_arena *arena);

/** Read "+14155552671" (with @plus) or "14155552671" as a number; false when it is no E.164. */
bool fan_sandbox_phone(struct fan_bytes text, bool plus, uint64_t *out);

#endif

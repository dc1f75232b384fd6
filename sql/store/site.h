/*
 * store/site — whether this is the database that people know. All as its owner, each a transaction
 * of its own; they fail as fan_db_run and fan_db_commit do.
 */
#ifndef FAN_SQL_STORE_SITE_H
#define FAN_SQL_STORE_SITE_H

#include "proto/site.h"
#include "sql/db.h"

struct fan_site_look {
    struct fan_site now;
    struct fan_site bound; /* when it was taken for the right one; id absent: never */
    bool is_local;         /* reached through a Unix socket: it is on this machine */
    bool confirmed;        /* by a person, a moment ago */
};

enum fan_err fan_site_look(struct fan_db *owner, struct fan_arena *arena, struct fan_site_look *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** Take it for the right one as it is @now. @id: out, its own */
enum fan_err fan_site_bind(struct fan_db *owner, const struct fan_site *now,
        struct fan_arena *arena, struct fan_bytes *id, struct fan_why *why) FAN_MUST_CHECK;

/** Let it send nothing until a person confirms it. @held: out, false when it was held already */
enum fan_err fan_site_hold(struct fan_db *owner, struct fan_bytes reason, struct fan_arena *arena,
        bool *held, struct fan_why *why) FAN_MUST_CHECK;

#endif

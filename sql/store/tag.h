/*
 * store/tag — tags by name, and who has them. All fail as fan_db_run does.
 */
#ifndef FAN_SQL_STORE_TAG_H
#define FAN_SQL_STORE_TAG_H

#include "sql/db.h"

/** Ids of @names in their order; 0 where there is no such tag. */
enum fan_err fan_tags_find(struct fan_db *db, fan_id account, struct fan_texts names,
        struct fan_arena *arena, struct fan_ids *out, struct fan_why *why) FAN_MUST_CHECK;

/** The same, making those that are not there. */
enum fan_err fan_tags_ensure(struct fan_db *db, fan_id account, struct fan_texts names,
        struct fan_arena *arena, struct fan_ids *out, struct fan_why *why) FAN_MUST_CHECK;

/** Give @tags to a contact, besides those it has. */
enum fan_err fan_tags_give(struct fan_db *db, fan_id account, fan_id contact, struct fan_ids tags,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * store/contact — contacts one at a time, and the attributes that an account has declared.
 *
 * Blocks of an import go through store/contact_upsert. All fail as fan_db_run does; only further
 * failures are named.
 */
#ifndef FAN_SQL_STORE_CONTACT_H
#define FAN_SQL_STORE_CONTACT_H

#include "proto/words.h"
#include "sql/db.h"
#include "sql/store/page.h"

struct fan_contact {
    fan_id id;
    /* absent: not known; phone in E.164, email in lower case */
    struct fan_bytes external_id, phone, email, first_name, last_name, company, country, language;
    struct fan_bytes time_zone, attributes /* a JSON object */, source;
    fan_time created_at, updated_at;
    struct fan_texts tags;
};

struct fan_contact_list {
    struct fan_contact *at; /* at[len] */
    size_t len;
};

/** fails FAN_NOT_FOUND */
enum fan_err fan_contact_get(struct fan_db *db, fan_id account, fan_id contact,
        struct fan_arena *arena, struct fan_contact *out, struct fan_why *why) FAN_MUST_CHECK;

struct fan_contact_filter {
    fan_id tag;             /* 0: any */
    struct fan_bytes exact; /* external id, phone or e-mail; absent: any. Not with a tag */
};

/** A page of contacts, newest first, and how many there are in all. */
enum fan_err fan_contact_page(struct fan_db *db, fan_id account,
        const struct fan_contact_filter *filter, struct fan_page page, struct fan_arena *arena,
        struct fan_contact_list *out, struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_contact_count(struct fan_db *db, fan_id account,
        const struct fan_contact_filter *filter, struct fan_arena *arena, int64_t *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** How many contacts have any of @tags; no tags: all contacts. */
enum fan_err fan_contact_count_tagged(struct fan_db *db, fan_id account, struct fan_ids tags,
        struct fan_arena *arena, int64_t *out, struct fan_why *why) FAN_MUST_CHECK;

/** The first of @ids that is nobody's; 0: all are somebody's. */
enum fan_err fan_contact_missing(struct fan_db *db, fan_id account, struct fan_ids ids,
        struct fan_arena *arena, fan_id *out, struct fan_why *why) FAN_MUST_CHECK;

/**
 * Write one contact: the one with this external id, else phone, else e-mail, or a new one.
 *
 * Fields that are absent stay as they are; attributes are merged.
 *
 * tags     are given to the contact, besides those it has
 * id       out
 * created  out
 * fails    FAN_INVALID  the external id is another contact's
 */
enum fan_err fan_contact_put(struct fan_db *db, fan_id account, const struct fan_contact *contact,
        struct fan_ids tags, struct fan_arena *arena, fan_id *id, bool *created,
        struct fan_why *why) FAN_MUST_CHECK;

/** Whether a contact must not be written to by that kind of channel. */
enum fan_err fan_contact_suppressed(struct fan_db *db, fan_id account, fan_id contact,
        enum fan_kind kind, struct fan_arena *arena, bool *out, struct fan_why *why) FAN_MUST_CHECK;

/** Names of the declared attributes, in the order in which they were declared. */
enum fan_err fan_attributes(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_texts *out, struct fan_why *why) FAN_MUST_CHECK;

/** Declare attributes; those declared before stay. */
enum fan_err fan_attributes_declare(struct fan_db *db, fan_id account, struct fan_texts names,
        struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

#endif

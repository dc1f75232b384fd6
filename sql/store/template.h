/*
 * store/template — messages under a name, in versions that never change.
 *
 * All fail as fan_db_run does; only further failures are named. (What the renderer makes of a
 * content is actors/lib/text/template.h.)
 */
#ifndef FAN_SQL_STORE_TEMPLATE_H
#define FAN_SQL_STORE_TEMPLATE_H

#include "proto/words.h"
#include "sql/db.h"
#include "sql/store/page.h"

struct fan_template_version {
    int64_t number;           /* from 1 */
    struct fan_bytes content; /* a JSON object, see actors/lib/text/choice.h; absent in lists */
    struct fan_bytes note;    /* may be absent */
    fan_id author;            /* 0: not known */
    fan_time created_at;
};

struct fan_template_row {
    fan_id id;
    struct fan_bytes name;
    enum fan_kind kind;
    struct fan_bytes description, category; /* may be absent */
    struct fan_texts tags;
    bool archived;
    int64_t latest; /* number of the newest version */
    fan_time created_at, updated_at;
    struct fan_template_version version; /* the one that was asked for; in lists its number alone */
};

struct fan_template_list {
    struct fan_template_row *at; /* at[len] */
    size_t len;
};

/** Read a template with one of its versions; @version 0: the newest. fails FAN_NOT_FOUND */
enum fan_err fan_template_get(struct fan_db *db, fan_id account, fan_id template, int64_t version,
        struct fan_arena *arena, struct fan_template_row *out, struct fan_why *why) FAN_MUST_CHECK;

/** Hold a template for the transaction and read it with its newest version. fails FAN_NOT_FOUND */
enum fan_err fan_template_hold(struct fan_db *db, fan_id account, fan_id template,
        struct fan_arena *arena, struct fan_template_row *out, struct fan_why *why) FAN_MUST_CHECK;

struct fan_template_filter {
    int kind; /* 0: any */
    bool archived;
    struct fan_bytes tag, category; /* absent: any */
    struct fan_bytes search; /* stands in the name or the description; capitals do not matter */
};

/** A page of templates by name, and how many there are. */
enum fan_err fan_template_page(struct fan_db *db, fan_id account,
        const struct fan_template_filter *filter, struct fan_page page, struct fan_arena *arena,
        struct fan_template_list *out, struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_template_count(struct fan_db *db, fan_id account,
        const struct fan_template_filter *filter, struct fan_arena *arena, int64_t *out,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Make a template; row->version is its first version.
 *
 * id     out
 * fails  FAN_INVALID  another template has this name; why->field names the constraint
 */
enum fan_err fan_template_insert(struct fan_db *db, fan_id account,
        const struct fan_template_row *row, struct fan_arena *arena, fan_id *id,
        struct fan_why *why) FAN_MUST_CHECK;

/** Write what row->id is called and whether it is archived. fails FAN_NOT_FOUND, and as above */
enum fan_err fan_template_update(struct fan_db *db, fan_id account,
        const struct fan_template_row *row, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Add a version. @number: out. fails FAN_NOT_FOUND */
enum fan_err fan_template_add_version(struct fan_db *db, fan_id account, fan_id template,
        const struct fan_template_version *version, struct fan_arena *arena, int64_t *number,
        struct fan_why *why) FAN_MUST_CHECK;

/** A page of a template's versions, newest first. @out: at[len], in the arena */
enum fan_err fan_template_versions(struct fan_db *db, fan_id account, fan_id template,
        struct fan_page page, struct fan_arena *arena, const struct fan_template_version **out,
        size_t *len, struct fan_why *why) FAN_MUST_CHECK;

/** Whether a template's newest version has exactly this content, however it is laid out. */
enum fan_err fan_template_same(struct fan_db *db, fan_id account, fan_id template,
        struct fan_bytes content, struct fan_arena *arena, bool *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** The template of that name; 0: none. */
enum fan_err fan_template_find(struct fan_db *db, fan_id account, struct fan_bytes name,
        struct fan_arena *arena, fan_id *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

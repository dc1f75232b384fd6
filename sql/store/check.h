/*
 * store/check — a campaign's audience looked at before it is launched.
 */
#ifndef FAN_SQL_STORE_CHECK_H
#define FAN_SQL_STORE_CHECK_H

#include "proto/words.h"
#include "sql/db.h"

struct fan_check_person {
    fan_id contact;
    struct fan_bytes external_id, phone, email, first_name, last_name, company, country, language;
    struct fan_bytes time_zone, attributes; /* a JSON object */
    int reason; /* why he would be skipped: no_address, suppressed, duplicate; 0: he would not */
};

struct fan_check_people {
    struct fan_check_person *at; /* at[len], by contact */
    size_t len;
};

/* Whom to look at: of @ranges equal ranges of ids, @each people each. One range with room for all
 * is everybody. */
struct fan_check_sample {
    enum fan_kind kind;
    struct fan_ids tags; /* any of; none: every contact */
    int64_t each, ranges;
};

/** Fails as fan_db_run does; FAN_UNAVAILABLE also when it takes longer than a statement may. */
enum fan_err fan_check_people(struct fan_db *db, fan_id account,
        const struct fan_check_sample *sample, struct fan_arena *arena,
        struct fan_check_people *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

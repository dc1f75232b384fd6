/*
 * store/dead — dead letters: messages that failed for good, and those whose fate nobody will ever
 * know. They are shown, and tried again when a person says so. And deaths: those among them that
 * speak of their run rather than of their recipient, too many of which pause it.
 *
 * All fail as fan_db_run does; only further failures are named.
 */
#ifndef FAN_SQL_STORE_DEAD_H
#define FAN_SQL_STORE_DEAD_H

#include "sql/store/report.h"

/* Chunks that one call looks at, so that it ends soon; the caller asks again with the cursor. */
enum { FAN_DEAD_CHUNKS = 20, FAN_DEAD_IDS = 100 };

/* Which of them are wanted. */
struct fan_dead_filter {
    fan_id campaign;       /* 0: of any */
    bool unknown;          /* those that may have been sent, too */
    int reason;            /* enum fan_reason; 0: any */
    int outcome;           /* enum fan_outcome_class; 0: any */
    struct fan_bytes code; /* the provider's; absent: any */
    fan_time since, until; /* when they failed; until 0: to this day */
    fan_id below;          /* only messages below this id: the cursor; 0: from the newest on */
};

struct fan_dead_letter {
    struct fan_report_message message;
    fan_id campaign;
    fan_time failed_at;
};

struct fan_dead_letters {
    struct fan_dead_letter *at; /* at[len], newest first */
    size_t len;
    fan_id next; /* cursor of what may follow; 0: nothing does */
};

/** Up to @limit of them; there may be more even when none came. */
enum fan_err fan_dead_list(struct fan_db *db, fan_id account, const struct fan_dead_filter *filter,
        uint32_t limit, struct fan_arena *arena, struct fan_dead_letters *out,
        struct fan_why *why) FAN_MUST_CHECK;

struct fan_dead_requeued {
    int64_t count;
    struct fan_ids runs;      /* that had ended and go on; by place */
    struct fan_ids campaigns; /* theirs */
    fan_id next;              /* cursor; 0: that was all */
};

/**
 * Have them tried again, by their run's rules and as if for the first time; what was cancelled or
 * has no text stays. Safe to repeat.
 *
 * ids  exactly these, at most FAN_DEAD_IDS, where the filter lets them through; at NULL: by the
 *      filter alone, some chunks at a time
 */
enum fan_err fan_dead_requeue(struct fan_db *db, fan_id account, struct fan_ids ids,
        const struct fan_dead_filter *filter, struct fan_arena *arena,
        struct fan_dead_requeued *out, struct fan_why *why) FAN_MUST_CHECK;

/* ---- deaths ---- */

/** Add: note which of these messages died. After what says so, in its transaction. */
void fan_dead_add_note(struct fan_batch *batch, fan_id account, struct fan_ids messages);

/** Note messages that are born dead. */
enum fan_err fan_dead_note_unwritten(struct fan_db *db, fan_id account, fan_id run,
        struct fan_ids messages, struct fan_arena *arena, struct fan_why *why) FAN_MUST_CHECK;

/* A run that goes on although messages of it died. */
struct fan_dead_run {
    fan_id account, run, campaign;
    int64_t in_minute, in_all;
    bool resolved; /* all recipients are known */
    int64_t recipients;
};

/** Those of every account with @least deaths or more. */
enum fan_err fan_dead_runs(struct fan_db *db, int64_t least, struct fan_arena *arena,
        const struct fan_dead_run **out, size_t *count, struct fan_why *why) FAN_MUST_CHECK;

/** Forget the deaths of runs that ended an hour ago. */
enum fan_err fan_dead_forget(struct fan_db *db, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

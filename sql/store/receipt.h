/*
 * store/receipt — what providers and recipients said about messages that were handed over.
 *
 * Applying something twice, or in another order, gives the same rows: progress only grows, flags
 * are only added, of instants the first counts. So a message needs no memory of what was said about
 * it; what is done once and can be taken back by people, a suppression, has its event noted. Every
 * function runs in the turn's transaction and fails as fan_db_run does.
 */
#ifndef FAN_SQL_STORE_RECEIPT_H
#define FAN_SQL_STORE_RECEIPT_H

#include "proto/words.h"
#include "sql/db.h"

enum { FAN_RECEIPT_KEY = 16 /* bytes */ };

/* An event as its provider tells it apart. */
struct fan_receipt_key {
    fan_id channel; /* 0: not a provider's */
    unsigned char key[FAN_RECEIPT_KEY];
    fan_time at; /* the event's own time, which its row is kept by */
};

/**
 * Note events.
 *
 * keys   keys[count], ascending by channel and key
 * fresh  out: fresh[count], whether it is seen for the first time
 */
enum fan_err fan_receipts_note(struct fan_db *db, fan_id account,
        const struct fan_receipt_key *keys, size_t count, struct fan_arena *arena, bool *fresh,
        struct fan_why *why) FAN_MUST_CHECK;

/* What is said, one row a message: each array [count]. */
struct fan_receipt_rows {
    size_t count;
    fan_id *messages;        /* ascending */
    int32_t *words;          /* enum fan_progress + bits of enum fan_flag << FAN_WORD_FLAGS */
    struct fan_bytes *codes; /* of a failure; may be absent */
    fan_time *heard;         /* when the first word about it was said */
    fan_time *delivered;     /* when that it was delivered; 0: that was not said */
    fan_time *read;
};

enum { FAN_WORD_FLAGS = 8 };

/** Room for so many rows, all zero. */
void fan_receipt_rows_make(struct fan_receipt_rows *out, size_t count, struct fan_arena *arena);

/* What became new in a run. */
struct fan_receipts_run {
    fan_id run;
    uint32_t delivered, read, undelivered, flagged;
};

struct fan_receipts_runs {
    struct fan_receipts_run *at; /* at[len] */
    size_t len;
    size_t messages; /* of which something was new */
};

/** Merge. @out: the runs in which something became new */
enum fan_err fan_receipts_apply(struct fan_db *db, fan_id account,
        const struct fan_receipt_rows *rows, struct fan_arena *arena, struct fan_receipts_runs *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** Write no more to the recipients of messages[count], on the kind of channel of each. */
enum fan_err fan_receipts_suppress(struct fan_db *db, fan_id account, const fan_id *messages,
        const struct fan_bytes *reasons, size_t count, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Order by channel and key, as fan_receipts_note wants it. */
int fan_receipt_key_compare(const struct fan_receipt_key *a, const struct fan_receipt_key *b);

#endif

/*
 * mailbox — what the forwarder's thread tells the loop: news to publish, and how it is doing.
 *
 * News are hints; when the loop does not come round to them, the oldest are dropped.
 */
#ifndef FAN_ACTORS_INGESTER_MAILBOX_H
#define FAN_ACTORS_INGESTER_MAILBOX_H

#include "actors/ingester/ingester.h"
#include "sql/store/receipt.h"

struct mailbox;

/* What became of a batch. */
struct letter {
    uint32_t words;     /* receipts applied */
    uint32_t messages;  /* of which they said something new */
    uint32_t unmatched; /* receipts about no message of ours */
    uint32_t refused;   /* records set aside */
    double seconds;     /* that the batch took; 0: nothing was applied */
    fan_time oldest;    /* arrival of what was applied last; 0: the spool is empty */
};

struct mailbox *mailbox_new(struct ingester *self);
/** The writing thread must have ended. */
void mailbox_free(struct mailbox **mailbox);

/** Any thread. */
void mailbox_put_news(struct mailbox *mailbox, fan_id account, const struct fan_receipts_run *run);
void mailbox_put(struct mailbox *mailbox, const struct letter *letter);

#endif

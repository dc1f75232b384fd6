/*
 * store/claim — a sender's part of the chunk protocol, as pipelined transactions.
 *
 * Each fan_claim_add_… adds the statements of one step to a batch (the index of the one that
 * answers is returned); the matching fan_claim_read_… reads that answer in the batch's callback.
 * Rules: see sql/queries/chunk.sql.
 */
#ifndef FAN_SQL_STORE_CLAIM_H
#define FAN_SQL_STORE_CLAIM_H

#include "proto/message.h"
#include "proto/words.h"
#include "sql/db.h"

/* A chunk that a sender holds: key and fence. */
struct fan_claim {
    fan_id account, chunk;
    uint32_t epoch;
    uint64_t owner; /* the sender's incarnation */
    bool is_retry;
};

struct fan_claim_taken {
    struct fan_claim claim; /* with its new epoch */
    fan_id run, channel;
    enum fan_lane lane;
    enum fan_kind kind;
    uint32_t watermark, size;
    bool at_least_once;
    enum fan_retry_preset retry;
    struct fan_ids items; /* a retry chunk's message ids by position */
};

/** Take a rendered chunk: @claim carries the frame's epoch. */
int fan_claim_add_take(struct fan_batch *batch, const struct fan_claim *claim, int64_t lease_us);
/** false: stale, repeated, not due, or the run does not run: forget the frame. */
bool fan_claim_read_take(const struct fan_rows *rows, const struct fan_claim *asked,
        struct fan_arena *arena, struct fan_claim_taken *out);

/**
 * Open the next messages: @count from @watermark on.
 *
 * locked  a close stands before it in the batch, which has locked the chunk
 * items   a retry chunk's ids, all of them; not looked at otherwise
 * Returns the index of the first of two answers.
 */
int fan_claim_add_open(struct fan_batch *batch, const struct fan_claim *claim, bool locked,
        uint32_t watermark, uint32_t count, struct fan_ids items, enum fan_kind kind);
/** The new watermark, or -1: do not send; somebody else has it, or it may not run now. @unsendable:
 * ids not to be sent. */
int fan_claim_read_open(const struct fan_rows *rows, struct fan_arena *arena,
        struct fan_ids *unsendable);

/** Read what is still to be sent from position @from up to, not including, @to. */
int fan_claim_add_copies(struct fan_batch *batch, const struct fan_claim *claim, uint32_t from,
        uint32_t to, struct fan_ids items);

struct fan_claim_copy {
    fan_id message, contact;
    struct fan_bytes address, body; /* borrowed from the rows */
    int format;
    uint32_t tries, free_tries; /* before this one: those that cost one, those that cost none */
    uint32_t attempts;          /* before this one, also those before it was to be tried anew */
    fan_time key_left; /* it was in doubt, and may be sent for its key only, so much longer; -1: it
                          may be sent */
};

void fan_claim_read_copy(const struct fan_rows *rows, int row, struct fan_claim_copy *out);

/* Outcomes of some messages of a claim, each array [count]. */
struct fan_claim_outcomes {
    size_t count;
    fan_id *messages;
    int16_t *states; /* enum fan_message_state: retry, unknown, sent, failed, skipped, cancelled */
    int16_t *outcomes; /* enum fan_outcome_class, 0: not tried */
    int16_t *reasons;  /* enum fan_reason, 0: none */
    int16_t *attempts; /* number of this attempt, from 1 */
    int16_t *free;     /* 1: the try cost none */
    struct fan_bytes *codes, *provider_ids;
    int64_t *delays;    /* microseconds until the retry is due */
    fan_time *instants; /* when the provider answered */
    bool *suppress;     /* the recipient must not be written to again */
    fan_id crashed; /* of evidence: its sender died while it wrote this one's request; 0: none */
    fan_id run;     /* of the event */
    const struct fan_messages_settled *event; /* written with them, if any is; NULL: none is */
};

/** None, with room for so many. */
struct fan_claim_outcomes fan_claim_outcomes_room(size_t room, struct fan_arena *arena);

/** Record outcomes under the claim, with attempts from the second on and suppressions. The answer
 * is read by fan_claim_read_closed. */
int fan_claim_add_close(struct fan_batch *batch, const struct fan_claim *claim,
        const struct fan_claim_outcomes *outcomes, enum fan_kind kind);
/** How many were recorded; fewer than given: put them all through fan_claim_add_evidence. */
size_t fan_claim_read_closed(const struct fan_rows *rows);

/** Late knowledge about messages that were opened under @claim (its epoch may be over): only sent,
 * failed and retry count. Two statements; the index of the second is returned, its answer is read
 * by fan_claim_read_closed. */
int fan_claim_add_evidence(struct fan_batch *batch, const struct fan_claim *claim,
        const struct fan_claim_outcomes *outcomes);

/**
 * The claim's sender died while it wrote the request of @message, which so was never started.
 * Behind fan_claim_add_lock, ahead of the release; with evidence by way of outcomes->crashed. The
 * third such death makes it a dead letter.
 */
void fan_claim_add_crashed(struct fan_batch *batch, const struct fan_claim *claim, fan_id message);

/** Hold the claim longer. A row in the answer: it is still mine. */
int fan_claim_add_renew(struct fan_batch *batch, const struct fan_claim *claim, int64_t lease_us);

/** End the claim of a chunk that is home to its messages, behind the close of the last of them. No
 * row in its answer: something is left, or the claim was over; fan_claim_add_release tells. */
int fan_claim_add_done(struct fan_batch *batch, const struct fan_claim *claim);

/** Lock all chunks that the end of the claim touches, in order: the first statement of a batch that
 * ends it. */
void fan_claim_add_lock(struct fan_batch *batch, const struct fan_claim *claim);

/**
 * End the claim. What is open and unsettled becomes unknown; what is above the watermark is
 * dispatched again.
 *
 * watermark  lower it to this position, over messages opened and never started; -1: leave it
 * Behind fan_claim_add_lock. No row in its answer: the claim was over.
 */
int fan_claim_add_release(struct fan_batch *batch, const struct fan_claim *claim, int watermark);

/** Reserve up to @wanted send slots of a channel. Two statements; the index of the second is
 * returned. */
int fan_claim_add_slots(struct fan_batch *batch, fan_id account, fan_id channel, uint32_t wanted);

struct fan_claim_slots {
    uint32_t granted;
    int64_t wait_us;     /* until the first */
    int64_t interval_us; /* between two; 0: no limit */
};

/** false: the channel is gone. */
bool fan_claim_read_slots(const struct fan_rows *rows, struct fan_claim_slots *out);

#endif

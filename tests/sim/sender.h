/*
 * sender — what a simulated sender shares with those who read what it left.
 */
#ifndef FAN_TESTS_SIM_SENDER_H
#define FAN_TESTS_SIM_SENDER_H

#include "tests/sim/sim.h"

enum tx_kind { TX_TAKE, TX_TURN, TX_RENEW, TX_SAY, TX_REPLAY_END, TX_REPLAY_SAY };
enum { NONE = -2 }; /* it is not part of the transaction */

/* A transaction on its way, and its answer. */
struct tx {
    enum tx_kind kind;
    struct fan_claim claim;
    struct journal_slot *slot; /* replays */
    struct row_word words[ROWS_ITEMS];
    size_t words_len;
    int close, open, release, renew; /* NONE, or what the statement answers */
    uint32_t watermark, count, size;
    int release_to;
    fan_time opened_at;
    bool unsendable[ROWS_ITEMS], refused;
    uint8_t tries[ROWS_ITEMS], free[ROWS_ITEMS];
    enum fan_err err;
};

struct tx *tx_new(const struct fan_claim *claim, enum tx_kind kind);
/** It is done a moment later, by a worker for one of its holds, and answered another one later. */
void tx_submit(struct sim *sim, int index, int number, struct tx *tx);

/* ---- graves.c ---- */

/** A dead sender's slot: it is kept, or lost in whole or in part. */
void grave_bury(struct sim *sim, struct journal_slot *slot, uint64_t owner);
/** Begin to replay one that nobody reads. */
void grave_replay_one(struct sim *sim, int index);
/** Its transaction was answered. */
void grave_read(struct sim *sim, int index, const struct tx *tx);

#endif

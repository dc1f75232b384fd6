/*
 * rows — the tables chunk and message of one run, in memory, and what the statements of
 * sql/queries/chunk.sql do to them: one function for each, which is one transaction.
 *
 * Every instant is passed in. test_rows.c does the same to PostgreSQL and compares.
 */
#ifndef FAN_TESTS_SIM_ROWS_H
#define FAN_TESTS_SIM_ROWS_H

#include "proto/words.h"
#include "sql/store/claim.h"
#include "sql/store/receipt.h"

enum { ROWS_HOMES = 8, ROWS_SIZE = 8, ROWS_CHUNKS = 400, ROWS_ITEMS = 16 };

struct row_message {
    fan_id id, work; /* work 0: its home chunk answers for it */
    enum fan_message_state state;
    fan_time due;
    uint32_t lost_epoch;
    int attempt, free_tries, progress, flags;
    bool suppressed; /* its recipient has opted out */
    bool named;      /* the provider's id is known */
};

struct row_chunk {
    fan_id id;
    enum fan_chunk_state state;
    uint32_t epoch, watermark, size;
    uint64_t owner;
    fan_time lease_until, retry_due, unknown_since, opened_at; /* 0: none */
    bool is_retry;
    fan_id items[ROWS_ITEMS];
    int count[FAN_MESSAGE_STATE_COUNT]; /* of its own messages */
    int undelivered, delivered, read, flags[5];
};

struct rows {
    bool at_least_once, cancelled;
    fan_time unknown_wait;
    fan_time key_life; /* its provider drops repetitions for so long; 0: never */
    int tries;         /* in all */
    fan_id first;      /* chunk */
    int homes, chunks;
    struct row_chunk chunk[ROWS_CHUNKS]; /* chunk[chunks], by id from first on */
    struct row_message message[ROWS_HOMES][ROWS_SIZE];
};

/* What became of one message, as a batch says it. */
struct row_word {
    fan_id message;
    enum fan_message_state state;
    fan_time delay;
    bool free;
};

/** @homes planned chunks of @size people. */
void rows_init(struct rows *rows, fan_id first, int homes, int size);
struct row_chunk *rows_chunk(struct rows *rows, fan_id chunk);
struct row_message *rows_message(struct rows *rows, fan_id message);
/** The message at a position. */
fan_id rows_item(const struct row_chunk *chunk, uint32_t position);

bool rows_render(struct rows *rows, fan_id chunk, uint32_t epoch);
/** @claim carries the frame's epoch; it gets the new one. */
bool rows_claim(struct rows *rows, fan_time now, struct fan_claim *claim, fan_time lease);
bool rows_renew(struct rows *rows, fan_time now, const struct fan_claim *claim, fan_time lease);
/** The new watermark, or -1. unsendable[count]: by position from the old one on. */
int rows_open(struct rows *rows, fan_time now, const struct fan_claim *claim, uint32_t watermark,
        uint32_t count, bool *unsendable);
/** How many were closed; -1: no row. */
int rows_close(struct rows *rows, fan_time now, const struct fan_claim *claim,
        const struct row_word *words, size_t count);
/** The chunk's state, or -1: refused. @owner 0: the scheduler. @watermark -1: as it is. */
int rows_release(struct rows *rows, fan_time now, fan_id chunk, uint32_t epoch, uint64_t owner,
        int watermark, bool force);
void rows_evidence(struct rows *rows, fan_time now, const struct fan_claim *claim,
        const struct row_word *words, size_t count);

bool rows_take_back(struct rows *rows, fan_time now, fan_id chunk, uint32_t epoch, bool unbegun);
int rows_promote(struct rows *rows, fan_time now, int size);
int rows_settle(struct rows *rows, fan_time now);
int rows_cancel(struct rows *rows);
void rows_receipts(struct rows *rows, const struct fan_receipt_rows *said);

/** NULL, or what does not equal a recount. */
const char *rows_wrong(const struct rows *rows);
/** Whether nothing will happen any more. */
bool rows_final(const struct rows *rows);

#endif

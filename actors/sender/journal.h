/*
 * journal — what a sender knows that must outlive it: which messages it opened, started and got
 * answers for.
 *
 * A file mapped into memory, a slot for each chunk held, a record for each position. Stores into it
 * survive the death of the process, because the pages belong to the kernel; nothing is written or
 * flushed on the way. The file is locked for the sender's life: whoever gets the lock knows that
 * its writer is dead, and replays it (replay.h).
 *
 * Order is the promise: the intent before the open commits, started before the first byte, the
 * answer's details before the word that there is one. After another boot pages may be missing or
 * older than their neighbours, so only answers count then, and only of the message and epoch that
 * they name themselves: a record never crosses a page.
 */
#ifndef FAN_ACTORS_SENDER_JOURNAL_H
#define FAN_ACTORS_SENDER_JOURNAL_H

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/time.h"
#include "sql/store/claim.h"

enum { JOURNAL_POSITIONS = 500, JOURNAL_RECORD = 128, JOURNAL_ID = 108 };

enum journal_word { JOURNAL_NOTHING = 0, JOURNAL_STARTED, JOURNAL_ANSWERED };

/* One message. */
struct journal_record {
    int64_t message;
    uint32_t epoch;
    uint8_t word;    /* enum journal_word */
    uint8_t state;   /* answered: enum fan_message_state */
    uint8_t outcome; /* enum fan_outcome_class */
    uint8_t reason;
    uint8_t id_len;
    char id[JOURNAL_ID - 1]; /* the provider's; of a longer one nothing is kept */
    uint8_t free;            /* 1: the try cost none */
};

_Static_assert(sizeof(struct journal_record) == JOURNAL_RECORD, "a record fits into its place");

/* One chunk held. */
struct journal_slot {
    uint32_t used; /* 0: free; 1: holds a claim; 2: about to */
    uint32_t epoch;
    int64_t account, chunk;
    uint32_t is_retry;
    uint32_t size;
    uint32_t opened; /* the intent: positions below it may be opened */
    uint32_t kind;
    uint32_t writing; /* position whose request is being written, plus one; 0: none */
    uint32_t begun;   /* position behind the last one started: says it where its record is lost */
    int64_t items[JOURNAL_POSITIONS]; /* message ids by position */
    _Alignas(JOURNAL_RECORD) struct journal_record records[JOURNAL_POSITIONS];
};

struct journal;

/**
 * Make this process's journal in @dir, locked.
 *
 * slots  chunks held at once
 * fails  FAN_UNAVAILABLE  the file cannot be made or there is no room on the disk
 */
enum fan_err journal_create(const char *dir, uint64_t owner, uint32_t slots, struct journal **out,
        struct fan_why *why) FAN_MUST_CHECK;
/** Remove it: a sender that stopped in good order leaves nothing to replay. */
void journal_remove(struct journal **journal);

/** Whether its file cannot be written any more (the disk fails, is full, somebody cut it short):
 * what was stored since may be lost with this process, so nothing may be started. From then on the
 * file, too, says that what it lacks proves nothing. */
bool journal_is_broken(struct journal *journal);
/** Ask the disk whether it kept what was written. To be called now and then: nobody else hears of
 * pages that the kernel could not write, and may forget. */
void journal_look(struct journal *journal);

/** A free slot, or NULL. */
struct journal_slot *journal_take(struct journal *journal);
void journal_release(struct journal_slot *slot);

/** The slot's fields and items are filled in: from now on a replay reads it. */
void journal_begin(struct journal_slot *slot);
/** The request of a position is being written, which runs over what strangers wrote. */
void journal_writing(struct journal_slot *slot, uint32_t position);
void journal_started(struct journal_slot *slot, uint32_t position);
/* An answer as it is written down. */
struct journal_answer {
    int state, outcome, reason;
    bool free; /* the try cost none */
    struct fan_bytes id;
};

void journal_answered(struct journal_slot *slot, uint32_t position,
        const struct journal_answer *answer);

/* ---- what a dead sender's slot says ---- */

/** Positions that may be opened; a slot may hold anything. */
uint32_t journal_opened(const struct journal_slot *slot);
/** Whether the record of a position speaks of what the slot says stands there. */
bool journal_answer_counts(const struct journal_slot *slot, uint32_t position);
/**
 * What is to be said of a position; FAN_MESSAGE_PENDING: nothing.
 *
 * same_boot  the kernel that wrote the pages still runs: a missing record says "never started"
 * evidence   the claim is over; otherwise it is said under the claim, which what was never started
 *            ends with (journal_begun)
 */
enum fan_message_state journal_says(const struct journal_slot *slot, uint32_t position,
        bool same_boot, bool evidence);
/** The position whose request was being written when the sender died; -1: none. Only as good as
 * same_boot. */
int journal_died_writing(const struct journal_slot *slot);
/** The position from which on nothing was begun. */
uint32_t journal_begun(const struct journal_slot *slot);

/* A dead sender's journal. */
struct journal_left {
    char path[512];
    int fd;
    uint64_t owner;
    bool same_boot;
    uint32_t slots_len;
    const struct journal_slot *slots; /* slots[slots_len] */
    char *copy; /* of the file: a disk that fails must not fail in the middle of reading it */
};

/** Find a journal in @dir whose writer is dead, and lock it. false: there is none. A file that is
 * no journal is set aside. */
bool journal_find_left(const char *dir, struct journal_left *out);
/** Done with it: it is deleted, or (!done) left for another try. */
void journal_left_close(struct journal_left *left, bool done);

#endif

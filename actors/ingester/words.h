/*
 * words — what was said about messages, and what it comes to, message by message. Pure.
 *
 * Of several words about one message the furthest progress counts, every flag, the first instant of
 * each sort, and of an undelivered one's codes the greatest: so their order does not matter, nor
 * how often one is said. Only a suppression has a key: people may take it back, and then a
 * repetition must not bring it again.
 */
#ifndef FAN_ACTORS_INGESTER_WORDS_H
#define FAN_ACTORS_INGESTER_WORDS_H

#include "actors/ingester/spool_format.h"
#include "actors/providers/provider.h"
#include "sql/store/receipt.h"

struct word {
    fan_id account;
    struct fan_receipt_key key; /* with @suppress */
    fan_id message;
    enum fan_progress progress;
    int flags;
    struct fan_bytes code; /* in the list's arena; absent: none */
    fan_time at;
    bool suppress;
};

/* Words in an arena: at[len]. */
struct words {
    struct fan_arena *arena;
    struct word *at;
    size_t len, room;
};

/** Note what a provider said about a message of ours. */
void words_add_receipt(struct words *words, const struct spool_record *record, fan_id message,
        const struct fan_receipt *receipt);

/** Note that a recipient unsubscribed. */
void words_add_unsubscribe(struct words *words, const struct spool_record *record);

/** Bring them into the order of accounts, and within one of messages. */
void words_sort(struct words *words);

/** How many of the words from at[from] on are about the same account. */
size_t words_of_account(const struct words *words, size_t from);

/** Merge words[count] of one account, in order, into rows by message. */
void words_merge(const struct word *words, size_t count, struct fan_arena *arena,
        struct fan_receipt_rows *out);

/* Whose recipients must not be written to again, and why: each array [count], ascending by key. */
struct word_suppressions {
    size_t count;
    struct fan_receipt_key *keys;
    fan_id *messages;
    struct fan_bytes *reasons;
};

void words_suppressions(const struct word *words, size_t count, struct fan_arena *arena,
        struct word_suppressions *out);

/** Keep those whose event is fresh[count]. */
void words_keep_fresh(struct word_suppressions *list, const bool *fresh);

#endif

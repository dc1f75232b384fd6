#include "actors/ingester/words.h"

#include <sodium.h>
#include <stdlib.h>

/* A provider's clock is believed within these bounds of the arrival. */
#define LATE_MOST (30 * 86400 * FAN_SECOND)
#define AHEAD_MOST (3600 * FAN_SECOND)

enum { CODE_CAP = 64 /* bytes */ };

/* ---- noting ---- */

static struct word *add(struct words *words)
{
    if (words->len == words->room) {
        size_t room = words->room ? 2 * words->room : 256;
        struct word *grown = fan_arena_array(words->arena, room, sizeof *grown);

        if (words->len)
            memcpy(grown, words->at, words->len * sizeof *grown);
        words->at = grown;
        words->room = room;
    }
    return &words->at[words->len++];
}

static void hash_key(struct fan_bytes text, unsigned char out[FAN_RECEIPT_KEY])
{
    _Static_assert(FAN_RECEIPT_KEY == crypto_generichash_BYTES_MIN, "BLAKE2b's shortest");
    crypto_generichash(out, FAN_RECEIPT_KEY, (const unsigned char *)text.at, text.len, NULL, 0);
}

/* An event without an instant, or with an absurd one, happened when we heard of it. */
static fan_time believable(fan_time at, fan_time arrived)
{
    return at < arrived - LATE_MOST || at > arrived + AHEAD_MOST ? arrived : at;
}

void words_add_receipt(struct words *words, const struct spool_record *record, fan_id message,
        const struct fan_receipt *receipt)
{
    struct word *word = add(words);
    struct fan_bytes code = receipt->code;

    if (code.len > CODE_CAP)
        code.len = CODE_CAP;
    *word = (struct word){
        .account = record->account,
        .message = message,
        .progress = receipt->progress,
        .flags = receipt->flags,
        .at = believable(receipt->at, record->arrived),
        .suppress = receipt->suppress,
    };
    if (code.len > 0 && fan_bytes_utf8(code) && !memchr(code.at, 0, code.len))
        word->code = fan_bytes_dup(code, words->arena);
    if (!word->suppress)
        return;
    word->key.channel = record->subject;
    word->key.at = word->at;
    hash_key(receipt->key.len ? receipt->key : record->body, word->key.key);
}

void words_add_unsubscribe(struct words *words, const struct spool_record *record)
{
    char text[64];
    struct word *word = add(words);

    *word = (struct word){
        .account = record->account,
        .message = record->subject,
        .flags = FAN_FLAG_UNSUBSCRIBED,
        .at = record->arrived,
        .suppress = true,
    };
    word->key.at = record->arrived;
    snprintf(text, sizeof text, "unsubscribe %lld", (long long)record->subject);
    hash_key(fan_bytes_of(text), word->key.key);
}

/* ---- order ---- */

static int by_account_and_message(const void *a, const void *b)
{
    const struct word *left = a, *right = b;

    if (left->account != right->account)
        return left->account < right->account ? -1 : 1;
    return (left->message > right->message) - (left->message < right->message);
}

void words_sort(struct words *words)
{
    if (words->len)
        qsort(words->at, words->len, sizeof *words->at, by_account_and_message);
}

size_t words_of_account(const struct words *words, size_t from)
{
    size_t to = from;

    while (to < words->len && words->at[to].account == words->at[from].account)
        to++;
    return to - from;
}

/* ---- the merge ---- */

static fan_time first_of(fan_time a, fan_time b)
{
    return a == 0 || b < a ? b : a;
}

/* The greater of two codes, bytewise; an absent one is the least. */
static struct fan_bytes greater(struct fan_bytes a, struct fan_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;

    return order > 0 || (order == 0 && a.len >= b.len) ? a : b;
}

static void merge(struct fan_receipt_rows *out, size_t row, const struct word *word)
{
    int progress = out->words[row] & ((1 << FAN_WORD_FLAGS) - 1);

    if ((int)word->progress > progress)
        out->words[row] += (int)word->progress - progress;
    out->words[row] |= word->flags << FAN_WORD_FLAGS;
    out->codes[row] = greater(out->codes[row], word->code);
    out->heard[row] = first_of(out->heard[row], word->at);
    if (word->progress == FAN_PROGRESS_DELIVERED)
        out->delivered[row] = first_of(out->delivered[row], word->at);
    if (word->progress == FAN_PROGRESS_READ)
        out->read[row] = first_of(out->read[row], word->at);
}

void words_merge(const struct word *words, size_t count, struct fan_arena *arena,
        struct fan_receipt_rows *out)
{
    size_t rows = 0;

    fan_receipt_rows_make(out, count, arena);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || words[i].message != words[i - 1].message)
            out->messages[rows++] = words[i].message;
        merge(out, rows - 1, &words[i]);
    }
    out->count = rows;
}

/* ---- suppressions ---- */

static struct fan_bytes reason_of(int flags)
{
    if (flags & FAN_FLAG_UNSUBSCRIBED)
        return FAN_LIT("unsubscribed");
    return flags & FAN_FLAG_COMPLAINED ? FAN_LIT("complained") : FAN_LIT("undeliverable");
}

static int by_key(const void *a, const void *b)
{
    const struct word *const *left = a, *const *right = b;

    return fan_receipt_key_compare(&(*left)->key, &(*right)->key);
}

void words_suppressions(const struct word *words, size_t count, struct fan_arena *arena,
        struct word_suppressions *out)
{
    const struct word **found = fan_arena_array(arena, count, sizeof *found);
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        if (words[i].suppress)
            found[len++] = &words[i];
    }
    if (len)
        qsort(found, len, sizeof(const struct word *), by_key);
    *out = (struct word_suppressions){
        .count = len,
        .keys = fan_arena_array(arena, len, sizeof *out->keys),
        .messages = fan_arena_array(arena, len, sizeof *out->messages),
        .reasons = fan_arena_array(arena, len, sizeof *out->reasons),
    };
    for (size_t i = 0; i < len; i++) {
        out->keys[i] = found[i]->key;
        out->messages[i] = found[i]->message;
        out->reasons[i] = reason_of(found[i]->flags);
    }
}

void words_keep_fresh(struct word_suppressions *list, const bool *fresh)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (!fresh[i])
            continue;
        list->messages[kept] = list->messages[i];
        list->reasons[kept++] = list->reasons[i];
    }
    list->count = kept;
}

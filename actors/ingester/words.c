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

static int by_account_and_key(const void *a, const void *b)
{
    const struct word *left = a, *right = b;

    if (left->account != right->account)
        return left->account < right->account ? -1 : 1;
    return fan_receipt_key_compare(&left->key, &right->key);
}

void words_sort(struct words *words)
{
    if (words->len)
        qsort(words->at, words->len, sizeof *words->at, by_account_and_key);
}

size_t words_of_account(const struct words *words, size_t from)
{
    size_t to = from;

    while (to < words->len && words->at[to].account == words->at[from].account)
        to++;
    return to - from;
}

/* ---- the merge ---- */

static int by_message(const void *a, const void *b)
{
    const struct word *left = a, *right = b;

    return (left->message > right->message) - (left->message < right->message);
}

static void merge(struct fan_receipt_rows *out, size_t row, const struct word *word)
{
    int progress = (int)word->progress;
    bool further = progress > out->progress[row];
    bool earlier = progress == out->progress[row] && word->at < out->instants[row];

    if (further || earlier)
        out->instants[row] = word->at;
    if (further) {
        out->progress[row] = (int16_t)progress;
        out->codes[row] = word->code;
    }
    out->flags[row] |= (int16_t)word->flags;
}

void words_merge(const struct word *words, const bool *fresh, size_t count, struct fan_arena *arena,
        struct fan_receipt_rows *out)
{
    struct word *list = fan_arena_array(arena, count, sizeof *list);
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        if (fresh[i])
            list[len++] = words[i];
    }
    if (len)
        qsort(list, len, sizeof *list, by_message);
    *out = (struct fan_receipt_rows){
        .messages = fan_arena_array(arena, len, sizeof *out->messages),
        .progress = fan_arena_array(arena, len, sizeof *out->progress),
        .flags = fan_arena_array(arena, len, sizeof *out->flags),
        .codes = fan_arena_array(arena, len, sizeof *out->codes),
        .instants = fan_arena_array(arena, len, sizeof *out->instants),
    };
    for (size_t i = 0; i < len; i++) {
        if (i == 0 || list[i].message != list[i - 1].message) {
            out->messages[out->count] = list[i].message;
            out->progress[out->count] = (int16_t)list[i].progress;
            out->codes[out->count] = list[i].code;
            out->instants[out->count++] = list[i].at;
        }
        merge(out, out->count - 1, &list[i]);
    }
}

static struct fan_bytes reason_of(int flags)
{
    if (flags & FAN_FLAG_UNSUBSCRIBED)
        return FAN_LIT("unsubscribed");
    return flags & FAN_FLAG_COMPLAINED ? FAN_LIT("complained") : FAN_LIT("undeliverable");
}

struct word_suppressions words_suppressions(const struct word *words, const bool *fresh,
        size_t count, struct fan_arena *arena)
{
    struct word_suppressions out = {
        .messages = fan_arena_array(arena, count, sizeof *out.messages),
        .reasons = fan_arena_array(arena, count, sizeof *out.reasons),
    };

    for (size_t i = 0; i < count; i++) {
        if (!words[i].suppress || !fresh[i])
            continue;
        out.messages[out.count] = words[i].message;
        out.reasons[out.count++] = reason_of(words[i].flags);
    }
    return out;
}

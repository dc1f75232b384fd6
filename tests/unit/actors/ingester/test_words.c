/* actors/ingester/words.c */
#include "actors/ingester/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

static const fan_time now = INT64_C(1795156934000000);

static struct fan_arena *arena;
static bool suppresses; /* what is said */

static int setup(void **state)
{
    arena = fan_arena_new();
    return 0;
}

static int teardown(void **state)
{
    fan_arena_free(&arena);
    return 0;
}

/* What one provider said about a message. */
struct said {
    fan_id message;
    enum fan_progress progress;
    int flags;
    const char *code;
    fan_time at; /* 0: not said */
    const char *key;
};

static void say(struct words *words, const struct said *said)
{
    const struct spool_record record = {
        .arrived = now,
        .sort = SPOOL_HOOK,
        .account = 1,
        .subject = 3,
        .body = FAN_LIT("body"),
    };
    const struct fan_receipt receipt = {
        .progress = said->progress,
        .flags = said->flags,
        .code = fan_bytes_of(said->code),
        .at = said->at,
        .key = fan_bytes_of(said->key),
        .suppress = suppresses,
    };

    words->arena = arena;
    words_add_receipt(words, &record, said->message, &receipt);
}

static struct fan_receipt_rows merge(struct words *words)
{
    struct fan_receipt_rows rows;

    words_sort(words);
    words_merge(words->at, words->len, arena, &rows);
    return rows;
}

static const struct said story[] = {
    { 10, FAN_PROGRESS_NONE, 0, NULL, now - 9, "sent" },
    { 10, FAN_PROGRESS_DELIVERED, 0, NULL, now - 7, "delivered" },
    { 10, FAN_PROGRESS_DELIVERED, 0, NULL, now - 8, "delivered twice" },
    { 10, FAN_PROGRESS_READ, FAN_FLAG_OPENED, NULL, now - 5, "read" },
    { 10, FAN_PROGRESS_NONE, FAN_FLAG_CLICKED, NULL, now - 6, "clicked" },
    { 11, FAN_PROGRESS_UNDELIVERED, 0, "30003", now - 4, "failed" },
    { 11, FAN_PROGRESS_UNDELIVERED, 0, "30008", now - 2, "failed otherwise" },
    { 11, FAN_PROGRESS_UNDELIVERED, 0, "3", now - 3, "failed somehow" },
    { 11, FAN_PROGRESS_NONE, 0, NULL, now - 3, "sent late" },
};

enum { STORY = sizeof story / sizeof *story };

static void assert_story(const struct fan_receipt_rows *rows)
{
    assert_int_equal(rows->count, 2);
    assert_int_equal(rows->messages[0], 10);
    assert_int_equal(rows->words[0],
            FAN_PROGRESS_READ | (FAN_FLAG_OPENED | FAN_FLAG_CLICKED) << FAN_WORD_FLAGS);
    assert_int_equal(rows->heard[0], now - 9);
    assert_int_equal(rows->delivered[0], now - 8);
    assert_int_equal(rows->read[0], now - 5);
    assert_null(rows->codes[0].at);
    assert_int_equal(rows->messages[1], 11);
    assert_int_equal(rows->words[1], FAN_PROGRESS_UNDELIVERED);
    assert_true(fan_bytes_eq_text(rows->codes[1], "30008"));
    assert_int_equal(rows->heard[1], now - 4);
    assert_int_equal(rows->delivered[1] + rows->read[1], 0);
}

static void the_order_of_words_does_not_matter(void **state)
{
    for (size_t first = 0; first < STORY; first++) {
        struct words forwards = { 0 }, backwards = { 0 };
        struct fan_receipt_rows rows;

        for (size_t i = 0; i < STORY; i++) {
            say(&forwards, &story[(first + i) % STORY]);
            say(&backwards, &story[(first + STORY - i) % STORY]);
        }
        rows = merge(&forwards);
        assert_story(&rows);
        rows = merge(&backwards);
        assert_story(&rows);
    }
}

static void what_is_said_again_changes_nothing(void **state)
{
    struct words words = { 0 };
    struct fan_receipt_rows rows;

    for (size_t i = 0; i < 5 * STORY; i++)
        say(&words, &story[i % STORY]);
    rows = merge(&words);
    assert_story(&rows);
}

static void a_provider_s_clock_is_believed_within_reason(void **state)
{
    static const struct {
        fan_time said, taken;
    } cases[] = {
        { 0, now },
        { now - 10, now - 10 },
        { now + 10, now + 10 },
        { now - 31 * 86400 * FAN_SECOND, now },
        { now + 2 * 3600 * FAN_SECOND, now },
        { INT64_MAX, now },
        { INT64_MIN, now },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct words words = { 0 };

        say(&words, &(struct said){ .message = 1, .at = cases[i].said, .key = "k" });
        assert_int_equal(words.at[0].at, cases[i].taken);
    }
}

static void keys_tell_events_apart_and_repetitions_not(void **state)
{
    struct words words = { 0 };

    suppresses = true;
    say(&words, &(struct said){ .message = 1, .key = "a" });
    say(&words, &(struct said){ .message = 2, .key = "a" });
    say(&words, &(struct said){ .message = 1, .key = "b" });
    say(&words, &(struct said){ .message = 1 }); /* by the body, then */
    suppresses = false;
    assert_int_equal(words.at[0].key.at, words.at[0].at);
    assert_int_equal(fan_receipt_key_compare(&words.at[0].key, &words.at[1].key), 0);
    assert_int_not_equal(fan_receipt_key_compare(&words.at[0].key, &words.at[2].key), 0);
    assert_int_not_equal(fan_receipt_key_compare(&words.at[0].key, &words.at[3].key), 0);
}

static void codes_are_cut_and_must_be_text(void **state)
{
    char longest[100];
    struct words words = { 0 };

    memset(longest, '7', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    say(&words, &(struct said){ .message = 1, .code = longest });
    say(&words, &(struct said){ .message = 1, .code = "\xff" });
    assert_int_equal(words.at[0].code.len, 64);
    assert_null(words.at[1].code.at);
}

static void accounts_are_kept_apart(void **state)
{
    struct words words = { .arena = arena };
    const fan_id accounts[] = { 5, 2, 5, 2, 2 };

    for (size_t i = 0; i < 5; i++)
        words_add_unsubscribe(&words,
                &(struct spool_record){ .account = accounts[i], .subject = 100 + (fan_id)i });
    words_sort(&words);
    assert_int_equal(words_of_account(&words, 0), 3);
    assert_int_equal(words.at[0].account, 2);
    assert_int_equal(words_of_account(&words, 3), 2);
    for (size_t i = 1; i < 3; i++)
        assert_true(words.at[i - 1].message < words.at[i].message);
}

static void suppressions_say_why(void **state)
{
    static const struct {
        int flags;
        const char *reason;
    } cases[] = {
        { FAN_FLAG_UNSUBSCRIBED, "unsubscribed" },
        { FAN_FLAG_COMPLAINED, "complained" },
        { FAN_FLAG_BOUNCED, "undeliverable" },
        { 0, "undeliverable" },
    };
    struct words words = { .arena = arena };
    struct word_suppressions out;
    const bool fresh[] = { true, false, true, true };

    suppresses = true;
    for (size_t i = 0; i < 4; i++)
        say(&words, &(struct said){ .message = 10 + (fan_id)i, .flags = cases[i].flags });
    suppresses = false;
    say(&words, &(struct said){ .message = 14 });
    for (size_t i = 0; i < 4; i++)
        words.at[i].key.key[0] = (unsigned char)(4 - i); /* the last one first */
    words_suppressions(words.at, words.len, arena, &out);
    assert_int_equal(out.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(out.messages[i], 13 - (fan_id)i);
        assert_true(fan_bytes_eq_text(out.reasons[i], cases[3 - i].reason));
        assert_int_equal(out.keys[i].key[0], i + 1);
    }
    words_keep_fresh(&out, fresh);
    assert_int_equal(out.count, 3);
    assert_int_equal(out.messages[1], 11);
    assert_true(fan_bytes_eq_text(out.reasons[1], "complained"));
}

static void nothing_merges_to_nothing(void **state)
{
    struct words words = { .arena = arena };
    struct fan_receipt_rows rows;

    words_sort(&words);
    rows = merge(&words);
    assert_int_equal(rows.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_words_does_not_matter),
        cmocka_unit_test(what_is_said_again_changes_nothing),
        cmocka_unit_test(a_provider_s_clock_is_believed_within_reason),
        cmocka_unit_test(keys_tell_events_apart_and_repetitions_not),
        cmocka_unit_test(codes_are_cut_and_must_be_text),
        cmocka_unit_test(accounts_are_kept_apart),
        cmocka_unit_test(suppressions_say_why),
        cmocka_unit_test(nothing_merges_to_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

/*
 * The rows in memory are what PostgreSQL would have: the same random statements are done to both,
 * and after each one every answer, chunk and message is compared. FAN_SEED repeats a run.
 */
#include "tests/sim/rows.h"
#include "tests/support/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <setjmp.h>
#include <cmocka.h>

enum { HOMES = 4, SIZE = 4, OWNERS = 3, CLAIMS = 24, STEPS = 700, TEXT = 32768 };

static struct world w;
static struct rows rows;
static fan_time now;
static uint64_t seed, random_state;
static struct fan_claim claims[CLAIMS]; /* every one that was ever taken, the last ones */
static int claims_len;
static char step[200]; /* what was done last */

/* The sums in the same words as show_rows writes them. */
static const struct fan_query shown = {
    .name = "test_rows_shown",
    .sql = "SELECT (SELECT string_agg(concat_ws(' ', 'chunk', id, state, epoch, watermark, size,"
           " coalesce(owner, 0), is_retry::int, coalesce(array_to_string(items, ','), '-'),"
           " n_pending, n_retry, n_unknown, n_sent, n_failed, n_skipped, n_cancelled,"
           " n_unknown_final, n_undelivered, n_delivered, n_read, n_opened, n_clicked, n_replied,"
           " n_complained, n_unsubscribed, (retry_due IS NOT NULL)::int,"
           " (unknown_since IS NOT NULL)::int), E'\\n' ORDER BY id) FROM chunk)"
           " || E'\\n' || coalesce((SELECT string_agg(concat_ws(' ', 'message', id, state,"
           " coalesce(work, 0), coalesce(lost_epoch, 0), attempt, free_tries, progress, flags),"
           " E'\\n' ORDER BY id) || E'\\n' FROM message), '')",
};

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static bool chance(uint32_t percent)
{
    return draw(100) < percent;
}

/* ---- comparing ---- */

static size_t add(char *text, size_t at, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static size_t add(char *text, size_t at, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    at += (size_t)vsnprintf(text + at, TEXT - at, format, values);
    va_end(values);
    assert_true(at < TEXT);
    return at;
}

static size_t show_chunk(char *text, size_t at, const struct row_chunk *chunk)
{
    at = add(text, at, "chunk %lld %d %u %u %u %llu %d ", (long long)chunk->id, chunk->state,
            chunk->epoch, chunk->watermark, chunk->size, (unsigned long long)chunk->owner,
            chunk->is_retry);
    for (uint32_t p = 0; chunk->is_retry && p < chunk->size; p++)
        at = add(text, at, "%s%lld", p ? "," : "", (long long)chunk->items[p]);
    at = add(text, at, chunk->is_retry ? "" : "-");
    for (int i = 0; i <= FAN_MESSAGE_UNKNOWN_FINAL; i++)
        at = add(text, at, " %d", chunk->count[i]);
    at = add(text, at, " %d %d %d", chunk->undelivered, chunk->delivered, chunk->read);
    for (int i = 0; i < 5; i++)
        at = add(text, at, " %d", chunk->flags[i]);
    return add(text, at, " %d %d\n", chunk->retry_due != 0, chunk->unknown_since != 0);
}

static const char *show_rows(void)
{
    static char text[TEXT];
    size_t at = 0;

    for (int c = 0; c < rows.chunks; c++)
        at = show_chunk(text, at, &rows.chunk[c]);
    for (int h = 0; h < HOMES; h++) {
        /* A planned chunk's messages are not written yet. */
        for (int p = 0; p < SIZE && rows.chunk[h].state != FAN_CHUNK_PLANNED; p++) {
            const struct row_message *m = &rows.message[h][p];
            at = add(text, at, "message %lld %d %lld %u %d %d %d %d\n", (long long)m->id, m->state,
                    (long long)m->work, m->lost_epoch, m->attempt, m->free_tries, m->progress,
                    m->flags);
        }
    }
    return text;
}

static void compare(int ours, int theirs)
{
    const char *text = show_rows();
    struct fan_args args;
    struct fan_rows answer;
    struct fan_bytes found;

    if (ours != theirs)
        fail_msg("FAN_SEED=%llu: %s answers %d in memory, %d in PostgreSQL",
                (unsigned long long)seed, step, ours, theirs);
    fan_args_begin(&args, w.arena);
    assert_int_equal(fan_db_run(w.eye, &shown, &args, &answer, &w.why), FAN_OK);
    found = fan_row_text(&answer, 0, 0);
    if (!fan_bytes_eq_text(found, text))
        fail_msg("FAN_SEED=%llu: after %s in memory\n%s\nand in PostgreSQL\n%.*s",
                (unsigned long long)seed, step, text, FAN_BYTES_ARG(found));
    assert_int_equal(fan_db_commit(w.eye, &w.why), FAN_OK);
    fan_arena_reset(w.arena);
}

#define STEP(...) snprintf(step, sizeof step, __VA_ARGS__)

/* ---- statements ---- */

static struct row_chunk *any_chunk(void)
{
    return &rows.chunk[draw((uint32_t)rows.chunks)];
}

/* Mostly the one that holds now, of those that were ever taken. */
static struct fan_claim *any_claim(void)
{
    return claims_len == 0
            ? NULL
            : &claims[(uint32_t)claims_len - 1 -
                      draw((uint32_t)(chance(60) && claims_len > 3 ? 3 : claims_len))];
}

static fan_id any_message(void)
{
    return (rows.first + (fan_id)draw(HOMES)) * 512 + draw(SIZE);
}

static void do_render(void)
{
    struct row_chunk *chunk = any_chunk();
    uint32_t epoch = chunk->epoch + chance(10);
    fan_id id = chunk->id;
    bool ours;

    if (chunk->is_retry || rows.cancelled)
        return;
    STEP("render(%lld, %u)", (long long)id, epoch);
    ours = rows_render(&rows, id, epoch);
    compare(ours, world_render(&w, id, epoch) == FAN_OK);
}

static void do_claim(void)
{
    struct row_chunk *chunk = any_chunk();
    struct fan_claim claim = { 1, chunk->id, chunk->epoch - (chunk->epoch && chance(10)),
        1 + draw(OWNERS), false };
    struct fan_claim_taken taken;
    uint32_t epoch = claim.epoch;
    bool ours;

    STEP("claim(%lld, %u, %llu)", (long long)claim.chunk, epoch, (unsigned long long)claim.owner);
    ours = rows_claim(&rows, now, &claim, WORLD_LEASE_US);
    if (ours) {
        if (claims_len == CLAIMS)
            memmove(claims, claims + 1, sizeof *claims * (size_t)--claims_len);
        claims[claims_len++] = claim;
    }
    compare(ours, world_take(&w, claim.chunk, epoch, claim.owner, &taken));
}

static void do_open(struct fan_claim *claim)
{
    struct row_chunk *chunk = rows_chunk(&rows, claim->chunk);
    uint32_t watermark = chance(85) ? chunk->watermark : draw(chunk->size);
    uint32_t count = 1 + draw(4), first = watermark;
    struct fan_claim_taken taken = { .claim = *claim, .size = chunk->size };
    bool unsendable[ROWS_ITEMS] = { false };
    struct fan_ids theirs = { 0 };
    int ours, got;

    if (watermark + count > chunk->size)
        count = chunk->size - watermark;
    if (count == 0)
        return;
    taken.items = (struct fan_ids){ chunk->items, chunk->is_retry ? chunk->size : 0 };
    STEP("open(%lld, %u, %u + %u)", (long long)claim->chunk, claim->epoch, watermark, count);
    ours = rows_open(&rows, now, claim, watermark, count, unsendable);
    got = world_open_slice(&w, &taken, watermark, count, &theirs);
    for (uint32_t p = first; ours >= 0 && got == ours && p < (uint32_t)ours; p++) {
        bool listed = false;
        for (size_t i = 0; i < theirs.len; i++)
            listed |= theirs.at[i] == rows_item(chunk, p);
        if (listed != unsendable[p - first])
            fail_msg("FAN_SEED=%llu: %s: position %u", (unsigned long long)seed, step, p);
    }
    compare(ours, got);
}

/* Some messages, each with a word of @states. */
static size_t draw_words(struct row_word *words, const enum fan_message_state *states, size_t len,
        struct fan_claim_outcomes *list)
{
    size_t count = 0;

    for (int i = 0; i < HOMES * SIZE; i++) {
        struct row_word word = { (rows.first + i / SIZE) * 512 + i % SIZE,
            states[draw((uint32_t)len)], chance(3) ? 3600 * FAN_SECOND : 0, chance(30) };

        /* a planned chunk has no messages */
        if (!chance(12) || rows.chunk[i / SIZE].state == FAN_CHUNK_PLANNED)
            continue;
        world_add_outcome(list, word.message, word.state);
        list->delays[count] = word.delay;
        list->free[count] = word.free;
        words[count++] = word;
    }
    return count;
}

static void do_close(struct fan_claim *claim)
{
    static const enum fan_message_state states[] = { FAN_MESSAGE_RETRY, FAN_MESSAGE_RETRY,
        FAN_MESSAGE_RETRY, FAN_MESSAGE_UNKNOWN, FAN_MESSAGE_UNKNOWN, FAN_MESSAGE_SENT,
        FAN_MESSAGE_FAILED, FAN_MESSAGE_SKIPPED };
    struct fan_claim_outcomes list = world_outcomes(&w, HOMES * SIZE);
    struct row_word words[HOMES * SIZE];
    size_t count = draw_words(words, states, sizeof states / sizeof *states, &list);
    int ours;

    if (count == 0)
        return;
    STEP("close(%lld, %u, %llu) of %zu", (long long)claim->chunk, claim->epoch,
            (unsigned long long)claim->owner, count);
    ours = rows_close(&rows, now, claim, words, count);
    compare(ours, world_record_all(&w, claim, &list));
}

static void do_evidence(struct fan_claim *claim)
{
    static const enum fan_message_state states[] = { FAN_MESSAGE_RETRY, FAN_MESSAGE_RETRY,
        FAN_MESSAGE_RETRY, FAN_MESSAGE_SENT, FAN_MESSAGE_FAILED };
    struct fan_claim_outcomes list = world_outcomes(&w, HOMES * SIZE);
    struct row_word words[HOMES * SIZE];
    size_t count = draw_words(words, states, sizeof states / sizeof *states, &list);

    STEP("evidence(%lld, %u) of %zu", (long long)claim->chunk, claim->epoch, count);
    rows_evidence(&rows, now, claim, words, count);
    (void)world_evidence(&w, claim, &list);
    compare(0, 0);
}

static void do_release(struct fan_claim *claim)
{
    int to = chance(50) ? -1 : (int)draw(5);
    int ours;

    STEP("release(%lld, %u, %llu, %d)", (long long)claim->chunk, claim->epoch,
            (unsigned long long)claim->owner, to);
    ours = rows_release(&rows, now, claim->chunk, claim->epoch, claim->owner, to, false);
    compare(ours, world_release(&w, claim, to));
}

static void do_renew(struct fan_claim *claim)
{
    bool ours;

    STEP("renew(%lld, %u)", (long long)claim->chunk, claim->epoch);
    ours = rows_renew(&rows, now, claim, WORLD_LEASE_US);
    compare(ours, world_renew(&w, claim));
}

static void do_take_back(void)
{
    struct row_chunk *chunk = any_chunk();
    bool expired = chance(60), unbegun = chance(50), ours;
    uint32_t epoch = chunk->epoch;
    fan_id id = chunk->id;

    if (chunk->state == FAN_CHUNK_CLAIMED && expired) {
        chunk->lease_until = 1;
        world_exec(&w, "UPDATE chunk SET lease_until = 1 WHERE account_id = 1 AND id = %lld",
                (long long)id);
    }
    STEP("take_back(%lld, %u, %s)", (long long)id, epoch, unbegun ? "unbegun" : "expired");
    ours = rows_take_back(&rows, now, id, epoch, unbegun);
    compare(ours, world_take_back(&w, id, epoch, unbegun));
}

static void do_receipt(void)
{
    fan_id message = any_message();
    int progress = (int)draw(4), flags = chance(50) ? 1 << draw(5) : 0;
    int32_t word = progress | flags << FAN_WORD_FLAGS;
    const struct fan_receipt_rows said = { .count = 1, .messages = &message, .words = &word };

    if (rows_chunk(&rows, message >> 9)->state == FAN_CHUNK_PLANNED)
        return;
    STEP("receipt(%lld, %d, %d)", (long long)message, progress, flags);
    rows_receipts(&rows, &said);
    (void)world_receipt(&w, message, progress, flags);
    compare(0, 0);
}

static void do_suppress(void)
{
    fan_id message = any_message();

    rows_message(&rows, message)->suppressed = true;
    world_exec(&w,
            "INSERT INTO suppression (account_id, contact_id, kind, reason)"
            " VALUES (1, %lld, 0, 'asked') ON CONFLICT DO NOTHING",
            (long long)(1 + ((message >> 9) - rows.first) * SIZE + (message & 511)));
}

static void do_cancel(void)
{
    struct fan_chunks_cancelled done;

    if (!rows.cancelled) {
        rows.cancelled = true;
        world_exec(&w, "UPDATE run SET state = %d WHERE account_id = 1", FAN_RUN_CANCELLED);
    }
    STEP("cancel()");
    rows_cancel(&rows);
    assert_int_equal(fan_chunks_cancel(w.scheduler, 1, w.run, 100, w.arena, &done, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.scheduler, &w.why), FAN_OK);
    compare(0, 0);
}

static void do_promote(void)
{
    int ours;

    if (rows.cancelled)
        return;
    STEP("promote()");
    ours = rows_promote(&rows, now, HOMES * SIZE);
    compare(ours, (int)world_promote(&w, HOMES * SIZE));
}

static void do_settle(void)
{
    int ours;

    STEP("settle()");
    ours = rows_settle(&rows, now);
    compare(ours, (int)world_settle(&w));
}

static void do_to(struct fan_claim *claim)
{
    static void (*const steps[])(struct fan_claim * claim) = { do_open, do_open, do_close, do_close,
        do_release, do_evidence, do_renew };

    if (claim)
        steps[draw(sizeof steps / sizeof *steps)](claim);
}

static void do_any(void)
{
    uint32_t which = draw(100);

    now += 10;
    if (which < 5)
        do_render();
    else if (which < 20)
        do_claim();
    else if (which < 75)
        do_to(any_claim());
    else if (which < 82)
        do_take_back();
    else if (which < 84)
        do_receipt();
    else if (which < 94)
        do_promote();
    else if (which < 97)
        do_settle();
    else if (which < 99)
        do_suppress();
}

static void run(uint64_t with_seed, bool at_least_once, bool cancel, bool keyed)
{
    int steps = 0;

    seed = random_state = with_seed;
    now = 1000;
    claims_len = 0;
    world_open(&w);
    w.unknown_wait = 0;
    world_exec(&w, "UPDATE run SET at_least_once = %s", at_least_once ? "true" : "false");
    if (keyed)
        world_exec(&w, "UPDATE run SET key_us = 3600000000");
    world_people(&w, 1, HOMES * SIZE);
    fan_id first = world_plan(&w, 1, SIZE);
    for (int i = 1; i < HOMES; i++)
        assert_int_equal(world_plan(&w, 1 + i * SIZE, SIZE), first + i);
    rows_init(&rows, first, HOMES, SIZE);
    rows.at_least_once = at_least_once;
    rows.key_life = keyed ? 3600 * FAN_SECOND : 0;
    for (; steps < STEPS && !rows_final(&rows); steps++) {
        do_any();
        if (cancel && steps > STEPS / 3 && steps % 20 == 0)
            do_cancel();
    }
    print_message("FAN_SEED=%llu: %d steps, %d chunks\n", (unsigned long long)seed, steps,
            rows.chunks);
    world_close(&w);
}

static uint64_t first_seed(void)
{
    const char *given = getenv("FAN_SEED");

    return given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
}

static void every_statement_does_the_same_in_memory(void **state)
{
    for (uint64_t i = 0; i < 3; i++)
        run(first_seed() + i, false, false, false);
}

static void also_when_unknowns_are_tried_again(void **state)
{
    run(first_seed(), true, false, false);
}

static void also_in_a_run_that_is_cancelled(void **state)
{
    run(first_seed(), false, true, false);
}

static void also_when_the_provider_drops_repetitions(void **state)
{
    run(first_seed(), false, false, true);
    run(first_seed() + 1, false, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_does_the_same_in_memory),
        cmocka_unit_test(also_when_unknowns_are_tried_again),
        cmocka_unit_test(also_in_a_run_that_is_cancelled),
        cmocka_unit_test(also_when_the_provider_drops_repetitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

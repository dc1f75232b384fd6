/*
 * The chunk protocol under random hands: senders that open, send, close, lose replies, fall asleep
 * and die, a scheduler that takes back, promotes and settles, journals that are replayed or lost,
 * and callbacks in between, all at the same time on one run.
 *
 * A model remembers every request that was made and what the provider did with it. At most once: no
 * message is requested again that may have been accepted. After every round all counters equal a
 * recount; in the end nothing is pending, and nothing is called sent that was not accepted.
 * FAN_SEED repeats a run.
 */
#include "actors/lib/decide/evidence.h"
#include "tests/sql/hands.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

enum { CHUNKS = 10, SIZE = 30, PEOPLE = CHUNKS * SIZE, HANDS = 5, GRAVES = 64, ROUNDS = 500 };
enum { NOBODY = -1 };

static struct world w;
static struct truth truths[PEOPLE];
static struct hand hands[HANDS];
static struct hand graves[GRAVES]; /* journals of the dead */
static int graves_len;
static fan_id first_chunk;
static uint64_t seed, owners;
static bool at_least_once;
static bool keyed; /* the provider drops a repeated request, and answers as it did */
static bool fickle, cancels, cancelled; /* the run is paused and resumed; is to be, is cancelled */

static struct truth *truth_of(fan_id message)
{
    fan_id index = (fan_message_home(message) - first_chunk) * SIZE + (message & 511);

    assert_true(index >= 0 && index < PEOPLE);
    return &truths[index];
}

/* ---- the provider ---- */

static void answer(struct hand *hand, uint32_t p, enum fan_message_state state)
{
    hand->what[p] = ANSWERED;
    hand->answer[p] = (int16_t)state;
}

/* One request, and its answer if one comes. */
static void request(struct hand *hand, uint32_t p)
{
    struct truth *truth = truth_of(hand->messages[p]);
    uint32_t fate = draw(100);

    if (!at_least_once && !keyed && truth->maybe)
        fail_msg("seed %llu: message %lld is requested again", (unsigned long long)seed,
                (long long)hand->messages[p]);
    truth->requests++;
    hand->what[p] = STARTED;
    if (fate < 10) {
        answer(hand, p, FAN_MESSAGE_RETRY);
        return;
    }
    if (fate < 15 && !(keyed && truth->accepted)) {
        answer(hand, p, FAN_MESSAGE_FAILED);
        return;
    }
    truth->maybe++;
    truth->accepted |= fate < 80 || chance(50);
    if (fate < 80)
        answer(hand, p, FAN_MESSAGE_SENT);
    else if (fate < 90)
        answer(hand, p, FAN_MESSAGE_UNKNOWN);
}

static void start_some(struct hand *hand)
{
    uint32_t most = draw(20);

    for (; hand->started < hand->opened && most > 0; hand->started++) {
        if (hand->what[hand->started] != WAITING)
            continue;
        request(hand, hand->started);
        most--;
    }
}

/* ---- a sender's batches ---- */

static void begin_claim(struct hand *hand, const struct fan_claim_taken *taken)
{
    hand->holding = true;
    hand->closed_out = hand->ended = false;
    hand->taken = *taken;
    hand->taken.items = (struct fan_ids){ hand->messages, taken->size };
    hand->opened = hand->intent = hand->started = taken->watermark;
    for (uint32_t p = 0; p < taken->size; p++) {
        hand->messages[p] =
                taken->claim.is_retry ? taken->items.at[p] : fan_message_id(taken->claim.chunk, p);
        hand->what[p] = p < taken->watermark ? STARTED : WAITING;
        hand->recorded[p] = hand->evidence[p] = false;
    }
}

/* Nobody but this sender knows what it never started. */
static void forsake(struct hand *hand)
{
    for (uint32_t p = hand->started; p < hand->intent; p++) {
        if (hand->what[p] != WAITING)
            continue;
        answer(hand, p, FAN_MESSAGE_RETRY);
        hand->evidence[p] = true;
    }
    hand->started = hand->opened = hand->intent;
}

static void take_closed(struct hand *hand, const struct fan_rows *rows)
{
    bool all = fan_claim_read_closed(rows) == hand->batch_len;

    if (rows->count == 0 && !hand->taken.claim.is_retry)
        hand->closed_out = true;
    for (size_t i = 0; i < hand->batch_len; i++) {
        hand->recorded[hand->batch[i]] = all;
        hand->evidence[hand->batch[i]] = !all;
    }
}

static void take_opened(struct hand *hand, const struct fan_rows *rows)
{
    struct fan_ids unsendable;
    int watermark = fan_claim_read_open(rows, w.arena, &unsendable);

    if (watermark < 0) {
        hand->closed_out = true;
        return;
    }
    for (size_t i = 0; i < unsendable.len; i++) {
        for (uint32_t p = hand->opened; p < (uint32_t)watermark; p++) {
            if (hand->messages[p] == unsendable.at[i])
                answer(hand, p, FAN_MESSAGE_SKIPPED);
        }
    }
    hand->opened = (uint32_t)watermark;
}

static void on_done(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct hand *hand = context;
    struct fan_claim_taken taken;

    (void)count;
    if (err && err != FAN_CONFLICT)
        fail_msg("seed %llu: %s", (unsigned long long)seed, why->text);
    if (hand->at_open >= 0 && (err || hand->lose_reply))
        hand->closed_out = true;
    if (err || hand->lose_reply)
        return;
    if (hand->at_take >= 0 &&
            fan_claim_read_take(&rows[hand->at_take], &hand->asked, w.arena, &taken))
        begin_claim(hand, &taken);
    if (hand->at_close >= 0)
        take_closed(hand, &rows[hand->at_close]);
    if (hand->at_open >= 0)
        take_opened(hand, &rows[hand->at_open]);
    if (hand->at_release >= 0) {
        hand->ended = true;
        if (rows[hand->at_release].count == 0)
            forsake(hand);
    }
    for (size_t i = 0; hand->at_evidence >= 0 && i < hand->batch_len; i++) {
        hand->recorded[hand->batch[i]] = true;
        hand->evidence[hand->batch[i]] = false;
    }
}

static struct fan_batch *begin_batch(struct hand *hand)
{
    hand->at_take = hand->at_close = hand->at_open = hand->at_release = hand->at_evidence = NOBODY;
    hand->batch_len = 0;
    hand->lose_reply = mishap(4);
    return fan_batch_new(w.account);
}

static void submit(struct hand *hand, struct fan_batch *batch)
{
    fan_db_submit(hand->db, &batch, on_done, hand);
    fan_db_io(hand->db);
}

static void claim_any(struct hand *hand)
{
    int64_t found = world_number(&w,
            "SELECT id * 1000 + epoch FROM chunk WHERE account_id = 1"
            " AND state = 1 ORDER BY random() LIMIT 1");
    struct fan_batch *batch;

    if (found < 0)
        return;
    batch = begin_batch(hand);
    hand->asked = (struct fan_claim){ w.account, found / 1000, (uint32_t)(found % 1000),
        hand->owner, false };
    if (mishap(5))
        hand->asked.epoch--;
    hand->at_take = fan_claim_add_take(batch, &hand->asked, WORLD_LEASE_US);
    submit(hand, batch);
}

/* What the chosen positions came to, for a close or as evidence. */
static struct fan_claim_outcomes outcomes_of(struct hand *hand, bool evidence)
{
    struct fan_claim_outcomes list = world_outcomes(&w, hand->batch_len);

    for (size_t i = 0; i < hand->batch_len; i++) {
        uint32_t p = hand->batch[i];
        enum fan_message_state state = (enum fan_message_state)hand->answer[p];

        world_add_outcome(&list, hand->messages[p], evidence ? fan_evidence_of(state) : state);
    }
    return list;
}

static bool counts_as_evidence(const struct hand *hand, uint32_t p)
{
    return hand->what[p] == ANSWERED &&
            fan_evidence_of((enum fan_message_state)hand->answer[p]) != FAN_MESSAGE_PENDING;
}

/* Whether there is something to be said as evidence; then it is on its way. */
static bool say(struct hand *hand)
{
    struct fan_batch *batch = begin_batch(hand);
    struct fan_claim_outcomes list;

    for (uint32_t p = 0; p < hand->taken.size; p++) {
        if (hand->evidence[p] && !counts_as_evidence(hand, p)) {
            hand->evidence[p] = false;
            hand->recorded[p] = true;
        }
        if (hand->evidence[p])
            hand->batch[hand->batch_len++] = p;
    }
    if (hand->batch_len == 0) {
        fan_batch_free(&batch);
        return false;
    }
    list = outcomes_of(hand, true);
    hand->at_evidence = fan_claim_add_evidence(batch, &hand->taken.claim, &list);
    submit(hand, batch);
    return true;
}

static void add_close(struct hand *hand, struct fan_batch *batch)
{
    struct fan_claim_outcomes list;

    for (uint32_t p = 0; p < hand->taken.size; p++) {
        if (hand->what[p] == ANSWERED && !hand->recorded[p])
            hand->batch[hand->batch_len++] = p;
    }
    if (hand->batch_len == 0)
        return;
    list = outcomes_of(hand, false);
    hand->at_close = fan_claim_add_close(batch, &hand->taken.claim, &list, FAN_KIND_SMS);
}

/* Close what is known, and open more or end the claim with it. */
static void go_on(struct hand *hand)
{
    bool end = hand->closed_out || hand->started == hand->taken.size || mishap(5);
    uint32_t open = hand->taken.size - hand->opened;
    struct fan_batch *batch = begin_batch(hand);

    if (end)
        fan_claim_add_lock(batch, &hand->taken.claim);
    add_close(hand, batch);
    if (end) {
        hand->closed_out = true;
        hand->at_release = fan_claim_add_release(batch, &hand->taken.claim, (int)hand->started);
    } else if (open > 0) {
        open = 1 + draw(open < 12 ? open : 12);
        hand->intent = hand->opened + open;
        hand->at_open = fan_claim_add_open(batch, &hand->taken.claim, hand->at_close >= 0,
                hand->opened, open, hand->taken.items, FAN_KIND_SMS);
    }
    if (hand->at_close < 0 && hand->at_open < 0 && hand->at_release < 0)
        fan_batch_free(&batch);
    else
        submit(hand, batch);
}

static void die(struct hand *hand)
{
    if (chance(80) && graves_len < GRAVES) /* otherwise the host is gone, and its disk with it */
        graves[graves_len++] = *hand;
    hand->holding = false;
    hand->owner = ++owners;
}

static void act(struct hand *hand)
{
    if (hand->asleep > 0) {
        hand->asleep--;
        return;
    }
    if (mishap(6))
        hand->asleep = draw(8);
    if (!hand->holding) {
        claim_any(hand);
        return;
    }
    if (mishap(3)) {
        die(hand);
        return;
    }
    if (!hand->ended && !hand->closed_out && chance(80))
        start_some(hand);
    if (mishap(40) || say(hand))
        return;
    if (hand->ended)
        hand->holding = false;
    else
        go_on(hand);
}

/* ---- the others ---- */

/* What a living process does with a dead one's journal. */
static void replay(const struct hand *grave)
{
    static struct hand self;
    struct fan_batch *batch;
    struct fan_claim_outcomes list;
    uint32_t from = grave->intent;

    self = *grave;
    self.db = w.sender;
    while (from > 0 && self.what[from - 1] == WAITING)
        from--;
    batch = begin_batch(&self);
    self.lose_reply = true; /* whatever it was, evidence follows */
    fan_claim_add_lock(batch, &self.taken.claim);
    memset(self.recorded, 0, sizeof self.recorded);
    add_close(&self, batch);
    fan_claim_add_release(batch, &self.taken.claim, (int)from);
    submit(&self, batch);
    world_await(self.db);

    batch = begin_batch(&self);
    self.lose_reply = true;
    for (uint32_t p = 0; p < self.intent; p++) {
        if (self.what[p] == WAITING)
            answer(&self, p, FAN_MESSAGE_RETRY);
        if (counts_as_evidence(&self, p))
            self.batch[self.batch_len++] = p;
    }
    list = outcomes_of(&self, true);
    fan_claim_add_evidence(batch, &self.taken.claim, &list);
    submit(&self, batch);
    world_await(self.db);
}

static void replay_one(void)
{
    int which;

    if (graves_len == 0)
        return;
    which = (int)draw((uint32_t)graves_len);
    replay(&graves[which]);
    if (!mishap(20)) /* otherwise the one who replayed it died, too: it is done again */
        graves[which] = graves[--graves_len];
}

/* End a turn of the scheduler or the ingester; a deadlock is repeated at another time. */
static void end_turn(struct fan_db *db, enum fan_err err)
{
    if (!err)
        err = fan_db_commit(db, &w.why);
    else
        fan_db_abort(db);
    if (err && err != FAN_CONFLICT)
        fail_msg("seed %llu: %s", (unsigned long long)seed, w.why.text);
}

/* A lease that ends while its owner sleeps, or has died; in the calm, only the latter's. */
static void take_back_one(void)
{
    struct fan_chunk_seen seen = { 0 };
    int64_t found = world_number(&w,
            "SELECT id * 1000 + epoch FROM chunk WHERE account_id = 1 AND state = 2"
            " AND NOT (%s AND owner IN (%llu, %llu, %llu, %llu, %llu)) ORDER BY random() LIMIT 1",
            calm ? "true" : "false", (unsigned long long)hands[0].owner,
            (unsigned long long)hands[1].owner, (unsigned long long)hands[2].owner,
            (unsigned long long)hands[3].owner, (unsigned long long)hands[4].owner);
    bool taken;

    if (found < 0)
        return;
    seen.chunk = found / 1000;
    seen.epoch = (uint32_t)(found % 1000);
    world_exec(&w, "UPDATE chunk SET lease_until = 1 WHERE account_id = 1 AND id = %lld",
            (long long)seen.chunk);
    end_turn(w.scheduler,
            fan_chunk_take_back(w.scheduler, 1, &seen, chance(30), w.arena, &taken, &w.why));
}

static void receive_one(void)
{
    int which = (int)draw(PEOPLE);
    fan_id message = fan_message_id(first_chunk + which / SIZE, (uint32_t)(which % SIZE));

    if (truths[which].accepted)
        world_receipt(&w, message, 1 + (int)draw(3), 1 << draw(5));
}

static void suppress_one(void)
{
    world_exec(&w,
            "INSERT INTO suppression (account_id, contact_id, kind, reason)"
            " VALUES (1, %d, 0, 'asked') ON CONFLICT DO NOTHING",
            1 + (int)draw(PEOPLE));
}

/* People change their minds; in the calm it runs, or is cancelled. */
static void control_one(void)
{
    struct fan_chunks_cancelled done;

    if (cancels && !cancelled && (calm || chance(1))) {
        world_exec(&w, "UPDATE run SET state = 5 WHERE account_id = 1");
        cancelled = true;
    }
    if (cancelled)
        end_turn(w.scheduler,
                fan_chunks_cancel(w.scheduler, 1, w.run, 1 + draw(3), w.arena, &done, &w.why));
    else if (fickle && (calm || chance(5)))
        world_exec(&w, "UPDATE run SET state = %d WHERE account_id = 1", mishap(50) ? 2 : 1);
}

static void others(void)
{
    const struct fan_settle_rules rules = { .tries = 3, .free_tries = 50 };
    int64_t moved;

    if (chance(calm ? 50 : 20))
        take_back_one();
    if (!cancelled && chance(30))
        end_turn(w.scheduler,
                fan_chunks_promote(w.scheduler, 1, w.run, 20, w.arena, &moved, &w.why));
    if (calm ? graves_len == 0 : chance(15))
        end_turn(w.scheduler,
                fan_chunks_settle(w.scheduler, 1, w.run, &rules, w.arena, &moved, &w.why));
    if (chance(calm ? 50 : 10))
        replay_one();
    if (mishap(20))
        receive_one();
    if (mishap(3))
        suppress_one();
    control_one();
}

/* ---- the run ---- */

static void round_of_all(void)
{
    for (int i = 0; i < HANDS; i++)
        act(&hands[i]);
    others();
    for (int i = 0; i < HANDS; i++)
        world_await(hands[i].db);
    if (world_wrong_counters(&w))
        fail_msg("seed %llu: counters differ from a recount", (unsigned long long)seed);
    fan_arena_reset(w.arena);
}

static bool all_is_final(void)
{
    return world_number(&w,
                   "SELECT (SELECT count(*) FROM message WHERE account_id = 1"
                   " AND state < 3) + (SELECT count(*) FROM chunk WHERE account_id = 1"
                   " AND state < 3)") == 0;
}

/* What the rows say in the end is what the provider did. */
static void rows_tell_the_truth(void)
{
    for (int i = 0; i < PEOPLE; i++) {
        int64_t state = world_number(&w,
                "SELECT state FROM message WHERE account_id = 1"
                " AND id = %lld",
                (long long)fan_message_id(first_chunk + i / SIZE, (uint32_t)(i % SIZE)));
        bool sound = state == FAN_MESSAGE_SENT ? truths[i].accepted
                : state == FAN_MESSAGE_FAILED  ? !truths[i].accepted || at_least_once
                : state == FAN_MESSAGE_SKIPPED || state == FAN_MESSAGE_CANCELLED
                ? !truths[i].accepted || at_least_once || keyed
                : state == FAN_MESSAGE_UNKNOWN_FINAL;
        if (!sound)
            fail_msg("seed %llu: person %d is %s after %d requests%s", (unsigned long long)seed, i,
                    fan_message_state_name((int)state), truths[i].requests,
                    truths[i].accepted ? ", accepted" : "");
        fan_arena_reset(w.arena);
    }
}

static void begin(void)
{
    char url[PG_URL];

    world_open(&w);
    world_exec(&w, "UPDATE run SET at_least_once = %s, key_us = %lld",
            at_least_once ? "true" : "false", keyed ? 3600 * (long long)FAN_SECOND : 0LL);
    memset(truths, 0, sizeof truths);
    graves_len = 0;
    calm = cancelled = false;
    first_chunk = world_chunk(&w, 1, SIZE);
    for (int i = 1; i < CHUNKS; i++)
        assert_int_equal(world_chunk(&w, 1 + i * SIZE, SIZE), first_chunk + i);
    pg_url_as(w.url, "fan_sender", url);
    for (int i = 0; i < HANDS; i++)
        hands[i] = (struct hand){ .db = pg_connect(url, FAN_DB_HOT), .owner = ++owners };
}

static void run(uint64_t with_seed, bool repeat_unknowns)
{
    int rounds = 0;

    seed = random_state = with_seed;
    at_least_once = repeat_unknowns;
    begin();
    for (; rounds < ROUNDS && !all_is_final(); rounds++)
        round_of_all();
    calm = true;
    for (; !all_is_final(); rounds++) {
        if (rounds > 10 * ROUNDS)
            fail_msg("seed %llu: it does not end", (unsigned long long)seed);
        round_of_all();
    }
    rows_tell_the_truth();
    print_message("seed %llu: %d rounds\n", (unsigned long long)seed, rounds);
    for (int i = 0; i < HANDS; i++)
        fan_db_free(&hands[i].db);
    world_close(&w);
}

static void at_most_once_nobody_is_asked_for_twice(void **state)
{
    for (uint64_t i = 0; i < 8; i++)
        run(first_seed() + i, false);
}

static void it_may_be_paused_and_resumed_at_any_time(void **state)
{
    fickle = true;
    for (uint64_t i = 0; i < 3; i++)
        run(first_seed() + i, i & 1);
    fickle = false;
}

static void it_may_be_cancelled_at_any_time(void **state)
{
    cancels = true;
    for (uint64_t i = 0; i < 6; i++)
        run(first_seed() + i, i & 1);
    cancels = false;
}

static void at_least_once_nobody_is_forgotten(void **state)
{
    for (uint64_t i = 0; i < 4; i++)
        run(first_seed() + i, true);
}

static void what_is_in_doubt_is_asked_for_again_under_its_key(void **state)
{
    keyed = true;
    for (uint64_t i = 0; i < 4; i++)
        run(first_seed() + i, false);
    keyed = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_most_once_nobody_is_asked_for_twice),
        cmocka_unit_test(at_least_once_nobody_is_forgotten),
        cmocka_unit_test(it_may_be_paused_and_resumed_at_any_time),
        cmocka_unit_test(it_may_be_cancelled_at_any_time),
        cmocka_unit_test(what_is_in_doubt_is_asked_for_again_under_its_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "actors/lib/decide/window.h"

#include <stdio.h>
#include <stdlib.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MOST = 64 };

static const struct fan_window_rules rules = {
    .chunks = 3,
    .ask_again_us = 5 * FAN_SECOND,
    .grace_us = 2 * FAN_SECOND,
};

static struct fan_window *window;
static struct fan_window_todo todo[MOST];
static bool idle;

static int make(void **state)
{
    window = fan_window_new();
    return 0;
}

static int drop(void **state)
{
    fan_window_free(&window);
    assert_null(window);
    return 0;
}

static struct fan_window_chunk chunk(fan_id id, enum fan_chunk_state state)
{
    return (struct fan_window_chunk){ .chunk = id, .state = state };
}

static size_t decide(const struct fan_window_chunk *seen, size_t count, fan_time now)
{
    return fan_window_decide(window, &rules, seen, count, now, todo, &idle);
}

/* What is to be done about one chunk that is all there is; 0: nothing. */
static int act_on(struct fan_window_chunk one, fan_time now)
{
    return decide(&one, 1, now) ? (int)todo[0].act : 0;
}

static void no_more_than_the_window_is_asked_for_in_order(void **state)
{
    struct fan_window_chunk seen[5];

    for (int i = 0; i < 5; i++)
        seen[i] = chunk(i + 1, FAN_CHUNK_PLANNED);
    assert_int_equal(decide(seen, 5, 1), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(todo[i].act, FAN_WINDOW_RENDER);
        assert_int_equal(todo[i].index, i);
    }
    assert_int_equal(decide(seen, 5, 2), 0);
    assert_false(idle);
}

static void a_chunk_that_ends_makes_room_for_the_next(void **state)
{
    struct fan_window_chunk seen[4];

    for (int i = 0; i < 4; i++)
        seen[i] = chunk(i + 1, FAN_CHUNK_PLANNED);
    assert_int_equal(decide(seen, 4, 1), 3);
    assert_int_equal(decide(seen + 1, 3, 2), 1);
    assert_int_equal(todo[0].index, 2);
}

static void a_more_urgent_chunk_does_not_burst_the_window(void **state)
{
    struct fan_window_chunk seen[4];

    for (int i = 0; i < 4; i++)
        seen[i] = chunk(i + 1, FAN_CHUNK_PLANNED);
    assert_int_equal(decide(seen + 1, 3, 1), 3);
    assert_int_equal(decide(seen, 4, 2), 0);
    assert_int_equal(decide(seen, 3, 3), 1);
    assert_int_equal(todo[0].index, 0);
}

static void a_lost_frame_is_asked_for_again(void **state)
{
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_PLANNED), 1), FAN_WINDOW_RENDER);
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_PLANNED), 4 * FAN_SECOND), 0);
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_PLANNED), 6 * FAN_SECOND), FAN_WINDOW_RENDER);
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_PLANNED), 7 * FAN_SECOND), 0);
}

static void what_a_dead_worker_was_asked_for_is_asked_for_again_at_once(void **state)
{
    struct fan_window_chunk planned = chunk(1, FAN_CHUNK_PLANNED);
    struct fan_window_chunk rendered = chunk(2, FAN_CHUNK_RENDERED);
    struct fan_window_chunk claimed = chunk(3, FAN_CHUNK_CLAIMED);

    assert_int_equal(act_on(planned, 1), FAN_WINDOW_RENDER);
    assert_int_equal(act_on(planned, 2), 0);
    fan_window_doubt(window);
    assert_int_equal(act_on(planned, 3), FAN_WINDOW_RENDER);
    assert_int_equal(act_on(planned, 4), 0);
    assert_int_equal(act_on(rendered, 5), 0);
    fan_window_doubt(window);
    assert_int_equal(act_on(rendered, 6), FAN_WINDOW_SEND);
    assert_int_equal(act_on(rendered, 7), 0);
    assert_int_equal(act_on(claimed, 8), 0);
    fan_window_doubt(window);
    assert_int_equal(act_on(claimed, 9), 0);
}

static void a_rendered_chunk_is_its_renderers_to_announce_at_first(void **state)
{
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_RENDERED), FAN_SECOND), 0);
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_RENDERED), 2 * FAN_SECOND), 0);
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_RENDERED), 3 * FAN_SECOND), FAN_WINDOW_SEND);
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_RENDERED), 6 * FAN_SECOND), 0);
    assert_int_equal(act_on(chunk(1, FAN_CHUNK_RENDERED), 8 * FAN_SECOND), FAN_WINDOW_SEND);
}

static void another_epoch_is_another_matter(void **state)
{
    struct fan_window_chunk back = chunk(1, FAN_CHUNK_RENDERED);

    assert_int_equal(act_on(back, FAN_SECOND), 0);
    back.epoch = 2;
    assert_int_equal(act_on(back, 3 * FAN_SECOND), 0);
    assert_int_equal(act_on(back, 5 * FAN_SECOND), FAN_WINDOW_SEND);
}

static void only_an_expired_claim_is_taken_back(void **state)
{
    struct fan_window_chunk held = chunk(1, FAN_CHUNK_CLAIMED);

    assert_int_equal(act_on(held, 1000 * FAN_SECOND), 0);
    held.expired = true;
    assert_int_equal(act_on(held, 1001 * FAN_SECOND), FAN_WINDOW_TAKE_BACK);
    assert_int_equal(act_on(held, 1001 * FAN_SECOND), FAN_WINDOW_TAKE_BACK);
}

static void with_nothing_to_see_it_is_idle(void **state)
{
    assert_int_equal(decide(NULL, 0, 1), 0);
    assert_true(idle);
}

/* ---- a run, in which frames and workers are lost ---- */

enum { RUN = 40 };

struct simulation {
    struct fan_window_chunk chunks[RUN];
    fan_time lease[RUN];
    uint64_t random;
};

static uint32_t draw(struct simulation *s, uint32_t below)
{
    s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(s->random >> 33) % below;
}

/* What the scheduler would see, in its order; @at: which chunk each is. */
static size_t look(const struct simulation *s, struct fan_window_chunk *seen, int *at)
{
    static const enum fan_chunk_state order[] = { FAN_CHUNK_CLAIMED, FAN_CHUNK_RENDERED,
        FAN_CHUNK_PLANNED };
    size_t count = 0;

    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < RUN; i++) {
            if (s->chunks[i].state == order[k]) {
                at[count] = i;
                seen[count++] = s->chunks[i];
            }
        }
    }
    return count;
}

/* One frame arrives, three times of four. */
static void obey(struct simulation *s, struct fan_window_todo one, struct fan_window_chunk *chunk,
        fan_time *lease, fan_time now)
{
    if (one.act == FAN_WINDOW_TAKE_BACK) {
        assert_true(chunk->state == FAN_CHUNK_CLAIMED && chunk->expired);
        *chunk = (struct fan_window_chunk){ chunk->chunk, chunk->epoch + 1, FAN_CHUNK_RENDERED,
            false };
    } else if (draw(s, 4) == 0) {
        return;
    } else if (one.act == FAN_WINDOW_RENDER) {
        assert_int_equal(chunk->state, FAN_CHUNK_PLANNED);
        chunk->state = FAN_CHUNK_RENDERED;
    } else if (chunk->state == FAN_CHUNK_RENDERED) {
        chunk->state = FAN_CHUNK_CLAIMED;
        chunk->epoch++;
        *lease = now + 30 * FAN_SECOND;
    }
}

/* Time passes: senders claim what was announced, end what they hold, or die. */
static void live_on(struct simulation *s, fan_time now)
{
    for (int i = 0; i < RUN; i++) {
        struct fan_window_chunk *one = &s->chunks[i];

        one->expired = one->state == FAN_CHUNK_CLAIMED && s->lease[i] < now;
        if (one->state == FAN_CHUNK_RENDERED && draw(s, 10) == 0) {
            one->state = FAN_CHUNK_CLAIMED;
            s->lease[i] = now + 30 * FAN_SECOND;
        } else if (one->state == FAN_CHUNK_CLAIMED && !one->expired && draw(s, 30) == 0) {
            one->state = draw(s, 5) ? FAN_CHUNK_DONE : FAN_CHUNK_RENDERED;
            one->epoch++;
        }
    }
}

static int on_the_way(const struct simulation *s)
{
    int count = 0;

    for (int i = 0; i < RUN; i++)
        count +=
                s->chunks[i].state == FAN_CHUNK_RENDERED || s->chunks[i].state == FAN_CHUNK_CLAIMED;
    return count;
}

static void nothing_is_forgotten_whatever_is_lost(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct simulation s = { .random = seed };
        fan_time now = FAN_SECOND;

        for (int i = 0; i < RUN; i++)
            s.chunks[i] = chunk(i + 1, FAN_CHUNK_PLANNED);
        idle = false;
        for (int round = 0; !idle; round++, now += 200 * FAN_MS) {
            struct fan_window_chunk seen[RUN];
            int at[RUN];
            size_t count = look(&s, seen, at), todos = decide(seen, count, now);

            for (size_t i = 0; i < todos; i++) {
                int which = at[todo[i].index];
                obey(&s, todo[i], &s.chunks[which], &s.lease[which], now);
            }
            if (on_the_way(&s) > (int)rules.chunks || round > 100000)
                fail_msg("seed %llu: %d on the way in round %d", (unsigned long long)seed,
                        on_the_way(&s), round);
            live_on(&s, now);
        }
        for (int i = 0; i < RUN; i++)
            assert_int_equal(s.chunks[i].state, FAN_CHUNK_DONE);
    }
}

static void who_wants_little_leaves_the_rest_to_the_others(void **state)
{
    static const struct {
        uint32_t wants[6];
        size_t count;
        uint32_t share;
    } cases[] = {
        { { 12 }, 1, 40 },
        { { 12, 12, 12 }, 3, 40 },           /* all have what they want */
        { { 12, 12, 12, 12, 12 }, 5, 8 },    /* nobody has: even parts */
        { { 100, 1, 1, 1, 1, 1 }, 6, 35 },   /* one large run among small ones */
        { { 100, 5, 100, 1, 3, 0 }, 6, 15 }, /* two large ones */
        { { 20, 21, 7 }, 3, 16 },
        { { 100, 10, 10, 10, 9, 1 }, 6, 7 },
        { { 0 }, 0, 40 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fan_window_share(cases[i].wants, cases[i].count, 40), cases[i].share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
        TEST(no_more_than_the_window_is_asked_for_in_order),
        TEST(a_chunk_that_ends_makes_room_for_the_next),
        TEST(a_more_urgent_chunk_does_not_burst_the_window),
        TEST(a_lost_frame_is_asked_for_again),
        TEST(what_a_dead_worker_was_asked_for_is_asked_for_again_at_once),
        TEST(a_rendered_chunk_is_its_renderers_to_announce_at_first),
        TEST(another_epoch_is_another_matter),
        TEST(only_an_expired_claim_is_taken_back),
        TEST(with_nothing_to_see_it_is_idle),
        TEST(nothing_is_forgotten_whatever_is_lost),
        TEST(who_wants_little_leaves_the_rest_to_the_others),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

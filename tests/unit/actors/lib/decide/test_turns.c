#include "actors/lib/decide/turns.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define U FAN_LANE_URGENT
#define N FAN_LANE_NORMAL

static void decide(struct fan_turns_run *runs, size_t count, uint64_t sweep)
{
    struct fan_arena *arena = fan_arena_new();

    fan_turns_decide(runs, count, sweep, 40, arena);
    fan_arena_free(&arena);
}

static void accounts_are_equal_however_many_runs_they_have(void **state)
{
    struct fan_turns_run runs[11] = { { 1, N, 12, 0, 0 } };

    for (size_t i = 1; i < 11; i++)
        runs[i] = (struct fan_turns_run){ 2, N, 12, 0, 0 };
    decide(runs, 11, 0);
    assert_in_range(runs[0].share, 12, 40); /* all it wants, beside ten others */
    for (size_t i = 1; i < 11; i++)
        assert_int_equal(runs[i].share, 2); /* 28 that are left, by ten */
}

static void what_one_account_does_not_want_is_the_others(void **state)
{
    struct fan_turns_run runs[] = { { 1, N, 2, 0, 0 }, { 2, N, 12, 0, 0 }, { 2, N, 100, 0, 0 } };

    decide(runs, 3, 0);
    assert_in_range(runs[0].share, 2, 40);
    assert_in_range(runs[1].share, 12, 40);
    assert_int_equal(runs[2].share, 26);
}

static void urgent_runs_come_first_and_cost_the_others_nothing(void **state)
{
    struct fan_turns_run runs[] = { { 1, N, 40, 0, 0 }, { 1, U, 12, 0, 0 }, { 2, N, 40, 0, 0 },
        { 2, U, 12, 0, 0 } };

    for (uint64_t sweep = 0; sweep < 10; sweep++) {
        decide(runs, 4, sweep);
        assert_int_equal(runs[0].share, 20);
        assert_int_equal(runs[2].share, 20);
        assert_in_range(runs[1].share, 12, 40);
        for (size_t place = 0; place < 4; place++)
            assert_int_equal(runs[runs[place].next].lane, place < 2 ? U : N);
    }
}

static void every_run_has_its_turn_and_each_is_first_at_times(void **state)
{
    struct fan_turns_run runs[] = { { 1, N, 1, 0, 0 }, { 1, N, 1, 0, 0 }, { 1, N, 1, 0, 0 },
        { 2, N, 1, 0, 0 }, { 3, N, 1, 0, 0 }, { 3, N, 1, 0, 0 } };
    int first[6] = { 0 };

    for (uint64_t sweep = 0; sweep < 36; sweep++) {
        int seen[6] = { 0 };

        decide(runs, 6, sweep);
        for (size_t place = 0; place < 6; place++)
            seen[runs[place].next]++;
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(seen[i], 1);
        first[runs[0].next]++;
        for (size_t place = 1; place < 3; place++) /* one of each account before a second */
            assert_int_not_equal(runs[runs[place].next].account,
                    runs[runs[place - 1].next].account);
    }
    assert_int_equal(first[3], 12);
    for (size_t i = 0; i < 6; i++)
        assert_true(first[i] > 0);
}

static void nobody_is_fine(void **state)
{
    decide(NULL, 0, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_equal_however_many_runs_they_have),
        cmocka_unit_test(what_one_account_does_not_want_is_the_others),
        cmocka_unit_test(urgent_runs_come_first_and_cost_the_others_nothing),
        cmocka_unit_test(every_run_has_its_turn_and_each_is_first_at_times),
        cmocka_unit_test(nobody_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

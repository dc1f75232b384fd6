#include "proto/arena.h"
#include "proto/bytes.h"
#include "tests/unit/proto/ending.h"

#include <stdint.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static int make(void **state)
{
    *state = fan_arena_new();
    return 0;
}

static int drop(void **state)
{
    struct fan_arena *arena = *state;

    fan_arena_free(&arena);
    return arena ? -1 : 0;
}

static void memory_is_zeroed_and_aligned(void **state)
{
    for (size_t size = 1; size < 5000; size += 97) {
        char *at = fan_arena_alloc(*state, size);

        assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(at[i], 0);
        memset(at, 0xff, size);
    }
}

static void memory_used_before_a_reset_is_zeroed_again(void **state)
{
    char *first = fan_arena_alloc(*state, 100);
    char *second;

    memset(first, 0xff, 100);
    fan_arena_reset(*state);
    second = fan_arena_alloc(*state, 100);
    assert_ptr_equal(first, second);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(second[i], 0);
}

static void a_piece_larger_than_any_block_fits(void **state)
{
    size_t size = 5 * 1024 * 1024;
    char *small = fan_arena_alloc(*state, 10);
    char *large = fan_arena_alloc(*state, size);

    small[9] = 1;
    large[size - 1] = 1;
    assert_true(fan_arena_used(*state) >= size + 10);
}

static void use_is_counted_until_the_reset(void **state)
{
    assert_int_equal(fan_arena_used(*state), 0);
    (void)fan_arena_alloc(*state, 64);
    assert_int_equal(fan_arena_used(*state), 64);
    fan_arena_reset(*state);
    assert_int_equal(fan_arena_used(*state), 0);
}

static void text_is_printed_into_the_arena(void **state)
{
    assert_string_equal(fan_arena_printf(*state, "%d of %s", 7, "nine"), "7 of nine");
    assert_string_equal(fan_arena_printf(*state, "%s", ""), "");
}

static struct fan_arena *doomed;

static void overflow(void)
{
    (void)fan_arena_array(doomed, SIZE_MAX / 2, 3);
}

static void an_overflowing_product_ends_the_process(void **state)
{
    doomed = *state;
    assert_int_equal(ending_of(overflow).exit_code, 70);
}

static char calls[8];

static void note(void *thing)
{
    strcat(calls, thing);
}

static void deferred_calls_run_last_first_and_once(void **state)
{
    calls[0] = '\0';
    fan_arena_defer(*state, note, "a");
    fan_arena_defer(*state, note, "b");
    fan_arena_defer(*state, note, "c");
    fan_arena_reset(*state);
    assert_string_equal(calls, "cba");
    fan_arena_reset(*state);
    assert_string_equal(calls, "cba");
}

static void freeing_runs_deferred_calls_too(void **state)
{
    struct fan_arena *arena = fan_arena_new();

    calls[0] = '\0';
    fan_arena_defer(arena, note, "a");
    fan_arena_free(&arena);
    assert_string_equal(calls, "a");
    assert_null(arena);
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_is_zeroed_and_aligned, make, drop),
        cmocka_unit_test_setup_teardown(memory_used_before_a_reset_is_zeroed_again, make, drop),
        cmocka_unit_test_setup_teardown(a_piece_larger_than_any_block_fits, make, drop),
        cmocka_unit_test_setup_teardown(use_is_counted_until_the_reset, make, drop),
        cmocka_unit_test_setup_teardown(text_is_printed_into_the_arena, make, drop),
        cmocka_unit_test_setup_teardown(an_overflowing_product_ends_the_process, make, drop),
        cmocka_unit_test_setup_teardown(deferred_calls_run_last_first_and_once, make, drop),
        cmocka_unit_test_setup_teardown(freeing_runs_deferred_calls_too, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

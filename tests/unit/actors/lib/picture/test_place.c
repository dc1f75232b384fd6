/* actors/lib/picture/place.c */
#include "actors/lib/picture/place.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void what_is_asked_for_stands_over_the_environment_and_that_over_the_installation(void *
                *state)
{
    struct fan_arena *arena = fan_arena_new();
    const char *installed = fan_place_beside("../share/fanfare/pictures", arena);

    unsetenv("FANFARE_PICTURES");
    assert_string_equal(fan_place_of_pictures(NULL, arena), installed);
    assert_string_equal(fan_place_of_pictures("", arena), installed);
    setenv("FANFARE_PICTURES", "/srv/pictures", 1);
    assert_string_equal(fan_place_of_pictures("", arena), "/srv/pictures");
    assert_string_equal(fan_place_of_pictures("/mine", arena), "/mine");
    setenv("FANFARE_PICTURES", "", 1);
    assert_string_equal(fan_place_of_pictures(NULL, arena), installed);
    fan_arena_free(&arena);
}

static void a_program_is_found_beside_the_one_that_runs(void **state)
{
    struct fan_arena *arena = fan_arena_new();

    assert_int_equal(access(fan_place_beside(program_invocation_short_name, arena), X_OK), 0);
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
                what_is_asked_for_stands_over_the_environment_and_that_over_the_installation),
        cmocka_unit_test(a_program_is_found_beside_the_one_that_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

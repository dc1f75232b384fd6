/*
 * Campaigns in simulated time: some thousands of histories, each drawn from its seed.
 *
 * FAN_SEED repeats one; FAN_HISTORIES says how many.
 */
#include "tests/sim/sim.h"

#include "broker/runtime/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <setjmp.h>
#include <cmocka.h>

enum { HISTORIES = 1500 };

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *given = getenv(name);

    return given ? strtoull(given, NULL, 10) : otherwise;
}

static void whatever_goes_wrong_every_campaign_ends_and_nobody_is_asked_for_twice(void **state)
{
    uint64_t first = number_of("FAN_SEED", (uint64_t)time(NULL) * 1000000);
    uint64_t count = number_of("FAN_HISTORIES", getenv("FAN_SEED") ? 1 : HISTORIES);
    struct sim *sim = calloc(1, sizeof *sim);
    fan_time began = fan_clock_elapsed(), took;
    uint64_t events = 0;

    assert_non_null(sim);
    sim->arena = fan_arena_new();
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (!sim_run(sim, seed))
            fail_msg("FAN_SEED=%llu: %s (event %llu, second %.6f)", (unsigned long long)seed,
                    sim->what, (unsigned long long)sim->events, (double)sim->now * 1e-6);
        events += sim->events;
    }
    took = fan_clock_elapsed() - began;
    print_message("%llu histories from seed %llu, %llu events, %.0f histories a second\n",
            (unsigned long long)count, (unsigned long long)first, (unsigned long long)events,
            (double)count * 1e6 / (double)(took > 0 ? took : 1));
    fan_arena_free(&sim->arena);
    free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_goes_wrong_every_campaign_ends_and_nobody_is_asked_for_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/sandbox/faults.h"

#include <stdio.h>

static struct fan_bytes number(char out[32], int i)
{
    snprintf(out, 32, "+1415%07d", i);
    return fan_bytes_of(out);
}

static void fates_come_in_the_asked_shares(void **state)
{
    const struct fan_faults faults = { .seed = 1,
        .deliver_percent = 90,
        .read_percent = 50,
        .fail_percent = 2 };
    unsigned count[FAN_FATE_FAILED + 1] = { 0 };
    char to[32];

    for (int i = 0; i < 100000; i++)
        count[fan_faults_fate(&faults, number(to, i), FAN_LIT("1.x"), true)]++;
    assert_in_range(count[FAN_FATE_FAILED], 1800, 2200);
    assert_in_range(count[FAN_FATE_SENT], 7600, 8400);
    assert_in_range(count[FAN_FATE_READ], 44000, 46000);
    assert_in_range(count[FAN_FATE_DELIVERED], 44000, 46000);
}

static void a_fate_depends_on_seed_recipient_and_token_alone(void **state)
{
    struct fan_faults faults = { .seed = 1, .deliver_percent = 50 };
    unsigned by_seed = 0, by_token = 0;
    char to[32];

    for (int i = 0; i < 1000; i++) {
        struct fan_bytes who = number(to, i);
        enum fan_fate fate = fan_faults_fate(&faults, who, FAN_LIT("1.x"), false);

        assert_int_equal(fan_faults_fate(&faults, who, FAN_LIT("1.x"), false), fate);
        by_token += fan_faults_fate(&faults, who, FAN_LIT("2.x"), false) != fate;
        faults.seed = 2;
        by_seed += fan_faults_fate(&faults, who, FAN_LIT("1.x"), false) != fate;
        faults.seed = 1;
    }
    assert_in_range(by_token, 400, 600);
    assert_in_range(by_seed, 400, 600);
}

static enum fan_fault decide(struct fan_faults *faults, const char *to)
{
    return fan_faults_decide(faults, fan_bytes_of(to), FAN_LIT("1.x"), 0);
}

static void patterns_hold_only_when_they_are_on(void **state)
{
    static struct fan_faults faults = { .seed = 1 };

    assert_int_equal(decide(&faults, "+14155550500"), FAN_FAULT_NONE);
    faults.patterns = true;
    assert_int_equal(decide(&faults, "+14155550500"), FAN_FAULT_SERVER);
    assert_int_equal(decide(&faults, "ann0999@example.org"), FAN_FAULT_SILENT);
    assert_int_equal(decide(&faults, "+14155550429"), FAN_FAULT_THROTTLED);
    assert_int_equal(decide(&faults, "+14155550429"), FAN_FAULT_NONE);
    assert_int_equal(decide(&faults, "+14155551234"), FAN_FAULT_NONE);
    assert_int_equal(decide(&faults, "ann@host0500"), FAN_FAULT_NONE);
}

static void the_throttle_counts_by_the_second(void **state)
{
    static struct fan_faults faults = { .seed = 1, .throttle = 10 };
    unsigned let_through = 0;

    for (fan_time now = 0; now < 3 * FAN_SECOND; now += FAN_SECOND / 50)
        let_through += fan_faults_decide(&faults, FAN_LIT("+1"), FAN_LIT(""), now + FAN_SECOND) ==
                FAN_FAULT_NONE;
    assert_int_equal(let_through, 30);
}

static void so_many_are_rejected(void **state)
{
    static struct fan_faults faults = { .seed = 1, .reject_percent = 10 };
    unsigned rejected = 0;
    char to[32];

    for (int i = 0; i < 10000; i++)
        rejected +=
                fan_faults_decide(&faults, number(to, i), FAN_LIT("t"), 0) == FAN_FAULT_REJECTED;
    assert_in_range(rejected, 900, 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fates_come_in_the_asked_shares),
        cmocka_unit_test(a_fate_depends_on_seed_recipient_and_token_alone),
        cmocka_unit_test(patterns_hold_only_when_they_are_on),
        cmocka_unit_test(the_throttle_counts_by_the_second),
        cmocka_unit_test(so_many_are_rejected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

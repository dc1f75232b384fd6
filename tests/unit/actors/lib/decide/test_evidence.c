#include "actors/lib/decide/evidence.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void what_a_provider_decided_is_said_as_it_is(void **state)
{
    assert_int_equal(fan_evidence_of(FAN_MESSAGE_SENT), FAN_MESSAGE_SENT);
    assert_int_equal(fan_evidence_of(FAN_MESSAGE_FAILED), FAN_MESSAGE_FAILED);
    assert_int_equal(fan_evidence_of(FAN_MESSAGE_RETRY), FAN_MESSAGE_RETRY);
}

static void who_was_skipped_was_never_started(void **state)
{
    assert_int_equal(fan_evidence_of(FAN_MESSAGE_SKIPPED), FAN_MESSAGE_RETRY);
}

static void an_unknown_says_nothing(void **state)
{
    assert_int_equal(fan_evidence_of(FAN_MESSAGE_UNKNOWN), FAN_MESSAGE_PENDING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_provider_decided_is_said_as_it_is),
        cmocka_unit_test(who_was_skipped_was_never_started),
        cmocka_unit_test(an_unknown_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "proto/err.h"
#include "tests/unit/proto/ending.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void the_code_and_the_text_are_kept(void **state)
{
    struct fan_why why;

    assert_int_equal(fan_fail(&why, FAN_CONFLICT, "chunk %d moved on", 7), FAN_CONFLICT);
    assert_int_equal(why.err, FAN_CONFLICT);
    assert_string_equal(why.field, "");
    assert_string_equal(why.text, "chunk 7 moved on");
}

static void the_field_at_fault_is_named(void **state)
{
    struct fan_why why;

    assert_int_equal(fan_fail_field(&why, FAN_INVALID, "phone", "is no number"), FAN_INVALID);
    assert_string_equal(why.field, "phone");
    assert_string_equal(why.text, "is no number");
}

static void nobody_needs_to_listen(void **state)
{
    assert_int_equal(fan_fail(NULL, FAN_DENIED, "no"), FAN_DENIED);
    assert_int_equal(fan_fail_field(NULL, FAN_DENIED, "field", "no"), FAN_DENIED);
}

static void a_long_text_is_cut(void **state)
{
    struct fan_why why;
    char text[1000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)fan_fail_field(&why, FAN_INVALID, text, "%s", text);
    assert_int_equal(strlen(why.field), sizeof why.field - 1);
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
}

static void every_code_has_a_name(void **state)
{
    static const struct {
        enum fan_err err;
        const char *name;
    } rows[] = {
        { FAN_OK, "ok" },
        { FAN_INVALID, "invalid" },
        { FAN_NOT_FOUND, "not_found" },
        { FAN_DENIED, "denied" },
        { FAN_TOO_LARGE, "too_large" },
        { FAN_CONFLICT, "conflict" },
        { FAN_UNAVAILABLE, "unavailable" },
        { FAN_UNCERTAIN, "uncertain" },
        { (enum fan_err)99, "unknown" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(fan_err_name(rows[i].err), rows[i].name);
}

static void break_a_contract(void)
{
    FAN_ASSERT(1 + 1 == 3);
}

static void give_up(void)
{
    fan_die("there is no %s", "port");
}

static void a_broken_contract_aborts(void **state)
{
    struct ending ending = ending_of(break_a_contract);

    assert_int_equal(ending.signal, SIGABRT);
    assert_non_null(strstr(ending.text, "1 + 1 == 3"));
}

static void an_impossible_environment_exits_with_70_and_says_why(void **state)
{
    struct ending ending = ending_of(give_up);

    assert_int_equal(ending.exit_code, 70);
    assert_string_equal(ending.text, "there is no port\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_and_the_text_are_kept),
        cmocka_unit_test(the_field_at_fault_is_named),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(every_code_has_a_name),
        cmocka_unit_test(a_broken_contract_aborts),
        cmocka_unit_test(an_impossible_environment_exits_with_70_and_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

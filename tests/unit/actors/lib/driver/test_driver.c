#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/lib/driver/driver.h"

static void a_header_is_found_whatever_its_case_and_line_end(void **state)
{
    static const char lines[] = "Host: a\r\nx-thing:  first \r\nX-Thing: second\nEmpty:\nno colon";

    assert_true(fan_bytes_eq_text(fan_header_find(fan_bytes_of(lines), "X-THING"), "first"));
    assert_true(fan_bytes_eq_text(fan_header_find(fan_bytes_of(lines), "Host"), "a"));
    assert_int_equal(fan_header_find(fan_bytes_of(lines), "Empty").len, 0);
    assert_non_null(fan_header_find(fan_bytes_of(lines), "Empty").at);
    assert_null(fan_header_find(fan_bytes_of(lines), "X").at);
    assert_null(fan_header_find(fan_bytes_of(lines), "no colon").at);
    assert_null(fan_header_find(FAN_NO_BYTES, "X").at);
}

static void a_field_has_its_value_or_its_default(void **state)
{
    static const struct fan_provider_field fields[] = { { .name = "port", .otherwise = "587" },
        { .name = "host" }, { .name = NULL } };
    const struct fan_bytes names[] = { FAN_LIT("host"), FAN_LIT("port") };
    const struct fan_bytes values[] = { FAN_LIT("relay"), FAN_NO_BYTES };
    const struct fan_channel_view view = { .names = names, .values = values, .count = 2 };

    assert_true(fan_bytes_eq_text(fan_channel_field(&view, fields, "host"), "relay"));
    assert_true(fan_bytes_eq_text(fan_channel_field(&view, fields, "port"), "587"));
    assert_null(fan_channel_field(&view, fields, "user").at);
}

static void a_code_is_found_in_its_range(void **state)
{
    static const struct fan_code_rule rules[] = { { 0, 0, FAN_CHANNEL_PAUSE, 0, 0 },
        { 200, 299, FAN_RETRY_LATER, 0, 0 }, { 7, 0, FAN_AMBIGUOUS, 0, 0 }, { 0 } };

    assert_int_equal(fan_code_find(rules, 0)->outcome, FAN_CHANNEL_PAUSE);
    assert_int_equal(fan_code_find(rules, 200)->outcome, FAN_RETRY_LATER);
    assert_int_equal(fan_code_find(rules, 299)->outcome, FAN_RETRY_LATER);
    assert_int_equal(fan_code_find(rules, 7)->outcome, FAN_AMBIGUOUS);
    assert_null(fan_code_find(rules, 300));
    assert_null(fan_code_find(rules, -1));
    assert_null(fan_code_find(rules, INT64_MAX));
}

static void receipts_keep_their_place_while_the_list_grows(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_receipt_list list = { 0 };

    for (int i = 0; i < 100; i++)
        fan_receipt_add(&list, arena)->flags = i;
    assert_int_equal(list.len, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(list.at[i].flags, i);
    fan_arena_free(&arena);
}

static void texts_are_counted_in_code_points(void **state)
{
    assert_int_equal(fan_text_points(FAN_LIT("")), 0);
    assert_int_equal(fan_text_points(FAN_NO_BYTES), 0);
    assert_int_equal(fan_text_points(FAN_LIT("a\u00df\u20ac\U0001f44b")), 4);
}

static void a_base_url_ends_without_slashes(void **state)
{
    assert_true(fan_bytes_eq_text(fan_url_base(FAN_LIT("https://a/b//")), "https://a/b"));
    assert_true(fan_bytes_eq_text(fan_url_base(FAN_LIT("https://a")), "https://a"));
    assert_int_equal(fan_url_base(FAN_LIT("//")).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_found_whatever_its_case_and_line_end),
        cmocka_unit_test(a_field_has_its_value_or_its_default),
        cmocka_unit_test(a_code_is_found_in_its_range),
        cmocka_unit_test(receipts_keep_their_place_while_the_list_grows),
        cmocka_unit_test(texts_are_counted_in_code_points),
        cmocka_unit_test(a_base_url_ends_without_slashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

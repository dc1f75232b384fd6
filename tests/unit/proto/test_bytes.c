#include "proto/arena.h"
#include "proto/bytes.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define SIZE(rows) (sizeof rows / sizeof *rows)

static void assert_text(struct fan_bytes bytes, const char *text)
{
    assert_true(fan_bytes_eq_text(bytes, text));
}

static void a_null_string_is_absent_and_an_empty_one_is_not(void **state)
{
    assert_null(fan_bytes_of(NULL).at);
    assert_non_null(fan_bytes_of("").at);
    assert_true(fan_bytes_eq(fan_bytes_of(NULL), fan_bytes_of("")));
}

static void texts_are_compared_by_their_bytes(void **state)
{
    assert_true(fan_bytes_eq(FAN_LIT("a\0b"), FAN_LIT("a\0b")));
    assert_false(fan_bytes_eq(FAN_LIT("a\0b"), FAN_LIT("a\0c")));
    assert_false(fan_bytes_eq(FAN_LIT("ab"), FAN_LIT("abc")));
    assert_true(fan_bytes_eq_nocase(FAN_LIT("Content-Type"), FAN_LIT("content-type")));
    assert_false(fan_bytes_eq_nocase(FAN_LIT("a"), FAN_LIT("b")));
    assert_false(fan_bytes_eq_nocase(FAN_LIT("a"), FAN_LIT("ab")));
}

static void both_ends_can_be_asked_for(void **state)
{
    assert_true(fan_bytes_starts(FAN_LIT("chunk.done"), FAN_LIT("chunk")));
    assert_true(fan_bytes_starts(FAN_LIT("chunk"), FAN_NO_BYTES));
    assert_false(fan_bytes_starts(FAN_LIT("chu"), FAN_LIT("chunk")));
    assert_true(fan_bytes_ends(FAN_LIT("chunk.done"), FAN_LIT("done")));
    assert_true(fan_bytes_ends(FAN_NO_BYTES, FAN_LIT("")));
    assert_false(fan_bytes_ends(FAN_LIT("one"), FAN_LIT("done")));
}

static void white_space_is_trimmed_at_both_ends(void **state)
{
    assert_text(fan_bytes_trim(FAN_LIT(" \t\r\n a b \n")), "a b");
    assert_text(fan_bytes_trim(FAN_LIT(" \t ")), "");
    assert_text(fan_bytes_trim(FAN_NO_BYTES), "");
}

static void text_is_split_at_the_first_separator(void **state)
{
    struct fan_bytes before;
    struct fan_bytes rest = fan_bytes_split(FAN_LIT("a=b=c"), '=', &before);

    assert_text(before, "a");
    assert_text(rest, "b=c");
    rest = fan_bytes_split(FAN_LIT("a="), '=', &before);
    assert_text(before, "a");
    assert_non_null(rest.at);
    assert_int_equal(rest.len, 0);
    rest = fan_bytes_split(FAN_LIT("a"), '=', &before);
    assert_text(before, "a");
    assert_null(rest.at);
    assert_null(fan_bytes_split(FAN_NO_BYTES, '=', &before).at);
}

static void a_copy_lives_in_the_arena(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    char text[] = "abc";
    struct fan_bytes copy = fan_bytes_dup(fan_bytes_of(text), arena);

    text[0] = 'x';
    assert_text(copy, "abc");
    assert_string_equal(fan_bytes_cstr(copy, arena), "abc");
    assert_string_equal(fan_bytes_cstr(FAN_NO_BYTES, arena), "");
    assert_null(fan_bytes_dup(FAN_NO_BYTES, arena).at);
    assert_non_null(fan_bytes_dup(FAN_LIT(""), arena).at);
    fan_arena_free(&arena);
}

static void whole_numbers_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t number;
    } rows[] = {
        { "0", 0 },
        { "-0", 0 },
        { "007", 7 },
        { "-42", -42 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        int64_t number = 1;
        assert_true(fan_bytes_i64(fan_bytes_of(rows[i].text), &number));
        assert_int_equal(number, rows[i].number);
    }
}

static void what_is_not_a_whole_number_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "0x1",
        "--1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999",
    };
    int64_t number;

    for (size_t i = 0; i < SIZE(rows); i++)
        assert_false(fan_bytes_i64(fan_bytes_of(rows[i]), &number));
    assert_false(fan_bytes_i64(FAN_NO_BYTES, &number));
}

/* The edges of Unicode's table 3-7, "Well-Formed UTF-8 Byte Sequences". */
static void well_formed_utf8_is_accepted(void **state)
{
    static const char *const rows[] = {
        "",
        "a",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "only plain ASCII, longer than eight",
        "na\xc3\xafve, and then some more text",
        "eight by\xc3\xa9te eight by",
    };

    for (size_t i = 0; i < SIZE(rows); i++)
        assert_true(fan_bytes_utf8(fan_bytes_of(rows[i])));
    assert_true(fan_bytes_utf8(FAN_LIT("a\0b")));
    assert_true(fan_bytes_utf8(FAN_NO_BYTES));
}

static void ill_formed_utf8_is_refused(void **state)
{
    static const char *const rows[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "eight by\xffte eight by",
        "eight bytes \xe2\x82",
    };

    for (size_t i = 0; i < SIZE(rows); i++)
        assert_false(fan_bytes_utf8(fan_bytes_of(rows[i])));
}

static void the_first_character_is_measured(void **state)
{
    assert_int_equal(fan_bytes_utf8_first(FAN_LIT("ab")), 1);
    assert_int_equal(fan_bytes_utf8_first(FAN_LIT("\xc3\xa9x")), 2);
    assert_int_equal(fan_bytes_utf8_first(FAN_LIT("\xe2\x82\xacx")), 3);
    assert_int_equal(fan_bytes_utf8_first(FAN_LIT("\xf0\x9f\x98\x80x")), 4);
    assert_int_equal(fan_bytes_utf8_first(FAN_LIT("\xffx")), 0);
    assert_int_equal(fan_bytes_utf8_first(FAN_NO_BYTES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_string_is_absent_and_an_empty_one_is_not),
        cmocka_unit_test(texts_are_compared_by_their_bytes),
        cmocka_unit_test(both_ends_can_be_asked_for),
        cmocka_unit_test(white_space_is_trimmed_at_both_ends),
        cmocka_unit_test(text_is_split_at_the_first_separator),
        cmocka_unit_test(a_copy_lives_in_the_arena),
        cmocka_unit_test(whole_numbers_are_read),
        cmocka_unit_test(what_is_not_a_whole_number_is_refused),
        cmocka_unit_test(well_formed_utf8_is_accepted),
        cmocka_unit_test(ill_formed_utf8_is_refused),
        cmocka_unit_test(the_first_character_is_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "proto/json.h"
#include "proto/time.h"

#include <math.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define SIZE(rows) (sizeof rows / sizeof *rows)

struct fixture {
    struct fan_arena *arena;
    struct fan_buffer out;
    struct fan_json_writer writer;
};

static int make(void **state)
{
    static struct fixture fixture;

    fixture.arena = fan_arena_new();
    fan_buffer_init(&fixture.out, 1 << 20);
    fan_json_begin(&fixture.writer, &fixture.out);
    *state = &fixture;
    return 0;
}

static int drop(void **state)
{
    struct fixture *fixture = *state;

    fan_buffer_fini(&fixture->out);
    fan_arena_free(&fixture->arena);
    return 0;
}

static const struct fan_json *parse(struct fixture *fixture, struct fan_bytes text)
{
    const struct fan_json *value;
    struct fan_why why;

    assert_int_equal(fan_json_parse(text, fixture->arena, &value, &why), FAN_OK);
    return value;
}

static const struct fan_json *parse_text(struct fixture *fixture, const char *text)
{
    return parse(fixture, fan_bytes_of(text));
}

static void assert_written(struct fixture *fixture, const char *text)
{
    assert_true(fan_bytes_eq_text(fan_buffer_bytes(&fixture->out), text));
}

static void every_type_is_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum fan_json_type type;
    } rows[] = {
        { "null", FAN_JSON_NULL },
        { "true", FAN_JSON_BOOL },
        { "false", FAN_JSON_BOOL },
        { " -12 ", FAN_JSON_INTEGER },
        { "1.5e3", FAN_JSON_REAL },
        { "\"\"", FAN_JSON_STRING },
        { "[]", FAN_JSON_ARRAY },
        { "{}", FAN_JSON_OBJECT },
    };

    for (size_t i = 0; i < SIZE(rows); i++)
        assert_int_equal(fan_json_type(parse_text(*state, rows[i].text)), rows[i].type);
    assert_int_equal(fan_json_type(NULL), FAN_JSON_ABSENT);
}

static void members_and_items_are_found(void **state)
{
    const struct fan_json *root = parse_text(*state,
            "{\"name\":\"Asha\",\"age\":42,\"vip\":true,\"tags\":[\"a\",\"b\"]}");
    const struct fan_json *tags = fan_json_get(root, "tags");

    assert_int_equal(fan_json_size(root), 4);
    assert_true(fan_bytes_eq_text(fan_json_get_text(root, "name"), "Asha"));
    assert_int_equal(fan_json_i64(fan_json_get(root, "age"), 0), 42);
    assert_true(fan_json_bool(fan_json_get(root, "vip"), false));
    assert_int_equal(fan_json_size(tags), 2);
    assert_true(fan_bytes_eq_text(fan_json_text(fan_json_at(tags, 1)), "b"));
    assert_null(fan_json_at(tags, 2));
}

static void what_is_not_there_reads_as_the_default(void **state)
{
    const struct fan_json *text = parse_text(*state, "\"5\"");

    assert_null(fan_json_get(NULL, "x"));
    assert_null(fan_json_get(text, "x"));
    assert_null(fan_json_at(text, 0));
    assert_int_equal(fan_json_size(text), 0);
    assert_int_equal(fan_json_i64(text, -7), -7);
    assert_int_equal(fan_json_i64(parse_text(*state, "5.0"), -7), -7);
    assert_true(fan_json_bool(parse_text(*state, "0"), true));
    assert_null(fan_json_text(NULL).at);
    assert_null(fan_json_get_text(parse_text(*state, "{\"x\":1}"), "x").at);
    assert_non_null(fan_json_text(parse_text(*state, "\"\"")).at);
}

static void an_integer_is_a_number_too(void **state)
{
    assert_true(fan_json_real(parse_text(*state, "5"), 0) == 5.0);
    assert_true(fan_json_real(parse_text(*state, "-2.5"), 0) == -2.5);
    assert_true(fan_json_real(parse_text(*state, "\"5\""), 1.5) == 1.5);
}

static void integers_keep_all_their_digits(void **state)
{
    assert_int_equal(fan_json_i64(parse_text(*state, "9223372036854775807"), 0), INT64_MAX);
    assert_int_equal(fan_json_i64(parse_text(*state, "-9223372036854775808"), 0), INT64_MIN);
}

static void members_are_walked_in_their_order(void **state)
{
    const struct fan_json *root = parse_text(*state, "{\"z\":1,\"a\":2,\"m\":3}");
    const struct fan_json *value;
    struct fan_bytes key;
    char keys[8] = "";
    size_t cursor = 0;

    while (fan_json_next(root, &cursor, &key, &value)) {
        strncat(keys, key.at, key.len);
        assert_int_equal(fan_json_i64(value, 0), (int64_t)strlen(keys));
    }
    assert_string_equal(keys, "zam");
    assert_false(fan_json_next(root, &cursor, &key, &value));
    cursor = 0;
    assert_false(fan_json_next(parse_text(*state, "[1]"), &cursor, &key, &value));
    assert_false(fan_json_next(NULL, &cursor, &key, &value));
}

static void what_is_not_json_is_refused(void **state)
{
    static const struct {
        struct fan_bytes text;
    } rows[] = {
#define TEXT(literal) \
    { \
        { \
            literal, sizeof literal - 1 \
        } \
    }
        TEXT(""),
        TEXT(" "),
        TEXT("{"),
        TEXT("[1,]"),
        TEXT("{\"a\":1,}"),
        TEXT("{a:1}"),
        TEXT("'a'"),
        TEXT("nul"),
        TEXT("01"),
        TEXT("1."),
        TEXT("+1"),
        TEXT("NaN"),
        TEXT("1e999"),
        TEXT("9223372036854775808"),
        TEXT("1 2"),
        TEXT("{} x"),
        TEXT("[1]]"),
        TEXT("{\"a\":1,\"a\":2}"),
        TEXT("\"\xff\""),
        TEXT("\"\xc0\x80\""),
        TEXT("\"\xed\xa0\x80\""),
        TEXT("\"\\ud800\""),
        TEXT("\"\\udc00\""),
        TEXT("{\"\\udc00\":1}"),
        TEXT("18446744073709551616"),
        TEXT("-9223372036854775809"),
        TEXT("-1e999"),
        TEXT("\"\\u0000\""),
        TEXT("{\"\\u0000\":1}"),
        TEXT("\"a\0b\""),
        TEXT("\"a\nb\""),
        TEXT("1\0"),
        TEXT("\xef\xbb\xbf{}"),
        TEXT("// no\n1"),
        TEXT("\"\\"),
#undef TEXT
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SIZE(rows); i++) {
        const struct fan_json *value;
        struct fan_why why;

        assert_int_equal(fan_json_parse(rows[i].text, fixture->arena, &value, &why), FAN_INVALID);
        assert_null(value);
        assert_non_null(strstr(why.text, "JSON"));
    }
}

static void a_name_may_stand_once_among_many(void **state)
{
    struct fixture *fixture = *state;
    const struct fan_json *value;

    for (int twins = 0; twins < 2; twins++) {
        fan_buffer_clear(&fixture->out);
        for (int i = 0; i < 1000; i++)
            fan_buffer_printf(&fixture->out, "%c\"%d\":%d", i ? ',' : '{', twins ? i % 999 : i, i);
        fan_buffer_add_text(&fixture->out, "}");
        assert_int_equal(fan_json_parse(fan_buffer_bytes(&fixture->out), fixture->arena, &value,
                                 NULL),
                twins ? FAN_INVALID : FAN_OK);
        if (!twins)
            assert_int_equal(fan_json_i64(fan_json_get(value, "999"), 0), 999);
    }
}

static void the_refusal_says_where_but_quotes_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct fan_json *value;
    struct fan_why why;

    assert_int_equal(fan_json_parse(FAN_LIT("{\"token\":\n secret}"), fixture->arena, &value, &why),
            FAN_INVALID);
    assert_non_null(strstr(why.text, "line 2"));
    assert_null(strstr(why.text, "secret"));
}

static struct fan_bytes nested(struct fixture *fixture, const char *open, int depth,
        const char *close)
{
    fan_buffer_clear(&fixture->out);
    for (int i = 0; i < depth; i++)
        fan_buffer_add_text(&fixture->out, open);
    fan_buffer_add_text(&fixture->out, "0");
    for (int i = 0; i < depth; i++)
        fan_buffer_add_text(&fixture->out, close);
    return fan_buffer_bytes(&fixture->out);
}

static void nesting_ends_at_32(void **state)
{
    struct fixture *fixture = *state;
    const struct fan_json *value;

    (void)parse(fixture, nested(fixture, "[", 32, "]"));
    (void)parse(fixture, nested(fixture, "{\"[{\\\"\":", 32, "}"));
    assert_int_equal(fan_json_parse(nested(fixture, "[", 33, "]"), fixture->arena, &value, NULL),
            FAN_INVALID);
    assert_int_equal(fan_json_parse(nested(fixture, "{\"a\":", 33, "}"), fixture->arena, &value,
                             NULL),
            FAN_INVALID);
    assert_int_equal(fan_json_parse(nested(fixture, "[", 200000, ""), fixture->arena, &value, NULL),
            FAN_INVALID);
}

static void brackets_inside_strings_do_not_nest(void **state)
{
    (void)parse_text(*state,
            "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\","
            "\"\\\"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{\\\\\"]");
}

static void the_writer_sets_commas_and_names(void **state)
{
    struct fixture *fixture = *state;
    struct fan_json_writer *writer = &fixture->writer;

    fan_json_object_open(writer, NULL);
    fan_json_add_i64(writer, "id", 7);
    fan_json_array_open(writer, "empty");
    fan_json_array_close(writer);
    fan_json_array_open(writer, "tags");
    fan_json_add_text(writer, NULL, FAN_LIT("a"));
    fan_json_object_open(writer, NULL);
    fan_json_object_close(writer);
    fan_json_add_bool(writer, NULL, false);
    fan_json_array_close(writer);
    fan_json_add_null(writer, "gone");
    fan_json_add_text(writer, "absent", FAN_NO_BYTES);
    fan_json_add_time(writer, "at", INT64_C(1795156934123456));
    fan_json_add_time(writer, "never", 0);
    fan_json_add_raw(writer, "raw", FAN_LIT("{\"x\":[1]}"));
    fan_json_add_raw(writer, "no_raw", FAN_NO_BYTES);
    fan_json_object_close(writer);
    assert_written(fixture,
            "{\"id\":7,\"empty\":[],\"tags\":[\"a\",{},false],\"gone\":null,\"absent\":null,"
            "\"at\":\"2026-11-20T06:42:14.123456Z\",\"never\":null,\"raw\":{\"x\":[1]},"
            "\"no_raw\":null}");
    assert_int_equal(fan_json_size(parse(fixture, fan_buffer_bytes(&fixture->out))), 9);
}

static void what_is_quoted_reads_back(void **state)
{
    static const char *const rows[] = {
        "",
        "plain",
        "a \"quote\" and a \\",
        "tab\tline\nreturn\rbell\x07 backspace\b feed\f",
        "\x01\x1f\x7f",
        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
        "</script>",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SIZE(rows); i++) {
        fan_buffer_clear(&fixture->out);
        fan_json_quote(&fixture->out, fan_bytes_of(rows[i]));
        assert_true(fan_bytes_eq_text(fan_json_text(parse(fixture,
                                              fan_buffer_bytes(&fixture->out))),
                rows[i]));
    }
}

static void bad_bytes_become_replacement_characters(void **state)
{
    struct fixture *fixture = *state;

    fan_json_quote(&fixture->out, FAN_LIT("a\xff\xe2\x82z\xed\xa0\x80"));
    assert_written(fixture,
            "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    fan_buffer_clear(&fixture->out);
    fan_json_quote(&fixture->out, FAN_LIT("a\0b"));
    assert_written(fixture, "\"a\\u0000b\"");
}

static void reals_are_short_and_exact(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        { 0.0, "0.0" },
        { 5.0, "5.0" },
        { 0.1, "0.1" },
        { -2.5, "-2.5" },
        { 1e300, "1e+300" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { NAN, "null" },
        { INFINITY, "null" },
        { -INFINITY, "null" },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < SIZE(rows); i++) {
        fan_buffer_clear(&fixture->out);
        fan_json_begin(&fixture->writer, &fixture->out);
        fan_json_add_real(&fixture->writer, NULL, rows[i].value);
        assert_written(fixture, rows[i].text);
    }
}

static void a_dump_is_compact_and_keeps_the_order(void **state)
{
    struct fixture *fixture = *state;

    fan_json_dump(parse_text(fixture,
                          " { \"z\" : [ 1 , 2.50, null ] , \"a\" : { \"k\" : true } } "),
            &fixture->out);
    assert_written(fixture, "{\"z\":[1,2.5,null],\"a\":{\"k\":true}}");
    fan_buffer_clear(&fixture->out);
    fan_json_dump(NULL, &fixture->out);
    assert_written(fixture, "null");
}

static void a_full_buffer_is_noticed_at_the_end(void **state)
{
    struct fan_json_writer writer;
    struct fan_buffer small;

    fan_buffer_init(&small, 10);
    fan_json_begin(&writer, &small);
    fan_json_array_open(&writer, NULL);
    fan_json_add_text(&writer, NULL, FAN_LIT("does not fit"));
    fan_json_array_close(&writer);
    assert_true(small.overflowed);
    fan_buffer_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type_is_told_apart, make, drop),
        cmocka_unit_test_setup_teardown(members_and_items_are_found, make, drop),
        cmocka_unit_test_setup_teardown(what_is_not_there_reads_as_the_default, make, drop),
        cmocka_unit_test_setup_teardown(an_integer_is_a_number_too, make, drop),
        cmocka_unit_test_setup_teardown(integers_keep_all_their_digits, make, drop),
        cmocka_unit_test_setup_teardown(members_are_walked_in_their_order, make, drop),
        cmocka_unit_test_setup_teardown(what_is_not_json_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_name_may_stand_once_among_many, make, drop),
        cmocka_unit_test_setup_teardown(the_refusal_says_where_but_quotes_nothing, make, drop),
        cmocka_unit_test_setup_teardown(nesting_ends_at_32, make, drop),
        cmocka_unit_test_setup_teardown(brackets_inside_strings_do_not_nest, make, drop),
        cmocka_unit_test_setup_teardown(the_writer_sets_commas_and_names, make, drop),
        cmocka_unit_test_setup_teardown(what_is_quoted_reads_back, make, drop),
        cmocka_unit_test_setup_teardown(bad_bytes_become_replacement_characters, make, drop),
        cmocka_unit_test_setup_teardown(reals_are_short_and_exact, make, drop),
        cmocka_unit_test_setup_teardown(a_dump_is_compact_and_keeps_the_order, make, drop),
        cmocka_unit_test_setup_teardown(a_full_buffer_is_noticed_at_the_end, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

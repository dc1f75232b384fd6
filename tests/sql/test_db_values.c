#include "tests/sql/fixture.h"

static const struct fan_query q_scalars = {
    .name = "scalars",
    .sql = "SELECT $1, $2, $3, $4, $5, $6, $7, $8",
};
static const struct fan_query q_arrays = {
    .name = "arrays",
    .sql = "SELECT $1, $2, $3, $4, $5, cardinality($1), cardinality($4)",
};
static const struct fan_query q_as_text = {
    .name = "as_text",
    .sql = "SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text",
};
static const struct fan_query q_infinite = {
    .name = "infinite",
    .sql = "SELECT $1, $2, $1 = 'infinity', $2 = '-infinity'",
};
static const struct fan_query q_json = {
    .name = "json",
    .sql = "SELECT $1::text::jsonb, $1::text::json, $1::text::jsonb ->> 'a'",
};
static const struct fan_query q_plus = { .name = "plus", .sql = "SELECT ($1 + 1)::bigint" };
static const struct fan_query q_echo = { .name = "echo", .sql = "SELECT $1" };
static const struct fan_query q_length = { .name = "length", .sql = "SELECT octet_length($1)" };

static void assert_text(const struct fan_rows *rows, int column, const char *expected)
{
    struct fan_bytes text = fan_row_text(rows, 0, column);

    assert_true(fan_bytes_eq_text(text, expected));
}

static void every_scalar_comes_back(void **state)
{
    struct fixture *f = *state;
    struct fan_args *args = fresh_args(f);

    fan_arg_i64(args, INT64_MIN);
    fan_arg_i32(args, INT32_MAX);
    fan_arg_i16(args, -2);
    fan_arg_bool(args, true);
    fan_arg_real(args, -0.5);
    fan_arg_time(args, INT64_C(1795157000123456));
    fan_arg_text(args, FAN_LIT("Grüße, 世界"));
    fan_arg_bytea(args, FAN_LIT("\0\xff\0"));
    assert_int_equal(run(f, &q_scalars), FAN_OK);
    assert_int_equal(f->rows.count, 1);
    assert_int_equal(fan_row_i64(&f->rows, 0, 0), INT64_MIN);
    assert_int_equal(fan_row_i64(&f->rows, 0, 1), INT32_MAX);
    assert_int_equal(fan_row_i64(&f->rows, 0, 2), -2);
    assert_true(fan_row_bool(&f->rows, 0, 3));
    assert_true(fan_row_real(&f->rows, 0, 4) == -0.5);
    assert_int_equal(fan_row_time(&f->rows, 0, 5), INT64_C(1795157000123456));
    assert_text(&f->rows, 6, "Grüße, 世界");
    assert_true(fan_bytes_eq(fan_row_text(&f->rows, 0, 7), FAN_LIT("\0\xff\0")));
}

static void the_server_reads_the_values_we_mean(void **state)
{
    struct fixture *f = *state;
    const int64_t ids[] = { 1, -2 };
    const struct fan_bytes words[] = { FAN_LIT("a b"), FAN_NO_BYTES, FAN_LIT("") };
    struct fan_args *args = fresh_args(f);

    fan_arg_i64(args, -7);
    fan_arg_real(args, 2.25);
    fan_arg_time(args, INT64_C(1763620934123456));
    fan_arg_i64s(args, ids, 2);
    fan_arg_texts(args, words, 3);
    fan_arg_bytea(args, FAN_LIT("\x01\xfe"));
    assert_int_equal(run(f, &q_as_text), FAN_OK);
    assert_text(&f->rows, 0, "-7");
    assert_text(&f->rows, 1, "2.25");
    assert_text(&f->rows, 2, "2025-11-20 06:42:14.123456+00");
    assert_text(&f->rows, 3, "{1,-2}");
    assert_text(&f->rows, 4, "{\"a b\",NULL,\"\"}");
    assert_text(&f->rows, 5, "\\x01fe");
}

static void nulls_are_zero_or_absent(void **state)
{
    struct fixture *f = *state;
    struct fan_args *args = fresh_args(f);

    fan_arg_i64_or_null(args, 0);
    fan_arg_i32(args, 0);
    fan_arg_null(args);
    fan_arg_bool(args, false);
    fan_arg_real(args, 0);
    fan_arg_time(args, 0);
    fan_arg_text(args, FAN_NO_BYTES);
    fan_arg_bytea(args, FAN_NO_BYTES);
    assert_int_equal(run(f, &q_scalars), FAN_OK);
    for (int column = 0; column < 8; column++) {
        bool given = column == 1 || column == 3 || column == 4;
        assert_int_equal(fan_row_null(&f->rows, 0, column), !given);
    }
    assert_int_equal(fan_row_i64(&f->rows, 0, 0), 0);
    assert_int_equal(fan_row_time(&f->rows, 0, 5), 0);
    assert_null(fan_row_text(&f->rows, 0, 6).at);
    assert_null(fan_row_text(&f->rows, 0, 7).at);
}

static void empty_is_not_null(void **state)
{
    struct fixture *f = *state;
    struct fan_args *args = fresh_args(f);

    fan_arg_i64s(args, NULL, 0);
    fan_arg_i32s(args, NULL, 0);
    fan_arg_i16s(args, NULL, 0);
    fan_arg_texts(args, NULL, 0);
    fan_arg_byteas(args, NULL, 0);
    assert_int_equal(run(f, &q_arrays), FAN_OK);
    for (int column = 0; column < 5; column++)
        assert_false(fan_row_null(&f->rows, 0, column));
    assert_int_equal(fan_row_i64s(&f->rows, 0, 0, f->arena).len, 0);
    assert_int_equal(fan_row_i64s(&f->rows, 0, 2, f->arena).len, 0);
    assert_int_equal(fan_row_texts(&f->rows, 0, 3, f->arena).len, 0);
    assert_int_equal(fan_row_i64(&f->rows, 0, 5), 0);
}

static void arrays_of_every_type_come_back(void **state)
{
    struct fixture *f = *state;
    const int64_t longs[] = { INT64_MIN, -1, 0, INT64_MAX };
    const int32_t ints[] = { INT32_MIN, 7 };
    const int16_t shorts[] = { INT16_MIN, INT16_MAX };
    const struct fan_bytes texts[] = { FAN_LIT("é"), FAN_LIT(""), FAN_NO_BYTES, FAN_LIT("z") };
    const struct fan_bytes blobs[] = { FAN_LIT("\0x") };
    struct fan_args *args = fresh_args(f);
    struct fan_ids ids;
    struct fan_texts words;

    fan_arg_i64s(args, longs, 4);
    fan_arg_i32s(args, ints, 2);
    fan_arg_i16s(args, shorts, 2);
    fan_arg_texts(args, texts, 4);
    fan_arg_byteas(args, blobs, 1);
    assert_int_equal(run(f, &q_arrays), FAN_OK);
    ids = fan_row_i64s(&f->rows, 0, 0, f->arena);
    assert_int_equal(ids.len, 4);
    assert_memory_equal(ids.at, longs, sizeof longs);
    ids = fan_row_i64s(&f->rows, 0, 1, f->arena);
    assert_int_equal(ids.at[0], INT32_MIN);
    ids = fan_row_i64s(&f->rows, 0, 2, f->arena);
    assert_int_equal(ids.at[0], INT16_MIN);
    assert_int_equal(ids.at[1], INT16_MAX);
    words = fan_row_texts(&f->rows, 0, 3, f->arena);
    assert_int_equal(words.len, 4);
    for (size_t i = 0; i < words.len; i++) {
        assert_true(fan_bytes_eq(words.at[i], texts[i]));
        assert_int_equal(words.at[i].at == NULL, texts[i].at == NULL);
    }
    words = fan_row_texts(&f->rows, 0, 4, f->arena);
    assert_true(fan_bytes_eq(words.at[0], blobs[0]));
}

static void a_long_array_comes_back(void **state)
{
    enum { COUNT = 100000 };
    struct fixture *f = *state;
    int64_t *longs = fan_arena_array(f->arena, COUNT, sizeof *longs);
    struct fan_args *args = fresh_args(f);
    struct fan_ids ids;

    for (int i = 0; i < COUNT; i++)
        longs[i] = (int64_t)i * 1000003;
    fan_arg_i64s(args, longs, COUNT);
    fan_arg_i32s(args, NULL, 0);
    fan_arg_i16s(args, NULL, 0);
    fan_arg_texts(args, NULL, 0);
    fan_arg_byteas(args, NULL, 0);
    assert_int_equal(run(f, &q_arrays), FAN_OK);
    ids = fan_row_i64s(&f->rows, 0, 0, f->arena);
    assert_int_equal(ids.len, COUNT);
    assert_memory_equal(ids.at, longs, COUNT * sizeof *longs);
}

static void a_long_text_arrives_whole(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    struct fixture *f = *state;
    char *text = fan_arena_alloc(f->arena, SIZE);

    memset(text, 'x', SIZE);
    fan_arg_text(fresh_args(f), (struct fan_bytes){ text, SIZE });
    assert_int_equal(run(f, &q_length), FAN_OK);
    assert_int_equal(fan_row_i64(&f->rows, 0, 0), SIZE);
}

static void infinity_goes_both_ways(void **state)
{
    struct fixture *f = *state;
    struct fan_args *args = fresh_args(f);

    fan_arg_time(args, INT64_MAX);
    fan_arg_time(args, INT64_MIN);
    assert_int_equal(run(f, &q_infinite), FAN_OK);
    assert_int_equal(fan_row_time(&f->rows, 0, 0), INT64_MAX);
    assert_int_equal(fan_row_time(&f->rows, 0, 1), INT64_MIN);
    assert_true(fan_row_bool(&f->rows, 0, 2));
    assert_true(fan_row_bool(&f->rows, 0, 3));
}

static void json_is_read_as_its_text(void **state)
{
    struct fixture *f = *state;

    fan_arg_text(fresh_args(f), FAN_LIT("{\"a\": \"b\"}"));
    assert_int_equal(run(f, &q_json), FAN_OK);
    assert_text(&f->rows, 0, "{\"a\": \"b\"}");
    assert_text(&f->rows, 1, "{\"a\": \"b\"}");
    assert_text(&f->rows, 2, "b");
}

static void one_query_takes_parameters_of_several_types(void **state)
{
    struct fixture *f = *state;

    fan_arg_null(fresh_args(f));
    assert_int_equal(run(f, &q_plus), FAN_OK);
    assert_true(fan_row_null(&f->rows, 0, 0));
    fan_arg_i64(fresh_args(f), INT64_C(1) << 40);
    assert_int_equal(run(f, &q_plus), FAN_OK);
    assert_int_equal(fan_row_i64(&f->rows, 0, 0), (INT64_C(1) << 40) + 1);
    fan_arg_i16(fresh_args(f), 4);
    assert_int_equal(run(f, &q_plus), FAN_OK);
    assert_int_equal(fan_row_i64(&f->rows, 0, 0), 5);
    fan_arg_null(fresh_args(f));
    assert_int_equal(run(f, &q_plus), FAN_OK);
    assert_true(fan_row_null(&f->rows, 0, 0));
}

static void a_value_may_change_once_it_was_passed(void **state)
{
    struct fixture *f = *state;
    char text[] = "before";

    fan_arg_text(fresh_args(f), fan_bytes_of(text));
    memcpy(text, "after!", 6);
    assert_int_equal(run(f, &q_echo), FAN_OK);
    assert_text(&f->rows, 0, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scalar_comes_back),
        cmocka_unit_test(the_server_reads_the_values_we_mean),
        cmocka_unit_test(nulls_are_zero_or_absent),
        cmocka_unit_test(empty_is_not_null),
        cmocka_unit_test(arrays_of_every_type_come_back),
        cmocka_unit_test(a_long_array_comes_back),
        cmocka_unit_test(a_long_text_arrives_whole),
        cmocka_unit_test(infinity_goes_both_ways),
        cmocka_unit_test(json_is_read_as_its_text),
        cmocka_unit_test(one_query_takes_parameters_of_several_types),
        cmocka_unit_test(a_value_may_change_once_it_was_passed),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}

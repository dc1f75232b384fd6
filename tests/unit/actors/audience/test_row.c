/* actors/audience/row.c */
#include "actors/audience/row.h"
#include "proto/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

enum { COLUMNS = 10 };

static const struct fan_bytes mapping[COLUMNS] = { FAN_LIT("external_id"), FAN_LIT("phone"),
    FAN_LIT("email"), FAN_LIT("first_name"), FAN_LIT("country"), FAN_LIT("tags"), FAN_LIT("city"),
    FAN_LIT(""), FAN_LIT("vip"), FAN_LIT("time_zone") };

struct reading {
    struct row_plan plan;
    struct row row;
    bool taken;
    struct row_errors errors;
};

static bool on_record(void *context, const struct fan_csv_record *record)
{
    struct reading *reading = context;

    reading->taken = row_read(&reading->plan, record, &reading->row, &reading->errors);
    return true;
}

static void read_line(struct reading *out, const char *line, struct fan_arena *arena)
{
    const struct fan_import_held import = {
        .default_country = FAN_LIT("US"),
        .delimiter = FAN_LIT(","),
        .columns = COLUMNS,
        .mapping = { mapping, COLUMNS },
    };
    struct fan_csv *csv = fan_csv_new(',', on_record, out);
    struct fan_why why;

    *out = (struct reading){ 0 };
    row_plan_init(&out->plan, &import, arena);
    fan_csv_begin_at(csv, 41);
    assert_int_equal(fan_csv_feed(csv, fan_bytes_of(line), &why), FAN_OK);
    assert_int_equal(fan_csv_end(csv, &why), FAN_OK);
    fan_csv_free(&csv);
}

/* What was wrong, in one line: "phone" for a warning, "phone!" for a reason to reject. */
static struct fan_bytes faults(const struct reading *reading, struct fan_arena *arena)
{
    char *text = fan_arena_printf(arena, "%s", "");

    for (size_t i = 0; i < reading->errors.len; i++)
        text = fan_arena_printf(arena, "%s%s%.*s%s", text, i ? " " : "",
                FAN_BYTES_ARG(reading->errors.at[i].field),
                reading->errors.at[i].warning ? "" : "!");
    return fan_bytes_of(text);
}

/* external_id,phone,email,first_name,country,tags,city,(left out),vip,time_zone */
static const struct {
    const char *line;
    bool taken;
    const char *phone, *email, *faults;
} cases[] = {
    { "a1,(415) 555-2671,ann@Example.COM,Ann,,,,,,", true, "+14155552671", "ann@example.com", "" },
    { "a1,9820123456,,Ann,IN,,,,,", true, "+919820123456", NULL, "" },
    { "a1,9820123456,,Ann,in,,,,,", true, "+919820123456", NULL, "" },
    { "a1,+49 151 23456789,,,IN,,,,,", true, "+4915123456789", NULL, "" },
    { "a1,(415) 555-2671,,,Germany,,,,,", true, "+14155552671", NULL, "" },
    { "a1,(415) 555-2671,,,XX,,,,,", true, "+14155552671", NULL, "" },
    { ",12,ann@example.com,,,,,,,", true, NULL, "ann@example.com", "phone" },
    { ",+14155552671,nobody,,,,,,,", true, "+14155552671", NULL, "email" },
    { "a1,12,nobody,,,,,,,", true, NULL, NULL, "phone email" },
    { ",12,nobody,Ann,,,,,,", false, NULL, NULL, "phone! email!" },
    { ",,,Ann,,,,,,", false, NULL, NULL, "!" },
    { " , ,  ,Ann,,,,,,", false, NULL, NULL, "!" },
    { "a1,+14155552671,ann@example.com", false, NULL, NULL, "!" },
    { "a1,,,,,,,,,,", false, NULL, NULL, "!" },
    { "a1,\"un\"balanced\",,,,,,,,", false, NULL, NULL, "!" },
    { "a\xff,,,,,,,,,", false, NULL, NULL, "!" },
};

static void rows_are_taken_repaired_or_rejected(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fan_arena *arena = fan_arena_new();
        struct reading reading;

        read_line(&reading, cases[i].line, arena);
        if (reading.taken != cases[i].taken ||
                !fan_bytes_eq_text(faults(&reading, arena), cases[i].faults))
            fail_msg("%s: %d, faults \"%.*s\"", cases[i].line, reading.taken,
                    FAN_BYTES_ARG(faults(&reading, arena)));
        if (cases[i].taken) {
            assert_true(fan_bytes_eq(reading.row.columns[FAN_COLUMN_PHONE],
                    fan_bytes_of(cases[i].phone)));
            assert_true(fan_bytes_eq(reading.row.columns[FAN_COLUMN_EMAIL],
                    fan_bytes_of(cases[i].email)));
        }
        fan_arena_free(&arena);
    }
}

static void cells_go_where_the_mapping_says(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct reading reading;

    read_line(&reading, " a1 ,,,\" Ann \",de,\"x; y\",Köln,secret,yes,Europe/Berlin", arena);
    assert_true(reading.taken);
    assert_true(fan_bytes_eq_text(reading.row.columns[FAN_COLUMN_EXTERNAL_ID], "a1"));
    assert_true(fan_bytes_eq_text(reading.row.columns[FAN_COLUMN_FIRST_NAME], "Ann"));
    assert_true(fan_bytes_eq_text(reading.row.columns[FAN_COLUMN_COUNTRY], "DE"));
    assert_true(fan_bytes_eq_text(reading.row.columns[FAN_COLUMN_TIME_ZONE], "Europe/Berlin"));
    assert_true(fan_bytes_eq_text(reading.row.tags, "x; y"));
    assert_int_equal(reading.plan.attributes.len, 2);
    assert_true(fan_bytes_eq_text(reading.plan.attributes.at[1], "vip"));
    assert_true(fan_bytes_eq_text(reading.row.attributes[0], "Köln"));
    assert_true(fan_bytes_eq_text(reading.row.attributes[1], "yes"));
    fan_arena_free(&arena);
}

static void what_was_wrong_is_told_with_line_and_record(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct reading reading;

    read_line(&reading, "\n,12,,\"Lee, \"\"Ann\"\"\",,,,,,", arena);
    assert_false(reading.taken);
    assert_int_equal(reading.errors.len, 1);
    assert_int_equal(reading.errors.at[0].line, 42);
    assert_true(fan_bytes_eq_text(reading.errors.at[0].record, ",12,,\"Lee, \"\"Ann\"\"\",,,,,,"));
    fan_arena_free(&arena);
}

static void cells_that_no_column_holds_are_left_out(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct reading reading;
    struct fan_buffer line;

    fan_buffer_init(&line, 4096);
    for (int i = 0; i < 256; i++)
        fan_buffer_add_char(&line, 'x');
    fan_buffer_add_text(&line, ",+14155552671,,");
    for (int i = 0; i < 1025; i++)
        fan_buffer_add_char(&line, 'y');
    fan_buffer_add_text(&line, ",,,,,,");
    fan_buffer_add(&line, "", 1);
    read_line(&reading, line.at, arena);
    assert_true(reading.taken);
    assert_true(fan_bytes_eq_text(faults(&reading, arena), "external_id first_name"));
    assert_null(reading.row.columns[FAN_COLUMN_EXTERNAL_ID].at);
    assert_null(reading.row.columns[FAN_COLUMN_FIRST_NAME].at);
    fan_buffer_fini(&line);
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_taken_repaired_or_rejected),
        cmocka_unit_test(cells_go_where_the_mapping_says),
        cmocka_unit_test(what_was_wrong_is_told_with_line_and_record),
        cmocka_unit_test(cells_that_no_column_holds_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

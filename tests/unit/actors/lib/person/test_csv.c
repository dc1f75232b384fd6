/* actors/lib/person/csv.c and csv_split.c; tests/fuzz/fuzz_csv.c compares the two. */
#include "actors/lib/person/csv.h"
#include "proto/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- reading ---- */

struct notes {
    struct fan_buffer text; /* a line a record: "line|cell|cell" or "line! error" */
    int stop_after;         /* records; 0: never */
};

static bool note(void *context, const struct fan_csv_record *record)
{
    struct notes *notes = context;

    fan_buffer_printf(&notes->text, "%llu", (unsigned long long)record->line);
    if (record->error)
        fan_buffer_printf(&notes->text, "! %s", record->error);
    for (size_t i = 0; i < record->count && !record->error; i++)
        fan_buffer_printf(&notes->text, "|%.*s", FAN_BYTES_ARG(record->fields[i]));
    fan_buffer_add_char(&notes->text, '\n');
    return notes->stop_after == 0 || --notes->stop_after > 0;
}

static enum fan_err read_text(struct fan_bytes text, struct notes *notes, struct fan_why *why)
{
    struct fan_csv *csv = fan_csv_new(0, note, notes);
    enum fan_err err;

    fan_buffer_init(&notes->text, 1 << 24);
    err = fan_csv_feed(csv, text, why);
    if (!err)
        err = fan_csv_end(csv, why);
    fan_csv_free(&csv);
    return err;
}

static void expect(struct fan_bytes text, const char *records)
{
    struct notes notes = { .stop_after = 0 };
    struct fan_why why;

    assert_int_equal(read_text(text, &notes, &why), FAN_OK);
    fan_buffer_add_char(&notes.text, '\0');
    assert_string_equal(notes.text.at, records);
    fan_buffer_fini(&notes.text);
}

static void cells_are_told_apart(void **state)
{
    expect(FAN_LIT("a,b\n1,2\n"), "1|a|b\n2|1|2\n");
    expect(FAN_LIT("a,b\n\"1,5\",\"say \"\"hi\"\"\"\n,\n"), "1|a|b\n2|1,5|say \"hi\"\n3||\n");
    expect(FAN_LIT("a,b\n1"), "1|a|b\n2|1\n");
    expect(FAN_LIT("  a , b\n \"x\" ,y\n"), "1|a|b\n2|x|y\n");
    expect(FAN_LIT(""), "");
    expect(FAN_LIT("\n\n  \n"), "");
}

static void a_spreadsheets_ways_are_known(void **state)
{
    expect(FAN_LIT("\xef\xbb\xbf"
                   "a;b\r\n1;2,5\r\n"),
            "1|a|b\n2|1|2,5\n");
    expect(FAN_LIT("a\tb\r1\t2\r"), "1|a|b\n2|1|2\n");
    expect(FAN_LIT("\"a;b\",c\n"), "1|a;b|c\n");
    expect(FAN_LIT("alone\nx\n"), "1|alone\n2|x\n");
}

static void a_record_knows_the_line_that_it_begins_on(void **state)
{
    expect(FAN_LIT("a,b\r\n\r\n\"1\r\n2\",x\r\ny,z\r\n"), "1|a|b\n3|1\r\n2|x\n5|y|z\n");
}

#define STRAY \
    "a quote stands in the middle of a cell: such a cell needs quotes " \
    "around it, and each quote inside doubled"

static void a_spoilt_record_spoils_no_other(void **state)
{
    expect(FAN_LIT("a,b\n5\" pipe,1\nc,d\n"), "1|a|b\n2! " STRAY "\n3|c|d\n");
    expect(FAN_LIT("a,b\n\"x\"y,1\nc,d\n"), "1|a|b\n2! " STRAY "\n3|c|d\n");
    expect(FAN_LIT("a,b\n\"x\ny\"z,1\nc,d\n"), "1|a|b\n2! " STRAY "\n4|c|d\n");
    expect(FAN_LIT("a\n\xff\nb\n"),
            "1|a\n2! the text is not UTF-8: save the file as \"CSV UTF-8\"\n3|b\n");
    expect(FAN_LIT("a\n\"x"), "1|a\n2! the text ends inside quotes\n");
    expect(FAN_LIT("a\nx\"y"), "1|a\n2! " STRAY "\n");
}

/* Two records, with what @fill says between them. */
static void expect_of_filled(char fill, size_t count, const char *before, const char *after,
        const char *records)
{
    struct fan_buffer text;

    fan_buffer_init(&text, 1 << 24);
    fan_buffer_add_text(&text, before);
    for (size_t i = 0; i < count; i++)
        fan_buffer_add_char(&text, fill);
    fan_buffer_add_text(&text, after);
    expect(fan_buffer_bytes(&text), records);
    fan_buffer_fini(&text);
}

static void caps_are_told_and_kept(void **state)
{
    expect_of_filled(',', FAN_CSV_COLUMNS, "a\n", "\nb\n",
            "1|a\n2! there are more than 200 columns\n3|b\n");
    expect_of_filled('x', FAN_CSV_CELL + 1, "a\n", "\nb\n",
            "1|a\n2! a cell is longer than 64 KiB\n3|b\n");
    expect_of_filled('x', FAN_CSV_RECORD + 1, "a\n", "\nb\n",
            "1|a\n2! the line is longer than 1 MiB\n3|b\n");
    expect_of_filled('\n', FAN_CSV_RECORD, "a,b\n\"x", "\nb,c\n",
            "1|a|b\n2! a quote that opens a cell does not close within 1 MiB: "
            "lines 2 to 1048576 are lost\n"
            "1048579|b|c\n");
}

static void utf16_is_named(void **state)
{
    struct notes notes = { .stop_after = 0 };
    struct fan_why why;

    assert_int_equal(read_text(FAN_LIT("\xff\xfe"
                                       "a\0,\0"),
                             &notes, &why),
            FAN_INVALID);
    assert_string_equal(why.text, "the file is UTF-16: save it as \"CSV UTF-8\"");
    fan_buffer_fini(&notes.text);
}

static void a_reader_can_be_stopped(void **state)
{
    struct notes notes = { .stop_after = 2 };

    assert_int_equal(read_text(FAN_LIT("a\nb\nc\nd"), &notes, NULL), FAN_CONFLICT);
    assert_true(fan_bytes_eq_text(fan_buffer_bytes(&notes.text), "1|a\n2|b\n"));
    fan_buffer_fini(&notes.text);
}

/* ---- cutting ---- */

static bool note_block(void *context, const struct fan_csv_block *block)
{
    struct fan_buffer *text = context;

    fan_buffer_printf(text, "[%llu %c %.*s>", (unsigned long long)block->line, block->delimiter,
            FAN_BYTES_ARG(block->header));
    fan_buffer_add_bytes(text, block->bytes);
    fan_buffer_add_char(text, ']');
    return true;
}

static void expect_blocks(const char *text, size_t size, const char *blocks)
{
    for (size_t step = 1; step < strlen(text) + 2; step++) {
        struct fan_buffer got;
        struct fan_csv_splitter *splitter = fan_csv_splitter_new(size, note_block, &got);

        fan_buffer_init(&got, 1 << 20);
        for (size_t at = 0; at < strlen(text); at += step)
            assert_int_equal(fan_csv_split(splitter,
                                     (struct fan_bytes){ text + at, strnlen(text + at, step) },
                                     NULL),
                    FAN_OK);
        assert_int_equal(fan_csv_split_end(splitter, NULL), FAN_OK);
        fan_buffer_add_char(&got, '\0');
        assert_string_equal(got.at, blocks);
        fan_buffer_fini(&got);
        fan_csv_splitter_free(&splitter);
    }
}

static void blocks_end_with_a_record(void **state)
{
    expect_blocks("h;i\n1;2\n3;4\n5;6\n", 5, "[2 ; h;i\n>1;2\n3;4\n][4 ; h;i\n>5;6\n]");
    expect_blocks("h,i\r\n1,2\r\n3,4\r\n", 1, "[2 , h,i\r\n>1,2\r\n][3 , h,i\r\n>3,4\r\n]");
    expect_blocks("h,i\n\"1\n2\",3\nx,y", 1, "[2 , h,i\n>\"1\n2\",3\n][4 , h,i\n>x,y]");
    expect_blocks("h,i\na\"b\n\"c\n\",d\n", 1, "[2 , h,i\n>a\"b\n][3 , h,i\n>\"c\n\",d\n]");
    expect_blocks("\n\xef\xbb\xbfh\n1\n", 1,
            "[3 , \xef\xbb\xbfh\n>1\n]"); /* a mark leads, or is none */
    expect_blocks("\xef\xbb\xbfh\n1\n", 1, "[2 , h\n>1\n]");
    expect_blocks("h\n", 1, "");
}

static void a_text_without_a_header_is_refused(void **state)
{
    struct fan_buffer got;
    struct fan_csv_splitter *splitter = fan_csv_splitter_new(0, note_block, &got);

    assert_int_equal(fan_csv_split(splitter, FAN_LIT("\n \r\n"), NULL), FAN_OK);
    assert_int_equal(fan_csv_split_end(splitter, NULL), FAN_INVALID);
    fan_csv_splitter_free(&splitter);
}

static void an_endless_header_is_refused(void **state)
{
    struct fan_csv_splitter *splitter = fan_csv_splitter_new(0, note_block, NULL);
    char *piece = test_calloc(1, FAN_CSV_RECORD);
    enum fan_err err = FAN_OK;

    memset(piece, 'x', FAN_CSV_RECORD);
    for (int i = 0; i < 3 && !err; i++)
        err = fan_csv_split(splitter, (struct fan_bytes){ piece, FAN_CSV_RECORD }, NULL);
    assert_int_equal(err, FAN_TOO_LARGE);
    fan_csv_splitter_free(&splitter);
    test_free(piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_told_apart),
        cmocka_unit_test(a_spreadsheets_ways_are_known),
        cmocka_unit_test(a_record_knows_the_line_that_it_begins_on),
        cmocka_unit_test(a_spoilt_record_spoils_no_other),
        cmocka_unit_test(caps_are_told_and_kept),
        cmocka_unit_test(utf16_is_named),
        cmocka_unit_test(a_reader_can_be_stopped),
        cmocka_unit_test(blocks_end_with_a_record),
        cmocka_unit_test(a_text_without_a_header_is_refused),
        cmocka_unit_test(an_endless_header_is_refused),
    };

    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}

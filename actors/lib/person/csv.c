/*
 * libcsv tells cells apart; it gets one line at a time, so that a record's line is known, and so
 * that after a stray quote reading can go on with the next line.
 */
#include "actors/lib/person/csv.h"

#include "actors/lib/person/csv_head.h"
#include "proto/buffer.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>

struct cell {
    size_t at, len; /* in the buffer of cells */
};

struct fan_csv {
    struct fan_csv_head head;
    struct csv_parser parser;
    bool parser_ready;
    fan_csv_fn *fn;
    void *context;
    struct fan_csv_lines lines;
    uint64_t begins;   /* line of the record that is being read */
    size_t record_len; /* bytes of it so far */
    bool begun;        /* something of it was read */
    bool skipping;     /* it is spoilt: its line's rest does not count */
    bool stopped;      /* by the callback */
    const char *error; /* of the record; NULL: fine */
    char error_text[160];
    struct fan_buffer cells;
    struct cell spans[FAN_CSV_COLUMNS];
    struct fan_bytes fields[FAN_CSV_COLUMNS];
    size_t count;
};

static void start_parser(struct fan_csv *csv)
{
    if (csv->parser_ready)
        csv_free(&csv->parser);
    if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        fan_die("out of memory: a CSV reader");
    csv_set_delim(&csv->parser, (unsigned char)csv->head.delimiter);
    csv_set_blk_size(&csv->parser, 4096);
    csv->parser_ready = true;
}

struct fan_csv *fan_csv_new(char delimiter, fan_csv_fn *fn, void *context)
{
    struct fan_csv *csv = calloc(1, sizeof(*csv));

    if (!csv)
        fan_die("out of memory: a CSV reader");
    fan_csv_head_init(&csv->head, delimiter);
    fan_buffer_init(&csv->cells, 2 * FAN_CSV_RECORD);
    csv->fn = fn;
    csv->context = context;
    csv->lines.line = 1;
    return csv;
}

void fan_csv_free(struct fan_csv **csv)
{
    struct fan_csv *old = *csv;

    if (!old)
        return;
    if (old->parser_ready)
        csv_free(&old->parser);
    fan_csv_head_fini(&old->head);
    fan_buffer_fini(&old->cells);
    free(old);
    *csv = NULL;
}

void fan_csv_begin_at(struct fan_csv *csv, uint64_t line)
{
    csv->lines.line = line;
    if (line > 1 && csv->head.delimiter)
        csv->head.done = true; /* a byte order mark stands at the beginning only */
}

char fan_csv_delimiter(const struct fan_csv *csv)
{
    return csv->head.done ? csv->head.delimiter : 0;
}

/* ---- records ---- */

static void spoil(struct fan_csv *csv, const char *error)
{
    if (!csv->error)
        csv->error = error;
}

static void on_cell(void *at, size_t len, void *context)
{
    struct fan_csv *csv = context;
    struct fan_bytes text = { at, len };

    csv->begun = true;
    if (csv->count == FAN_CSV_COLUMNS) {
        spoil(csv, "there are more than 200 columns");
        return;
    }
    if (len > FAN_CSV_CELL)
        spoil(csv, "a cell is longer than 64 KiB");
    else if (!fan_bytes_utf8(text))
        spoil(csv, "the text is not UTF-8: save the file as \"CSV UTF-8\"");
    csv->spans[csv->count++] = (struct cell){ csv->cells.len, len };
    fan_buffer_add_bytes(&csv->cells, text);
}

static void tell_record(struct fan_csv *csv)
{
    struct fan_bytes cells = fan_buffer_bytes(&csv->cells);
    struct fan_csv_record record = { csv->begins, csv->fields, csv->count, csv->error };

    for (size_t i = 0; i < csv->count; i++)
        csv->fields[i] = (struct fan_bytes){ cells.at + csv->spans[i].at, csv->spans[i].len };
    if (!csv->stopped && !csv->fn(csv->context, &record))
        csv->stopped = true;
}

/* The record ended, or there was none: the next one may begin. */
static void clear_record(struct fan_csv *csv)
{
    fan_buffer_clear(&csv->cells);
    csv->count = 0;
    csv->record_len = 0;
    csv->error = NULL;
    csv->begun = false;
    csv->skipping = false;
}

static void on_record(int line_end, void *context)
{
    struct fan_csv *csv = context;

    (void)line_end;
    tell_record(csv);
    clear_record(csv);
}

/* ---- lines ---- */

/* The record is spoilt: leave out the rest of this line. */
static void skip(struct fan_csv *csv, const char *error)
{
    spoil(csv, error);
    csv->begun = true;
    csv->skipping = true;
    start_parser(csv);
}

static void skip_endless(struct fan_csv *csv, uint64_t line)
{
    csv->error = NULL; /* this one explains the others */
    if (line == csv->begins) {
        skip(csv, "the line is longer than 1 MiB");
        return;
    }
    snprintf(csv->error_text, sizeof(csv->error_text),
            "a quote that opens a cell does not close within 1 MiB: lines %llu to %llu are lost",
            (unsigned long long)csv->begins, (unsigned long long)line);
    skip(csv, csv->error_text);
}

/* Read a line, or a part of it. */
static void read_part(struct fan_csv *csv, struct fan_bytes part, uint64_t line)
{
    size_t room = FAN_CSV_RECORD - csv->record_len;
    size_t len = part.len < room ? part.len : room;

    if (!csv->begun) {
        csv->begins = line;
        csv->begun = fan_bytes_trim(part).len > 0;
    }
    if (csv->skipping)
        return;
    csv->record_len += len;
    if (csv_parse(&csv->parser, part.at, len, on_cell, on_record, csv) < len)
        skip(csv,
                "a quote stands in the middle of a cell: such a cell needs quotes around it, "
                "and each quote inside doubled");
    else if (len < part.len)
        skip_endless(csv, line);
}

static void end_line(struct fan_csv *csv)
{
    if (csv->skipping)
        on_record('\n', csv);
    else if (!csv->begun)
        clear_record(csv);
    /* else a line break within quotes, or a record that libcsv has told */
}

static void read_text(struct fan_csv *csv, struct fan_bytes text)
{
    size_t from = 0;
    uint64_t line = csv->lines.line;

    for (size_t i = 0; i < text.len && !csv->stopped; i++) {
        if (!fan_csv_lines_step(&csv->lines, text.at[i]))
            continue;
        read_part(csv, (struct fan_bytes){ text.at + from, i + 1 - from }, line);
        end_line(csv);
        from = i + 1;
        line = csv->lines.line;
    }
    if (from < text.len && !csv->stopped)
        read_part(csv, (struct fan_bytes){ text.at + from, text.len - from }, line);
}

static enum fan_err feed(struct fan_csv *csv, struct fan_bytes piece, bool last,
        struct fan_why *why)
{
    struct fan_bytes text;
    enum fan_err err = fan_csv_head_take(&csv->head, piece, last, &text, why);

    if (err)
        return err;
    if (csv->head.done && !csv->parser_ready)
        start_parser(csv);
    read_text(csv, text);
    return csv->stopped ? fan_fail(why, FAN_CONFLICT, "reading was stopped") : FAN_OK;
}

enum fan_err fan_csv_feed(struct fan_csv *csv, struct fan_bytes piece, struct fan_why *why)
{
    return feed(csv, piece, false, why);
}

enum fan_err fan_csv_end(struct fan_csv *csv, struct fan_why *why)
{
    enum fan_err err = csv->head.done ? FAN_OK : feed(csv, FAN_NO_BYTES, true, why);

    if (err)
        return err;
    if (!csv->skipping && csv_fini(&csv->parser, on_cell, on_record, csv) != 0)
        skip(csv, "the text ends inside quotes");
    end_line(csv);
    return csv->stopped ? fan_fail(why, FAN_CONFLICT, "reading was stopped") : FAN_OK;
}

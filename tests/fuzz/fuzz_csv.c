/*
 * A text gives the same records, however it is cut: in one piece, in small pieces, and block by
 * block.
 */
#include "actors/lib/person/csv.h"
#include "proto/buffer.h"
#include "proto/err.h"

#include <stdint.h>

struct reading {
    struct fan_buffer records; /* what was told, one line a record */
    bool skip_first;           /* the header */
};

static bool note(void *context, const struct fan_csv_record *record)
{
    struct reading *reading = context;

    if (reading->skip_first) {
        reading->skip_first = false;
        return true;
    }
    fan_buffer_printf(&reading->records, "%llu %s", (unsigned long long)record->line,
            record->error ? record->error : "");
    for (size_t i = 0; i < record->count; i++) {
        fan_buffer_add_char(&reading->records, '|');
        fan_buffer_add_bytes(&reading->records, record->fields[i]);
    }
    fan_buffer_add_char(&reading->records, '\n');
    return true;
}

/* Read @text in pieces of @step bytes. */
static bool read_all(struct fan_bytes text, char delimiter, uint64_t line, size_t step,
        struct reading *reading)
{
    struct fan_csv *csv = fan_csv_new(delimiter, note, reading);
    enum fan_err err = FAN_OK;

    fan_csv_begin_at(csv, line);
    for (size_t at = 0; at < text.len && !err; at += step) {
        size_t len = text.len - at < step ? text.len - at : step;
        err = fan_csv_feed(csv, (struct fan_bytes){ text.at + at, len }, NULL);
    }
    if (!err)
        err = fan_csv_end(csv, NULL);
    fan_csv_free(&csv);
    return !err;
}

static bool read_block(void *context, const struct fan_csv_block *block)
{
    return read_all(block->bytes, block->delimiter, block->line, block->bytes.len, context);
}

static bool read_blocks(struct fan_bytes text, size_t size, size_t step, struct reading *reading)
{
    struct fan_csv_splitter *splitter = fan_csv_splitter_new(size, read_block, reading);
    enum fan_err err = FAN_OK;

    for (size_t at = 0; at < text.len && !err; at += step) {
        size_t len = text.len - at < step ? text.len - at : step;
        err = fan_csv_split(splitter, (struct fan_bytes){ text.at + at, len }, NULL);
    }
    if (!err)
        err = fan_csv_split_end(splitter, NULL);
    fan_csv_splitter_free(&splitter);
    return !err;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_bytes text = { (const char *)at, len };
    struct reading whole = { .skip_first = true }, pieces = { .skip_first = true }, blocks = { 0 };
    size_t step = len > 0 ? at[0] % 7 + 1 : 1;

    fan_buffer_init(&whole.records, SIZE_MAX);
    fan_buffer_init(&pieces.records, SIZE_MAX);
    fan_buffer_init(&blocks.records, SIZE_MAX);
    if (read_all(text, 0, 1, len + 1, &whole)) {
        FAN_ASSERT(read_all(text, 0, 1, step, &pieces));
        FAN_ASSERT(fan_bytes_eq(fan_buffer_bytes(&whole.records),
                fan_buffer_bytes(&pieces.records)));
        if (read_blocks(text, step * 5, step, &blocks))
            FAN_ASSERT(fan_bytes_eq(fan_buffer_bytes(&whole.records),
                    fan_buffer_bytes(&blocks.records)));
    }
    fan_buffer_fini(&whole.records);
    fan_buffer_fini(&pieces.records);
    fan_buffer_fini(&blocks.records);
    return 0;
}

/*
 * Where records end, without looking at cells: the same states that libcsv goes through in its
 * strict mode, and the same way on after what is wrong, so that the blocks give the records that
 * the whole text would.
 */
#include "actors/lib/person/csv.h"
#include "actors/lib/person/csv_head.h"
#include "proto/buffer.h"

#include <stdlib.h>

enum state {
    CELL_START,
    PLAIN,      /* in a cell without quotes */
    QUOTED,     /* in a cell with quotes */
    QUOTE_SEEN, /* in such a cell, behind a quote: its end, or one of a pair */
    QUOTE_DONE, /* behind its end and white space */
    SPOILT,     /* behind a quote where none may stand: until the line ends */
};

struct fan_csv_splitter {
    struct fan_csv_head head;
    size_t size;
    fan_csv_block_fn *fn;
    void *context;
    struct fan_csv_lines lines;
    enum state state;
    size_t record_len; /* bytes of the record so far */
    bool begun;        /* there is more in it than line ends */
    bool header_done;
    bool full;       /* the block is to be cut here, if no LF belongs to its last CR */
    uint64_t begins; /* line that the block begins on */
    struct fan_buffer header, block;
};

struct fan_csv_splitter *fan_csv_splitter_new(size_t size, fan_csv_block_fn *fn, void *context)
{
    struct fan_csv_splitter *splitter = calloc(1, sizeof(*splitter));

    if (!splitter)
        fan_die("out of memory: a CSV splitter");
    splitter->size = size ? size : FAN_CSV_BLOCK;
    splitter->fn = fn;
    splitter->context = context;
    splitter->lines.line = 1;
    fan_csv_head_init(&splitter->head, 0);
    fan_buffer_init(&splitter->header, FAN_CSV_RECORD);
    fan_buffer_init(&splitter->block, SIZE_MAX);
    return splitter;
}

void fan_csv_splitter_free(struct fan_csv_splitter **splitter)
{
    struct fan_csv_splitter *old = *splitter;

    if (!old)
        return;
    fan_csv_head_fini(&old->head);
    fan_buffer_fini(&old->header);
    fan_buffer_fini(&old->block);
    free(old);
    *splitter = NULL;
}

static bool is_space(char c, char delimiter)
{
    return (c == ' ' || c == '\t') && c != delimiter;
}

/* The state behind @c, which ends no line. */
static enum state after(enum state state, char c, char delimiter)
{
    bool space = is_space(c, delimiter);

    switch (state) {
    case CELL_START:
        return c == delimiter || space ? CELL_START : c == '"' ? QUOTED : PLAIN;
    case PLAIN:
        return c == delimiter ? CELL_START : c == '"' ? SPOILT : PLAIN;
    case QUOTED:
        return c == '"' ? QUOTE_SEEN : QUOTED;
    case QUOTE_SEEN:
        if (c == '"')
            return QUOTED;
        /* fall through */
    case QUOTE_DONE:
        return c == delimiter ? CELL_START : space ? QUOTE_DONE : SPOILT;
    default:
        return SPOILT;
    }
}

static bool tell_block(struct fan_csv_splitter *splitter)
{
    struct fan_csv_block block = {
        .header = fan_buffer_bytes(&splitter->header),
        .bytes = fan_buffer_bytes(&splitter->block),
        .line = splitter->begins,
        .delimiter = splitter->head.delimiter,
    };
    bool go_on = block.bytes.len == 0 || splitter->fn(splitter->context, &block);

    fan_buffer_clear(&splitter->block);
    splitter->full = false;
    return go_on;
}

/* Take one character; true when a record ended with it. */
static bool step(struct fan_csv_splitter *splitter, char c)
{
    bool line_end = fan_csv_lines_step(&splitter->lines, c);

    if (splitter->record_len++ >= FAN_CSV_RECORD)
        splitter->state = SPOILT;
    if (!line_end) {
        splitter->state = after(splitter->state, c, splitter->head.delimiter);
        splitter->begun = splitter->begun || !is_space(c, splitter->head.delimiter);
        return false;
    }
    if (splitter->state == QUOTED)
        return false;
    splitter->state = CELL_START;
    splitter->record_len = 0;
    return true;
}

/* A record ended. The header may be preceded by empty lines, and blocks are cut when they have
 * their size. */
static void end_record(struct fan_csv_splitter *splitter)
{
    if (splitter->header_done)
        splitter->full = splitter->block.len >= splitter->size;
    else if (splitter->begun)
        splitter->header_done = true;
    else
        fan_buffer_clear(&splitter->header);
    splitter->begun = false;
}

static enum fan_err split_text(struct fan_csv_splitter *splitter, struct fan_bytes text,
        struct fan_why *why)
{
    for (size_t i = 0; i < text.len; i++) {
        bool completes = splitter->lines.after_cr && text.at[i] == '\n'; /* the line end before */
        bool in_block = splitter->header_done && !(completes && splitter->block.len == 0);

        if (splitter->full && !completes && !tell_block(splitter))
            return fan_fail(why, FAN_CONFLICT, "cutting was stopped");
        if (in_block && splitter->block.len == 0)
            splitter->begins = splitter->lines.line;
        fan_buffer_add_char(in_block ? &splitter->block : &splitter->header, text.at[i]);
        if (step(splitter, text.at[i]))
            end_record(splitter);
        if (splitter->header.overflowed)
            return fan_fail(why, FAN_TOO_LARGE,
                    "the line with the columns' names is longer than 1 MiB");
    }
    return FAN_OK;
}

enum fan_err fan_csv_split(struct fan_csv_splitter *splitter, struct fan_bytes piece,
        struct fan_why *why)
{
    struct fan_bytes text;
    enum fan_err err = fan_csv_head_take(&splitter->head, piece, false, &text, why);

    return err ? err : split_text(splitter, text, why);
}

enum fan_err fan_csv_split_end(struct fan_csv_splitter *splitter, struct fan_why *why)
{
    struct fan_bytes text = FAN_NO_BYTES;
    enum fan_err err = FAN_OK;

    if (!splitter->head.done)
        err = fan_csv_head_take(&splitter->head, FAN_NO_BYTES, true, &text, why);
    if (!err)
        err = split_text(splitter, text, why);
    if (err)
        return err;
    if (!splitter->header_done && !splitter->begun)
        return fan_fail(why, FAN_INVALID, "there is nothing in the file");
    return tell_block(splitter) ? FAN_OK : fan_fail(why, FAN_CONFLICT, "cutting was stopped");
}

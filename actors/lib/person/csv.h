/*
 * csv — contact lists as spreadsheets write them, read in pieces of any size, and cut into blocks
 * that can be read apart.
 *
 * source  RFC 4180, with what spreadsheets do: a byte order mark, semicolons or tabs, LF alone, a
 *         last line without an end
 */
#ifndef FAN_ACTORS_LIB_PERSON_CSV_H
#define FAN_ACTORS_LIB_PERSON_CSV_H

#include "proto/bytes.h"
#include "proto/err.h"

enum {
    FAN_CSV_COLUMNS = 200,        /* of a record */
    FAN_CSV_CELL = 64 * 1024,     /* bytes */
    FAN_CSV_RECORD = 1024 * 1024, /* bytes */
    FAN_CSV_BLOCK = 256 * 1024,   /* bytes a block has before it is cut */
};

/* A record. Borrowed during the callback. */
struct fan_csv_record {
    uint64_t line;                  /* of the text it begins on, from 1 */
    const struct fan_bytes *fields; /* fields[count]; quotes taken off */
    size_t count;
    const char *error; /* why it cannot be used, fields are then what was readable; NULL: fine */
};

/** Called for each record that is not an empty line; return false to stop. */
typedef bool fan_csv_fn(void *context, const struct fan_csv_record *record);

struct fan_csv;

/** A reader. delimiter  ',', ';' or tab; 0: whichever the first line has most of */
struct fan_csv *fan_csv_new(char delimiter, fan_csv_fn *fn, void *context);
void fan_csv_free(struct fan_csv **csv);

/**
 * Read a piece; the records that it completes are called for.
 *
 * What is wrong with a record (a stray quote, bad UTF-8, a cap) is told with it, and reading goes
 * on with the next line.
 *
 * fails  FAN_CONFLICT  the callback stopped it FAN_INVALID   this is no text in UTF-8 but in UTF-16
 */
enum fan_err fan_csv_feed(struct fan_csv *csv, struct fan_bytes piece,
        struct fan_why *why) FAN_MUST_CHECK;

/** The text ended: its last record may lack a line end. fails like fan_csv_feed */
enum fan_err fan_csv_end(struct fan_csv *csv, struct fan_why *why) FAN_MUST_CHECK;

/** The delimiter in use; 0 while the first line is not complete. */
char fan_csv_delimiter(const struct fan_csv *csv);

/** What comes is from the middle of a text, where it begins on @line. Before the first piece. */
void fan_csv_begin_at(struct fan_csv *csv, uint64_t line);

/*
 * Cutting a text that arrives in pieces into blocks that end with a record.
 *
 * The first record, which names the columns, is not part of any block: it is kept, to be read
 * before each of them (with fan_csv_begin_at and the same delimiter for the block itself).
 */
struct fan_csv_block {
    struct fan_bytes header; /* the first record with its line end, without byte order mark */
    struct fan_bytes bytes;  /* whole records */
    uint64_t line;           /* of the text that the block begins on, from 1 */
    char delimiter;
};

/** Called for each block, all borrowed; return false to stop. */
typedef bool fan_csv_block_fn(void *context, const struct fan_csv_block *block);

struct fan_csv_splitter;

/** size  bytes after which a block ends with the next record; 0: FAN_CSV_BLOCK */
struct fan_csv_splitter *fan_csv_splitter_new(size_t size, fan_csv_block_fn *fn, void *context);
void fan_csv_splitter_free(struct fan_csv_splitter **splitter);

/**
 * Take a piece of any size; the blocks that it completes are called for.
 *
 * fails  FAN_CONFLICT   the callback stopped it
 *        FAN_INVALID    this is no text in UTF-8 but in UTF-16
 *        FAN_TOO_LARGE  the first record is longer than FAN_CSV_RECORD
 */
enum fan_err fan_csv_split(struct fan_csv_splitter *splitter, struct fan_bytes piece,
        struct fan_why *why) FAN_MUST_CHECK;

/** The text ended: the last block. fails like fan_csv_split, FAN_INVALID also for an empty text */
enum fan_err fan_csv_split_end(struct fan_csv_splitter *splitter,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

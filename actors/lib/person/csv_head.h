/*
 * csv_head — the beginning of a CSV text: byte order mark and delimiter; and where its lines end.
 */
#ifndef FAN_ACTORS_LIB_PERSON_CSV_HEAD_H
#define FAN_ACTORS_LIB_PERSON_CSV_HEAD_H

#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/err.h"

struct fan_csv_head {
    char delimiter; /* 0: not known yet */
    bool done;
    struct fan_buffer held; /* what came before the delimiter was known */
};

void fan_csv_head_init(struct fan_csv_head *head, char delimiter);
void fan_csv_head_fini(struct fan_csv_head *head);

/**
 * Take a piece of the text.
 *
 * last   nothing comes behind it
 * out    what may be read now, without byte order mark; empty while the delimiter is not known.
 *        Borrowed from @piece or @head
 * fails  FAN_INVALID  this is UTF-16
 */
enum fan_err fan_csv_head_take(struct fan_csv_head *head, struct fan_bytes piece, bool last,
        struct fan_bytes *out, struct fan_why *why) FAN_MUST_CHECK;

/* Counts lines; a CR LF is one line end, also where a piece ends between the two. */
struct fan_csv_lines {
    uint64_t line; /* of what comes next, from 1 */
    bool after_cr;
};

/** Count the character @c; true when it ends a line, or completes the end of one. */
static inline bool fan_csv_lines_step(struct fan_csv_lines *lines, char c)
{
    bool ends = c == '\n' || c == '\r';

    if (ends && !(c == '\n' && lines->after_cr))
        lines->line++;
    lines->after_cr = c == '\r';
    return ends;
}

#endif

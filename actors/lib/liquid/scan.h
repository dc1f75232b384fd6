/*
 * scan — a template cut into texts, outputs and tags, white space control done.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_SCAN_H
#define FAN_ACTORS_LIB_LIQUID_SCAN_H

#include "proto/bytes.h"

enum fan_piece_type {
    FAN_PIECE_END,
    FAN_PIECE_TEXT,
    FAN_PIECE_OUTPUT, /* {{ text }} */
    FAN_PIECE_TAG,    /* {% name text %} */
    FAN_PIECE_BROKEN, /* not terminated, or a tag without a name */
};

struct fan_piece {
    enum fan_piece_type type;
    struct fan_bytes name; /* of a tag: a word, or # */
    struct fan_bytes text;
    uint32_t line; /* where it begins, from 1 */
};

struct fan_scan {
    struct fan_bytes rest;
    uint32_t line;
    bool trim;  /* the next text loses the white space at its front */
    bool lines; /* each line is a tag: inside {% liquid %} */
};

void fan_scan_begin(struct fan_scan *scan, struct fan_bytes source);
/** The inside of a liquid tag, whose text begins at @line. */
void fan_scan_begin_lines(struct fan_scan *scan, struct fan_bytes source, uint32_t line);
void fan_scan_next(struct fan_scan *scan, struct fan_piece *out);

/** Take everything up to the tag @end, and that tag; false: there is none. */
bool fan_scan_until(struct fan_scan *scan, const char *end, struct fan_bytes *before);

/** Pass over a comment's inside and its end; comments in it and raw count. */
bool fan_scan_comment(struct fan_scan *scan);

bool fan_scan_is_space(char c);
bool fan_scan_is_word(char c);
struct fan_bytes fan_scan_trim(struct fan_bytes text);

#endif

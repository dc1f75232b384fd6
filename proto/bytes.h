/*
 * bytes — borrowed text: a pointer and a length, not NUL-terminated.
 *
 * Whoever hands one out says how long it lives; most live as long as the turn's frame or arena.
 */
#ifndef FAN_PROTO_BYTES_H
#define FAN_PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fan_bytes {
    const char *at; /* NULL: absent, unlike empty */
    size_t len;
};

/* A list of borrowed texts, item[len]. */
struct fan_texts {
    const struct fan_bytes *at;
    size_t len;
};

/* A list of ids, item[len]. */
struct fan_ids {
    const int64_t *at;
    size_t len;
};

typedef int64_t fan_id; /* of a row; below 2^53 */

#define FAN_LIT(literal) ((struct fan_bytes){ .at = "" literal, .len = sizeof(literal) - 1 })
#define FAN_NO_BYTES ((struct fan_bytes){ .at = NULL, .len = 0 })

/* For printf: printf("%.*s", FAN_BYTES_ARG(text)) */
#define FAN_BYTES_ARG(bytes) (int)(bytes).len, (bytes).at ? (bytes).at : ""

struct fan_arena;

/** Borrow a C string; NULL gives absent bytes. */
struct fan_bytes fan_bytes_of(const char *text);

bool fan_bytes_eq(struct fan_bytes a, struct fan_bytes b);
bool fan_bytes_eq_text(struct fan_bytes a, const char *text);
/** Compare ASCII letters without case. */
bool fan_bytes_eq_nocase(struct fan_bytes a, struct fan_bytes b);
bool fan_bytes_starts(struct fan_bytes text, struct fan_bytes prefix);
bool fan_bytes_ends(struct fan_bytes text, struct fan_bytes suffix);

/** @text without white space (space, tab, CR, LF) at both ends. */
struct fan_bytes fan_bytes_trim(struct fan_bytes text);

/**
 * Split at the first @separator.
 *
 * before  what stands before it, or all of @text when there is none
 * Returns what stands behind it; absent when there is no separator.
 */
struct fan_bytes fan_bytes_split(struct fan_bytes text, char separator, struct fan_bytes *before);

/** Copy into @arena. */
struct fan_bytes fan_bytes_dup(struct fan_bytes text, struct fan_arena *arena);
/** Copy into @arena as a C string; absent bytes give "". */
char *fan_bytes_cstr(struct fan_bytes text, struct fan_arena *arena);

/** Read a whole decimal number; false when there is anything else in @text or it does not fit. */
bool fan_bytes_i64(struct fan_bytes text, int64_t *out);

/** Whether @text is well-formed UTF-8. */
bool fan_bytes_utf8(struct fan_bytes text);

/** Bytes of the first character of @text; 0 when it is empty or does not begin with well-formed
 * UTF-8. */
size_t fan_bytes_utf8_first(struct fan_bytes text);

#endif

/*
 * driver — what every provider driver would otherwise write again.
 *
 * Pure. Whatever is made goes into the arena that was given.
 */
#ifndef FAN_ACTORS_LIB_DRIVER_DRIVER_H
#define FAN_ACTORS_LIB_DRIVER_DRIVER_H

#include "actors/providers/provider.h"
#include "proto/buffer.h"

enum { FAN_REQUEST_CAP = 32 * 1024 * 1024 }; /* bytes of one request that a driver writes */

/* What one of a provider's codes means. Tables are sorted by meaning, not by number. */
struct fan_code_rule {
    int32_t first, last; /* codes; last 0: just the first */
    enum fan_outcome_class outcome;
    int what;         /* bits of enum fan_code_bit */
    uint32_t delay_s; /* retry: not before; 0: the retry policy decides */
};

enum fan_code_bit {
    FAN_CODE_SUPPRESS = 1,  /* the recipient must not be written to again */
    FAN_CODE_THROTTLED = 2, /* we are too fast */
    FAN_CODE_UNPROCESSED =
            4, /* documented as not processed, so that a 5xx with it may be repeated */
};

/** The rule of @code, or NULL. Rules end with outcome 0. */
const struct fan_code_rule *fan_code_find(const struct fan_code_rule *rules, int64_t code);

/** Class an answer by nothing but its HTTP status, or by how far the call came when there is none.
 */
void fan_outcome_by_status(const struct fan_response *response, struct fan_outcome *out);

/**
 * Class a refusal by the provider's own code, or by its HTTP status when @rules do not know the
 * code.
 *
 * A 5xx may have been processed all the same: only a rule that says otherwise makes it RETRY_LATER.
 */
void fan_outcome_by_code(const struct fan_code_rule *rules, int64_t code,
        const struct fan_response *response, struct fan_arena *arena, struct fan_outcome *out);

/** An empty buffer that is released with the arena. */
struct fan_buffer *fan_arena_buffer(struct fan_arena *arena, size_t cap);

/** Add a header line to @request, printed into @arena. */
void fan_request_header(struct fan_request *request, struct fan_arena *arena, const char *format,
        ...) FAN_PRINTF(3, 4);

/** A value in "Name: value" lines (CRLF or LF), or absent; the first one when there are several. */
struct fan_bytes fan_header_find(struct fan_bytes lines, const char *name);

/** How many code points @text has; bytes that are no UTF-8 count as they may. */
size_t fan_text_points(struct fan_bytes text);

/** @url without slashes at its end. */
struct fan_bytes fan_url_base(struct fan_bytes url);

/** Add an empty receipt at the end of @list, whose room grows in @arena. Start with a zeroed list.
 */
struct fan_receipt *fan_receipt_add(struct fan_receipt_list *list, struct fan_arena *arena);

#endif

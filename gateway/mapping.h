/*
 * mapping — where the columns of a contact list go, by what their headers say. Pure.
 */
#ifndef FAN_GATEWAY_MAPPING_H
#define FAN_GATEWAY_MAPPING_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/json.h"

struct mapping {
    struct fan_texts header;     /* as it stands in the file */
    struct fan_texts fields;     /* fields[header.len]: a contact's field, "tags", an attribute, or
                                    "" for a column that is left out */
    struct fan_texts attributes; /* those of the fields that are attributes */
};

/**
 * Map a header.
 *
 * Common spellings of a contact's fields are known in several languages; any other column becomes
 * an attribute named like it.
 *
 * wishes  the client's own, an object: header -> field or ""; NULL: none
 * fails   FAN_INVALID  a wish that cannot be, columns without a way to reach anybody, two columns
 *                      of one field; why->field is "mapping" or "header"
 */
enum fan_err mapping_make(struct fan_texts header, const struct fan_json *wishes,
        struct fan_arena *arena, struct mapping *out, struct fan_why *why) FAN_MUST_CHECK;

/** Whether @name may name an attribute. */
bool mapping_is_attribute(struct fan_bytes name);

#endif

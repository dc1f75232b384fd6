/*
 * form — application/x-www-form-urlencoded text: bodies and query strings, written and read.
 */
#ifndef FAN_ACTORS_LIB_DRIVER_FORM_H
#define FAN_ACTORS_LIB_DRIVER_FORM_H

#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/bytes.h"

enum { FAN_FORM_FIELDS = 512 }; /* fields that are read; further ones make the form unreadable */

struct fan_form_field {
    struct fan_bytes name, value; /* decoded */
};

struct fan_form {
    struct fan_form_field *at; /* at[len], in the order of the text */
    size_t len;
};

/** Add name=value, with '&' before it when @form is not empty. Absent values are left out. */
void fan_form_add(struct fan_buffer *form, const char *name, struct fan_bytes value);

/** Read @text, from which what needs no decoding is borrowed; false when it has too many fields.
 * '%' without two digits stays as it is. */
bool fan_form_read(struct fan_bytes text, struct fan_arena *arena, struct fan_form *out);

/** The value of the first field @name, or absent. */
struct fan_bytes fan_form_get(const struct fan_form *form, const char *name);

#endif

/*
 * number — arithmetic as templates want it: 0.1 plus 0.2 is 0.3.
 *
 * Reals are computed as the decimal numbers that people read, in 38 digits, and where these do not
 * suffice in binary. Pure.
 */
#ifndef FAN_ACTORS_LIB_LIQUID_NUMBER_H
#define FAN_ACTORS_LIB_LIQUID_NUMBER_H

#include "actors/lib/liquid/value.h"

/** What a value is worth in arithmetic, an integer or a real: texts are read as far as they are a
 * number ("12 apples" is 12, "1.5" is 1.5), all else is 0. */
struct fan_value fan_number_of(struct fan_value value);

/** Read a whole integer, as Ruby's Integer() does; false: @value is none. */
bool fan_integer_of(struct fan_value value, int64_t *out);

/** Read the integer at the front of a text, 0 when there is none; beyond 64 bits the nearest. */
int64_t fan_integer_at(struct fan_bytes text);

enum fan_number_fault {
    FAN_NUMBER_OK,
    FAN_NUMBER_BY_ZERO,
    FAN_NUMBER_RANGE, /* beyond 64 bits */
};

/** @op: one of + - * / %; both are numbers. Integers divide to the floor. */
enum fan_number_fault fan_number_apply(char op, struct fan_value a, struct fan_value b,
        struct fan_value *out);

/** Round to @digits behind the point, halves away from 0; none: an integer. */
enum fan_number_fault fan_number_round(struct fan_value value, int64_t digits,
        struct fan_value *out);
/** @op: c for ceil, f for floor. */
enum fan_number_fault fan_number_whole(char op, struct fan_value value, struct fan_value *out);

int fan_number_compare(struct fan_value a, struct fan_value b);

#endif

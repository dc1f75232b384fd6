/*
 * catalogue_row — one row of the catalogue, read and checked. Pure.
 */
#ifndef FAN_LIB_PICTURE_CATALOGUE_ROW_H
#define FAN_LIB_PICTURE_CATALOGUE_ROW_H

#include "actors/lib/picture/catalogue.h"
#include "proto/json.h"

/** fails FAN_INVALID: why->field is "<id>.<member>". */
enum fan_err fan_festival_read(const struct fan_json *row, struct fan_arena *arena,
        struct fan_festival *out, struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_theme_read(const struct fan_json *row, struct fan_theme *out,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * colour — sRGB colours: read, mixed, compared. Pure.
 */
#ifndef FAN_LIB_PICTURE_COLOUR_H
#define FAN_LIB_PICTURE_COLOUR_H

#include "proto/bytes.h"

struct fan_colour {
    double r, g, b; /* 0 to 1, sRGB */
};

/** Read "#rrggbb"; false when @text is anything else. */
bool fan_colour_read(struct fan_bytes text, struct fan_colour *out);

/** @a with a share of @b: 0 gives @a, 1 gives @b. */
struct fan_colour fan_colour_mix(struct fan_colour a, struct fan_colour b, double share);

/** Relative luminance, 0 to 1. source: WCAG 2.1 */
double fan_colour_luminance(struct fan_colour colour);

/** Contrast of two luminances, 1 to 21. source: WCAG 2.1 */
double fan_contrast(double a, double b);

#endif

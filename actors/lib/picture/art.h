/*
 * art — a festival's SVG file, ready to be drawn.
 *
 * Its field is 400 by 400. It holds two drawings: the element "hero", which fills the field, and
 * "small", an ornament in the field's first 100 by 100. Trusted: it comes with the installation.
 */
#ifndef FAN_LIB_PICTURE_ART_H
#define FAN_LIB_PICTURE_ART_H

#include "actors/lib/picture/layout.h"
#include "proto/err.h"

typedef struct _cairo cairo_t;

struct fan_art;

/** fails FAN_INVALID: not an SVG file with these two drawings; the text names what is missing. */
enum fan_err fan_art_load(const char *path, struct fan_art **out,
        struct fan_why *why) FAN_MUST_CHECK;
void fan_art_free(struct fan_art **art);

/** Draw "hero" or "small" so that its field becomes @box, a square. */
void fan_art_draw(const struct fan_art *art, const char *drawing, cairo_t *cr, struct fan_box box);

#endif

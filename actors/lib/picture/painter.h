/*
 * painter — what draws; inside this library only.
 */
#ifndef FAN_LIB_PICTURE_PAINTER_H
#define FAN_LIB_PICTURE_PAINTER_H

#include "actors/lib/picture/picture.h"
#include "actors/lib/picture/words.h"

struct fan_painter {
    struct fan_arena *arena;
    struct fan_catalogue catalogue;
    struct fan_art **art; /* [catalogue.festivals_len] */
    struct fan_layers layers;
};

/** As fan_painter_draw, but leave the pixels in @out, which the caller destroys. */
enum fan_err fan_painter_pixels(struct fan_painter *painter, const struct fan_picture_order *order,
        cairo_surface_t **out, struct fan_picture_note *note, struct fan_why *why) FAN_MUST_CHECK;

/** Encode an image surface as PNG or JPEG. */
enum fan_err fan_surface_encode(cairo_surface_t *surface, enum fan_picture_format format,
        struct fan_buffer *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

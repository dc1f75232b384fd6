/*
 * logo_decode — one decoder for each kind of image. Inside this library only.
 *
 * Each fills pixels[width * height * 4] — red, green, blue, alpha, not multiplied — of an image
 * whose header was checked, and returns false when the file is damaged or of a sort that is not
 * read.
 */
#ifndef FAN_LIB_PICTURE_LOGO_DECODE_H
#define FAN_LIB_PICTURE_LOGO_DECODE_H

#include "actors/lib/picture/header.h"

typedef struct _cairo_surface cairo_surface_t;

bool fan_decode_png(struct fan_bytes file, const struct fan_image_header *header,
        unsigned char *pixels);
bool fan_decode_jpeg(struct fan_bytes file, const struct fan_image_header *header,
        unsigned char *pixels);
bool fan_decode_webp(struct fan_bytes file, const struct fan_image_header *header,
        unsigned char *pixels);

/** Draw an SVG file that passed fan_svg_check, @side pixels wide or high; NULL when it cannot be
 * drawn. */
cairo_surface_t *fan_decode_svg(struct fan_bytes file, int side);

#endif

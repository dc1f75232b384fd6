/*
 * encode — pixels into files. Inside this library only.
 */
#ifndef FAN_LIB_PICTURE_ENCODE_H
#define FAN_LIB_PICTURE_ENCODE_H

#include "proto/buffer.h"
#include "proto/err.h"

/* Four bytes a pixel: blue, green, red and one that is not used. */
struct fan_pixels {
    const unsigned char *at;
    int width, height, stride;
};

enum fan_err fan_encode_png(struct fan_pixels pixels, struct fan_buffer *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** quality 1 to 100 */
enum fan_err fan_encode_jpeg(struct fan_pixels pixels, int quality, struct fan_buffer *out,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

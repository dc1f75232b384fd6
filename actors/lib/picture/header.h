/*
 * header — what an uploaded image says of itself, before anything decodes it. Pure.
 */
#ifndef FAN_LIB_PICTURE_HEADER_H
#define FAN_LIB_PICTURE_HEADER_H

#include "proto/bytes.h"
#include "proto/err.h"

enum { FAN_IMAGE_SIDE_MAX = 4096 }; /* pixels */

enum fan_image_kind {
    FAN_IMAGE_PNG = 1,
    FAN_IMAGE_JPEG,
    FAN_IMAGE_WEBP,
    FAN_IMAGE_SVG,
};

struct fan_image_header {
    enum fan_image_kind kind;
    uint32_t width, height; /* pixels; 0 for SVG */
};

/**
 * Read an image's kind and size from its first bytes.
 *
 * fails  FAN_INVALID    none of the four kinds, or cut off before its size
 *        FAN_TOO_LARGE  wider or higher than FAN_IMAGE_SIDE_MAX
 */
enum fan_err fan_image_header_read(struct fan_bytes file, struct fan_image_header *out,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

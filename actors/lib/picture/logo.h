/*
 * logo — uploaded images made harmless: decoded, made small, and written anew as PNG.
 *
 * Decoders of strangers' bytes run here: call it in a cage only (fan_studio_logo does).
 */
#ifndef FAN_LIB_PICTURE_LOGO_H
#define FAN_LIB_PICTURE_LOGO_H

#include "proto/buffer.h"
#include "proto/err.h"

enum {
    FAN_LOGO_FILE_MAX = 8 * 1024 * 1024, /* bytes of an upload */
    FAN_LOGO_SIDE = 480,                 /* pixels, of what becomes of it */
    FAN_LOGO_PNG_MAX = 2 * 1024 * 1024,  /* bytes */
};

/**
 * Add a PNG of @file to @out.
 *
 * fails  FAN_INVALID    not PNG, JPEG, WebP or SVG by the rules, or damaged
 *        FAN_TOO_LARGE  more than 4096 pixels wide or high
 */
enum fan_err fan_logo_clean(struct fan_bytes file, struct fan_buffer *out,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

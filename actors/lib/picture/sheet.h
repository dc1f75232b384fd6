/*
 * sheet — the whole catalogue on one picture.
 */
#ifndef FAN_LIB_PICTURE_SHEET_H
#define FAN_LIB_PICTURE_SHEET_H

#include "actors/lib/picture/picture.h"

struct fan_sheet {
    struct fan_bytes theme; /* empty: the themes take turns */
    struct fan_bytes size;  /* of each picture, before it is made smaller */
    int columns;
    int cell;                       /* width of a picture, pixels */
    enum fan_picture_format format; /* PNG or JPEG */
};

/** Draw every festival's picture, its id below it. */
enum fan_err fan_painter_sheet(struct fan_painter *painter, const struct fan_sheet *sheet,
        struct fan_buffer *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

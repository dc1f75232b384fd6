/*
 * layout — the sizes of greeting pictures, and where things stand in each. Pure.
 */
#ifndef FAN_LIB_PICTURE_LAYOUT_H
#define FAN_LIB_PICTURE_LAYOUT_H

#include "proto/bytes.h"

struct fan_box {
    double x, y, w, h; /* pixels from the top left */
};

struct fan_layout {
    const char *id;
    const char *name;        /* for people */
    int width, height;       /* pixels */
    struct fan_box hero;     /* the festival's drawing */
    struct fan_box greeting; /* and below it the recipient's name */
    struct fan_box subtitle; /* the campaign's name */
    struct fan_box logo;
    double unit; /* of line widths, margins and ornaments: 1 in a square of 1080 */
    bool wide;   /* the drawing stands beside the text, not above it */
};

extern const struct fan_layout fan_layouts[];
extern const size_t fan_layouts_len;

/** NULL: there is no such size. */
const struct fan_layout *fan_layout_find(struct fan_bytes id);

static inline double fan_box_mid_x(struct fan_box box)
{
    return box.x + box.w / 2;
}

static inline double fan_box_mid_y(struct fan_box box)
{
    return box.y + box.h / 2;
}

#endif

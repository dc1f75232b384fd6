/*
 * child — the other side of the studio: what fanfare-painter does.
 */
#ifndef FAN_LIB_STUDIO_CHILD_H
#define FAN_LIB_STUDIO_CHILD_H

#include "proto/err.h"

/** Draw pictures from the catalogue in @folder until the parent goes away. Returns only when that
 * cannot be done; the text says why. */
enum fan_err fan_studio_child_draw(const char *folder, struct fan_why *why);

/** Read one logo, and end. */
enum fan_err fan_studio_child_logo(struct fan_why *why);

#endif

/*
 * contrast — ink that can be read on what is already drawn. Inside this library only.
 */
#ifndef FAN_LIB_PICTURE_CONTRAST_H
#define FAN_LIB_PICTURE_CONTRAST_H

#include "actors/lib/picture/scene.h"

#define FAN_CONTRAST_LEAST 4.5 /* source: WCAG 2.1, AA */

/* The luminance of a box: of its darkest and its lightest parts, without the last 2% each. */
struct fan_tone {
    double dark, light;
};

struct fan_tone fan_tone_of(cairo_surface_t *surface, struct fan_box box);

/** Contrast of @ink with the part of @tone that is nearest to it. */
double fan_tone_contrast(struct fan_tone tone, struct fan_colour ink);

/* How texts in one box are made legible. */
struct fan_legible {
    struct fan_colour ink;  /* the festival's paper or deep, whichever can be read better */
    struct fan_colour veil; /* the other */
    int veils;              /* how many are needed over what is drawn */
    double contrast;        /* then */
};

/** Veil what is drawn in @box on @surface until ink can be read on it; say how. */
struct fan_legible fan_make_legible(struct fan_scene *scene, cairo_surface_t *surface,
        struct fan_box box);

/** Draw the veils again, on another surface. */
void fan_draw_veils(struct fan_scene *scene, struct fan_box box, const struct fan_legible *how);

#endif

/*
 * scene — one picture while it is drawn. Inside this library only.
 */
#ifndef FAN_LIB_PICTURE_SCENE_H
#define FAN_LIB_PICTURE_SCENE_H

#include "actors/lib/picture/art.h"
#include "actors/lib/picture/catalogue.h"
#include "actors/lib/picture/layout.h"

typedef struct _cairo cairo_t;
typedef struct _cairo_surface cairo_surface_t;

struct fan_scene {
    cairo_t *cr;
    const struct fan_layout *layout;
    const struct fan_festival *festival;
    const struct fan_theme *theme;
    const struct fan_art *art;
    cairo_surface_t *logo; /* NULL: none */
    uint64_t dice;         /* the same picture gets the same numbers */
};

/* ---- brushes ---- */

/** The next number, from @low to @high. */
double fan_dice(struct fan_scene *scene, double low, double high);

void fan_ink(cairo_t *cr, struct fan_colour colour, double alpha);
void fan_disc(cairo_t *cr, double x, double y, double radius);
/** A soft light: @alpha in the middle, nothing at @radius. */
void fan_glow(struct fan_scene *scene, double x, double y, double radius, struct fan_colour colour,
        double alpha);
/** Fill everything with a gradient from one corner to the other. */
void fan_wash(struct fan_scene *scene, struct fan_colour from, struct fan_colour to);
/** A star of @points, or a flake: thin arms. */
void fan_star(cairo_t *cr, double x, double y, double radius, int points, double inner);

/* ---- layers, from the back to the front ---- */

void fan_draw_ground(struct fan_scene *scene);
/** strength 0 to 1 */
void fan_draw_backdrop(struct fan_scene *scene, double strength, struct fan_colour colour);
void fan_draw_hero(struct fan_scene *scene);
void fan_draw_spread(struct fan_scene *scene);
void fan_draw_frame(struct fan_scene *scene);
void fan_draw_logo(struct fan_scene *scene);

#endif

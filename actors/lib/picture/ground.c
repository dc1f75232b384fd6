/* The four grounds, one for each kind of theme, with the backdrop in them. */
#include "actors/lib/picture/scene.h"

#include <cairo.h>

#include <math.h>

/* Darken the part where text stands: below the drawing, or beside it. */
static void shade_text(struct fan_scene *scene, double alpha)
{
    const struct fan_layout *layout = scene->layout;
    struct fan_colour deep = scene->festival->deep;
    double w = layout->width, h = layout->height;
    cairo_pattern_t *shade = layout->wide
            ? cairo_pattern_create_linear(layout->hero.x + layout->hero.w * 0.7, 0, w * 0.75, 0)
            : cairo_pattern_create_linear(0, layout->hero.y + layout->hero.h * 0.7, 0, h * 0.84);

    cairo_pattern_add_color_stop_rgba(shade, 0, deep.r, deep.g, deep.b, 0);
    cairo_pattern_add_color_stop_rgba(shade, 1, deep.r, deep.g, deep.b, alpha);
    cairo_set_source(scene->cr, shade);
    cairo_paint(scene->cr);
    cairo_pattern_destroy(shade);
}

static void classic(struct fan_scene *scene)
{
    const struct fan_festival *festival = scene->festival;
    struct fan_box hero = scene->layout->hero;
    double x = fan_box_mid_x(hero), y = fan_box_mid_y(hero);

    fan_wash(scene, festival->from, festival->to);
    fan_glow(scene, x, y, hero.w * 1.15, festival->accent, 0.42);
    fan_draw_backdrop(scene, scene->theme->backdrop, festival->accent);
    shade_text(scene, 0.72);
}

/* A flat colour, a large disc behind the drawing, and a deep field with a round edge for text. */
static void modern(struct fan_scene *scene)
{
    const struct fan_festival *festival = scene->festival;
    const struct fan_layout *layout = scene->layout;
    cairo_t *cr = scene->cr;
    struct fan_box hero = layout->hero;
    double w = layout->width, h = layout->height, x = fan_box_mid_x(hero), y = fan_box_mid_y(hero);
    struct fan_colour sky = fan_colour_mix(festival->to, festival->paper, 0.72);

    fan_ink(cr, sky, 1);
    cairo_paint(cr);
    fan_draw_backdrop(scene, scene->theme->backdrop, festival->from);
    fan_ink(cr, fan_colour_mix(festival->to, festival->paper, 0.3), 1);
    fan_disc(cr, x, y, hero.w * 0.62);
    cairo_fill(cr);
    fan_ink(cr, festival->accent, 0.9);
    cairo_set_line_width(cr, 5 * layout->unit);
    cairo_arc(cr, x, y, hero.w * 0.68, M_PI * 0.95, M_PI * 1.42);
    cairo_stroke(cr);
    cairo_arc(cr, x, y, hero.w * 0.68, M_PI * 1.6, M_PI * 2.05);
    cairo_stroke(cr);

    for (int pass = 0; pass < 2; pass++) {
        double back = pass ? 0 : 16 * layout->unit; /* a rim of accent behind the field */

        if (layout->wide) {
            double edge = hero.x + hero.w * 0.88 - back;

            cairo_move_to(cr, edge, 0);
            cairo_curve_to(cr, edge + h * 0.16, h * 0.33, edge + h * 0.16, h * 0.67, edge, h);
            cairo_line_to(cr, w, h);
            cairo_line_to(cr, w, 0);
        } else {
            double edge = hero.y + hero.h * 0.94 - back;

            cairo_move_to(cr, 0, edge);
            cairo_curve_to(cr, w * 0.33, edge + w * 0.1, w * 0.67, edge + w * 0.1, w, edge);
            cairo_line_to(cr, w, h);
            cairo_line_to(cr, 0, h);
        }
        cairo_close_path(cr);
        fan_ink(cr, pass ? festival->deep : festival->accent, 1);
        cairo_fill(cr);
    }
}

static void minimal(struct fan_scene *scene)
{
    const struct fan_festival *festival = scene->festival;
    struct fan_box hero = scene->layout->hero;
    struct fan_colour white = { 1, 1, 1 };

    fan_ink(scene->cr, fan_colour_mix(festival->paper, white, 0.45), 1);
    cairo_paint(scene->cr);
    fan_ink(scene->cr, fan_colour_mix(festival->paper, festival->to, 0.16), 1);
    fan_disc(scene->cr, fan_box_mid_x(hero), fan_box_mid_y(hero), hero.w * 0.5);
    cairo_fill(scene->cr);
    fan_draw_backdrop(scene, scene->theme->backdrop, festival->from);
}

static void stars(struct fan_scene *scene)
{
    const struct fan_layout *layout = scene->layout;
    int count = (int)(140.0 * layout->width * layout->height / (1080.0 * 1080.0));

    for (int i = 0; i < count; i++) {
        double size = fan_dice(scene, 0.8, 2.6) * layout->unit;

        fan_ink(scene->cr, scene->festival->paper, fan_dice(scene, 0.15, 0.8));
        fan_disc(scene->cr, fan_dice(scene, 0, layout->width), fan_dice(scene, 0, layout->height),
                size);
        cairo_fill(scene->cr);
    }
}

static void night(struct fan_scene *scene)
{
    const struct fan_festival *festival = scene->festival;
    struct fan_box hero = scene->layout->hero;
    double x = fan_box_mid_x(hero), y = fan_box_mid_y(hero);
    struct fan_colour black = { 0.02, 0.025, 0.09 };

    fan_wash(scene, fan_colour_mix(festival->deep, black, 0.8),
            fan_colour_mix(festival->deep, black, 0.3));
    stars(scene);
    fan_glow(scene, x, y, hero.w * 1.05, festival->from, 0.55);
    fan_glow(scene, x, y, hero.w * 0.62, festival->accent, 0.4);
    fan_draw_backdrop(scene, scene->theme->backdrop,
            fan_colour_mix(festival->from, festival->accent, 0.45));
}

void fan_draw_ground(struct fan_scene *scene)
{
    switch (scene->theme->ground) {
    case FAN_GROUND_MODERN:
        modern(scene);
        break;
    case FAN_GROUND_MINIMAL:
        minimal(scene);
        break;
    case FAN_GROUND_NIGHT:
        night(scene);
        break;
    default:
        classic(scene);
    }
}

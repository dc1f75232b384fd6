#include "actors/lib/picture/scene.h"

#include <cairo.h>

#include <math.h>

double fan_dice(struct fan_scene *scene, double low, double high)
{
    uint64_t z = (scene->dice += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return low + (high - low) * ((double)(z >> 11) / 9007199254740992.0);
}

void fan_ink(cairo_t *cr, struct fan_colour colour, double alpha)
{
    cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, alpha);
}

void fan_disc(cairo_t *cr, double x, double y, double radius)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, x, y, radius, 0, 2 * M_PI);
    cairo_close_path(cr);
}

void fan_glow(struct fan_scene *scene, double x, double y, double radius, struct fan_colour colour,
        double alpha)
{
    cairo_pattern_t *light = cairo_pattern_create_radial(x, y, 0, x, y, radius);

    cairo_pattern_add_color_stop_rgba(light, 0, colour.r, colour.g, colour.b, alpha);
    cairo_pattern_add_color_stop_rgba(light, 0.45, colour.r, colour.g, colour.b, alpha * 0.42);
    cairo_pattern_add_color_stop_rgba(light, 1, colour.r, colour.g, colour.b, 0);
    cairo_set_source(scene->cr, light);
    cairo_rectangle(scene->cr, x - radius, y - radius, 2 * radius, 2 * radius);
    cairo_fill(scene->cr);
    cairo_pattern_destroy(light);
}

void fan_wash(struct fan_scene *scene, struct fan_colour from, struct fan_colour to)
{
    double w = scene->layout->width, h = scene->layout->height;
    cairo_pattern_t *wash = cairo_pattern_create_linear(w * 0.15, 0, w * 0.85, h);

    cairo_pattern_add_color_stop_rgb(wash, 0, from.r, from.g, from.b);
    cairo_pattern_add_color_stop_rgb(wash, 1, to.r, to.g, to.b);
    cairo_set_source(scene->cr, wash);
    cairo_paint(scene->cr);
    cairo_pattern_destroy(wash);
}

void fan_star(cairo_t *cr, double x, double y, double radius, int points, double inner)
{
    for (int i = 0; i < 2 * points; i++) {
        double angle = M_PI * i / points - M_PI / 2, r = i % 2 ? radius * inner : radius;

        if (i == 0)
            cairo_move_to(cr, x + r * cos(angle), y + r * sin(angle));
        else
            cairo_line_to(cr, x + r * cos(angle), y + r * sin(angle));
    }
    cairo_close_path(cr);
}

#include "actors/lib/picture/contrast.h"

#include <cairo.h>

#include <math.h>

enum { STEPS = 256, GRID = 3 };

struct fan_tone fan_tone_of(cairo_surface_t *surface, struct fan_box box)
{
    unsigned counts[STEPS] = { 0 }, total = 0, seen = 0;
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    struct fan_tone tone = { 1, 0 };

    for (int y = (int)box.y; y < (int)(box.y + box.h); y += GRID) {
        for (int x = (int)box.x; x < (int)(box.x + box.w); x += GRID) {
            const unsigned char *at = pixels + (ptrdiff_t)y * stride + (ptrdiff_t)x * 4;
            struct fan_colour colour = { at[2] / 255.0, at[1] / 255.0, at[0] / 255.0 };

            /* steps even to the eye */
            counts[(int)(sqrt(fan_colour_luminance(colour)) * (STEPS - 1))]++;
            total++;
        }
    }
    for (int i = 0; i < STEPS; i++) {
        double luminance = pow((double)i / (STEPS - 1), 2);

        if (seen <= total * 0.02 && seen + counts[i] > total * 0.02)
            tone.dark = luminance;
        if (seen < total * 0.98)
            tone.light = luminance;
        seen += counts[i];
    }
    return tone;
}

double fan_tone_contrast(struct fan_tone tone, struct fan_colour ink)
{
    double own = fan_colour_luminance(ink);
    double with_dark = fan_contrast(own, tone.dark), with_light = fan_contrast(own, tone.light);

    if (own > tone.dark && own < tone.light)
        return 1;
    return with_dark < with_light ? with_dark : with_light;
}

/* A veil without an edge: full over the box, nothing a little outside of it. */
static void veil(struct fan_scene *scene, struct fan_box box, struct fan_colour colour)
{
    double margin = 60 * scene->layout->unit;
    cairo_pattern_t *mask = cairo_pattern_create_radial(0, 0, 0.6, 0, 0, 1);

    cairo_pattern_add_color_stop_rgba(mask, 0, colour.r, colour.g, colour.b, 0.42);
    cairo_pattern_add_color_stop_rgba(mask, 1, colour.r, colour.g, colour.b, 0);
    cairo_save(scene->cr);
    cairo_translate(scene->cr, fan_box_mid_x(box), fan_box_mid_y(box));
    cairo_scale(scene->cr, (box.w / 2 + margin) * 1.3, (box.h / 2 + margin) * 1.3);
    cairo_set_source(scene->cr, mask);
    cairo_paint(scene->cr);
    cairo_restore(scene->cr);
    cairo_pattern_destroy(mask);
}

void fan_draw_veils(struct fan_scene *scene, struct fan_box box, const struct fan_legible *how)
{
    for (int i = 0; i < how->veils; i++)
        veil(scene, box, how->veil);
}

struct fan_legible fan_make_legible(struct fan_scene *scene, cairo_surface_t *surface,
        struct fan_box box)
{
    enum { VEILS = 6 };
    const struct fan_festival *festival = scene->festival;
    struct fan_legible how = { .ink = festival->paper, .veil = festival->deep };
    struct fan_tone tone;

    cairo_surface_flush(surface);
    tone = fan_tone_of(surface, box);
    if (fan_tone_contrast(tone, festival->deep) > fan_tone_contrast(tone, festival->paper)) {
        how.ink = festival->deep;
        how.veil = festival->paper;
    }
    how.contrast = fan_tone_contrast(tone, how.ink);
    while (how.contrast < FAN_CONTRAST_LEAST && how.veils < VEILS) {
        veil(scene, box, how.veil);
        how.veils++;
        cairo_surface_flush(surface);
        how.contrast = fan_tone_contrast(fan_tone_of(surface, box), how.ink);
    }
    return how;
}

/* The drawing itself, its small ornaments, the frame and the logo. */
#include "actors/lib/picture/scene.h"

#include <cairo.h>

#include <math.h>

void fan_draw_hero(struct fan_scene *scene)
{
    fan_art_draw(scene->art, "hero", scene->cr, scene->layout->hero);
}

static void small(struct fan_scene *scene, double x, double y, double size, double angle,
        double alpha)
{
    struct fan_box box = { -size / 2, -size / 2, size, size };

    cairo_save(scene->cr);
    cairo_translate(scene->cr, x, y);
    cairo_rotate(scene->cr, angle);
    if (alpha < 1)
        cairo_push_group(scene->cr);
    fan_art_draw(scene->art, "small", scene->cr, box);
    if (alpha < 1) {
        cairo_pop_group_to_source(scene->cr);
        cairo_paint_with_alpha(scene->cr, alpha);
    }
    cairo_restore(scene->cr);
}

/* ---- the three ways of spreading ---- */

/* Where the drawing stands beside the text, threads hang over the drawing only. */
static void hang(struct fan_scene *scene, double share)
{
    static const double threads[][2] = { { 0.07, 0.31 }, { 0.93, 0.34 }, { 0.16, 0.15 },
        { 0.84, 0.18 }, { 0.25, 0.05 }, { 0.75, 0.05 } };
    static const double beside[][2] = { { -0.06, 0.3 }, { 1.0, 0.22 }, { 0.06, 0.04 },
        { 0.9, 0.02 } }; /* in widths of the drawing, from its left */
    const struct fan_layout *layout = scene->layout;
    const double(*list)[2] = layout->wide ? beside : threads;
    size_t count = layout->wide ? 4 : share < 0.5 ? 4 : 6;
    double drop = layout->wide ? layout->height : fmin(layout->height, 1.2 * layout->width);
    double size = (layout->wide ? 68 : 84) * layout->unit;
    struct fan_colour thread =
            scene->theme->ground == FAN_GROUND_CLASSIC || scene->theme->ground == FAN_GROUND_NIGHT
            ? scene->festival->accent
            : scene->festival->from;

    for (size_t i = 0; i < count; i++) {
        double x = layout->wide ? layout->hero.x + list[i][0] * layout->hero.w
                                : list[i][0] * layout->width;
        double end = list[i][1] * drop;

        if (scene->logo && !layout->wide && i % 2 == 1)
            continue; /* the logo is there */
        fan_ink(scene->cr, thread, 0.75);
        cairo_set_line_width(scene->cr, 2 * layout->unit);
        cairo_move_to(scene->cr, x, 0);
        cairo_line_to(scene->cr, x, end + size * 0.1);
        cairo_stroke(scene->cr);
        small(scene, x, end + size / 2, size, 0, 1);
    }
}

static bool covers(struct fan_box box, double x, double y, double margin)
{
    return x > box.x - margin && x < box.x + box.w + margin && y > box.y - margin &&
            y < box.y + box.h + margin;
}

/* Whether an ornament at this place would touch text, logo or drawing. */
static bool is_taken(const struct fan_scene *scene, double x, double y, double size)
{
    const struct fan_layout *layout = scene->layout;
    double far = hypot(x - fan_box_mid_x(layout->hero), y - fan_box_mid_y(layout->hero));
    struct fan_box text = layout->greeting; /* without a subtitle it reaches over its place */

    text.h = layout->subtitle.y + layout->subtitle.h - text.y;
    return far < layout->hero.w * 0.5 + size * 0.45 || covers(text, x, y, size * 0.7) ||
            (scene->logo && covers(layout->logo, x, y, size * 0.7));
}

static void fall(struct fan_scene *scene, double share)
{
    enum { MOST = 40, TRIES = 700 };
    const struct fan_layout *layout = scene->layout;
    double edge = (scene->theme->frame ? 92 : 24) * layout->unit; /* within the frame */
    double done[MOST][3];
    int count = 0,
        wanted = (int)(share * 20 * layout->width * layout->height / (1080.0 * 1080.0) /
                (layout->unit * layout->unit));

    for (int i = 0; i < TRIES && count < wanted && count < MOST; i++) {
        double x = fan_dice(scene, edge, layout->width - edge);
        double y = fan_dice(scene, edge, layout->height - edge);
        double size = fan_dice(scene, 46, 92) * layout->unit;
        bool clear = !is_taken(scene, x, y, size);

        for (int j = 0; clear && j < count; j++)
            clear = hypot(x - done[j][0], y - done[j][1]) > (size + done[j][2]) * 0.8;
        if (!clear)
            continue;
        done[count][0] = x;
        done[count][1] = y;
        done[count++][2] = size;
        small(scene, x, y, size, fan_dice(scene, -0.5, 0.5), 1);
    }
}

static void row(struct fan_scene *scene, double share)
{
    const struct fan_layout *layout = scene->layout;
    double edge = (scene->theme->frame ? 64 : 0) * layout->unit;
    double size = 62 * layout->unit, y = layout->height - size * 0.62 - edge * 0.72;
    double left = layout->wide ? layout->greeting.x : edge;
    double right = layout->width - edge;
    int count = (int)(share * (right - left) / (size * 1.32));
    double step = count > 0 ? (right - left) / count : 0;

    for (int i = 0; i < count; i++)
        small(scene, left + step * (i + 0.5), y, size, 0, 1);
}

void fan_draw_spread(struct fan_scene *scene)
{
    double share = scene->theme->spread;

    if (share <= 0)
        return;
    if (scene->festival->spread == FAN_SPREAD_HANG)
        hang(scene, share);
    else if (scene->festival->spread == FAN_SPREAD_FALL)
        fall(scene, share);
    else
        row(scene, share);
}

/* ---- frame ---- */

/* A frame whose corners are cut in round. */
static void notched(cairo_t *cr, double inset, double w, double h, double radius)
{
    double l = inset, t = inset, r = w - inset, b = h - inset;

    cairo_new_path(cr);
    cairo_arc_negative(cr, l, t, radius, M_PI / 2, 0);
    cairo_arc_negative(cr, r, t, radius, M_PI, M_PI / 2);
    cairo_arc_negative(cr, r, b, radius, 3 * M_PI / 2, M_PI);
    cairo_arc_negative(cr, l, b, radius, 2 * M_PI, 3 * M_PI / 2);
    cairo_close_path(cr);
}

void fan_draw_frame(struct fan_scene *scene)
{
    const struct fan_layout *layout = scene->layout;
    double unit = layout->unit, w = layout->width, h = layout->height;
    struct fan_colour ink = scene->theme->ground == FAN_GROUND_MINIMAL
            ? fan_colour_mix(scene->festival->from, scene->festival->paper, 0.35)
            : scene->festival->accent;

    if (!scene->theme->frame)
        return;
    notched(scene->cr, 26 * unit, w, h, 34 * unit);
    fan_ink(scene->cr, ink, 0.95);
    cairo_set_line_width(scene->cr, 3.4 * unit);
    cairo_stroke(scene->cr);
    notched(scene->cr, 36 * unit, w, h, 34 * unit);
    fan_ink(scene->cr, ink, 0.6);
    cairo_set_line_width(scene->cr, 1.4 * unit);
    cairo_stroke(scene->cr);
}

/* ---- logo ---- */

/* A light plate, on which a logo of any colour can be seen. */
static void plate(struct fan_scene *scene, struct fan_box logo)
{
    double pad = 12 * scene->layout->unit, radius = 14 * scene->layout->unit;
    double l = logo.x - pad, t = logo.y - pad, r = logo.x + logo.w + pad, b = logo.y + logo.h + pad;

    cairo_new_path(scene->cr);
    cairo_arc(scene->cr, r - radius, t + radius, radius, -M_PI / 2, 0);
    cairo_arc(scene->cr, r - radius, b - radius, radius, 0, M_PI / 2);
    cairo_arc(scene->cr, l + radius, b - radius, radius, M_PI / 2, M_PI);
    cairo_arc(scene->cr, l + radius, t + radius, radius, M_PI, 3 * M_PI / 2);
    cairo_close_path(scene->cr);
    cairo_set_source_rgba(scene->cr, 1, 1, 1, 0.93);
    cairo_fill(scene->cr);
}

void fan_draw_logo(struct fan_scene *scene)
{
    struct fan_box box = scene->layout->logo;
    double w, h, scale;

    if (!scene->logo)
        return;
    w = cairo_image_surface_get_width(scene->logo);
    h = cairo_image_surface_get_height(scene->logo);
    scale = fmin(box.w / w, box.h / h);
    plate(scene, (struct fan_box){ box.x + box.w - w * scale, box.y, w * scale, h * scale });
    cairo_save(scene->cr);
    cairo_translate(scene->cr, box.x + box.w - w * scale, box.y);
    cairo_scale(scene->cr, scale, scale);
    cairo_set_source_surface(scene->cr, scene->logo, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(scene->cr), CAIRO_FILTER_GOOD);
    cairo_paint(scene->cr);
    cairo_restore(scene->cr);
}

/* What stands behind the drawing: rays, stars, snow … Faint, so that nothing fights the text. */
#include "actors/lib/picture/scene.h"

#include <cairo.h>

#include <math.h>

struct place {
    double x, y;   /* middle of the drawing */
    double radius; /* of the drawing */
    double w, h, unit;
};

static struct place place_of(const struct fan_scene *scene)
{
    const struct fan_layout *layout = scene->layout;

    return (struct place){ fan_box_mid_x(layout->hero), fan_box_mid_y(layout->hero),
        layout->hero.w / 2, layout->width, layout->height, layout->unit };
}

/* How many of something that a square has @count of. */
static int as_many(const struct place *at, int count)
{
    return (int)(count * at->w * at->h / (1080.0 * 1080.0) / (at->unit * at->unit) + 0.5);
}

static void rays(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    enum { RAYS = 20 };
    double reach = hypot(at->w, at->h);
    cairo_pattern_t *light =
            cairo_pattern_create_radial(at->x, at->y, at->radius * 0.6, at->x, at->y, reach * 0.72);

    cairo_pattern_add_color_stop_rgba(light, 0, colour.r, colour.g, colour.b, 0.5 * alpha);
    cairo_pattern_add_color_stop_rgba(light, 1, colour.r, colour.g, colour.b, 0.02 * alpha);
    for (int i = 0; i < RAYS; i++) {
        double angle = 2 * M_PI * i / RAYS, half = M_PI / RAYS / 2;

        cairo_move_to(scene->cr, at->x, at->y);
        cairo_line_to(scene->cr, at->x + reach * cos(angle - half),
                at->y + reach * sin(angle - half));
        cairo_line_to(scene->cr, at->x + reach * cos(angle + half),
                at->y + reach * sin(angle + half));
        cairo_close_path(scene->cr);
    }
    cairo_set_source(scene->cr, light);
    cairo_fill(scene->cr);
    cairo_pattern_destroy(light);
}

static void bokeh(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    for (int i = as_many(at, 34); i > 0; i--) {
        double radius = fan_dice(scene, 12, 62) * at->unit, light = fan_dice(scene, 0.06, 0.26);

        fan_disc(scene->cr, fan_dice(scene, 0, at->w), fan_dice(scene, 0, at->h), radius);
        fan_ink(scene->cr, colour, light * alpha);
        cairo_fill_preserve(scene->cr);
        fan_ink(scene->cr, colour, light * alpha * 1.2);
        cairo_set_line_width(scene->cr, 1.5 * at->unit);
        cairo_stroke(scene->cr);
    }
}

static void stars(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    for (int i = as_many(at, 90); i > 0; i--) {
        bool large = i % 4 == 0;

        fan_star(scene->cr, fan_dice(scene, 0, at->w), fan_dice(scene, 0, at->h),
                fan_dice(scene, large ? 9 : 3, large ? 20 : 7) * at->unit, 4, 0.28);
        fan_ink(scene->cr, colour, fan_dice(scene, 0.35, 0.95) * alpha);
        cairo_fill(scene->cr);
    }
}

static void burst(struct fan_scene *scene, double x, double y, double radius,
        struct fan_colour colour, double alpha)
{
    enum { SPARKS = 22 };
    double unit = scene->layout->unit;

    cairo_set_line_cap(scene->cr, CAIRO_LINE_CAP_ROUND);
    for (int i = 0; i < SPARKS; i++) {
        double angle = 2 * M_PI * i / SPARKS, reach = radius * (i % 2 ? 0.78 : 1);

        cairo_set_line_width(scene->cr, 2.4 * unit);
        fan_ink(scene->cr, colour, 0.6 * alpha);
        cairo_move_to(scene->cr, x + reach * 0.28 * cos(angle), y + reach * 0.28 * sin(angle));
        cairo_line_to(scene->cr, x + reach * 0.8 * cos(angle), y + reach * 0.8 * sin(angle));
        cairo_stroke(scene->cr);
        fan_ink(scene->cr, colour, 0.9 * alpha);
        fan_disc(scene->cr, x + reach * cos(angle), y + reach * sin(angle), 3.6 * unit);
        cairo_fill(scene->cr);
    }
}

static void fireworks(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    static const double where[][3] = { { 0.13, 0.15, 1 }, { 0.87, 0.3, 0.86 }, { 0.1, 0.5, 0.72 },
        { 0.68, 0.08, 0.6 }, { 0.36, 0.06, 0.5 }, { 0.92, 0.57, 0.55 } };

    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        struct fan_colour spark = i % 2 ? scene->festival->paper : colour;

        burst(scene, where[i][0] * at->w, where[i][1] * at->h, where[i][2] * 140 * at->unit, spark,
                alpha * 0.8);
    }
    stars(scene, at, scene->festival->paper, alpha * 0.4);
}

static void confetti(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    struct fan_colour inks[] = { colour, scene->festival->paper, scene->festival->accent,
        scene->festival->to };

    for (int i = as_many(at, 110); i > 0; i--) {
        double size = fan_dice(scene, 7, 16) * at->unit;

        cairo_save(scene->cr);
        cairo_translate(scene->cr, fan_dice(scene, 0, at->w), fan_dice(scene, 0, at->h));
        cairo_rotate(scene->cr, fan_dice(scene, 0, 2 * M_PI));
        if (i % 3 == 0)
            fan_disc(scene->cr, 0, 0, size * 0.42);
        else
            cairo_rectangle(scene->cr, -size / 2, -size / 5, size, size / 2.5);
        fan_ink(scene->cr, inks[i % 4], fan_dice(scene, 0.5, 0.9) * alpha);
        cairo_fill(scene->cr);
        cairo_restore(scene->cr);
    }
}

static void snow(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    (void)colour;
    for (int i = as_many(at, 130); i > 0; i--) {
        double x = fan_dice(scene, 0, at->w), y = fan_dice(scene, 0, at->h);

        fan_ink(scene->cr, scene->festival->paper, fan_dice(scene, 0.25, 0.85) * alpha);
        if (i % 7 == 0)
            fan_star(scene->cr, x, y, fan_dice(scene, 10, 20) * at->unit, 6, 0.18);
        else
            fan_disc(scene->cr, x, y, fan_dice(scene, 2, 6.5) * at->unit);
        cairo_fill(scene->cr);
    }
}

/* Rings of petals around the drawing. */
static void mandala(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    static const struct ring {
        double radius, length;
        int petals;
    } rings[] = { { 1.02, 0.4, 24 }, { 1.28, 0.54, 24 }, { 1.66, 0.72, 24 }, { 2.2, 0.9, 24 } };

    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
        double radius = rings[i].radius * at->radius, length = rings[i].length * at->radius;
        double width = M_PI * radius / rings[i].petals * 1.05;

        for (int j = 0; j < rings[i].petals; j++) {
            cairo_save(scene->cr);
            cairo_translate(scene->cr, at->x, at->y);
            cairo_rotate(scene->cr, 2 * M_PI * (j + (double)(i % 2) / 2) / rings[i].petals);
            cairo_move_to(scene->cr, radius, 0);
            cairo_curve_to(scene->cr, radius + length * 0.2, width, radius + length * 0.6,
                    width * 0.9, radius + length, 0);
            cairo_curve_to(scene->cr, radius + length * 0.6, -width * 0.9, radius + length * 0.2,
                    -width, radius, 0);
            cairo_restore(scene->cr);
        }
        fan_ink(scene->cr, colour, alpha * (0.2 - 0.035 * (double)i));
        cairo_fill_preserve(scene->cr);
        fan_ink(scene->cr, colour, alpha * (0.55 - 0.1 * (double)i));
        cairo_set_line_width(scene->cr, 1.8 * at->unit);
        cairo_stroke(scene->cr);
    }
}

/* Seigaiha: scales of concentric arcs over everything. */
static void waves(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    double radius = 66 * at->unit;
    int rows = (int)(at->h / (radius / 2)) + 3, columns = (int)(at->w / (2 * radius)) + 2;

    cairo_set_line_width(scene->cr, 2.2 * at->unit);
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            double x = (2 * column + row % 2) * radius, y = row * radius / 2;

            for (int ring = 1; ring <= 3; ring++) {
                /* what the two scales in front leave of it */
                double r = radius * ring / 3, cut = ring == 3 ? 0 : ring == 2 ? 0.32 : 0.9;

                cairo_new_sub_path(scene->cr);
                cairo_arc(scene->cr, x, y, r, M_PI + 0.25 + cut * 0.3, 2 * M_PI - 0.25 - cut * 0.3);
            }
        }
    }
    fan_ink(scene->cr, colour, 0.26 * alpha);
    cairo_stroke(scene->cr);
}

static void cloud(struct fan_scene *scene, double x, double y, double size)
{
    static const double puffs[][3] = { { -0.9, 0, 0.42 }, { -0.35, -0.28, 0.56 },
        { 0.3, -0.14, 0.5 }, { 0.88, 0.04, 0.38 } };
    cairo_t *cr = scene->cr;

    for (size_t i = 0; i < 4; i++)
        fan_disc(cr, x + puffs[i][0] * size, y + puffs[i][1] * size, puffs[i][2] * size);
    cairo_rectangle(cr, x - 0.95 * size, y, 1.9 * size, 0.42 * size);
}

static void clouds(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    static const double where[][3] = { { 0.1, 0.2, 1 }, { 0.92, 0.14, 0.8 }, { 0.86, 0.44, 1.1 },
        { 0.04, 0.56, 1.2 }, { 0.5, 0.05, 0.7 }, { 0.97, 0.86, 1 }, { 0.14, 0.95, 1.1 } };

    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        cairo_push_group(scene->cr);
        cloud(scene, where[i][0] * at->w, where[i][1] * at->h, where[i][2] * 88 * at->unit);
        fan_ink(scene->cr, i % 2 ? colour : scene->festival->paper, 1);
        cairo_fill(scene->cr);
        cairo_pop_group_to_source(scene->cr);
        cairo_paint_with_alpha(scene->cr, 0.3 * alpha);
    }
}

static void hills(struct fan_scene *scene, const struct place *at, struct fan_colour colour,
        double alpha)
{
    double low = scene->layout->wide ? at->h * 0.66 : at->y + at->radius * 0.55;

    for (int i = 0; i < 3; i++) {
        double top = low + i * 0.09 * at->h, swing = (i % 2 ? -0.09 : 0.09) * at->h;

        cairo_move_to(scene->cr, 0, top + swing);
        cairo_curve_to(scene->cr, at->w * 0.3, top - swing * 1.4, at->w * 0.62, top + swing * 1.6,
                at->w, top - swing);
        cairo_line_to(scene->cr, at->w, at->h);
        cairo_line_to(scene->cr, 0, at->h);
        cairo_close_path(scene->cr);
        fan_ink(scene->cr, fan_colour_mix(colour, scene->festival->deep, 0.3 + 0.25 * i),
                0.34 * alpha);
        cairo_fill(scene->cr);
    }
}

void fan_draw_backdrop(struct fan_scene *scene, double strength, struct fan_colour colour)
{
    static void (*const kinds[])(struct fan_scene *, const struct place *, struct fan_colour,
            double) = {
        [FAN_BACKDROP_RAYS] = rays,
        [FAN_BACKDROP_BOKEH] = bokeh,
        [FAN_BACKDROP_STARS] = stars,
        [FAN_BACKDROP_FIREWORKS] = fireworks,
        [FAN_BACKDROP_CONFETTI] = confetti,
        [FAN_BACKDROP_SNOW] = snow,
        [FAN_BACKDROP_MANDALA] = mandala,
        [FAN_BACKDROP_WAVES] = waves,
        [FAN_BACKDROP_CLOUDS] = clouds,
        [FAN_BACKDROP_HILLS] = hills,
    };
    struct place at = place_of(scene);

    if (strength > 0)
        kinds[scene->festival->backdrop](scene, &at, colour, strength);
}

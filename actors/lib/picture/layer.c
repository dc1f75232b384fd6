#include "actors/lib/picture/layer.h"

#include "actors/lib/picture/text.h"

#include <cairo.h>

/* Where greeting and name stand: over the place of the subtitle, too, when there is none. */
static struct fan_box words_box(const struct fan_layout *layout, bool subtitle)
{
    struct fan_box box = layout->greeting;

    if (!subtitle)
        box.h = layout->subtitle.y + layout->subtitle.h * 0.7 - box.y;
    return box;
}

static void draw_art(struct fan_scene *scene)
{
    fan_draw_ground(scene);
    fan_draw_hero(scene);
    fan_draw_frame(scene);
}

/* A short line with a bead in its middle, above the subtitle. */
static void rule(struct fan_scene *scene, struct fan_colour ink)
{
    struct fan_box box = scene->layout->subtitle;
    double unit = scene->layout->unit, x = fan_box_mid_x(box), y = box.y + 2 * unit;

    fan_ink(scene->cr, ink, 0.9);
    cairo_set_line_width(scene->cr, 2.4 * unit);
    cairo_move_to(scene->cr, x - 78 * unit, y);
    cairo_line_to(scene->cr, x - 16 * unit, y);
    cairo_move_to(scene->cr, x + 16 * unit, y);
    cairo_line_to(scene->cr, x + 78 * unit, y);
    cairo_stroke(scene->cr);
    fan_star(scene->cr, x, y, 9 * unit, 4, 0.5);
    cairo_fill(scene->cr);
}

static void draw_subtitle(struct fan_scene *scene, const struct fan_layer_words *words,
        struct fan_colour ink, struct fan_layer *layer)
{
    struct fan_box box = scene->layout->subtitle;
    struct fan_text_style style = { .size_max = box.h * 0.66,
        .size_min = box.h * 0.36,
        .lines = 1 };
    struct fan_fitted *fitted =
            fan_text_fit(scene->cr, words->campaign, words->language, &style, box.w, box.h);

    fan_ink(scene->cr, ink, 1);
    fan_fitted_draw(fitted, scene->cr, box.x,
            box.y + (box.h - fan_fitted_height(fitted)) / 2 + 6 * scene->layout->unit);
    if (layer) {
        layer->missing = fan_fitted_missing(fitted);
        layer->shortened = fan_fitted_shortened(fitted);
    }
    fan_fitted_free(&fitted);
}

static void draw_front(struct fan_scene *scene, const struct fan_layer_words *words,
        const struct fan_legible *how, struct fan_layer *layer)
{
    fan_draw_spread(scene);
    fan_draw_logo(scene);
    if (words->campaign.len > 0) {
        rule(scene,
                scene->theme->ground == FAN_GROUND_MINIMAL ? scene->festival->from
                                                           : scene->festival->accent);
        draw_subtitle(scene, words, how->ink, layer);
    }
}

static struct fan_box text_area(const struct fan_layer *layer, const struct fan_layout *layout)
{
    struct fan_box box = layer->words;

    box.h = layout->subtitle.y + layout->subtitle.h - box.y;
    return box;
}

void fan_layer_repeat(const struct fan_layer *layer, struct fan_scene *scene,
        const struct fan_layer_words *words)
{
    draw_art(scene);
    fan_draw_veils(scene, text_area(layer, scene->layout), &layer->how);
    draw_front(scene, words, &layer->how, NULL);
}

/* ---- keeping ---- */

static size_t bytes_of(const struct fan_layer *layer)
{
    return (size_t)cairo_image_surface_get_stride(layer->surface) *
            (size_t)cairo_image_surface_get_height(layer->surface);
}

static void drop(struct fan_layers *layers, struct fan_layer *layer)
{
    layers->bytes -= bytes_of(layer);
    cairo_surface_destroy(layer->surface);
    *layer = (struct fan_layer){ .surface = NULL };
}

void fan_layers_fini(struct fan_layers *layers)
{
    for (size_t i = 0; i < FAN_LAYERS; i++) {
        if (layers->list[i].surface)
            drop(layers, &layers->list[i]);
    }
}

struct fan_layer *fan_layers_find(struct fan_layers *layers, const unsigned char key[32])
{
    for (size_t i = 0; i < FAN_LAYERS; i++) {
        struct fan_layer *layer = &layers->list[i];

        if (layer->surface && memcmp(layer->key, key, sizeof layer->key) == 0) {
            layer->used = ++layers->now;
            return layer;
        }
    }
    return NULL;
}

static struct fan_layer *oldest(struct fan_layers *layers)
{
    struct fan_layer *found = NULL;

    for (size_t i = 0; i < FAN_LAYERS; i++) {
        if (layers->list[i].surface && (!found || layers->list[i].used < found->used))
            found = &layers->list[i];
    }
    return found;
}

static struct fan_layer *make_room(struct fan_layers *layers, size_t bytes)
{
    for (;;) {
        struct fan_layer *victim = oldest(layers);

        for (size_t i = 0; i < FAN_LAYERS && layers->bytes + bytes <= FAN_LAYER_BYTES; i++) {
            if (!layers->list[i].surface)
                return &layers->list[i];
        }
        FAN_ASSERT(victim); /* one layer always fits */
        drop(layers, victim);
    }
}

struct fan_layer *fan_layers_add(struct fan_layers *layers, const unsigned char key[32],
        struct fan_scene *scene, const struct fan_layer_words *words)
{
    const struct fan_layout *layout = scene->layout;
    struct fan_layer *layer = make_room(layers, (size_t)layout->width * (size_t)layout->height * 4);

    memcpy(layer->key, key, sizeof layer->key);
    layer->used = ++layers->now;
    layer->words = words_box(layout, words->campaign.len > 0);
    layer->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, layout->width, layout->height);
    layers->bytes += bytes_of(layer);
    scene->cr = cairo_create(layer->surface);
    draw_art(scene);
    layer->how = fan_make_legible(scene, layer->surface, text_area(layer, layout));
    draw_front(scene, words, &layer->how, layer);
    cairo_destroy(scene->cr);
    scene->cr = NULL;
    cairo_surface_flush(layer->surface);
    return layer;
}

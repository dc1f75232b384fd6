#include "actors/lib/picture/words.h"

#include "actors/lib/picture/text.h"

#include <cairo.h>

#include <math.h>

static struct fan_words_note note_of(const struct fan_fitted *fitted)
{
    return (struct fan_words_note){ fan_fitted_missing(fitted), fan_fitted_shortened(fitted) };
}

/* Light letters get a soft edge below, as printers do on pictures. */
static void letters(struct fan_scene *scene, const struct fan_fitted *fitted, double x, double y,
        struct fan_colour ink, const struct fan_legible *how)
{
    double lift = fmax(1.5, fan_fitted_size(fitted) * 0.022);

    if (fan_colour_luminance(ink) > fan_colour_luminance(how->veil)) {
        fan_ink(scene->cr, how->veil, 0.5);
        fan_fitted_draw(fitted, scene->cr, x, y + lift);
    }
    fan_ink(scene->cr, ink, 1);
    fan_fitted_draw(fitted, scene->cr, x, y);
}

/* The accent where it can be read as well as the plain ink; else that. */
static struct fan_colour second_ink(const struct fan_scene *scene, const struct fan_legible *how)
{
    double ground = fan_colour_luminance(how->veil);
    struct fan_colour from = scene->festival->from, accent = scene->festival->accent;

    if (fan_colour_luminance(how->ink) > ground)
        return fan_contrast(fan_colour_luminance(accent), ground) > 6 ? accent : how->ink;
    return fan_contrast(fan_colour_luminance(from), ground) > FAN_CONTRAST_LEAST ? from : how->ink;
}

struct fan_words_note fan_draw_words(struct fan_scene *scene, const struct fan_layer *layer,
        const struct fan_words *words)
{
    struct fan_box box = layer->words;
    bool named = words->name.len > 0;
    double share = named ? 0.64 : 1, gap = named ? box.h * 0.03 : 0;
    struct fan_text_style large = { .size_max = fmin(box.h * 0.7, box.w * 0.22),
        .size_min = box.h * 0.12,
        .lines = 3,
        .bold = true,
        .serif = scene->theme->serif };
    struct fan_text_style small = large;
    struct fan_fitted *greeting, *name = NULL;
    struct fan_words_note note;
    double height, y;

    greeting =
            fan_text_fit(scene->cr, words->greeting, words->language, &large, box.w, box.h * share);
    note = note_of(greeting);
    height = fan_fitted_height(greeting);
    if (named) {
        small.size_max = fmax(fmin(fan_fitted_size(greeting) * 0.8, box.h * 0.26), box.h * 0.14);
        small.size_min = box.h * 0.1;
        small.lines = 1;
        name = fan_text_fit(scene->cr, words->name, words->language, &small, box.w,
                box.h * (1 - share));
        note.missing += note_of(name).missing;
        note.shortened |= note_of(name).shortened;
        height += gap + fan_fitted_height(name);
    }
    y = box.y + fmax(0, (box.h - height) / 2);
    letters(scene, greeting, box.x, y, layer->how.ink, &layer->how);
    if (name)
        letters(scene, name, box.x, y + fan_fitted_height(greeting) + gap,
                second_ink(scene, &layer->how), &layer->how);
    fan_fitted_free(&greeting);
    fan_fitted_free(&name);
    return note;
}

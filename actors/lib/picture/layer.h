/*
 * layer — what many pictures share, drawn once and kept. Inside this library only.
 */
#ifndef FAN_LIB_PICTURE_LAYER_H
#define FAN_LIB_PICTURE_LAYER_H

#include "actors/lib/picture/contrast.h"

enum { FAN_LAYERS = 24, FAN_LAYER_BYTES = 96 * 1024 * 1024 };

/* Everything but greeting and name. */
struct fan_layer {
    unsigned char key[32];    /* of what was asked for */
    cairo_surface_t *surface; /* NULL: none */
    struct fan_box words;     /* where greeting and name go */
    struct fan_legible how;   /* in that box */
    unsigned missing;         /* of the subtitle */
    bool shortened;
    bool logo_left_out;
    uint64_t used; /* when, counted in pictures */
};

struct fan_layers {
    struct fan_layer list[FAN_LAYERS];
    size_t bytes;
    uint64_t now;
};

/* What a layer shows besides the scene. */
struct fan_layer_words {
    struct fan_bytes campaign, language;
};

/** Free all. */
void fan_layers_fini(struct fan_layers *layers);

/** The layer of this key, or NULL. */
struct fan_layer *fan_layers_find(struct fan_layers *layers, const unsigned char key[32]);

/** Draw a layer and keep it; the ones that were not used for longest make room. scene->cr is ours
 * meanwhile. */
struct fan_layer *fan_layers_add(struct fan_layers *layers, const unsigned char key[32],
        struct fan_scene *scene, const struct fan_layer_words *words);

/** Draw the same onto scene->cr, which need not be an image. */
void fan_layer_repeat(const struct fan_layer *layer, struct fan_scene *scene,
        const struct fan_layer_words *words);

#endif

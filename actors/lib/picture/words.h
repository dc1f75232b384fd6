/*
 * words — greeting and name, drawn onto a layer. Inside this library only.
 */
#ifndef FAN_LIB_PICTURE_WORDS_H
#define FAN_LIB_PICTURE_WORDS_H

#include "actors/lib/picture/layer.h"

struct fan_words {
    struct fan_bytes greeting, name, language;
};

struct fan_words_note {
    unsigned missing;
    bool shortened;
};

/** Draw them into layer->words on scene->cr. */
struct fan_words_note fan_draw_words(struct fan_scene *scene, const struct fan_layer *layer,
        const struct fan_words *words);

#endif

/*
 * text — greetings shaped by Pango and fitted into boxes. Inside this library only.
 *
 * A text shrinks first, then wraps, and at last loses its end to an ellipsis. What people write is
 * never markup.
 */
#ifndef FAN_LIB_PICTURE_TEXT_H
#define FAN_LIB_PICTURE_TEXT_H

#include "actors/lib/picture/layout.h"

typedef struct _cairo cairo_t;

struct fan_text_style {
    double size_max, size_min; /* pixels */
    int lines;                 /* at most */
    bool bold, serif;
};

struct fan_fitted;

/**
 * Fit @text into a box of @w by @h pixels.
 *
 * cr        what it will be drawn on
 * language  BCP 47: decides shapes that scripts share, such as Han
 * Free it with fan_fitted_free.
 */
struct fan_fitted *fan_text_fit(cairo_t *cr, struct fan_bytes text, struct fan_bytes language,
        const struct fan_text_style *style, double w, double h);
void fan_fitted_free(struct fan_fitted **fitted);

double fan_fitted_height(const struct fan_fitted *fitted);
double fan_fitted_size(const struct fan_fitted *fitted); /* pixels, of the type */
/** Characters that no font here has. */
unsigned fan_fitted_missing(const struct fan_fitted *fitted);
bool fan_fitted_shortened(const struct fan_fitted *fitted);

/** Draw it in the current ink, in the middle of the width it was fitted to. */
void fan_fitted_draw(const struct fan_fitted *fitted, cairo_t *cr, double x, double y);

#endif

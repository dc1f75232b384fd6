/*
 * picture — a greeting picture: a festival's art on a theme's ground, a greeting in any script, a
 * name, the campaign's title and a logo.
 *
 * A painter holds the catalogue, the art and the layers that many pictures share: everything but
 * greeting and name is drawn once for each (festival, theme, size, campaign, logo). One thread.
 */
#ifndef FAN_LIB_PICTURE_PICTURE_H
#define FAN_LIB_PICTURE_PICTURE_H

#include "actors/lib/picture/catalogue.h"
#include "proto/buffer.h"

enum fan_picture_format {
    FAN_PICTURE_PNG = 1,
    FAN_PICTURE_JPEG,
    FAN_PICTURE_SVG,
};

enum {
    FAN_PICTURE_TEXT_MAX = 500,              /* bytes of greeting, name or campaign */
    FAN_PICTURE_BYTES_MAX = 5 * 1024 * 1024, /* of a picture: what WhatsApp takes */
};

struct fan_picture_order {
    struct fan_bytes festival, theme, size; /* ids */
    struct fan_bytes language;              /* BCP 47; empty: the festival's own */
    struct fan_bytes greeting;              /* empty: the festival's in that language */
    struct fan_bytes name;                  /* of the recipient; empty: none */
    struct fan_bytes campaign;              /* empty: no subtitle */
    struct fan_bytes logo;                  /* a PNG file as fan_logo_clean makes it; empty: none */
    enum fan_picture_format format;
};

/* What is worth knowing about a picture that was drawn. */
struct fan_picture_note {
    int width, height;
    unsigned missing_glyphs; /* characters that no font here has: shown as boxes */
    bool shortened;          /* a text did not fit and lost its end */
    bool logo_left_out;      /* it could not be read */
    double contrast;         /* of the text with what is behind it; 4.5 or more */
};

struct fan_painter;

/**
 * Load the catalogue and all its art from @folder.
 *
 * fails  as fan_catalogue_load, and FAN_INVALID for a motif that is no such drawing
 */
enum fan_err fan_painter_open(const char *folder, struct fan_painter **out,
        struct fan_why *why) FAN_MUST_CHECK;
void fan_painter_close(struct fan_painter **painter);

const struct fan_catalogue *fan_painter_catalogue(const struct fan_painter *painter);

/**
 * Draw a picture and add it, encoded, to @out.
 *
 * fails  FAN_NOT_FOUND    no such festival, theme or size; why->field says which
 *        FAN_INVALID      a text is not UTF-8
 *        FAN_TOO_LARGE    a text is longer than FAN_PICTURE_TEXT_MAX, or the picture than out->cap
 */
enum fan_err fan_painter_draw(struct fan_painter *painter, const struct fan_picture_order *order,
        struct fan_buffer *out, struct fan_picture_note *note, struct fan_why *why) FAN_MUST_CHECK;

#endif

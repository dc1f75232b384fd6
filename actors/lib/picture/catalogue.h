/*
 * catalogue — the festivals and themes that pictures are drawn from: festivals.json, themes.json
 * and motifs/<festival>.svg of one folder.
 *
 * Read whole and checked whole at start; docs/pictures.md says what a row holds.
 */
#ifndef FAN_LIB_PICTURE_CATALOGUE_H
#define FAN_LIB_PICTURE_CATALOGUE_H

#include "actors/lib/picture/colour.h"
#include "actors/lib/picture/dates.h"
#include "proto/arena.h"

/* What stands behind the drawing. */
enum fan_backdrop {
    FAN_BACKDROP_RAYS = 1,
    FAN_BACKDROP_BOKEH,
    FAN_BACKDROP_STARS,
    FAN_BACKDROP_FIREWORKS,
    FAN_BACKDROP_CONFETTI,
    FAN_BACKDROP_SNOW,
    FAN_BACKDROP_MANDALA,
    FAN_BACKDROP_WAVES,
    FAN_BACKDROP_CLOUDS,
    FAN_BACKDROP_HILLS,
};

/* What becomes of the festival's small ornament. */
enum fan_spread {
    FAN_SPREAD_HANG = 1, /* from the upper edge, on threads */
    FAN_SPREAD_FALL,     /* strewn where nothing else is */
    FAN_SPREAD_ROW,      /* side by side along the lower edge */
};

enum fan_ground {
    FAN_GROUND_CLASSIC = 1,
    FAN_GROUND_MODERN,
    FAN_GROUND_MINIMAL,
    FAN_GROUND_NIGHT,
};

struct fan_greeting {
    struct fan_bytes language; /* BCP 47 */
    struct fan_bytes text;
};

struct fan_festival {
    struct fan_bytes id, name, culture;
    struct fan_date_rule date;
    struct fan_colour deep;   /* the darkest; text on light ground */
    struct fan_colour from;   /* gradient */
    struct fan_colour to;     /* gradient */
    struct fan_colour accent; /* frames, rings, the second text */
    struct fan_colour paper;  /* the lightest; text on dark ground */
    enum fan_backdrop backdrop;
    enum fan_spread spread;
    const struct fan_greeting *greetings; /* [greetings_len], the festival's own language first */
    size_t greetings_len;
    char *motif; /* path of the SVG file */
};

struct fan_theme {
    struct fan_bytes id, name;
    enum fan_ground ground;
    bool serif;
    bool frame;
    double backdrop; /* strength, 0 to 1 */
    double spread;   /* how many ornaments, 0 to 1 */
};

struct fan_catalogue {
    const struct fan_festival *festivals; /* [festivals_len] */
    size_t festivals_len;
    const struct fan_theme *themes; /* [themes_len] */
    size_t themes_len;
};

/**
 * Read the catalogue in @folder; it lives as long as @arena.
 *
 * fails  FAN_NOT_FOUND  a file is missing; the text names it
 *        FAN_INVALID    a row is wrong; field names the row, the text what would be right
 */
enum fan_err fan_catalogue_load(const char *folder, struct fan_arena *arena,
        struct fan_catalogue *out, struct fan_why *why) FAN_MUST_CHECK;

/** fails FAN_NOT_FOUND: there is none of that id; the text says where the list is. */
enum fan_err fan_catalogue_festival(const struct fan_catalogue *catalogue, struct fan_bytes id,
        const struct fan_festival **out, struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_catalogue_theme(const struct fan_catalogue *catalogue, struct fan_bytes id,
        const struct fan_theme **out, struct fan_why *why) FAN_MUST_CHECK;

/** The festival's greeting in @language ("pt-BR" also finds "pt"), or its first. */
const struct fan_greeting *fan_festival_greeting(const struct fan_festival *festival,
        struct fan_bytes language);

#endif

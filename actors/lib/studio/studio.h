/*
 * studio — greeting pictures and logos, made in caged children: nothing that an uploaded file or a
 * text does to the code that reads it reaches this process.
 *
 * One child draws pictures for as long as it lives, with fonts, art and layers in memory. When it
 * dies or does not answer in time it is replaced, and only what it was drawing fails. Each logo is
 * read by a child of its own. One thread.
 */
#ifndef FAN_LIB_STUDIO_STUDIO_H
#define FAN_LIB_STUDIO_STUDIO_H

#include "actors/lib/picture/picture.h"
#include "actors/lib/picture/sheet.h"

#include <sys/types.h>

struct fan_studio_settings {
    const char *program;  /* path of fanfare-painter */
    const char *pictures; /* folder of the catalogue */
    int deadline_ms;      /* of one picture; 0: 10 seconds */
};

struct fan_studio;

/**
 * Start the drawing child and wait until it can draw.
 *
 * fails  FAN_UNAVAILABLE  it cannot be started, or found its catalogue wrong; the text says why
 */
enum fan_err fan_studio_open(const struct fan_studio_settings *settings, struct fan_studio **out,
        struct fan_why *why) FAN_MUST_CHECK;
void fan_studio_close(struct fan_studio **studio);

/**
 * Draw a picture and add it to @out.
 *
 * fails  as fan_painter_draw, and
 *        FAN_UNAVAILABLE  the child died or was killed at the deadline; the next call has a new one
 */
enum fan_err fan_studio_draw(struct fan_studio *studio, const struct fan_picture_order *order,
        struct fan_buffer *out, struct fan_picture_note *note, struct fan_why *why) FAN_MUST_CHECK;

/** The same of fan_painter_sheet; it may take a minute. */
enum fan_err fan_studio_sheet(struct fan_studio *studio, const struct fan_sheet *sheet,
        struct fan_buffer *out, struct fan_why *why) FAN_MUST_CHECK;

/** False where the kernel has no Landlock: the drawing child could read the user's other files. */
bool fan_studio_files_locked(const struct fan_studio *studio);

/** The drawing child, 0 when there is none; tests kill it. */
pid_t fan_studio_child(const struct fan_studio *studio);

/**
 * Make a logo of an uploaded file: a PNG that holds nothing but pixels, at most FAN_LOGO_SIDE wide
 * and high.
 *
 * program  path of fanfare-painter
 * fails    FAN_INVALID, FAN_TOO_LARGE  as fan_logo_clean
 *          FAN_UNAVAILABLE  the child that read it was killed
 */
enum fan_err fan_studio_logo(const char *program, struct fan_bytes file, struct fan_buffer *out,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

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

/* ---- the same without waiting, for whoever has a loop ----
 *
 * One picture at a time: fan_studio_ask; then, whenever fan_studio_fd is readable, fan_studio_hear
 * until it is done; fan_studio_give_up when fan_studio_patience has passed since the last of these.
 * Each of them may end one child and start another: stop watching the descriptor before, and ask
 * for it anew afterwards. */

/** A studio without a child. Free it with fan_studio_close. */
struct fan_studio *fan_studio_new(const struct fan_studio_settings *settings);

/** Start the drawing child if there is none. fails FAN_UNAVAILABLE: it cannot be started */
enum fan_err fan_studio_wake(struct fan_studio *studio, struct fan_why *why) FAN_MUST_CHECK;

/**
 * Ask for a picture; what @order says is copied.
 *
 * fails  FAN_NOT_FOUND, FAN_TOO_LARGE  a text or the logo is too long
 *        FAN_UNAVAILABLE               no child can be started
 */
enum fan_err fan_studio_ask(struct fan_studio *studio, const struct fan_picture_order *order,
        struct fan_why *why) FAN_MUST_CHECK;

/** Where the child is heard; -1: there is none. */
int fan_studio_fd(const struct fan_studio *studio);

/** How long the child may be silent, in ms, while something is awaited of it; 0: nothing is. */
uint32_t fan_studio_patience(const struct fan_studio *studio);

/**
 * Hear the child.
 *
 * done   out: the picture that was asked for is in @out, or failed with what is returned. A failure
 *        that is not done is that of a child of which no picture was awaited
 * fails  as fan_studio_draw
 */
enum fan_err fan_studio_hear(struct fan_studio *studio, struct fan_buffer *out,
        struct fan_picture_note *note, bool *done, struct fan_why *why) FAN_MUST_CHECK;

/** Kill the child, which was silent for too long. Returns FAN_UNAVAILABLE: so fails the picture. */
enum fan_err fan_studio_give_up(struct fan_studio *studio, struct fan_why *why);

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

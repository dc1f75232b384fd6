#include "actors/lib/picture/art.h"

#include <librsvg/rsvg.h>

#include <stdio.h>

struct fan_art {
    RsvgHandle *handle;
};

static const char *const drawings[] = { "hero", "small" };

static enum fan_err check(const struct fan_art *art, const char *path, struct fan_why *why)
{
    char id[16];

    for (size_t i = 0; i < 2; i++) {
        snprintf(id, sizeof id, "#%s", drawings[i]);
        if (!rsvg_handle_has_sub(art->handle, id))
            return fan_fail(why, FAN_INVALID, "%s has no element with id=\"%s\"", path,
                    drawings[i]);
    }
    return FAN_OK;
}

enum fan_err fan_art_load(const char *path, struct fan_art **out, struct fan_why *why)
{
    GError *error = NULL;
    RsvgHandle *handle = rsvg_handle_new_from_file(path, &error);
    struct fan_art *art;
    enum fan_err err;

    if (!handle) {
        fan_fail(why, FAN_INVALID, "%s: %.200s", path, error->message);
        g_error_free(error);
        return FAN_INVALID;
    }
    rsvg_handle_set_dpi(handle, 96);
    art = g_new0(struct fan_art, 1);
    art->handle = handle;
    err = check(art, path, why);
    if (err)
        fan_art_free(&art);
    *out = art;
    return err;
}

void fan_art_free(struct fan_art **art)
{
    if (!*art)
        return;
    g_object_unref((*art)->handle);
    g_free(*art);
    *art = NULL;
}

void fan_art_draw(const struct fan_art *art, const char *drawing, cairo_t *cr, struct fan_box box)
{
    bool is_small = strcmp(drawing, "small") == 0; /* drawn in the first quarter of the field */
    double scale = is_small ? 4 : 1;
    const RsvgRectangle place = { box.x, box.y, box.w * scale, box.h * scale };
    char id[16];

    snprintf(id, sizeof id, "#%s", drawing);
    (void)rsvg_handle_render_layer(art->handle, cr, id, &place, NULL);
}

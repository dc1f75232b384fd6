#include "actors/lib/picture/logo_decode.h"

#include <librsvg/rsvg.h>

#include <cairo.h>

#include <math.h>

/* Its own proportions, in a box of @side; a drawing without a size is a square. */
static void fit(RsvgHandle *handle, int side, RsvgRectangle *place)
{
    double width = 0, height = 0, scale;

    if (!rsvg_handle_get_intrinsic_size_in_pixels(handle, &width, &height)) {
        gboolean has_box = FALSE;
        RsvgRectangle box;

        rsvg_handle_get_intrinsic_dimensions(handle, NULL, NULL, NULL, NULL, &has_box, &box);
        width = has_box ? box.width : 0;
        height = has_box ? box.height : 0;
    }
    if (!(width > 0 && height > 0 && width < 1e6 && height < 1e6))
        width = height = 1;
    scale = side / fmax(width, height);
    *place = (RsvgRectangle){ 0, 0, fmax(1, width * scale), fmax(1, height * scale) };
}

cairo_surface_t *fan_decode_svg(struct fan_bytes file, int side)
{
    RsvgHandle *handle = rsvg_handle_new_from_data((const guint8 *)file.at, file.len, NULL);
    cairo_surface_t *surface;
    RsvgRectangle place;
    cairo_t *cr;
    bool done;

    if (!handle)
        return NULL;
    rsvg_handle_set_dpi(handle, 96);
    fit(handle, side, &place);
    surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)ceil(place.width),
            (int)ceil(place.height));
    cr = cairo_create(surface);
    done = rsvg_handle_render_document(handle, cr, &place, NULL);
    cairo_destroy(cr);
    g_object_unref(handle);
    if (!done) {
        cairo_surface_destroy(surface);
        return NULL;
    }
    return surface;
}

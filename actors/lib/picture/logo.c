#include "actors/lib/picture/logo.h"

#include "actors/lib/picture/logo_decode.h"
#include "actors/lib/picture/svg_rules.h"

#include <cairo.h>

#include <math.h>
#include <stdlib.h>

/* Cairo's pixels are multiplied by their alpha, in the order of the machine's words. */
static void fill(cairo_surface_t *surface, const unsigned char *pixels, uint32_t width,
        uint32_t height)
{
    unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);

    for (size_t y = 0; y < height; y++) {
        uint32_t *row = (uint32_t *)(void *)(data + y * stride);

        for (size_t x = 0; x < width; x++) {
            const unsigned char *at = pixels + (y * width + x) * 4;
            uint32_t a = at[3], r = at[0] * a / 255, g = at[1] * a / 255, b = at[2] * a / 255;

            row[x] = a << 24 | r << 16 | g << 8 | b;
        }
    }
    cairo_surface_mark_dirty(surface);
}

static cairo_surface_t *decode(struct fan_bytes file, const struct fan_image_header *header)
{
    unsigned char *pixels = malloc((size_t)header->width * header->height * 4);
    cairo_surface_t *surface = NULL;
    bool done = false;

    if (!pixels)
        return NULL;
    if (header->kind == FAN_IMAGE_PNG)
        done = fan_decode_png(file, header, pixels);
    else if (header->kind == FAN_IMAGE_JPEG)
        done = fan_decode_jpeg(file, header, pixels);
    else
        done = fan_decode_webp(file, header, pixels);
    if (done) {
        surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)header->width,
                (int)header->height);
        if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS)
            fill(surface, pixels, header->width, header->height);
    }
    free(pixels);
    return surface;
}

/* At most FAN_LOGO_SIDE wide and high; takes @surface. */
static cairo_surface_t *shrink(cairo_surface_t *surface)
{
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    double scale = FAN_LOGO_SIDE / fmax(width, height);
    cairo_surface_t *small;
    cairo_t *cr;

    if (scale >= 1)
        return surface;
    small = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)fmax(1, round(width * scale)),
            (int)fmax(1, round(height * scale)));
    cr = cairo_create(small);
    cairo_scale(cr, (double)cairo_image_surface_get_width(small) / width,
            (double)cairo_image_surface_get_height(small) / height);
    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return small;
}

static cairo_status_t collect(void *out, const unsigned char *at, unsigned len)
{
    fan_buffer_add(out, at, len);
    return CAIRO_STATUS_SUCCESS;
}

enum fan_err fan_logo_clean(struct fan_bytes file, struct fan_buffer *out, struct fan_why *why)
{
    struct fan_image_header header;
    cairo_surface_t *surface;
    enum fan_err err = fan_image_header_read(file, &header, why);
    bool written;

    if (!err && header.kind == FAN_IMAGE_SVG)
        err = fan_svg_check(file, why);
    if (err)
        return err;
    surface = header.kind == FAN_IMAGE_SVG ? fan_decode_svg(file, FAN_LOGO_SIDE)
                                           : decode(file, &header);
    if (!surface)
        return fan_fail_field(why, FAN_INVALID, "logo",
                "the image is damaged, animated or in CMYK; save it as a plain PNG");
    surface = shrink(surface);
    written = cairo_surface_write_to_png_stream(surface, collect, out) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    if (!written || out->overflowed)
        return fan_fail_field(why, FAN_TOO_LARGE, "logo", "the logo does not fit into %zu bytes",
                out->cap);
    return FAN_OK;
}

#include "actors/lib/picture/encode.h"

#include <png.h>
#include <zlib.h>

/* Of the ways tried, one filter and runs of equal bytes is nearly the fastest and gives the
 * smallest files of gradients with letters on them: a third of the time of zlib's default. */

static void add(png_structp png, png_bytep at, size_t len)
{
    fan_buffer_add(png_get_io_ptr(png), at, len);
}

static void nothing(png_structp png)
{
    (void)png;
}

static void write_all(png_structp png, png_infop info, struct fan_pixels pixels)
{
    png_set_IHDR(png, info, (png_uint_32)pixels.width, (png_uint_32)pixels.height, 8,
            PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
            PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_strategy(png, Z_RLE);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_PAETH);
    png_write_info(png, info);
    png_set_filler(png, 0, PNG_FILLER_AFTER);
    png_set_bgr(png);
    for (int y = 0; y < pixels.height; y++)
        png_write_row(png, pixels.at + (ptrdiff_t)y * pixels.stride);
    png_write_end(png, info);
}

enum fan_err fan_encode_png(struct fan_pixels pixels, struct fan_buffer *out, struct fan_why *why)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);

    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return fan_fail(why, FAN_UNAVAILABLE, "the picture could not be written as PNG");
    }
    png_set_write_fn(png, out, add, nothing);
    write_all(png, info, pixels);
    png_destroy_write_struct(&png, &info);
    if (out->overflowed)
        return fan_fail(why, FAN_TOO_LARGE, "the PNG would be larger than %zu bytes", out->cap);
    return FAN_OK;
}

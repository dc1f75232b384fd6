#include "actors/lib/picture/logo_decode.h"

#include <png.h>

bool fan_decode_png(struct fan_bytes file, const struct fan_image_header *header,
        unsigned char *pixels)
{
    png_image image = { .version = PNG_IMAGE_VERSION };
    bool done;

    if (!png_image_begin_read_from_memory(&image, file.at, file.len))
        return false;
    image.format = PNG_FORMAT_RGBA;
    done = image.width == header->width && image.height == header->height &&
            png_image_finish_read(&image, NULL, pixels, (png_int_32)header->width * 4, NULL);
    png_image_free(&image);
    return done;
}

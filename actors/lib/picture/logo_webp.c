#include "actors/lib/picture/logo_decode.h"

#include <webp/decode.h>

bool fan_decode_webp(struct fan_bytes file, const struct fan_image_header *header,
        unsigned char *pixels)
{
    const uint8_t *at = (const uint8_t *)file.at;
    size_t size = (size_t)header->width * header->height * 4;
    WebPBitstreamFeatures features;

    if (WebPGetFeatures(at, file.len, &features) != VP8_STATUS_OK || features.has_animation ||
            features.width != (int)header->width || features.height != (int)header->height)
        return false;
    return WebPDecodeRGBAInto(at, file.len, pixels, size, (int)header->width * 4) != NULL;
}

/*
 * What is read of an uploaded image outside of any library: its header, and an SVG file's rules. A
 * size that is accepted is within the bound; what is accepted is accepted again.
 */
#include "actors/lib/picture/header.h"
#include "actors/lib/picture/svg_rules.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    char *copy = malloc(len + 1); /* exactly as long, so that a read beyond the end is seen */
    struct fan_bytes file = { copy, len };
    struct fan_image_header header;
    struct fan_why why = { 0 };

    if (!copy)
        return 0;
    memcpy(copy, at, len);
    copy = realloc(copy, len > 0 ? len : 1);
    file.at = copy;
    if (fan_image_header_read(file, &header, &why) == FAN_OK && header.kind != FAN_IMAGE_SVG)
        FAN_ASSERT(header.width >= 1 && header.width <= FAN_IMAGE_SIDE_MAX && header.height >= 1 &&
                header.height <= FAN_IMAGE_SIDE_MAX);
    if (fan_svg_check(file, &why) == FAN_OK)
        FAN_ASSERT(memmem(file.at, file.len, "<svg", 4) != NULL);
    free(copy);
    return 0;
}

/*
 * Files that strangers upload: whatever their first bytes say, they are of one type that we know
 * or of none, and a picture's size is read from within the file.
 */
#include "actors/lib/media/type.h"
#include "proto/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_bytes file = { (const char *)at, len };
    struct fan_bytes head = { file.at, len < FAN_MEDIA_HEAD ? len : FAN_MEDIA_HEAD };
    enum fan_media_type type = fan_media_type_find(head);
    uint32_t width, height;

    FAN_ASSERT(type < FAN_MEDIA_TYPE_COUNT);
    if (!type)
        return 0;
    FAN_ASSERT(fan_media_type_of(fan_bytes_of(fan_media_rule_of(type)->mime)) == type);
    if (fan_media_measure(type, file, &width, &height))
        FAN_ASSERT(fan_media_rule_of(type)->kind == FAN_MEDIA_IMAGE && width > 0 && height > 0);
    return 0;
}

/*
 * An address that was taken can stand in a header and an SMTP command, and is taken again as it is.
 */
#include "actors/lib/person/email.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes once, twice;

    if (!fan_email_normalise((struct fan_bytes){ (const char *)at, len }, arena, &once, NULL)) {
        FAN_ASSERT(once.len <= 254 && fan_bytes_utf8(once));
        for (size_t i = 0; i < once.len; i++)
            FAN_ASSERT((unsigned char)once.at[i] > ' ' && !strchr("<>,;:\"\\()[]", once.at[i]));
        FAN_ASSERT(fan_email_normalise(once, arena, &twice, NULL) == FAN_OK);
        FAN_ASSERT(fan_bytes_eq(once, twice));
    }
    fan_arena_free(&arena);
    return 0;
}

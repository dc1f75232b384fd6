#include "actors/sandbox/ids.h"

#include "actors/lib/driver/driver.h"

#include <inttypes.h>

struct fan_bytes fan_sandbox_sid(uint64_t session, uint64_t serial, struct fan_arena *arena)
{
    return fan_bytes_of(fan_arena_printf(arena, "SM%016" PRIx64 "%016" PRIx64, session, serial));
}

struct fan_bytes fan_sandbox_wamid(uint64_t session, uint64_t serial, uint64_t to,
        struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, 256);
    const char *inside =
            fan_arena_printf(arena, "%" PRIu64 ":%016" PRIx64 "%" PRIx64, to, session, serial);

    fan_buffer_add_text(out, "wamid.");
    fan_buffer_add_base64(out, fan_bytes_of(inside));
    return fan_buffer_bytes(out);
}

bool fan_sandbox_phone(struct fan_bytes text, bool plus, uint64_t *out)
{
    int64_t number;

    if (plus) {
        if (!fan_bytes_starts(text, FAN_LIT("+")))
            return false;
        text.at++, text.len--;
    }
    if (text.len < 7 || text.len > 15 || text.at[0] < '1' || text.at[0] > '9' ||
            !fan_bytes_i64(text, &number))
        return false;
    *out = (uint64_t)number;
    return true;
}

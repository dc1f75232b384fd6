/*
 * fuzz_json — any bytes as JSON: what is read can be written, and reads back as the same; and any
 * bytes can be quoted.
 */
#include "proto/err.h"
#include "proto/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

enum { ROOM = 1 << 24 };

static const struct fan_json *parse(struct fan_bytes text, struct fan_arena *arena)
{
    const struct fan_json *value;
    struct fan_why why;

    return fan_json_parse(text, arena, &value, &why) == FAN_OK ? value : NULL;
}

static void dump_twice(const struct fan_json *value, struct fan_arena *arena)
{
    struct fan_buffer once, twice;
    const struct fan_json *back;

    fan_buffer_init(&once, ROOM);
    fan_buffer_init(&twice, ROOM);
    fan_json_dump(value, &once);
    back = parse(fan_buffer_bytes(&once), arena);
    FAN_ASSERT(back && fan_json_type(back) == fan_json_type(value));
    fan_json_dump(back, &twice);
    FAN_ASSERT(fan_bytes_eq(fan_buffer_bytes(&once), fan_buffer_bytes(&twice)));
    fan_buffer_fini(&once);
    fan_buffer_fini(&twice);
}

/* A quoted text holds no raw control character, and reads back as itself when it was UTF-8. */
static void quote(struct fan_bytes text, struct fan_arena *arena)
{
    struct fan_buffer out;
    struct fan_bytes quoted;

    fan_buffer_init(&out, ROOM);
    fan_json_quote(&out, text);
    quoted = fan_buffer_bytes(&out);
    FAN_ASSERT(!out.overflowed && fan_bytes_utf8(quoted));
    for (size_t i = 0; i < quoted.len; i++)
        FAN_ASSERT((unsigned char)quoted.at[i] >= 0x20);
    if (text.len && !memchr(text.at, '\0', text.len) && fan_bytes_utf8(text))
        FAN_ASSERT(fan_bytes_eq(fan_json_text(parse(quoted, arena)), text));
    fan_buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes text = { (const char *)at, len };
    const struct fan_json *value = parse(text, arena);

    if (value)
        dump_twice(value, arena);
    quote(text, arena);
    fan_arena_free(&arena);
    return 0;
}

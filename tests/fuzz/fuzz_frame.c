/*
 * fuzz_frame — any bytes as a frame: what is read can be written, and reads back as the same.
 */
#include "proto/err.h"
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

/* Decode @wire's header and body; NULL when it is refused. */
static void *decode(struct fan_bytes wire, struct fan_arena *arena, struct fan_frame *frame)
{
    const struct fan_schema *schema;
    struct fan_why why;
    void *message;

    if (fan_frame_decode(wire, frame, &why) != FAN_OK)
        return NULL;
    schema = fan_schema_of(frame->number);
    if (!schema)
        return NULL;
    message = fan_arena_alloc(arena, schema->size);
    return fan_decode(schema, frame->body, arena, message, &why) == FAN_OK ? message : NULL;
}

static void encode(const struct fan_frame *frame, const void *message, struct fan_buffer *out)
{
    fan_buffer_init(out, FAN_FRAME_MAX);
    fan_frame_encode(frame, fan_schema_of(frame->number), message, out);
}

/*
 * The input may be wordier than what we write (long forms, fields from the future), so two writings
 * are compared. Ours may be longer only by REQUIRED fields of nothing, which the input had as well.
 */
static void round_trip(const struct fan_frame *frame, const void *message, size_t len,
        struct fan_arena *arena)
{
    struct fan_buffer once, twice;
    struct fan_frame again;
    void *back;

    encode(frame, message, &once);
    FAN_ASSERT(!once.overflowed && once.len <= len);
    back = decode(fan_buffer_bytes(&once), arena, &again);
    FAN_ASSERT(back);
    encode(&again, back, &twice);
    FAN_ASSERT(fan_bytes_eq(fan_buffer_bytes(&once), fan_buffer_bytes(&twice)));
    fan_buffer_fini(&once);
    fan_buffer_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_frame frame;
    void *message = decode((struct fan_bytes){ (const char *)at, len }, arena, &frame);

    if (message)
        round_trip(&frame, message, len, arena);
    fan_arena_free(&arena);
    return 0;
}

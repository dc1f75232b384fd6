/*
 * Templates: whatever compiles runs within its limits, and twice the same. The input is the
 * template, and also the one partial that it may call.
 */
#include "actors/lib/liquid/liquid.h"

#include "proto/err.h"

static const char data_text[] =
        "{\"a\":[1,2.5,\"x\",null,[3,[4]],{\"b\":\"c\"}],\"o\":{\"k\":\"v\",\"size\":3},"
        "\"s\":\"<b>\\u00e4 \\n\",\"n\":7,\"f\":-1.5,\"t\":true,\"d\":\"2026-11-20 10:15 +0530\","
        "\"p\":[{\"t\":\"x\",\"q\":1},{\"t\":\"y\",\"q\":2},{\"q\":1}]}";

static enum fan_err write_once(struct fan_liquid_machine *machine,
        const struct fan_liquid_program *program, const struct fan_liquid_input *input,
        struct fan_buffer *out)
{
    struct fan_why why = { 0 };
    uint32_t line = 0;
    enum fan_err err = fan_liquid_run(machine, program, input, out, &line, &why);

    FAN_ASSERT(!err || (line && why.err == err && why.text[0]));
    return err;
}

static void write_twice(const struct fan_liquid_program *program, struct fan_arena *arena)
{
    struct fan_liquid_machine *machine = fan_liquid_machine_new();
    const struct fan_json *json = NULL;
    struct fan_liquid_input input = { .now = 1795000000 * FAN_SECOND };
    struct fan_buffer first, second;

    FAN_ASSERT(!fan_json_parse(fan_bytes_of(data_text), arena, &json, NULL));
    input.data = fan_value_of_json(json, arena).map;
    fan_buffer_init(&first, 64 * 1024);
    fan_buffer_init(&second, 64 * 1024);
    for (int escape = FAN_LIQUID_PLAIN; escape <= FAN_LIQUID_LINE; escape++) {
        input.escape = (enum fan_liquid_escape)escape;
        fan_buffer_clear(&first);
        fan_buffer_clear(&second);
        FAN_ASSERT(write_once(machine, program, &input, &first) ==
                write_once(machine, program, &input, &second));
        FAN_ASSERT(first.len == second.len &&
                (!first.len || memcmp(first.at, second.at, first.len) == 0));
    }
    fan_buffer_fini(&first);
    fan_buffer_fini(&second);
    fan_liquid_machine_free(&machine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes text = { .at = (const char *)data, .len = size };
    const struct fan_entry partial = { FAN_LIT("p"), fan_value_text(text) };
    const struct fan_map partials = { .len = 1, .entries = &partial };
    const struct fan_liquid_source source = { .text = text, .partials = &partials };
    const struct fan_liquid_program *program;
    struct fan_why why = { 0 };
    uint32_t line = 0;
    enum fan_err err = fan_liquid_compile(&source, arena, &program, &line, &why);

    if (err)
        FAN_ASSERT(line && why.err == err && why.text[0]);
    else
        write_twice(program, arena);
    fan_arena_free(&arena);
    return 0;
}

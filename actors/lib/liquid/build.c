/* A program made step by step: for syntaxes that only put values between texts. */
#include "actors/lib/liquid/program.h"

#include "proto/err.h"

struct fan_liquid_builder {
    const struct fan_liquid_schema *schema;
    struct fan_arena *arena;
    struct fan_op *ops;
    struct fan_value *constants;
    size_t len, room, constants_len;
};

struct fan_liquid_builder *fan_liquid_build(const struct fan_liquid_schema *schema,
        struct fan_arena *arena)
{
    struct fan_liquid_builder *builder = fan_arena_alloc(arena, sizeof *builder);

    builder->schema = schema;
    builder->arena = arena;
    return builder;
}

static void *wider(struct fan_liquid_builder *builder, const void *at, size_t size)
{
    void *new = fan_arena_array(builder->arena, builder->room, size);

    if (builder->len)
        memcpy(new, at, builder->len * size);
    return new;
}

static void add(struct fan_liquid_builder *builder, enum fan_liquid_op code, size_t arg)
{
    if (builder->len == builder->room) {
        builder->room = builder->room ? 2 * builder->room : 8;
        builder->ops = wider(builder, builder->ops, sizeof *builder->ops);
        builder->constants = wider(builder, builder->constants, sizeof *builder->constants);
    }
    builder->ops[builder->len++] = (struct fan_op){ .code = (uint8_t)code, .arg = (uint32_t)arg };
}

void fan_liquid_build_text(struct fan_liquid_builder *builder, struct fan_bytes text)
{
    if (!text.len)
        return;
    add(builder, FAN_OP_TEXT, builder->constants_len);
    builder->constants[builder->constants_len++] =
            fan_value_text(fan_bytes_dup(text, builder->arena));
}

void fan_liquid_build_slot(struct fan_liquid_builder *builder, size_t slot)
{
    FAN_ASSERT(slot < builder->schema->slots);
    add(builder, FAN_OP_WRITE_SLOT, slot);
}

const struct fan_liquid_program *fan_liquid_built(struct fan_liquid_builder *builder)
{
    struct fan_liquid_program *program = fan_arena_alloc(builder->arena, sizeof *program);
    struct fan_liquid_code *code = fan_arena_alloc(builder->arena, sizeof *code);

    add(builder, FAN_OP_END, 0);
    code->ops = builder->ops;
    code->ops_len = builder->len;
    code->lines = fan_arena_array(builder->arena, builder->len, sizeof *code->lines);
    *program = (struct fan_liquid_program){
        .codes = code,
        .codes_len = 1,
        .constants = builder->constants,
        .constants_len = builder->constants_len,
        .fallbacks = builder->schema->fallbacks,
        .forloop = -1,
    };
    return program;
}

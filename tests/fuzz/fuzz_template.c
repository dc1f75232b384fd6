/* Contents of campaigns: compiled for every kind of channel, and written for a strange contact. */
#include "actors/lib/text/values.h"

static const struct fan_bytes attributes[] = { FAN_LIT("city"), FAN_LIT("visits") };

static void write_copy(const struct fan_template *template, const struct fan_text_fields *fields,
        struct fan_bytes data, struct fan_arena *arena, struct fan_liquid_machine *machine)
{
    struct fan_text_person person = { .first_name = FAN_LIT("<\"&'>\r\n"), .attributes = data };
    struct fan_text_occasion occasion = { .kind = FAN_KIND_SMS, .details = data };
    struct fan_value values[FAN_SLOT_ATTRIBUTES + 2 + FAN_EXTRAS] = { 0 };
    const struct fan_text_view view = { .machine = machine, .values = values };
    struct fan_rendering out;
    struct fan_buffer buffer;
    struct fan_why why;

    fan_buffer_init(&buffer, FAN_RENDERED_MAX);
    fan_text_occasion_values(fields, &occasion, arena, values);
    if (!fan_text_values(template, fields, &person, arena, values, &why))
        fan_template_render(template, &view, &buffer, &out, &why);
    fan_buffer_fini(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_liquid_machine *machine = fan_liquid_machine_new();
    struct fan_bytes content = { .at = (const char *)data, .len = size };
    struct fan_text_fields fields =
            fan_text_fields_of((struct fan_texts){ .at = attributes, .len = 2 }, content, arena);
    const struct fan_text_program *program;
    const struct fan_template *template;
    struct fan_why why;

    for (enum fan_kind kind = FAN_KIND_SMS; kind < FAN_KIND_COUNT; kind++)
        if (!fan_template_compile(kind, content, &fields, arena, &template, &why))
            write_copy(template, &fields, content, arena, machine);
    for (enum fan_text_syntax syntax = FAN_SYNTAX_FIELD; syntax <= FAN_SYNTAX_LIQUID; syntax++)
        if (!fan_text_compile(content, syntax, &fields, arena, &program, &why))
            FAN_ASSERT(fan_text_least(program) <= size);
    fan_liquid_machine_free(&machine);
    fan_arena_free(&arena);
    return 0;
}

/* Contents with languages, preheaders and variants: chosen from and written for a strange contact,
 * and measured as an SMS. */
#include "actors/lib/text/segments.h"
#include "actors/lib/text/values.h"
#include "actors/lib/text/variant.h"

static void write_copy(const struct fan_template *template, const struct fan_text_fields *fields,
        struct fan_arena *arena, struct fan_liquid_machine *machine)
{
    struct fan_text_person person = { .first_name = FAN_LIT("<\"&'>\r\n€\xff") };
    struct fan_value values[FAN_SLOT_ATTRIBUTES + FAN_EXTRAS] = { 0 };
    const struct fan_text_view view = { .machine = machine, .values = values };
    struct fan_rendering out = { .content = { .text = FAN_NO_BYTES } };
    struct fan_sms_size size;
    struct fan_buffer buffer;
    struct fan_why why;

    fan_buffer_init(&buffer, FAN_RENDERED_MAX);
    if (!fan_text_values(template, fields, &person, arena, values, &why) &&
            !fan_template_render(template, &view, &buffer, &out, &why)) {
        fan_sms_measure(out.content.text, &size);
        FAN_ASSERT(size.segments >= 1 && size.units <= 2 * out.content.text.len);
        FAN_ASSERT(size.segments * (size.ucs2 ? 70 : 160) >= size.units);
    }
    fan_buffer_fini(&buffer);
}

static void write_all(const struct fan_variants *variants, struct fan_bytes language,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        struct fan_liquid_machine *machine)
{
    FAN_ASSERT(variants->len >= 1 && variants->len <= FAN_VARIANTS_MOST);
    for (uint32_t i = 0; i <= variants->len; i++) {
        const struct fan_choice *choice = fan_variants_choice(variants, i);

        fan_choice_wants_attributes(choice);
        write_copy(fan_choice_for(choice, language), fields, arena, machine);
        for (size_t k = 0; k < choice->languages_len; k++) {
            FAN_ASSERT(fan_choice_find(choice, choice->languages[k].tag) == (int)k);
            write_copy(choice->languages[k].template, fields, arena, machine);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_liquid_machine *machine = fan_liquid_machine_new();
    struct fan_bytes content = { .at = (const char *)data, .len = size };
    struct fan_text_fields fields =
            fan_text_fields_of((struct fan_texts){ .at = NULL, .len = 0 }, FAN_NO_BYTES, arena);
    const struct fan_variants *variants;
    struct fan_sms_size sms;
    struct fan_why why, faults[FAN_TEMPLATE_FAULTS];

    fan_sms_measure(content, &sms);
    fan_language_tag(content);
    for (enum fan_kind kind = FAN_KIND_SMS; kind < FAN_KIND_COUNT; kind++) {
        size_t count = fan_variants_check(kind, content, &fields, arena, faults);
        enum fan_err err = fan_variants_compile(kind, content, &fields, arena, &variants, &why);

        FAN_ASSERT((count == 0) == (err == FAN_OK) && count <= FAN_TEMPLATE_FAULTS);
        if (!err)
            write_all(variants, content, &fields, arena, machine);
    }
    fan_liquid_machine_free(&machine);
    fan_arena_free(&arena);
    return 0;
}

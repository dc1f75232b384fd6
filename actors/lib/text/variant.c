#include "actors/lib/text/variant.h"

#include "proto/json.h"

#include <stdio.h>

enum { CONTENT_MAX = 4 * 1024 * 1024 };

struct builder {
    enum fan_kind kind;
    const struct fan_text_fields *fields;
    struct fan_arena *arena;
    struct fan_variants *variants;
    struct fan_why *faults; /* faults[FAN_TEMPLATE_FAULTS] */
    size_t faults_len;
};

static void fault(struct builder *self, size_t place, const char *field, const char *text)
{
    char name[sizeof((struct fan_why *)NULL)->field];

    if (self->faults_len == FAN_TEMPLATE_FAULTS)
        return;
    snprintf(name, sizeof name, "variants[%zu]%s%s", place, *field ? "." : "", field);
    fan_fail_field(&self->faults[self->faults_len++], FAN_INVALID, name, "%s", text);
}

static void all_faults(struct builder *self, const char *text)
{
    fan_fail_field(&self->faults[self->faults_len++], FAN_INVALID, "variants", "%s", text);
}

static struct fan_bytes text_of(struct builder *self, const struct fan_json *value)
{
    struct fan_buffer *text = fan_arena_alloc(self->arena, sizeof *text);

    fan_buffer_init(text, CONTENT_MAX);
    fan_arena_defer(self->arena, (void (*)(void *))fan_buffer_fini, text);
    fan_json_dump(value, text);
    return fan_buffer_bytes(text);
}

static void build_content(struct builder *self, size_t place, const struct fan_json *content)
{
    struct fan_why found[FAN_TEMPLATE_FAULTS];
    struct fan_bytes text = text_of(self, content);
    size_t count = fan_choice_check(self->kind, text, self->fields, self->arena, found);

    for (size_t i = 0; i < count; i++)
        fault(self, place, found[i].field, found[i].text);
    if (!count &&
            fan_choice_compile(self->kind, text, self->fields, self->arena,
                    &self->variants->at[place].choice, found))
        fault(self, place, found[0].field, found[0].text);
}

static void build_variant(struct builder *self, size_t place, const struct fan_json *value)
{
    struct fan_variant *variant = &self->variants->at[place];
    const struct fan_json *content = fan_json_get(value, "content");

    variant->name = fan_bytes_dup(fan_bytes_trim(fan_json_get_text(value, "name")), self->arena);
    self->variants->weights[place] = fan_json_i64(fan_json_get(value, "weight"), 0);
    if (!variant->name.len)
        fault(self, place, "name", "must be a text that is not empty");
    for (size_t i = 0; i < place; i++)
        if (fan_bytes_eq(self->variants->at[i].name, variant->name))
            fault(self, place, "name", "another variant has this name");
    if (self->variants->weights[place] < 1 || self->variants->weights[place] > FAN_WEIGHT_MOST)
        fault(self, place, "weight", "must be a whole number from 1 to 1000");
    if (fan_json_type(content) != FAN_JSON_OBJECT)
        fault(self, place, "", "has no content");
    else
        build_content(self, place, content);
}

static void build(struct builder *self, struct fan_bytes text)
{
    const struct fan_json *content = NULL, *list;
    size_t count;

    if (fan_json_parse(text, self->arena, &content, NULL))
        content = NULL;
    list = fan_json_get(content, "variants");
    if (!list || fan_json_type(list) == FAN_JSON_NULL) {
        self->variants->len = 1;
        self->faults_len =
                fan_choice_check(self->kind, text, self->fields, self->arena, self->faults);
        if (!self->faults_len &&
                fan_choice_compile(self->kind, text, self->fields, self->arena,
                        &self->variants->at[0].choice, self->faults))
            self->faults_len = 1;
        return;
    }
    count = fan_json_size(list);
    if (fan_json_type(list) != FAN_JSON_ARRAY || count < FAN_VARIANTS_LEAST ||
            count > FAN_VARIANTS_MOST) {
        all_faults(self, "must be a list of 2 to 5 variants");
        return;
    }
    self->variants->len = count;
    for (size_t i = 0; i < count; i++)
        build_variant(self, i, fan_json_at(list, i));
}

size_t fan_variants_check(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena, struct fan_why *faults)
{
    struct fan_variants variants = { .len = 0 };
    struct builder self = { kind, fields, arena, &variants, faults, 0 };

    build(&self, content);
    return self.faults_len;
}

enum fan_err fan_variants_compile(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_variants **out, struct fan_why *why)
{
    struct fan_variants *variants = fan_arena_alloc(arena, sizeof *variants);
    struct fan_why faults[FAN_TEMPLATE_FAULTS];
    struct builder self = { kind, fields, arena, variants, faults, 0 };

    build(&self, content);
    if (self.faults_len)
        return fan_fail_field(why, FAN_INVALID, faults[0].field, "%s", faults[0].text);
    *out = variants;
    return FAN_OK;
}

/* ---- who gets which ---- */

/* source  the finaliser of MurmurHash3, 64 bits */
static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
    return x ^ x >> 33;
}

uint32_t fan_variant_of(fan_id campaign, fan_id contact, struct fan_ids weights)
{
    uint64_t place, total = 0;

    for (size_t i = 0; i < weights.len; i++)
        total += (uint64_t)weights.at[i];
    if (!total)
        return 0;
    place = (mixed(mixed((uint64_t)campaign) ^ (uint64_t)contact) >> 32) * total >> 32;
    for (size_t i = 0; i < weights.len; i++) {
        if (place < (uint64_t)weights.at[i])
            return (uint32_t)i + 1;
        place -= (uint64_t)weights.at[i];
    }
    return 0;
}

const struct fan_choice *fan_variants_choice(const struct fan_variants *variants, uint32_t variant)
{
    return variants->at[variant && variant <= variants->len ? variant - 1 : 0].choice;
}

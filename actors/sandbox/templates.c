#include "actors/sandbox/templates.h"

static bool read_one(struct fan_bytes text, struct fan_sandbox_template *out)
{
    struct fan_bytes rest, count;

    *out = (struct fan_sandbox_template){ 0 };
    rest = fan_bytes_split(text, ':', &out->name);
    rest = fan_bytes_split(rest, ':', &out->language);
    out->header = fan_bytes_split(rest, ':', &count);
    return out->name.len > 0 && out->language.len > 0 && fan_bytes_i64(count, &out->variables) &&
            out->variables >= 0;
}

enum fan_err fan_sandbox_templates_read(struct fan_bytes text, struct fan_arena *arena,
        struct fan_sandbox_templates *out, struct fan_why *why)
{
    size_t room = 1;

    for (size_t i = 0; i < text.len; i++)
        room += text.at[i] == ',';
    out->at = fan_arena_array(arena, room, sizeof(*out->at));
    out->len = 0;
    while (text.len > 0) {
        struct fan_bytes one;

        text = fan_bytes_split(text, ',', &one);
        one = fan_bytes_trim(one);
        if (one.len == 0)
            continue;
        if (!read_one(one, &out->at[out->len++]))
            return fan_fail_field(why, FAN_INVALID, "meta_templates",
                    "\"%.*s\" is not name:language:variables[:header]", FAN_BYTES_ARG(one));
    }
    return FAN_OK;
}

const struct fan_sandbox_template *fan_sandbox_templates_find(const struct fan_sandbox_templates
                                                                      *templates,
        struct fan_bytes name, struct fan_bytes language)
{
    for (size_t i = 0; i < templates->len; i++) {
        const struct fan_sandbox_template *each = &templates->at[i];

        if (fan_bytes_eq(each->name, name) && fan_bytes_eq(each->language, language))
            return each;
    }
    return NULL;
}

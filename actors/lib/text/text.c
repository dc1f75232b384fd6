#include "actors/lib/text/text.h"

#include "proto/json.h"

#include <stdio.h>

enum { SOURCE_MAX = 64 * 1024 };

static const char *const standard_names[FAN_SLOT_ATTRIBUTES] = {
    [FAN_SLOT_FIRST_NAME] = "first_name",
    [FAN_SLOT_LAST_NAME] = "last_name",
    [FAN_SLOT_NAME] = "name",
    [FAN_SLOT_PHONE] = "phone",
    [FAN_SLOT_EMAIL] = "email",
    [FAN_SLOT_COMPANY] = "company",
    [FAN_SLOT_COUNTRY] = "country",
    [FAN_SLOT_LANGUAGE] = "language",
};

/* ---- the table of fields ---- */

static struct fan_bytes fallback_of(const struct fan_json *words, struct fan_bytes name,
        struct fan_arena *arena)
{
    return words ? fan_json_get_text(words, fan_bytes_cstr(name, arena)) : FAN_NO_BYTES;
}

struct fan_text_fields fan_text_fields_of(struct fan_texts attributes, struct fan_bytes fallbacks,
        struct fan_arena *arena)
{
    size_t count = FAN_SLOT_ATTRIBUTES + attributes.len;
    const struct fan_json *words = NULL;

    if (count > FAN_TEXT_FIELDS_MAX)
        count = FAN_TEXT_FIELDS_MAX;
    if (fallbacks.len && fan_json_parse(fallbacks, arena, &words, NULL))
        words = NULL; /* a word is a courtesy: without it the field is empty */

    struct fan_bytes *names = fan_arena_array(arena, count, sizeof *names);
    struct fan_bytes *found = fan_arena_array(arena, count, sizeof *found);
    for (size_t i = 0; i < count; i++) {
        names[i] = i < FAN_SLOT_ATTRIBUTES ? fan_bytes_of(standard_names[i])
                                           : attributes.at[i - FAN_SLOT_ATTRIBUTES];
        found[i] = fallback_of(words, names[i], arena);
    }
    return (struct fan_text_fields){ .names = names, .fallbacks = found, .count = count };
}

int fan_text_slot_of(const struct fan_text_fields *fields, struct fan_bytes name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (fan_bytes_eq(fields->names[i], name))
            return (int)i;
    return -1;
}

/* ---- the compiler ---- */

struct compiler {
    const struct fan_text_fields *fields;
    struct fan_arena *arena;
    struct fan_text_step *steps; /* room for one step a `{` on each side of it, and the end */
    struct fan_bytes *constants;
    size_t steps_len;
    size_t constants_len;
};

/* Bytes of the field at the front of @text, braces counted; 0: there is none. */
static size_t field_length(struct fan_bytes text)
{
    size_t at = 1;

    if (text.len < 3 || text.at[0] != '{' || text.at[1] < 'a' || text.at[1] > 'z')
        return 0;
    while (at < text.len &&
            ((text.at[at] >= 'a' && text.at[at] <= 'z') || text.at[at] == '_' ||
                    (text.at[at] >= '0' && text.at[at] <= '9')))
        at++;
    return at < text.len && text.at[at] == '}' ? at + 1 : 0;
}

/* The next field in @text, braces and all; its @at is the end of @text when there is none. */
static struct fan_bytes next_field(struct fan_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        struct fan_bytes rest = { .at = text.at + i, .len = text.len - i };
        size_t length = text.at[i] == '{' ? field_length(rest) : 0;

        if (length)
            return (struct fan_bytes){ .at = rest.at, .len = length };
    }
    return (struct fan_bytes){ .at = text.at + text.len, .len = 0 };
}

static size_t count_fields(struct fan_bytes source)
{
    size_t count = 0;

    for (struct fan_bytes field = next_field(source); field.len; field = next_field(source)) {
        source.len -= (size_t)(field.at + field.len - source.at);
        source.at = field.at + field.len;
        count++;
    }
    return count;
}

static uint32_t add_constant(struct compiler *self, struct fan_bytes text)
{
    self->constants[self->constants_len] = fan_bytes_dup(text, self->arena);
    return (uint32_t)self->constants_len++;
}

static void add_step(struct compiler *self, enum fan_text_op op, int slot, uint32_t arg)
{
    self->steps[self->steps_len++] =
            (struct fan_text_step){ .op = (uint16_t)op, .slot = (uint16_t)slot, .arg = arg };
}

static enum fan_err unknown_field(const struct compiler *self, struct fan_bytes name,
        struct fan_why *why)
{
    struct fan_buffer valid;

    fan_buffer_init(&valid, 4096);
    for (size_t i = 0; i < self->fields->count; i++) {
        fan_buffer_add_text(&valid, i ? ", " : "");
        fan_buffer_add_bytes(&valid, self->fields->names[i]);
    }
    fan_fail(why, FAN_INVALID, "unknown field {%.*s}; valid are: %.*s",
            (int)(name.len < 64 ? name.len : 64), name.at, FAN_BYTES_ARG(fan_buffer_bytes(&valid)));
    fan_buffer_fini(&valid);
    return FAN_INVALID;
}

static enum fan_err add_field(struct compiler *self, struct fan_bytes field, struct fan_why *why)
{
    struct fan_bytes name = { .at = field.at + 1, .len = field.len - 2 };
    int slot = fan_text_slot_of(self->fields, name);

    if (slot < 0)
        return unknown_field(self, name, why);
    add_step(self, FAN_OP_FIELD, slot, add_constant(self, self->fields->fallbacks[slot]));
    return FAN_OK;
}

/* The field that braces at the front of @text were meant to name, as in "{ First_Name }"; -1: none.
 */
static int meant_field(const struct compiler *self, struct fan_bytes text)
{
    char name[FAN_FIELD_NAME_MAX];
    struct fan_bytes inside, rest;
    size_t len = 0;

    text.at++;
    text.len--;
    rest = fan_bytes_split(text, '}', &inside);
    inside = fan_bytes_trim(inside);
    if (!rest.at || inside.len > sizeof name)
        return -1;
    for (; len < inside.len; len++) {
        char c = inside.at[len];
        name[len] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return fan_text_slot_of(self->fields, (struct fan_bytes){ name, len });
}

/* Text is text, but braces around a field's name were no accident. */
static enum fan_err check_text(const struct compiler *self, struct fan_bytes text,
        struct fan_why *why)
{
    for (size_t i = 0; i < text.len; i++) {
        struct fan_bytes rest = { .at = text.at + i, .len = text.len - i };
        int slot = text.at[i] == '{' ? meant_field(self, rest) : -1;

        if (slot >= 0)
            return fan_fail(why, FAN_INVALID,
                    "a field is written in lower case and without spaces: {%.*s}",
                    FAN_BYTES_ARG(self->fields->names[slot]));
    }
    return FAN_OK;
}

static enum fan_err compile_fields(struct compiler *self, struct fan_bytes source,
        struct fan_why *why)
{
    while (source.len) {
        struct fan_bytes field = next_field(source);
        struct fan_bytes before = { .at = source.at, .len = (size_t)(field.at - source.at) };
        enum fan_err err = check_text(self, before, why);

        if (!err && before.len)
            add_step(self, FAN_OP_TEXT, 0, add_constant(self, before));
        if (!err && field.len)
            err = add_field(self, field, why);
        if (err)
            return err;
        source.len -= before.len + field.len;
        source.at = field.at + field.len;
    }
    add_step(self, FAN_OP_END, 0, 0);
    return FAN_OK;
}

enum fan_err fan_text_compile(struct fan_bytes source, enum fan_text_syntax syntax,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_text_program **out, struct fan_why *why)
{
    if (syntax != FAN_SYNTAX_FIELD)
        return fan_fail(why, FAN_INVALID, "there is no such template syntax; valid is: field");
    if (source.len > SOURCE_MAX)
        return fan_fail(why, FAN_TOO_LARGE, "longer than %d bytes", SOURCE_MAX);

    size_t pieces = 2 * count_fields(source) + 1; /* each field, a text before it, one behind all */
    struct compiler self = {
        .fields = fields,
        .arena = arena,
        .steps = fan_arena_array(arena, pieces + 1, sizeof(struct fan_text_step)),
        .constants = fan_arena_array(arena, pieces, sizeof(struct fan_bytes)),
    };
    enum fan_err err = compile_fields(&self, source, why);
    if (err)
        return err;

    struct fan_text_program *program = fan_arena_alloc(arena, sizeof *program);
    *program = (struct fan_text_program){
        .steps = self.steps,
        .constants = self.constants,
        .steps_len = self.steps_len,
        .constants_len = self.constants_len,
    };
    *out = program;
    return FAN_OK;
}

/* ---- the machine ---- */

static const char *html_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static const char *line_space(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f ? " " : NULL;
}

/* Write @text with what @instead_of finds replaced, whole stretches at a time. */
static void add_replacing(struct fan_buffer *out, struct fan_bytes text,
        const char *(*instead_of)(char c))
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *instead = instead_of(text.at[i]);

        if (!instead)
            continue;
        fan_buffer_add(out, text.at + from, i - from);
        fan_buffer_add_text(out, instead);
        from = i + 1;
    }
    if (text.len > from)
        fan_buffer_add(out, text.at + from, text.len - from);
}

static void add_value(struct fan_buffer *out, struct fan_bytes value, enum fan_text_escape escape)
{
    if (escape == FAN_ESCAPE_HTML)
        add_replacing(out, value, html_entity);
    else if (escape == FAN_ESCAPE_LINE)
        add_replacing(out, value, line_space);
    else
        fan_buffer_add_bytes(out, value);
}

void fan_text_run(const struct fan_text_program *program, const struct fan_bytes *values,
        enum fan_text_escape escape, struct fan_buffer *out)
{
    for (const struct fan_text_step *step = program->steps; step->op != FAN_OP_END; step++) {
        struct fan_bytes constant = program->constants[step->arg];

        if (step->op == FAN_OP_TEXT)
            fan_buffer_add_bytes(out, constant);
        else
            add_value(out, values[step->slot].len ? values[step->slot] : constant, escape);
    }
}

void fan_text_uses(const struct fan_text_program *program, bool *used)
{
    for (const struct fan_text_step *step = program->steps; step->op != FAN_OP_END; step++)
        if (step->op == FAN_OP_FIELD)
            used[step->slot] = true;
}

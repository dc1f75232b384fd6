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

/* ---- the field syntax ---- */

struct compiler {
    const struct fan_text_fields *fields;
    struct fan_liquid_builder *program;
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
    fan_liquid_build_slot(self->program, (size_t)slot);
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

        if (!err)
            fan_liquid_build_text(self->program, before);
        if (!err && field.len)
            err = add_field(self, field, why);
        if (err)
            return err;
        source.len -= before.len + field.len;
        source.at = field.at + field.len;
    }
    return FAN_OK;
}

/* ---- names in Liquid ---- */

static const char *const extra_names[FAN_EXTRAS] = {
    [FAN_EXTRA_CONTACT] = "contact",
    [FAN_EXTRA_ATTRIBUTES] = "contact.attributes",
    [FAN_EXTRA_ID] = "contact.id",
    [FAN_EXTRA_EXTERNAL_ID] = "contact.external_id",
    [FAN_EXTRA_TIME_ZONE] = "contact.time_zone",
    [FAN_EXTRA_ACCOUNT_ID] = "account.id",
    [FAN_EXTRA_ACCOUNT_NAME] = "account.name",
    [FAN_EXTRA_ACCOUNT_COUNTRY] = "account.country",
    [FAN_EXTRA_CAMPAIGN_ID] = "campaign.id",
    [FAN_EXTRA_CAMPAIGN_NAME] = "campaign.name",
    [FAN_EXTRA_CHANNEL_ID] = "channel.id",
    [FAN_EXTRA_CHANNEL_KIND] = "channel.kind",
    [FAN_EXTRA_CHANNEL_NAME] = "channel.name",
    [FAN_EXTRA_RUN_ID] = "run.id",
    [FAN_EXTRA_EVENT_TYPE] = "event.type",
    [FAN_EXTRA_EVENT_DATE] = "event.date",
    [FAN_EXTRA_EVENT_OWNER_NAME] = "event.owner_name",
    [FAN_EXTRA_EVENT_OWNER_EMAIL] = "event.owner_email",
};

/* Names that an attribute does not hide in its short form. */
static bool is_root(struct fan_bytes name)
{
    static const char *const roots[] = { "contact", "account", "campaign", "channel", "run",
        "event" };

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (fan_bytes_eq_text(name, roots[i]))
            return true;
    return false;
}

static bool find_extra(const struct fan_text_fields *fields, const struct fan_bytes *path,
        size_t len, size_t *slot)
{
    for (size_t i = 0; i < FAN_EXTRAS; i++) {
        struct fan_bytes rest, first;

        rest = fan_bytes_split(fan_bytes_of(extra_names[i]), '.', &first);
        if (!fan_bytes_eq(first, path[0]) || (len == 1) != !rest.at ||
                (len > 1 && !fan_bytes_eq(rest, path[1])))
            continue;
        *slot = fields->count + i;
        return true;
    }
    return false;
}

/* An attribute by its path; @slot stays as it is when there is none. */
static bool find_field(const struct fan_text_fields *fields, struct fan_bytes name, bool attribute,
        size_t *slot)
{
    int found = fan_text_slot_of(fields, name);

    for (size_t i = FAN_SLOT_ATTRIBUTES; attribute && i < fields->count; i++)
        if (fan_bytes_eq(fields->names[i], name))
            found = (int)i; /* one that is called as a field of every contact */
    if (found < 0 || (attribute && found < FAN_SLOT_ATTRIBUTES))
        return false;
    *slot = (size_t)found;
    return true;
}

static bool find_path(const void *about, const struct fan_bytes *path, size_t len, size_t *slot,
        size_t *used)
{
    const struct fan_text_fields *fields = about;
    bool contact = fan_bytes_eq_text(path[0], "contact");

    *used = 3;
    if (contact && len > 2 && fan_bytes_eq_text(path[1], "attributes"))
        return find_field(fields, path[2], true, slot) ||
                (fan_bytes_eq_text(path[2], "size") && (*used = 2) &&
                        find_extra(fields, path, 2, slot));
    *used = 2;
    if (len > 1 && is_root(path[0]))
        return find_extra(fields, path, 2, slot) ||
                (contact && find_field(fields, path[1], false, slot) &&
                        *slot < FAN_SLOT_ATTRIBUTES);
    *used = 1;
    if (is_root(path[0]))
        return find_extra(fields, path, 1, slot);
    return find_field(fields, path[0], false, slot);
}

/* The names behind the same root, or, where that is none, the short ones and the roots. */
static void list_paths(const void *about, const struct fan_bytes *path, size_t len,
        struct fan_buffer *out)
{
    const struct fan_text_fields *fields = about;
    bool contact = fan_bytes_eq_text(path[0], "contact"), root = is_root(path[0]);
    bool attributes = contact && len > 1 && fan_bytes_eq_text(path[1], "attributes");

    for (size_t i = attributes ? FAN_SLOT_ATTRIBUTES : 0; (contact || !root) && i < fields->count;
            i++) {
        if (out->len)
            fan_buffer_add_text(out, ", ");
        if (root)
            fan_buffer_add_text(out, i < FAN_SLOT_ATTRIBUTES ? "contact." : "contact.attributes.");
        fan_buffer_add_bytes(out, fields->names[i]);
    }
    for (size_t i = 0; i < FAN_EXTRAS && !attributes; i++) {
        struct fan_bytes first;

        fan_bytes_split(fan_bytes_of(extra_names[i]), '.', &first);
        if (root ? !fan_bytes_eq(first, path[0]) : fan_bytes_eq_text(first, "contact"))
            continue;
        if (out->len)
            fan_buffer_add_text(out, ", ");
        fan_buffer_add_text(out, extra_names[i]);
    }
}

/* ---- programs ---- */

struct fan_text_program {
    const struct fan_liquid_program *liquid;
};

static struct fan_liquid_schema *schema_of(const struct fan_text_fields *fields,
        struct fan_arena *arena)
{
    struct fan_liquid_schema *schema = fan_arena_alloc(arena, sizeof *schema);
    struct fan_bytes *fallbacks = fan_arena_array(arena, fan_text_slots(fields), sizeof *fallbacks);

    for (size_t i = 0; i < fields->count; i++)
        fallbacks[i] = fields->fallbacks[i];
    *schema = (struct fan_liquid_schema){
        .about = fields,
        .slots = fan_text_slots(fields),
        .fallbacks = fallbacks,
        .find = find_path,
        .list = list_paths,
    };
    return schema;
}

static enum fan_err compile_field_syntax(struct fan_bytes source,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_liquid_program **out, struct fan_why *why)
{
    struct compiler self = { .fields = fields };
    enum fan_err err;

    if (source.len > SOURCE_MAX)
        return fan_fail(why, FAN_TOO_LARGE, "longer than %d bytes", SOURCE_MAX);
    self.program = fan_liquid_build(schema_of(fields, arena), arena);
    err = compile_fields(&self, source, why);
    *out = err ? NULL : fan_liquid_built(self.program);
    return err;
}

enum fan_err fan_text_compile(struct fan_bytes source, enum fan_text_syntax syntax,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_text_program **out, struct fan_why *why)
{
    struct fan_text_program *program = fan_arena_alloc(arena, sizeof *program);
    enum fan_err err;

    if (syntax == FAN_SYNTAX_FIELD) {
        err = compile_field_syntax(source, fields, arena, &program->liquid, why);
    } else if (syntax == FAN_SYNTAX_LIQUID) {
        const struct fan_liquid_source liquid = {
            .text = source,
            .schema = schema_of(fields, arena),
        };
        err = fan_liquid_compile(&liquid, arena, &program->liquid, NULL, why);
    } else {
        return fan_fail(why, FAN_INVALID,
                "there is no such template syntax; valid are: field, liquid");
    }
    if (!err)
        *out = program;
    return err;
}

enum fan_err fan_text_run(const struct fan_text_program *program, const struct fan_text_view *view,
        enum fan_text_escape escape, struct fan_buffer *out, struct fan_why *why)
{
    const struct fan_liquid_input input = {
        .slots = view->values,
        .escape = (enum fan_liquid_escape)escape,
        .now = view->now,
        .locale = view->language,
        .zone = view->zone,
    };

    return fan_liquid_run(view->machine, program->liquid, &input, out, NULL, why);
}

void fan_text_uses(const struct fan_text_program *program, bool *used)
{
    fan_liquid_uses(program->liquid, used);
}

size_t fan_text_least(const struct fan_text_program *program)
{
    return fan_liquid_least(program->liquid);
}

const struct fan_liquid_program *fan_text_liquid(const struct fan_text_program *program)
{
    return program->liquid;
}

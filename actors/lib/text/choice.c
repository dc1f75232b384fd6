/*
 * Each language's content is handed to the template compiler as a content of its own, with what
 * only this file knows (languages, preheader) taken out.
 */
#include "actors/lib/text/choice.h"

#include "actors/lib/text/values.h"
#include "proto/json.h"

#include <stdio.h>

enum { CONTENT_MAX = 4 * 1024 * 1024 };

static const struct fan_bytes hidden[] = {
    FAN_LIT("<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">"),
    FAN_LIT("</div>"),
};

struct chooser {
    enum fan_kind kind;
    const struct fan_text_fields *fields;
    struct fan_arena *arena;
    struct fan_bytes syntax; /* of the whole content */
    struct fan_why *faults;  /* faults[FAN_TEMPLATE_FAULTS] */
    size_t faults_len;
};

static struct fan_why *next_fault(struct chooser *self)
{
    return self->faults_len < FAN_TEMPLATE_FAULTS ? &self->faults[self->faults_len++] : NULL;
}

static void fault(struct chooser *self, const char *prefix, const char *field, const char *text)
{
    char name[sizeof((struct fan_why *)NULL)->field];

    snprintf(name, sizeof name, "%s%s", prefix, field);
    fan_fail_field(next_fault(self), FAN_INVALID, name, "%s", text);
}

/* ---- one content ---- */

/* Where hidden text goes: behind the <body> tag, or at the front. */
static size_t body_begins(struct fan_bytes html)
{
    for (size_t i = 0; i + 5 < html.len; i++) {
        struct fan_bytes word = { .at = html.at + i, .len = 5 };
        const char *end;

        if (!fan_bytes_eq_nocase(word, FAN_LIT("<body")))
            continue;
        end = memchr(html.at + i, '>', html.len - i);
        return end ? (size_t)(end - html.at) + 1 : 0;
    }
    return 0;
}

static struct fan_bytes with_preheader(struct fan_bytes html, struct fan_bytes preheader,
        struct fan_arena *arena)
{
    size_t at = body_begins(html);
    const struct fan_bytes pieces[] = { { html.at, at }, hidden[0], preheader, hidden[1],
        { html.at + at, html.len - at } };
    size_t len = 0;
    char *text;

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        len += pieces[i].len;
    text = fan_arena_alloc(arena, len + 1);
    len = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        memcpy(text + len, pieces[i].at, pieces[i].len);
        len += pieces[i].len;
    }
    return (struct fan_bytes){ .at = text, .len = len };
}

static struct fan_buffer *new_text(struct chooser *self)
{
    struct fan_buffer *text = fan_arena_alloc(self->arena, sizeof *text);

    fan_buffer_init(text, CONTENT_MAX);
    fan_arena_defer(self->arena, (void (*)(void *))fan_buffer_fini, text);
    return text;
}

static void add_value(struct chooser *self, struct fan_json_writer *json, struct fan_bytes name,
        const struct fan_json *value)
{
    struct fan_buffer text;

    fan_buffer_init(&text, CONTENT_MAX);
    fan_json_dump(value, &text);
    fan_json_add_raw(json, fan_bytes_cstr(name, self->arena), fan_buffer_bytes(&text));
    fan_buffer_fini(&text);
}

static bool is_ours(struct fan_bytes name)
{
    return fan_bytes_eq_text(name, "languages") || fan_bytes_eq_text(name, "language") ||
            fan_bytes_eq_text(name, "preheader");
}

/* The content as the template compiler knows it. */
static struct fan_bytes plain(struct chooser *self, const struct fan_json *content,
        struct fan_bytes preheader)
{
    struct fan_buffer *text = new_text(self);
    struct fan_json_writer json;
    const struct fan_json *value;
    struct fan_bytes name;
    size_t cursor = 0;

    fan_json_begin(&json, text);
    fan_json_object_open(&json, NULL);
    while (fan_json_next(content, &cursor, &name, &value)) {
        if (preheader.len && fan_bytes_eq_text(name, "html"))
            fan_json_add_text(&json, "html",
                    with_preheader(fan_json_text(value), preheader, self->arena));
        else if (!is_ours(name))
            add_value(self, &json, name, value);
    }
    if (self->syntax.at && !fan_json_get(content, "syntax"))
        fan_json_add_text(&json, "syntax", self->syntax);
    fan_json_object_close(&json);
    return fan_buffer_bytes(text);
}

/* A preheader that is right; absent: there is none, or a fault was noted. It is tried by itself
 * first, so that what is wrong with it is not said of the html part. */
static struct fan_bytes read_preheader(struct chooser *self, const struct fan_json *content,
        const char *prefix)
{
    const struct fan_json *value = fan_json_get(content, "preheader");
    const struct fan_template *alone;
    struct fan_buffer *text;
    struct fan_json_writer json;
    struct fan_why why;

    if (!value || fan_json_type(value) == FAN_JSON_NULL)
        return FAN_NO_BYTES;
    if (self->kind != FAN_KIND_EMAIL)
        fault(self, prefix, "preheader", "only an e-mail has a preheader");
    else if (!fan_bytes_trim(fan_json_text(value)).len)
        fault(self, prefix, "preheader", "must be a text that is not empty");
    else if (!fan_json_get_text(content, "html").len)
        fault(self, prefix, "preheader", "stands in the html part, and there is none");
    else {
        struct fan_bytes own = fan_json_get_text(content, "syntax");

        text = new_text(self);
        fan_json_begin(&json, text);
        fan_json_object_open(&json, NULL);
        fan_json_add_text(&json, "text", fan_json_text(value));
        if (own.at || self->syntax.at)
            fan_json_add_text(&json, "syntax", own.at ? own : self->syntax);
        fan_json_object_close(&json);
        if (!fan_template_compile(FAN_KIND_API, fan_buffer_bytes(text), self->fields, self->arena,
                    &alone, &why))
            return fan_json_text(value);
        if (strcmp(why.field, "message") == 0) /* other faults are the whole content's */
            fault(self, prefix, "preheader", why.text);
    }
    return FAN_NO_BYTES;
}

static const struct fan_template *build(struct chooser *self, const struct fan_json *content,
        const char *prefix)
{
    struct fan_why found[FAN_TEMPLATE_FAULTS];
    const struct fan_template *template = NULL;
    struct fan_bytes preheader = read_preheader(self, content, prefix);
    struct fan_bytes text = plain(self, content, preheader);
    size_t count = fan_template_check(self->kind, text, self->fields, self->arena, found);

    for (size_t i = 0; i < count; i++)
        fault(self, prefix, found[i].field, found[i].text);
    if (self->faults_len ||
            fan_template_compile(self->kind, text, self->fields, self->arena, &template, found))
        return NULL;
    return template;
}

/* ---- languages ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool fan_language_tag(struct fan_bytes tag)
{
    struct fan_bytes rest = tag, part;
    bool first = true;

    if (tag.len == 0 || tag.len > FAN_LANGUAGE_MAX)
        return false;
    while (rest.at) {
        rest = fan_bytes_split(rest, '-', &part);
        if (part.len == 0 || part.len > 8 || (first && (part.len < 2 || part.len > 3)))
            return false;
        for (size_t i = 0; i < part.len; i++)
            if (!is_letter(part.at[i]) && (first || part.at[i] < '0' || part.at[i] > '9'))
                return false;
        first = false;
    }
    return true;
}

static char folded(char c)
{
    if (c == '_')
        return '-';
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool same_language(struct fan_bytes a, struct fan_bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (folded(a.at[i]) != folded(b.at[i]))
            return false;
    return true;
}

int fan_choice_find(const struct fan_choice *choice, struct fan_bytes language)
{
    language = choice->languages_len ? fan_bytes_trim(language) : FAN_NO_BYTES;
    while (language.len && language.len <= FAN_LANGUAGE_MAX) {
        for (size_t i = 0; i < choice->languages_len; i++)
            if (same_language(choice->languages[i].tag, language))
                return (int)i;
        do
            language.len--;
        while (language.len && folded(language.at[language.len]) != '-');
    }
    return -1;
}

const struct fan_template *fan_choice_for(const struct fan_choice *choice,
        struct fan_bytes language)
{
    int place = fan_choice_find(choice, language);

    return place < 0 ? choice->otherwise : choice->languages[place].template;
}

static void add_slots(const struct fan_template *template, bool *used)
{
    for (size_t i = 0; i < template->slots_len; i++)
        used[template->slots[i]] = true;
}

void fan_choice_uses(const struct fan_choice *choice, bool *used)
{
    add_slots(choice->otherwise, used);
    for (size_t i = 0; i < choice->languages_len; i++)
        add_slots(choice->languages[i].template, used);
}

bool fan_choice_wants_attributes(const struct fan_choice *choice)
{
    bool wants = fan_text_wants_attributes(choice->otherwise);

    for (size_t i = 0; i < choice->languages_len; i++)
        wants = wants || fan_text_wants_attributes(choice->languages[i].template);
    return wants;
}

bool fan_choice_wants_more(const struct fan_choice *choice)
{
    bool wants = choice->otherwise->syntax == FAN_SYNTAX_LIQUID;

    for (size_t i = 0; i < choice->languages_len; i++)
        wants = wants || choice->languages[i].template->syntax == FAN_SYNTAX_LIQUID;
    return wants;
}

static void check_tag(struct chooser *self, const struct fan_choice *choice, struct fan_bytes tag)
{
    const char *name =
            fan_bytes_cstr(tag.len > 40 ? (struct fan_bytes){ tag.at, 40 } : tag, self->arena);

    if (!fan_language_tag(tag))
        fault(self, "languages.", name, "no language; write it like \"de\" or \"pt-BR\"");
    for (size_t i = 0; i < choice->languages_len; i++)
        if (same_language(choice->languages[i].tag, tag))
            fault(self, "languages.", name, "the language stands there twice");
}

static void build_language(struct chooser *self, struct fan_choice_language *out,
        struct fan_bytes tag, const struct fan_json *value)
{
    char field[64], prefix[sizeof field + 1];

    out->tag = fan_bytes_dup(tag, self->arena);
    snprintf(field, sizeof field, "languages.%.*s", tag.len > 40 ? 40 : (int)tag.len, tag.at);
    snprintf(prefix, sizeof prefix, "%s.", field);
    if (fan_json_type(value) != FAN_JSON_OBJECT) {
        fault(self, field, "", "must be an object with the language's content");
        return;
    }
    if (fan_json_get(value, "languages"))
        fault(self, prefix, "languages", "a language has no languages of its own");
    out->template = build(self, value, prefix);
}

static void build_languages(struct chooser *self, struct fan_choice *choice,
        const struct fan_json *content)
{
    const struct fan_json *object = fan_json_get(content, "languages"), *value;
    struct fan_choice_language *languages;
    struct fan_bytes tag;
    size_t cursor = 0;

    if (!object || fan_json_type(object) == FAN_JSON_NULL)
        return;
    if (fan_json_type(object) != FAN_JSON_OBJECT || fan_json_size(object) > FAN_CHOICE_LANGUAGES) {
        fault(self, "", "languages", "must be an object of up to 30 contents by language");
        return;
    }
    languages = fan_arena_array(self->arena, fan_json_size(object), sizeof *languages);
    choice->languages = languages;
    while (fan_json_next(object, &cursor, &tag, &value)) {
        check_tag(self, choice, tag);
        build_language(self, &languages[choice->languages_len], tag, value);
        choice->languages_len++;
    }
}

static void check_language(struct chooser *self, const struct fan_choice *choice,
        const struct fan_json *content)
{
    const struct fan_json *value = fan_json_get(content, "language");

    if (!value || fan_json_type(value) == FAN_JSON_NULL)
        return;
    if (!fan_language_tag(fan_json_text(value)))
        fault(self, "", "language", "no language; write it like \"de\" or \"pt-BR\"");
    for (size_t i = 0; i < choice->languages_len; i++)
        if (same_language(choice->languages[i].tag, fan_json_text(value)))
            fault(self, "", "language", "stands among languages too");
}

/* ---- the whole ---- */

static const struct fan_choice *choose(struct chooser *self, struct fan_bytes text)
{
    struct fan_choice *choice = fan_arena_alloc(self->arena, sizeof *choice);
    const struct fan_json *content;
    struct fan_why why;

    if (fan_json_parse(text, self->arena, &content, &why) ||
            fan_json_type(content) != FAN_JSON_OBJECT) {
        fault(self, "", "content", "not a JSON object");
        return NULL;
    }
    self->syntax = fan_json_get_text(content, "syntax");
    choice->otherwise = build(self, content, "");
    build_languages(self, choice, content);
    check_language(self, choice, content);
    return choice;
}

size_t fan_choice_check(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena, struct fan_why *faults)
{
    struct chooser self = { .kind = kind, .fields = fields, .arena = arena, .faults = faults };

    choose(&self, content);
    return self.faults_len;
}

enum fan_err fan_choice_compile(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_choice **out, struct fan_why *why)
{
    struct fan_why faults[FAN_TEMPLATE_FAULTS];
    struct chooser self = { .kind = kind, .fields = fields, .arena = arena, .faults = faults };

    *out = choose(&self, content);
    if (self.faults_len)
        return fan_fail_field(why, FAN_INVALID, faults[0].field, "%s", faults[0].text);
    return FAN_OK;
}

/*
 * One builder serves compiling and checking: it notes every fault and goes on, so that an author
 * sees all of them at once; compiling refuses with the first.
 */
#include "actors/lib/text/template.h"

#include "proto/json.h"

#include <stdio.h>

enum { PARTS = 4 }; /* that are programs, besides the variables */

/* What each kind of channel takes. */
static const struct rule {
    uint32_t text_cap;    /* characters; 0: no limit of the kind's own */
    uint32_t caption_cap; /* of a text below a picture; 0: as text_cap */
    bool mail;            /* subject and html, and one of html and text */
    bool template;        /* an approved template instead of the text */
    bool media;
} rules[FAN_KIND_COUNT] = {
    [FAN_KIND_SMS] = { .text_cap = 1600, .media = true },
    [FAN_KIND_WHATSAPP] = { .text_cap = 4096,
            .caption_cap = 1024,
            .template = true,
            .media = true },
    [FAN_KIND_EMAIL] = { .mail = true },
    [FAN_KIND_VOICEMAIL] = { .text_cap = 4096, .media = true },
    [FAN_KIND_API] = { .media = true },
    [FAN_KIND_PUSH] = { .text_cap = 4096, .media = true },
    [FAN_KIND_CHAT] = { .text_cap = 4096, .media = true },
};

struct builder {
    const struct rule *rule;
    const struct fan_text_fields *fields;
    struct fan_arena *arena;
    const struct fan_json *content;
    struct fan_template *template;
    struct fan_why *faults; /* faults[FAN_TEMPLATE_FAULTS] */
    size_t faults_len;
};

static struct fan_why *next_fault(struct builder *self)
{
    return self->faults_len < FAN_TEMPLATE_FAULTS ? &self->faults[self->faults_len++] : NULL;
}

static void fault(struct builder *self, const char *field, const char *text)
{
    fan_fail_field(next_fault(self), FAN_INVALID, field, "%s", text);
}

static const struct fan_text_program *compile(struct builder *self, const char *field,
        struct fan_bytes source)
{
    const struct fan_text_program *program = NULL;
    struct fan_why why;

    if (fan_text_compile(source, self->template->syntax, self->fields, self->arena, &program, &why))
        fault(self, field, why.text);
    return program;
}

/* Compile a part that is there; a blank one counts as not there. */
static const struct fan_text_program *part(struct builder *self, const char *name,
        const char *field)
{
    const struct fan_json *value = fan_json_get(self->content, name);
    enum fan_json_type type = fan_json_type(value);

    if (type == FAN_JSON_ABSENT || type == FAN_JSON_NULL)
        return NULL;
    if (type != FAN_JSON_STRING) {
        fault(self, field, "must be a text");
        return NULL;
    }
    struct fan_bytes source = fan_json_text(value);
    return fan_bytes_trim(source).len ? compile(self, field, source) : NULL;
}

/* ---- an approved template ---- */

static void build_variables(struct builder *self, const struct fan_json *list)
{
    size_t count = fan_json_size(list);

    if (list && fan_json_type(list) != FAN_JSON_ARRAY) {
        fault(self, "template.variables", "must be a list of texts");
        return;
    }
    if (count > FAN_TEMPLATE_VARIABLES) {
        fault(self, "template.variables", "more than 32 variables");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct fan_bytes source = fan_json_text(fan_json_at(list, i));

        if (!fan_bytes_trim(source).len)
            fault(self, "template.variables", "each must be a text that is not empty");
        else
            self->template->variables[i] = compile(self, "template.variables", source);
    }
    self->template->variables_len = count;
}

static void build_template(struct builder *self)
{
    const struct fan_json *value = fan_json_get(self->content, "template");
    enum fan_json_type type = fan_json_type(value);

    if (type == FAN_JSON_ABSENT || type == FAN_JSON_NULL)
        return;
    if (!self->rule->template) {
        fault(self, "template", "only WhatsApp channels have approved templates");
        return;
    }
    if (type != FAN_JSON_OBJECT) {
        fault(self, "template", "must be an object with name, language and variables");
        return;
    }
    self->template->name = fan_bytes_dup(fan_json_get_text(value, "name"), self->arena);
    self->template->language = fan_bytes_dup(fan_json_get_text(value, "language"), self->arena);
    if (!self->template->name.len)
        fault(self, "template", "needs the name of an approved template");
    build_variables(self, fan_json_get(value, "variables"));
}

/* ---- the parts ---- */

static size_t characters(struct fan_bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return count;
}

static void check_length(struct builder *self)
{
    const struct fan_template *template = self->template;
    struct fan_why *why;

    if (!template->text || !template->text_cap ||
            fan_text_least(template->text) <= template->text_cap)
        return;
    why = next_fault(self);
    fan_fail_field(why, FAN_INVALID, "message", "longer than %u characters", template->text_cap);
}

static void build_mail(struct builder *self)
{
    struct fan_template *template = self->template;
    size_t before = self->faults_len;

    template->subject = part(self, "subject", "subject");
    template->html = part(self, "html", "html");
    if (self->faults_len > before)
        return;
    if (!template->subject)
        fault(self, "subject", "an e-mail needs a subject");
    if (!template->html && !template->text)
        fault(self, "message", "an e-mail needs message (its text) or html");
}

static void refuse_part(struct builder *self, const char *name, const char *text)
{
    enum fan_json_type type = fan_json_type(fan_json_get(self->content, name));

    if (type != FAN_JSON_ABSENT && type != FAN_JSON_NULL)
        fault(self, name, text);
}

static void build_short(struct builder *self)
{
    struct fan_template *template = self->template;

    refuse_part(self, "subject", "only an e-mail has a subject");
    refuse_part(self, "html", "only an e-mail has an html part");
    if (self->faults_len)
        return;
    if (template->name.len && template->text)
        fault(self, "message", "either message or template, not both");
    else if (!template->name.len && !template->text)
        fault(self, "message",
                self->rule->template ? "needs message or template" : "the message is empty");
}

static void build_media(struct builder *self)
{
    struct fan_template *template = self->template;

    if (!self->rule->media) {
        refuse_part(self, "media_url", "this kind of channel takes no media");
        return;
    }
    template->media_url = part(self, "media_url", "media_url");
    if (template->media_url && self->rule->caption_cap && template->text)
        template->text_cap = self->rule->caption_cap;
}

static void check_syntax(struct builder *self)
{
    struct fan_bytes syntax = fan_json_get_text(self->content, "syntax");

    self->template->syntax = FAN_SYNTAX_FIELD;
    if (fan_bytes_eq_text(syntax, "liquid"))
        self->template->syntax = FAN_SYNTAX_LIQUID;
    else if (syntax.at && !fan_bytes_eq_text(syntax, "field"))
        fault(self, "syntax", "there is no such syntax; valid are: field, liquid");
}

static void list_slots(struct builder *self)
{
    struct fan_template *template = self->template;
    const struct fan_text_program *parts[PARTS] = { template->text, template->subject,
        template->html, template->media_url };
    size_t count = fan_text_slots(self->fields);
    bool *used = fan_arena_array(self->arena, count, sizeof *used);
    uint16_t *slots = fan_arena_array(self->arena, count, sizeof *slots);

    for (size_t i = 0; i < PARTS; i++)
        if (parts[i])
            fan_text_uses(parts[i], used);
    for (size_t i = 0; i < template->variables_len; i++)
        fan_text_uses(template->variables[i], used);
    for (size_t i = 0; i < count; i++)
        if (used[i]) {
            slots[template->slots_len++] = (uint16_t)i;
            template->wants_attributes |=
                    i >= FAN_SLOT_ATTRIBUTES &&i <= self->fields->count + FAN_EXTRA_ATTRIBUTES;
        }
    template->slots = slots;
}

static void build(struct builder *self, enum fan_kind kind, struct fan_bytes json)
{
    struct fan_why why;

    if (kind <= 0 || kind >= FAN_KIND_COUNT) {
        fault(self, "channel", "there is no such kind of channel");
        return;
    }
    if (fan_json_parse(json, self->arena, &self->content, &why) ||
            fan_json_type(self->content) != FAN_JSON_OBJECT) {
        fault(self, "content", "not a JSON object");
        return;
    }
    self->rule = &rules[kind];
    self->template->kind = kind;
    self->template->text_cap = self->rule->text_cap;
    check_syntax(self);
    self->template->text = part(self, "text", "message");
    build_template(self);
    build_media(self);
    check_length(self);
    if (self->rule->mail)
        build_mail(self);
    else
        build_short(self);
    if (!self->faults_len)
        list_slots(self);
}

size_t fan_template_check(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena, struct fan_why *faults)
{
    struct builder self = {
        .fields = fields,
        .arena = arena,
        .template = fan_arena_alloc(arena, sizeof(struct fan_template)),
        .faults = faults,
    };

    build(&self, kind, content);
    return self.faults_len;
}

enum fan_err fan_template_compile(enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, struct fan_arena *arena,
        const struct fan_template **out, struct fan_why *why)
{
    struct fan_why faults[FAN_TEMPLATE_FAULTS];
    struct builder self = {
        .fields = fields,
        .arena = arena,
        .template = fan_arena_alloc(arena, sizeof(struct fan_template)),
        .faults = faults,
    };

    build(&self, kind, content);
    if (self.faults_len)
        return fan_fail_field(why, FAN_INVALID, faults[0].field, "%s", faults[0].text);
    *out = self.template;
    return FAN_OK;
}

/* ---- rendering ---- */

/* Where a part begins in the buffer; it may move while later parts are written. */
struct extent {
    size_t from, len;
};

/* Parts that are written for one recipient; the first that fails says why. */
struct writing {
    const struct fan_text_view *view;
    struct fan_buffer *buffer;
    struct fan_why *why;
    enum fan_err err;
};

static struct extent written(struct writing *self, const struct fan_text_program *program,
        enum fan_text_escape escape)
{
    struct extent extent = { .from = self->buffer->len };

    if (program && !self->err)
        self->err = fan_text_run(program, self->view, escape, self->buffer, self->why);
    extent.len = self->buffer->len - extent.from;
    return extent;
}

static struct fan_bytes at(const struct fan_buffer *buffer, const struct fan_text_program *program,
        struct extent extent)
{
    if (!program)
        return FAN_NO_BYTES;
    return (struct fan_bytes){ .at = extent.len ? buffer->at + extent.from : "",
        .len = extent.len };
}

/* Whether white space is all there is: also the no-break, zero-width and ideographic kinds. */
static bool blank(struct fan_bytes text)
{
    static const struct fan_bytes wide[] = { FAN_LIT("\xc2\xa0"), FAN_LIT("\xe2\x80\x8b"),
        FAN_LIT("\xe2\x80\x8c"), FAN_LIT("\xe2\x80\x8d"), FAN_LIT("\xe3\x80\x80"),
        FAN_LIT("\xef\xbb\xbf") };

    for (;;) {
        size_t skip = 0;

        text = fan_bytes_trim(text);
        for (size_t i = 0; i < sizeof wide / sizeof *wide && !skip; i++)
            skip = fan_bytes_starts(text, wide[i]) ? wide[i].len : 0;
        if (!skip)
            return text.len == 0;
        text.at += skip;
        text.len -= skip;
    }
}

static int judge(const struct fan_template *template, const struct fan_content *content)
{
    if (template->subject && blank(content->subject))
        return FAN_REASON_BLANK;
    if (template->text && !template->html && blank(content->text))
        return FAN_REASON_BLANK;
    if (template->html && blank(content->html))
        return FAN_REASON_BLANK;
    for (size_t i = 0; i < content->variables.len; i++)
        if (blank(content->variables.at[i]))
            return FAN_REASON_BLANK; /* providers refuse an empty variable */
    if (template->text_cap && characters(content->text) > template->text_cap)
        return FAN_REASON_TOO_LONG;
    return 0;
}

int fan_template_render(const struct fan_template *template, const struct fan_text_view *view,
        struct fan_buffer *buffer, struct fan_rendering *out, struct fan_why *why)
{
    struct extent text, subject, html, media, variables[FAN_TEMPLATE_VARIABLES];
    struct writing self = { .view = view, .buffer = buffer, .why = why };

    fan_buffer_clear(buffer);
    text = written(&self, template->text, FAN_ESCAPE_NONE);
    subject = written(&self, template->subject, FAN_ESCAPE_LINE);
    html = written(&self, template->html, FAN_ESCAPE_HTML);
    media = written(&self, template->media_url, FAN_ESCAPE_LINE);
    for (size_t i = 0; i < template->variables_len; i++)
        variables[i] = written(&self, template->variables[i], FAN_ESCAPE_LINE);
    if (buffer->overflowed)
        return FAN_REASON_TOO_LONG;
    if (self.err)
        return FAN_REASON_TEMPLATE;

    for (size_t i = 0; i < template->variables_len; i++)
        out->variables[i] = at(buffer, template->variables[i], variables[i]);
    out->content = (struct fan_content){
        .text = at(buffer, template->text, text),
        .subject = at(buffer, template->subject, subject),
        .html = at(buffer, template->html, html),
        .template_name = template->name,
        .language = template->language,
        .variables = { .at = out->variables, .len = template->variables_len },
        .media_url = at(buffer, template->media_url, media),
    };
    return judge(template, &out->content);
}

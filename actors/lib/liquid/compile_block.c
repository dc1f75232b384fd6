#include "actors/lib/liquid/compiler.h"

/* ---- simple tags ---- */

static void tag_echo(struct fan_compiler *self, struct fan_piece piece)
{
    fan_compile_filtered(self, piece.text, true);
    fan_compile_emit(self, FAN_OP_WRITE, 0, -1);
    self->body->blank = false;
}

static bool is_signature(char c)
{
    return fan_scan_is_word(c) || c == '-' || c == '.' || c == '[' || c == ']' || c == '(' ||
            c == ')';
}

/* The first run of characters that a variable may be named with, from @from on. */
static struct fan_bytes signature(struct fan_bytes text, size_t from)
{
    size_t end;

    while (from < text.len && !is_signature(text.at[from]))
        from++;
    for (end = from; end < text.len && is_signature(text.at[end]);)
        end++;
    return (struct fan_bytes){ text.at + from, end - from };
}

static void tag_assign(struct fan_compiler *self, struct fan_piece piece)
{
    struct fan_bytes name = signature(piece.text, 0), rest = piece.text;
    size_t at = (size_t)(name.at - piece.text.at) + name.len;

    while (at < rest.len && fan_scan_is_space(rest.at[at]))
        at++;
    if (!name.len || at >= rest.len || rest.at[at] != '=') {
        fan_compiler_fail(self, FAN_INVALID, "assign wants: name = value");
        return;
    }
    rest.at += at + 1;
    rest.len -= at + 1;
    fan_compile_filtered(self, rest, false);
    fan_compile_emit(self, FAN_OP_ASSIGN, fan_compile_name(self, name), -1);
}

static void tag_count(struct fan_compiler *self, struct fan_piece piece)
{
    bool up = *piece.name.at == 'i';

    fan_compile_emit(self, up ? FAN_OP_COUNT_UP : FAN_OP_COUNT_DOWN,
            fan_compile_name(self, fan_scan_trim(piece.text)), 0);
    self->body->blank = false;
}

static void tag_capture(struct fan_compiler *self, struct fan_piece piece)
{
    struct fan_bytes name = signature(piece.text, 0);
    struct fan_body body = { .blank = true };
    struct fan_inside inside = { .outer = self->inside, .kind = FAN_IN_CAPTURE };

    if (!name.len) {
        fan_compiler_fail(self, FAN_INVALID, "capture wants a name");
        return;
    }
    inside.name = fan_compile_name(self, name);
    self->inside = &inside;
    fan_compile_emit(self, FAN_OP_CAPTURE, 0, 0);
    fan_compile_part(self, &body, piece, "endcapture", NULL);
    fan_compile_emit(self, FAN_OP_CAPTURED, inside.name, 0);
    self->inside = inside.outer;
}

static void tag_ifchanged(struct fan_compiler *self, struct fan_piece piece)
{
    struct fan_body body = { .blank = true };
    struct fan_inside inside = { .outer = self->inside, .kind = FAN_IN_CHANGED };

    self->inside = &inside;
    fan_compile_emit(self, FAN_OP_CAPTURE, 0, 0);
    fan_compile_part(self, &body, piece, "endifchanged", NULL);
    fan_compile_emit(self, FAN_OP_CHANGED, 0, 0);
    self->inside = inside.outer;
    self->body->blank &= body.blank;
}

static void tag_comment(struct fan_compiler *self, struct fan_piece piece)
{
    (void)piece;
    if (!fan_scan_comment(&self->scan))
        fan_compiler_fail(self, FAN_INVALID, "comment is never closed");
}

static void tag_remark(struct fan_compiler *self, struct fan_piece piece)
{
    for (size_t i = 0; i < piece.text.len; i++) {
        if (piece.text.at[i] != '\n')
            continue;
        while (i < piece.text.len && fan_scan_is_space(piece.text.at[i]))
            i++;
        if (i < piece.text.len && piece.text.at[i] != '#') {
            fan_compiler_fail(self, FAN_INVALID, "each line of a comment must begin with #");
            return;
        }
    }
}

/* raw and doc: what is in them is not looked at. */
static void tag_verbatim(struct fan_compiler *self, struct fan_piece piece)
{
    bool raw = *piece.name.at == 'r';
    struct fan_bytes text = FAN_NO_BYTES;
    struct fan_scan scan;

    if (fan_scan_trim(piece.text).len)
        fan_compiler_fail(self, FAN_INVALID, "%s takes nothing else", raw ? "raw" : "doc");
    else if (!fan_scan_until(&self->scan, raw ? "endraw" : "enddoc", &text))
        fan_compiler_fail(self, FAN_INVALID, "%s is never closed", raw ? "raw" : "doc");
    if (raw && text.len) {
        fan_compile_emit(self, FAN_OP_TEXT, fan_compile_constant(self, fan_value_text(text)), 0);
        self->body->blank = false;
    }
    fan_scan_begin(&scan, text);
    if (!raw && text.len && fan_scan_until(&scan, "doc", &text))
        fan_compiler_fail(self, FAN_INVALID, "doc inside doc");
}

static void tag_liquid(struct fan_compiler *self, struct fan_piece piece)
{
    struct fan_scan outer = self->scan;
    struct fan_body *body = self->body;

    fan_scan_begin_lines(&self->scan, piece.text, piece.line);
    fan_compile_body(self, body);
    if (self->piece.type == FAN_PIECE_TAG)
        fan_compiler_fail(self, FAN_INVALID, "there is no tag \"%.*s\" here",
                (int)(self->piece.name.len < 40 ? self->piece.name.len : 40), self->piece.name.at);
    if (!self->err)
        self->scan = outer;
}

/* ---- bodies ---- */

static const struct {
    const char *name;
    fan_tag *compile;
} tags[] = {
    { "assign", tag_assign },
    { "break", fan_tag_break },
    { "capture", tag_capture },
    { "case", fan_tag_case },
    { "comment", tag_comment },
    { "continue", fan_tag_continue },
    { "cycle", fan_tag_cycle },
    { "decrement", tag_count },
    { "doc", tag_verbatim },
    { "echo", tag_echo },
    { "for", fan_tag_for },
    { "if", fan_tag_if },
    { "ifchanged", tag_ifchanged },
    { "include", fan_tag_include },
    { "increment", tag_count },
    { "liquid", tag_liquid },
    { "raw", tag_verbatim },
    { "render", fan_tag_render },
    { "tablerow", fan_tag_tablerow },
    { "unless", fan_tag_unless },
    { "#", tag_remark },
};

static fan_tag *tag_of(struct fan_bytes name)
{
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (fan_bytes_eq_text(name, tags[i].name))
            return tags[i].compile;
    return NULL;
}

/* Returns false for a tag that is not known. */
static bool compile_piece(struct fan_compiler *self, struct fan_piece piece)
{
    fan_tag *tag;

    self->line = piece.line;
    switch (piece.type) {
    case FAN_PIECE_TEXT:
        fan_compile_text(self, piece.text);
        return true;
    case FAN_PIECE_OUTPUT:
        tag_echo(self, piece);
        return true;
    case FAN_PIECE_BROKEN:
        fan_compiler_fail(self, FAN_INVALID, "not closed, or without a name: %.*s",
                (int)(piece.text.len < 40 ? piece.text.len : 40), piece.text.at);
        return true;
    default:
        tag = tag_of(piece.name);
        if (tag)
            tag(self, piece);
        return tag != NULL;
    }
}

void fan_compile_body(struct fan_compiler *self, struct fan_body *body)
{
    struct fan_body *outer = self->body;

    if (++self->nesting > FAN_LIQUID_NESTING_MAX)
        fan_compiler_fail(self, FAN_TOO_LARGE, "blocks nested deeper than %d",
                FAN_LIQUID_NESTING_MAX);
    self->body = body;
    do
        fan_scan_next(&self->scan, &self->piece);
    while (self->piece.type != FAN_PIECE_END && compile_piece(self, self->piece));
    if (self->err)
        self->piece.type = FAN_PIECE_END;
    self->body = outer;
    self->nesting--;
}

bool fan_compile_part(struct fan_compiler *self, struct fan_body *body, struct fan_piece opening,
        const char *end, const char *const *middle)
{
    struct fan_bytes name;

    fan_compile_body(self, body);
    name = self->piece.name;
    if (self->err)
        return true;
    if (self->piece.type == FAN_PIECE_END) {
        self->line = opening.line;
        fan_compiler_fail(self, FAN_INVALID, "%.*s is never closed", FAN_BYTES_ARG(opening.name));
        return true;
    }
    for (; middle && *middle; middle++)
        if (fan_bytes_eq_text(name, *middle))
            return false;
    if (!fan_bytes_eq_text(name, end))
        fan_compiler_fail(self, FAN_INVALID, "there is no tag \"%.*s\" inside %.*s",
                (int)(name.len < 40 ? name.len : 40), name.at, FAN_BYTES_ARG(opening.name));
    return true;
}

void fan_compile_blank(struct fan_compiler *self, bool blank, const struct fan_body *bodies,
        size_t count)
{
    self->body->blank &= blank;
    if (!blank)
        return;
    for (size_t i = 0; i < count; i++) {
        const uint32_t *texts = bodies[i].texts.at;

        for (size_t k = 0; k < bodies[i].texts.len; k++)
            fan_compile_op(self, texts[k])->code = FAN_OP_NOP;
    }
}

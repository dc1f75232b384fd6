/*
 * if, unless, case, cycle, and the partials.
 */
#include "actors/lib/liquid/compiler.h"

enum { CYCLE_MAX = 1000 };

/* ---- if and unless ---- */

static void add_body(struct fan_compiler *self, struct fan_vec *bodies, const struct fan_body *body)
{
    struct fan_body *place = fan_compile_add(self, bodies, sizeof *place);

    *place = *body;
}

static bool all_blank(const struct fan_vec *bodies)
{
    const struct fan_body *body = bodies->at;

    for (size_t i = 0; i < bodies->len; i++)
        if (!body[i].blank)
            return false;
    return true;
}

/* One branch after another: condition, body, a jump behind all of them. */
static void branches(struct fan_compiler *self, struct fan_piece opening, const char *end,
        bool unless)
{
    static const char *const middle[] = { "elsif", "else", NULL };
    struct fan_vec bodies = { 0 }, ends = { 0 };
    struct fan_bytes condition = opening.text;
    bool last = false, otherwise = false;

    while (!last && !self->err) {
        struct fan_body body = { .blank = true };
        uint32_t next = 0;

        if (!otherwise) {
            fan_tokens(self, condition);
            fan_compile_condition(self);
            next = fan_compile_emit(self, unless ? FAN_OP_JUMP_TRUE : FAN_OP_JUMP_FALSE, 0, -1);
        }
        last = fan_compile_part(self, &body, opening, end, middle);
        add_body(self, &bodies, &body);
        fan_compile_note(self, &ends, fan_compile_emit(self, FAN_OP_JUMP, 0, 0));
        if (!otherwise)
            fan_compile_land(self, next);
        condition = self->piece.text;
        otherwise = self->piece.name.len == 4;
        self->line = self->piece.line;
        unless = false;
    }
    fan_compile_land_all(self, &ends);
    fan_compile_blank(self, all_blank(&bodies), bodies.at, bodies.len);
}

void fan_tag_if(struct fan_compiler *self, struct fan_piece piece)
{
    branches(self, piece, "endif", false);
}

void fan_tag_unless(struct fan_compiler *self, struct fan_piece piece)
{
    branches(self, piece, "endunless", true);
}

/* ---- case ---- */

/* Count how many values of a `when` it equals: the body is written that often. */
static void when_values(struct fan_compiler *self, struct fan_bytes left, struct fan_bytes values)
{
    struct fan_lexer lexer;

    fan_compile_emit(self, FAN_OP_CONST, fan_compile_constant(self, fan_value_int(0)), 1);
    fan_tokens(self, values);
    do {
        lexer = self->lexer;
        fan_tokens(self, left);
        fan_compile_value(self);
        fan_token_end(self);
        if (self->err)
            return;
        self->lexer = lexer;
        self->condition = true;
        fan_compile_value(self);
        self->condition = false;
        fan_compile_emit(self, FAN_OP_EQ, 0, -1);
        fan_compile_emit(self, FAN_OP_ADD_TRUE, 0, -1);
    } while (fan_token_take(self, FAN_TOKEN_COMMA) || fan_token_take_word(self, "or"));
    fan_token_end(self);
}

/* Below the count stands whether any `when` was true yet. */
static bool when_part(struct fan_compiler *self, struct fan_piece opening, struct fan_vec *bodies)
{
    static const char *const middle[] = { "when", "else", NULL };
    bool otherwise = fan_bytes_eq_text(self->piece.name, "else"), last;
    struct fan_body body = { .blank = true };
    uint32_t again, next;

    self->line = self->piece.line;
    if (otherwise && fan_scan_trim(self->piece.text).len)
        fan_compiler_fail(self, FAN_INVALID, "the else of a case takes nothing");
    if (!otherwise)
        when_values(self, opening.text, self->piece.text);
    again = fan_compile_here(self);
    next = fan_compile_emit(self, otherwise ? FAN_OP_UNLESS_SEEN : FAN_OP_TIMES, 0, 0);
    last = fan_compile_part(self, &body, opening, "endcase", middle);
    if (!otherwise)
        fan_compile_emit(self, FAN_OP_JUMP, again, -1);
    fan_compile_land(self, next);
    add_body(self, bodies, &body);
    return last;
}

void fan_tag_case(struct fan_compiler *self, struct fan_piece piece)
{
    static const char *const middle[] = { "when", "else", NULL };
    struct fan_body before = { .blank = true };
    struct fan_vec bodies = { 0 };
    uint32_t skip;
    bool last;

    fan_tokens(self, piece.text);
    if (fan_token_is(self, FAN_TOKEN_END))
        fan_compiler_fail(self, FAN_INVALID, "case wants a value");
    fan_compile_emit(self, FAN_OP_CONST, fan_compile_constant(self, fan_value_bool(false)), 1);
    skip = fan_compile_emit(self, FAN_OP_JUMP, 0, 0);
    last = fan_compile_part(self, &before, piece, "endcase", middle);
    fan_compile_land(self, skip); /* nothing before the first when is ever written */
    while (!last && !self->err)
        last = when_part(self, piece, &bodies);
    fan_compile_emit(self, FAN_OP_POP, 0, -1);
    fan_compile_blank(self, before.blank && all_blank(&bodies), bodies.at, bodies.len);
}

/* ---- cycle ---- */

/* What an unnamed cycle is known by: its values, when they are constants; else it is itself. */
static void unnamed_key(struct fan_compiler *self, uint32_t at, struct fan_bytes spoken)
{
    bool constant = true;
    const char *key;

    for (uint32_t i = at + 1; i < fan_compile_here(self); i++)
        constant &= fan_compile_op(self, i)->code == FAN_OP_CONST;
    key = constant ? fan_arena_printf(self->arena, "%.*s", FAN_BYTES_ARG(spoken))
                   : fan_arena_printf(self->arena, "%zu %u", self->code, at);
    fan_compile_op(self, at)->arg = fan_compile_constant(self, fan_value_text(fan_bytes_of(key)));
}

/* The cycle's name, if it has one; else its place is kept for what it is known by. */
static bool cycle_name(struct fan_compiler *self)
{
    struct fan_lexer start = self->lexer;
    bool named;

    fan_compile_skip(self);
    named = fan_token_is(self, FAN_TOKEN_COLON);
    if (!self->err)
        self->lexer = start;
    if (named)
        fan_compile_value(self);
    else
        fan_compile_emit(self, FAN_OP_CONST, 0, 1);
    fan_token_take(self, FAN_TOKEN_COLON);
    return named;
}

/* The values, one after another, and what they say. Returns how many. */
static uint32_t cycle_values(struct fan_compiler *self, struct fan_buffer *spoken)
{
    uint32_t count = 0;

    self->spoken = spoken;
    do {
        if (count && fan_token_is(self, FAN_TOKEN_END))
            break;
        fan_compile_value(self);
        count++;
    } while (fan_token_take(self, FAN_TOKEN_COMMA));
    self->spoken = NULL;
    fan_token_end(self);
    return count;
}

void fan_tag_cycle(struct fan_compiler *self, struct fan_piece piece)
{
    uint32_t at = fan_compile_here(self), last, count;
    struct fan_buffer spoken;
    bool named;

    fan_tokens(self, piece.text);
    named = cycle_name(self);
    fan_buffer_init(&spoken, 4096);
    count = cycle_values(self, &spoken);
    if (!named && !self->err)
        unnamed_key(self, at, fan_buffer_bytes(&spoken));
    fan_buffer_fini(&spoken);
    last = fan_compile_emit(self, FAN_OP_CYCLE, named, -1 - (int)count);
    fan_compile_op(self, last)->b = (uint16_t)count;
    self->body->blank = false;
    if (count > CYCLE_MAX)
        fan_compiler_fail(self, FAN_TOO_LARGE, "a cycle of %u values; at most %d", count,
                CYCLE_MAX);
}

/* ---- partials ---- */

static int32_t partial_of(struct fan_compiler *self, struct fan_bytes name, struct fan_bytes text)
{
    struct fan_liquid_code *codes = self->codes.at;

    for (size_t i = 1; i < self->codes.len; i++)
        if (fan_bytes_eq(codes[i].name, name))
            return (int32_t)i;
    if (self->codes.len > FAN_LIQUID_PARTIALS_MAX)
        fan_compiler_fail(self, FAN_TOO_LARGE, "more than %d partials", FAN_LIQUID_PARTIALS_MAX);
    codes = fan_compile_add(self, &self->codes, sizeof *codes);
    *codes = (struct fan_liquid_code){ .name = name, .source = text };
    return (int32_t)self->codes.len - 1;
}

/* The partial of that name, compiled later. */
static int32_t find_partial(struct fan_compiler *self, struct fan_bytes name)
{
    const struct fan_map *partials = self->source->partials;
    const struct fan_value *text = partials ? fan_map_get(partials, name) : NULL;

    if (text && text->type == FAN_VALUE_TEXT)
        return partial_of(self, name, fan_value_bytes(*text));
    fan_compiler_fail(self, FAN_INVALID, "there is no partial \"%.*s\"",
            (int)(name.len < 40 ? name.len : 40), name.at);
    return 0;
}

struct fan_bytes fan_partial_variable(struct fan_bytes name)
{
    const char *slash = name.len ? memrchr(name.at, '/', name.len) : NULL;
    size_t skip = slash ? (size_t)(slash - name.at) + 1 : 0;

    return (struct fan_bytes){ name.at + skip, name.len - skip };
}

/* Any of them may be asked for. */
static void all_partials(struct fan_compiler *self)
{
    const struct fan_map *partials = self->source->partials;

    for (size_t i = 0; partials && i < partials->len && !self->err; i++) {
        struct fan_bytes name = fan_bytes_dup(partials->entries[i].key, self->arena);

        find_partial(self, name);
        fan_compile_name(self, fan_partial_variable(name));
    }
}

static void call_arguments(struct fan_compiler *self, struct fan_call_site *site)
{
    struct fan_vec names = { 0 };

    fan_token_take(self, FAN_TOKEN_COMMA);
    while (fan_token_is(self, FAN_TOKEN_ID)) {
        uint32_t *name = fan_compile_add(self, &names, sizeof *name);

        *name = fan_compile_name(self, self->lexer.token.text);
        fan_token_take(self, FAN_TOKEN_ID);
        fan_token_want(self, FAN_TOKEN_COLON, ":");
        fan_compile_value(self);
        fan_token_take(self, FAN_TOKEN_COMMA);
    }
    site->args = names.at;
    site->args_len = (uint32_t)names.len;
    fan_token_end(self);
}

static void call(struct fan_compiler *self, struct fan_piece piece, bool render)
{
    struct fan_call_site *place, site = { .code = -1, .render = render, .alias = -1 };
    struct fan_bytes text;
    uint32_t stack = self->stack;

    fan_tokens(self, piece.text);
    text = self->lexer.token.text;
    if (fan_token_take(self, FAN_TOKEN_STRING)) {
        text = (struct fan_bytes){ text.at + 1, text.len - 2 };
        site.code = find_partial(self, text);
        fan_compile_name(self, fan_partial_variable(text));
    } else if (render) {
        fan_compiler_fail(self, FAN_INVALID, "render wants a partial's name in quotes");
    } else {
        fan_compile_value(self);
        all_partials(self);
    }
    site.each = fan_token_word(self, "for");
    site.value = fan_token_take_word(self, "for") || fan_token_take_word(self, "with");
    if (site.value)
        fan_compile_value(self);
    if (fan_token_take_word(self, "as"))
        site.alias = (int32_t)fan_compile_name(self, fan_token_want(self, FAN_TOKEN_ID, "a name"));
    call_arguments(self, &site);
    if (render && site.each)
        fan_compile_name(self, FAN_LIT("forloop"));
    place = fan_compile_add(self, &self->calls, sizeof *place);
    *place = site;
    fan_compile_emit(self, FAN_OP_CALL, (uint32_t)self->calls.len - 1,
            (int)stack - (int)self->stack);
    self->body->blank = false;
    if (!render)
        fan_compile_interrupted(self);
}

void fan_tag_render(struct fan_compiler *self, struct fan_piece piece)
{
    call(self, piece, true);
}

void fan_tag_include(struct fan_compiler *self, struct fan_piece piece)
{
    call(self, piece, false);
}

#include "actors/lib/liquid/compiler.h"

#include <stdio.h>

void fan_compiler_fail(struct fan_compiler *self, enum fan_err err, const char *format, ...)
{
    const struct fan_liquid_code *codes = self->codes.at;
    struct fan_bytes partial = codes ? codes[self->code].name : FAN_NO_BYTES;
    char text[280];
    va_list args;

    if (self->err)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    self->err = err;
    self->fault_line = self->line;
    fan_fail(self->why, err, "line %u%s%.*s: %s", self->line, partial.at ? " of " : "",
            (int)(partial.len < 40 ? partial.len : 40), partial.at ? partial.at : "", text);
    self->lexer.token = self->lexer.next = (struct fan_token){ .type = FAN_TOKEN_END };
    self->lexer.rest = FAN_NO_BYTES;
    self->scan.rest = FAN_NO_BYTES;
}

void *fan_compile_add(struct fan_compiler *self, struct fan_vec *vec, size_t size)
{
    if (vec->len == vec->room) {
        size_t room = vec->room ? 2 * vec->room : 8;
        void *at = fan_arena_array(self->work, room, size);

        if (vec->len)
            memcpy(at, vec->at, vec->len * size);
        vec->at = at;
        vec->room = room;
    }
    return (char *)vec->at + size * vec->len++;
}

/* ---- steps ---- */

uint32_t fan_compile_here(struct fan_compiler *self)
{
    return (uint32_t)self->ops.len;
}

struct fan_op *fan_compile_op(struct fan_compiler *self, uint32_t at)
{
    return (struct fan_op *)self->ops.at + at;
}

uint32_t fan_compile_emit(struct fan_compiler *self, enum fan_liquid_op code, uint32_t arg,
        int pushes)
{
    struct fan_op *op = fan_compile_add(self, &self->ops, sizeof *op);
    uint32_t *line = fan_compile_add(self, &self->lines, sizeof *line);

    *op = (struct fan_op){ .code = (uint8_t)code, .arg = arg };
    *line = self->line;
    self->stack = (uint32_t)((int)self->stack + pushes);
    if (self->stack > self->stack_most)
        self->stack_most = self->stack;
    return fan_compile_here(self) - 1;
}

void fan_compile_land(struct fan_compiler *self, uint32_t at)
{
    fan_compile_op(self, at)->arg = fan_compile_here(self);
}

void fan_compile_note(struct fan_compiler *self, struct fan_vec *jumps, uint32_t at)
{
    uint32_t *place = fan_compile_add(self, jumps, sizeof *place);

    *place = at;
}

void fan_compile_land_all(struct fan_compiler *self, const struct fan_vec *jumps)
{
    const uint32_t *at = jumps->at;

    for (size_t i = 0; i < jumps->len; i++)
        fan_compile_land(self, at[i]);
}

uint32_t fan_compile_constant(struct fan_compiler *self, struct fan_value value)
{
    struct fan_value *constant = fan_compile_add(self, &self->constants, sizeof *constant);

    *constant = value;
    return (uint32_t)self->constants.len - 1;
}

uint32_t fan_compile_name(struct fan_compiler *self, struct fan_bytes text)
{
    const struct fan_liquid_name *names = self->names.at;
    struct fan_liquid_name *name;

    for (size_t i = 0; i < self->names.len; i++)
        if (fan_bytes_eq(names[i].text, text))
            return (uint32_t)i;
    name = fan_compile_add(self, &self->names, sizeof *name);
    *name = (struct fan_liquid_name){ .text = text, .slot = -1 };
    return (uint32_t)self->names.len - 1;
}

void fan_compile_text(struct fan_compiler *self, struct fan_bytes text)
{
    uint32_t at;

    for (size_t i = 0; i < text.len && self->body->blank; i++)
        self->body->blank = fan_scan_is_space(text.at[i]);
    if (!text.len)
        return;
    at = fan_compile_emit(self, FAN_OP_TEXT, fan_compile_constant(self, fan_value_text(text)), 0);
    fan_compile_note(self, &self->body->texts, at);
}

/* ---- templates ---- */

static void compile_code(struct fan_compiler *self, size_t which)
{
    struct fan_liquid_code code = ((struct fan_liquid_code *)self->codes.at)[which];
    struct fan_body body = { .blank = true };

    self->code = which;
    self->line = 1;
    code.source = fan_bytes_dup(code.source, self->arena);
    if (code.source.len > FAN_LIQUID_SOURCE_MAX) {
        fan_compiler_fail(self, FAN_TOO_LARGE, "a template of %zu bytes; at most %d",
                code.source.len, FAN_LIQUID_SOURCE_MAX);
        return;
    }
    self->ops = self->lines = (struct fan_vec){ 0 };
    self->stack = self->stack_most = 0;
    self->inside = NULL;
    fan_scan_begin(&self->scan, code.source);
    fan_compile_body(self, &body);
    if (self->piece.type == FAN_PIECE_TAG)
        fan_compiler_fail(self, FAN_INVALID, "there is no tag \"%.*s\" here",
                (int)(self->piece.name.len < 40 ? self->piece.name.len : 40), self->piece.name.at);
    fan_compile_emit(self, FAN_OP_END, 0, 0);
    code.ops = self->ops.at;
    code.lines = self->lines.at;
    code.ops_len = self->ops.len;
    code.stack = self->stack_most;
    ((struct fan_liquid_code *)self->codes.at)[which] = code;
}

enum fan_err fan_liquid_compile(const struct fan_liquid_source *source, struct fan_arena *arena,
        const struct fan_liquid_program **out, uint32_t *line, struct fan_why *why)
{
    struct fan_liquid_program *program = fan_arena_alloc(arena, sizeof *program);
    struct fan_compiler self = {
        .source = source,
        .arena = arena,
        .work = fan_arena_new(),
        .why = why,
    };
    struct fan_liquid_code *first =
            fan_compile_add(&self, &self.codes, sizeof(struct fan_liquid_code));

    first->source = source->text;
    for (size_t i = 0; i < self.codes.len && !self.err; i++)
        compile_code(&self, i);
    if (!self.err)
        fan_compile_finish(&self, program);
    if (line)
        *line = self.fault_line;
    fan_arena_free(&self.work);
    *out = self.err ? NULL : program;
    return self.err;
}

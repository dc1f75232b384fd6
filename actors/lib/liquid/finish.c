#include "actors/lib/liquid/compiler.h"

enum { MEMBERS_MAX = 8 }; /* of a path that a schema is asked for */

/* ---- names ---- */

static int32_t global(struct fan_compiler *self, struct fan_bytes name)
{
    const struct fan_bytes *globals = self->globals.at;
    struct fan_bytes *place;

    for (size_t i = 0; i < self->globals.len; i++)
        if (fan_bytes_eq(globals[i], name))
            return (int32_t)i;
    place = fan_compile_add(self, &self->globals, sizeof *place);
    *place = name;
    return (int32_t)self->globals.len - 1;
}

static void unknown(struct fan_compiler *self, const struct fan_bytes *path, size_t len)
{
    struct fan_buffer name, valid;

    fan_buffer_init(&name, 64);
    for (size_t i = 0; i < len && !name.overflowed; i++) {
        fan_buffer_add_text(&name, i ? "." : "");
        fan_buffer_add_bytes(&name, path[i]);
    }
    fan_buffer_init(&valid, 16 * 1024);
    self->source->schema->list(self->source->schema->about, path, len, &valid);
    fan_compiler_fail(self, FAN_INVALID, "unknown field %.*s; valid are: %.*s",
            FAN_BYTES_ARG(fan_buffer_bytes(&name)), FAN_BYTES_ARG(fan_buffer_bytes(&valid)));
    fan_buffer_fini(&name);
    fan_buffer_fini(&valid);
}

static size_t path_of(struct fan_compiler *self, const struct fan_ref *ref,
        const struct fan_op *ops, struct fan_bytes path[MEMBERS_MAX])
{
    const struct fan_value *constants = self->constants.at;
    size_t len = 1;

    path[0] = ref->name;
    for (uint32_t i = 1; i <= ref->members && len < MEMBERS_MAX; i++)
        path[len++] = fan_value_bytes(constants[ops[ref->op + i].arg]);
    return len;
}

/* A name that nothing binds is the data's. */
static void resolve_free(struct fan_compiler *self, const struct fan_ref *ref, struct fan_op *ops)
{
    const struct fan_liquid_schema *schema = self->source->schema;
    struct fan_bytes path[MEMBERS_MAX];
    size_t len = path_of(self, ref, ops, path), slot = 0, used = 0;

    ops[ref->op].code = FAN_OP_SLOT;
    if (!schema) {
        ops[ref->op].arg = (uint32_t)global(self, ref->name);
        return;
    }
    if (!schema->find(schema->about, path, len, &slot, &used)) {
        unknown(self, path, len);
        return;
    }
    FAN_ASSERT(used && used <= len && slot < schema->slots);
    ops[ref->op].arg = (uint32_t)slot;
    if (ref->written && schema->fallbacks && schema->fallbacks[slot].len)
        ops[ref->op].code = FAN_OP_SLOT_OR;
    for (size_t i = 1; i < used; i++)
        ops[ref->op + i].code = FAN_OP_NOP;
}

/* What a bound name is before anything was bound to it. */
static int32_t slot_behind(struct fan_compiler *self, struct fan_bytes name)
{
    const struct fan_liquid_schema *schema = self->source->schema;
    size_t slot, used;

    if (!schema)
        return global(self, name);
    return schema->find(schema->about, &name, 1, &slot, &used) ? (int32_t)slot : -1;
}

static void resolve(struct fan_compiler *self)
{
    const struct fan_ref *refs = self->refs.at;
    const struct fan_liquid_name *names = self->names.at;

    for (size_t i = 0; i < self->refs.len && !self->err; i++) {
        const struct fan_liquid_code *code =
                (const struct fan_liquid_code *)self->codes.at + refs[i].code;
        struct fan_op *ops = (struct fan_op *)(uintptr_t)code->ops;
        size_t name = 0;

        self->code = refs[i].code;
        self->line = code->lines[refs[i].op];
        while (name < self->names.len && !fan_bytes_eq(names[name].text, refs[i].name))
            name++;
        if (name < self->names.len)
            ops[refs[i].op].arg = (uint32_t)name;
        else
            resolve_free(self, &refs[i], ops);
    }
    for (size_t i = 0; i < self->names.len; i++)
        ((struct fan_liquid_name *)self->names.at)[i].slot = slot_behind(self, names[i].text);
}

/* ---- steps ---- */

/* A slot that is written at once is one step. */
static void fuse(struct fan_op *ops, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t next = i + 1;

        if (ops[i].code != FAN_OP_SLOT && ops[i].code != FAN_OP_SLOT_OR)
            continue;
        while (next < len && ops[next].code == FAN_OP_NOP)
            next++;
        if (next == len || ops[next].code != FAN_OP_WRITE)
            continue;
        ops[i].code = ops[i].code == FAN_OP_SLOT ? FAN_OP_WRITE_BARE : FAN_OP_WRITE_SLOT;
        ops[next].code = FAN_OP_NOP;
    }
}

static void compact(struct fan_compiler *self, struct fan_liquid_code *code)
{
    struct fan_op *ops = (struct fan_op *)(uintptr_t)code->ops, *kept;
    uint32_t *moved = fan_arena_array(self->work, code->ops_len + 1, sizeof *moved), *lines;
    uint32_t len = 0;

    fuse(ops, code->ops_len);
    for (size_t i = 0; i < code->ops_len; i++) {
        moved[i] = len;
        len += ops[i].code != FAN_OP_NOP;
    }
    kept = fan_arena_array(self->arena, len, sizeof *kept);
    lines = fan_arena_array(self->arena, len, sizeof *lines);
    for (size_t i = 0; i < code->ops_len; i++) {
        if (ops[i].code == FAN_OP_NOP)
            continue;
        kept[moved[i]] = ops[i];
        lines[moved[i]] = code->lines[i];
        if (fan_op_jumps(ops[i].code))
            kept[moved[i]].arg = moved[ops[i].arg];
    }
    code->ops = kept;
    code->lines = lines;
    code->ops_len = len;
}

/* ---- the program ---- */

static void *kept(struct fan_compiler *self, const struct fan_vec *vec, size_t size, size_t *len)
{
    void *at = fan_arena_array(self->arena, vec->len, size);

    if (vec->len)
        memcpy(at, vec->at, vec->len * size);
    *len = vec->len;
    return at;
}

static void keep_arguments(struct fan_compiler *self, struct fan_call_site *site)
{
    uint32_t *args = fan_arena_array(self->arena, site->args_len, sizeof *args);

    if (site->args_len)
        memcpy(args, site->args, site->args_len * sizeof *args);
    site->args = args;
}

void fan_compile_finish(struct fan_compiler *self, struct fan_liquid_program *program)
{
    struct fan_liquid_name *names;

    resolve(self);
    if (self->err)
        return;
    program->codes = kept(self, &self->codes, sizeof *program->codes, &program->codes_len);
    program->constants =
            kept(self, &self->constants, sizeof *program->constants, &program->constants_len);
    program->names = kept(self, &self->names, sizeof *program->names, &program->names_len);
    program->loops = kept(self, &self->loops, sizeof *program->loops, &program->loops_len);
    program->calls = kept(self, &self->calls, sizeof *program->calls, &program->calls_len);
    program->globals = kept(self, &self->globals, sizeof *program->globals, &program->globals_len);
    program->fallbacks = self->source->schema ? self->source->schema->fallbacks : NULL;
    for (size_t i = 0; i < program->codes_len; i++)
        compact(self, &program->codes[i]);
    for (size_t i = 0; i < program->calls_len; i++)
        keep_arguments(self, &program->calls[i]);
    names = program->names;
    program->forloop = -1;
    for (size_t i = 0; i < program->names_len; i++)
        if (fan_bytes_eq_text(names[i].text, "forloop"))
            program->forloop = (int32_t)i;
}

/* ---- what there is to know of a program ---- */

void fan_liquid_uses(const struct fan_liquid_program *program, bool *used)
{
    for (size_t i = 0; i < program->names_len; i++)
        if (program->names[i].slot >= 0)
            used[program->names[i].slot] = true;
    for (size_t i = 0; i < program->codes_len; i++)
        for (size_t k = 0; k < program->codes[i].ops_len; k++) {
            const struct fan_op *op = &program->codes[i].ops[k];

            if (op->code == FAN_OP_SLOT || op->code == FAN_OP_SLOT_OR ||
                    op->code == FAN_OP_WRITE_SLOT || op->code == FAN_OP_WRITE_BARE)
                used[op->arg] = true;
        }
}

/* Texts that no jump passes over and no capture takes. */
size_t fan_liquid_least(const struct fan_liquid_program *program)
{
    const struct fan_liquid_code *code = &program->codes[0];
    size_t count = 0, captures = 0, sure = 0;

    for (size_t i = 0; i < code->ops_len; i++) {
        const struct fan_op *op = &code->ops[i];

        if (fan_op_jumps(op->code) && op->arg > sure)
            sure = op->arg;
        captures += op->code == FAN_OP_CAPTURE;
        captures -= captures && (op->code == FAN_OP_CAPTURED || op->code == FAN_OP_CHANGED);
        if (op->code == FAN_OP_BREAK || op->code == FAN_OP_CONTINUE || op->code == FAN_OP_LEAVE)
            break;
        if (op->code == FAN_OP_TEXT && i >= sure && !captures)
            count += fan_text_characters(fan_value_bytes(program->constants[op->arg]));
    }
    return count;
}

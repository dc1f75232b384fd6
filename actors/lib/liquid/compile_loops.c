#include "actors/lib/liquid/compiler.h"

/* ---- heads ---- */

/* item in items: leaves the collection on the stack. */
static void head(struct fan_compiler *self, const char *tag, struct fan_loop_site *site)
{
    struct fan_bytes variable = fan_token_want(self, FAN_TOKEN_ID, "a name for the items");
    struct fan_buffer spoken;

    if (!fan_token_take_word(self, "in"))
        fan_compiler_fail(self, FAN_INVALID, "%s wants: item in items", tag);
    fan_buffer_init(&spoken, 4096);
    fan_buffer_add_bytes(&spoken, variable);
    fan_buffer_add_char(&spoken, '-');
    self->spoken = &spoken;
    fan_compile_value(self);
    self->spoken = NULL;
    site->variable = fan_compile_name(self, variable);
    site->name = fan_bytes_dup(fan_buffer_bytes(&spoken), self->arena);
    fan_buffer_fini(&spoken);
}

/* The attributes come in any order, but run wants their values in one: they are found first. */
struct attribute {
    const char *name;
    uint32_t flag;
    bool row, given;
    struct fan_lexer value;
};

static void find_attributes(struct fan_compiler *self, bool row, struct attribute *list,
        size_t count)
{
    while (fan_token_is(self, FAN_TOKEN_COMMA) || fan_token_is(self, FAN_TOKEN_ID)) {
        size_t i = 0;

        fan_token_take(self, FAN_TOKEN_COMMA);
        while (i < count && (list[i].row > row || !fan_token_word(self, list[i].name)))
            i++;
        if (i == count) {
            fan_compiler_fail(self, FAN_INVALID,
                    "unknown attribute %.*s; valid are: limit, offset%s",
                    FAN_BYTES_ARG(self->lexer.token.text), row ? ", cols" : "");
            return;
        }
        fan_token_take(self, FAN_TOKEN_ID);
        fan_token_want(self, FAN_TOKEN_COLON, ":");
        list[i].given = true;
        list[i].value = self->lexer;
        fan_compile_skip(self);
    }
    fan_token_end(self);
}

static void attributes(struct fan_compiler *self, bool row, struct fan_loop_site *site)
{
    struct attribute list[] = {
        { .name = "cols", .flag = FAN_SITE_COLS, .row = true },
        { .name = "limit", .flag = FAN_SITE_LIMIT },
        { .name = "offset", .flag = FAN_SITE_OFFSET },
    };

    find_attributes(self, row, list, 3);
    for (size_t i = 0; i < 3 && !self->err; i++) {
        if (!list[i].given)
            continue;
        self->lexer = list[i].value;
        if (!row && list[i].flag == FAN_SITE_OFFSET && fan_token_word(self, "continue") &&
                self->lexer.next.type != FAN_TOKEN_DOT &&
                self->lexer.next.type != FAN_TOKEN_OPEN_SQUARE) {
            site->flags |= FAN_SITE_CONTINUE;
            continue;
        }
        site->flags |= list[i].flag;
        fan_compile_value(self);
    }
}

static uint32_t emit_loop(struct fan_compiler *self, enum fan_liquid_op op,
        const struct fan_loop_site *site, uint32_t stack)
{
    struct fan_loop_site *place = fan_compile_add(self, &self->loops, sizeof *place);
    uint32_t at = fan_compile_emit(self, op, 0, (int)stack - (int)self->stack);

    *place = *site;
    fan_compile_op(self, at)->b = (uint16_t)(self->loops.len - 1);
    if (self->loops.len > UINT16_MAX)
        fan_compiler_fail(self, FAN_TOO_LARGE, "more than %d loops", UINT16_MAX);
    return at;
}

/* ---- for ---- */

void fan_tag_for(struct fan_compiler *self, struct fan_piece piece)
{
    static const char *const middle[] = { "else", NULL };
    struct fan_body bodies[2] = { { .blank = true }, { .blank = true } };
    struct fan_inside inside = { .outer = self->inside, .kind = FAN_IN_LOOP };
    struct fan_loop_site site = { .self = fan_compile_name(self, FAN_LIT("forloop")) };
    uint32_t none, next, behind, stack = self->stack;
    bool last;

    fan_tokens(self, piece.text);
    head(self, "for", &site);
    site.flags = fan_token_take_word(self, "reversed") ? FAN_SITE_REVERSED : 0;
    attributes(self, false, &site);
    none = emit_loop(self, FAN_OP_FOR, &site, stack);
    inside.again = next = fan_compile_emit(self, FAN_OP_FOR_NEXT, 0, 0);
    self->inside = &inside;
    last = fan_compile_part(self, &bodies[0], piece, "endfor", middle);
    self->inside = inside.outer;
    fan_compile_emit(self, FAN_OP_JUMP, next, 0);
    fan_compile_land(self, next);
    fan_compile_land_all(self, &inside.breaks);
    fan_compile_emit(self, FAN_OP_FOR_END, 0, 0);
    behind = fan_compile_emit(self, FAN_OP_JUMP, 0, 0);
    fan_compile_land(self, none);
    if (!last)
        fan_compile_part(self, &bodies[1], piece, "endfor", NULL);
    fan_compile_land(self, behind);
    fan_compile_blank(self, bodies[0].blank && bodies[1].blank, bodies, 2);
}

/* ---- tablerow ---- */

void fan_tag_tablerow(struct fan_compiler *self, struct fan_piece piece)
{
    struct fan_body body = { .blank = true };
    struct fan_inside inside = { .outer = self->inside, .kind = FAN_IN_LOOP, .row = true };
    struct fan_loop_site site = { .self = fan_compile_name(self, FAN_LIT("tablerowloop")) };
    uint32_t nothing, next, stack = self->stack;

    fan_tokens(self, piece.text);
    head(self, "tablerow", &site);
    attributes(self, true, &site);
    nothing = emit_loop(self, FAN_OP_ROW, &site, stack);
    next = fan_compile_emit(self, FAN_OP_ROW_NEXT, 0, 0);
    self->inside = &inside;
    fan_compile_part(self, &body, piece, "endtablerow", NULL);
    self->inside = inside.outer;
    fan_compile_land_all(self, &inside.continues);
    fan_compile_emit(self, FAN_OP_ROW_CLOSE, 0, 0);
    fan_compile_emit(self, FAN_OP_JUMP, next, 0);
    fan_compile_land_all(self, &inside.breaks);
    if (inside.breaks.len)
        fan_compile_emit(self, FAN_OP_ROW_BREAK, 0, 0);
    fan_compile_land(self, next);
    fan_compile_emit(self, FAN_OP_ROW_END, 0, 0);
    fan_compile_land(self, nothing);
    self->body->blank &= body.blank;
}

/* ---- break and continue ---- */

/* Close captures and the like between here and the innermost loop. Returns the loop, or NULL. */
static struct fan_inside *close_open(struct fan_compiler *self)
{
    struct fan_inside *at = self->inside;

    for (; at && at->kind != FAN_IN_LOOP; at = at->outer)
        fan_compile_emit(self, at->kind == FAN_IN_CAPTURE ? FAN_OP_CAPTURED : FAN_OP_CHANGED,
                at->name, 0);
    return at;
}

static void jump_out(struct fan_compiler *self, struct fan_inside *loop, enum fan_liquid_op op,
        bool breaks)
{
    uint32_t at = fan_compile_emit(self, op, loop->again, 0);

    if (breaks)
        fan_compile_note(self, &loop->breaks, at);
    else if (loop->row)
        fan_compile_note(self, &loop->continues, at);
}

static void interrupt(struct fan_compiler *self, bool breaks)
{
    struct fan_inside *loop = close_open(self);

    if (loop)
        jump_out(self, loop, FAN_OP_JUMP, breaks);
    else
        fan_compile_emit(self, breaks ? FAN_OP_BREAK : FAN_OP_CONTINUE, 0, 0);
    self->body->blank = false;
}

void fan_tag_break(struct fan_compiler *self, struct fan_piece piece)
{
    (void)piece;
    interrupt(self, true);
}

void fan_tag_continue(struct fan_compiler *self, struct fan_piece piece)
{
    (void)piece;
    interrupt(self, false);
}

void fan_compile_interrupted(struct fan_compiler *self)
{
    uint32_t calm = fan_compile_emit(self, FAN_OP_UNBROKEN, 0, 0);
    struct fan_inside *loop = close_open(self);

    if (loop) {
        jump_out(self, loop, FAN_OP_ON_BREAK, true);
        jump_out(self, loop, FAN_OP_ON_CONTINUE, false);
    } else {
        fan_compile_emit(self, FAN_OP_LEAVE, 0, 0);
    }
    fan_compile_land(self, calm);
}

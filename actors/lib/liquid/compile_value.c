#include "actors/lib/liquid/compiler.h"

#include "actors/lib/liquid/number.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- tokens ---- */

static void check_token(struct fan_compiler *self)
{
    const struct fan_token *token = &self->lexer.token;

    if (token->type == FAN_TOKEN_WRONG)
        fan_compiler_fail(self, FAN_INVALID, "unexpected %s%.*s",
                *token->text.at == '\'' || *token->text.at == '"' ? "open quote " : "character ",
                FAN_BYTES_ARG(token->text));
}

void fan_tokens(struct fan_compiler *self, struct fan_bytes text)
{
    fan_lexer_begin(&self->lexer, text);
    check_token(self);
}

bool fan_token_is(struct fan_compiler *self, enum fan_token_type type)
{
    return self->lexer.token.type == type;
}

bool fan_token_word(struct fan_compiler *self, const char *word)
{
    return fan_token_is(self, FAN_TOKEN_ID) && fan_bytes_eq_text(self->lexer.token.text, word);
}

static void step(struct fan_compiler *self)
{
    if (self->spoken)
        fan_buffer_add_bytes(self->spoken, self->lexer.token.text);
    fan_lexer_step(&self->lexer);
    check_token(self);
}

bool fan_token_take(struct fan_compiler *self, enum fan_token_type type)
{
    if (!fan_token_is(self, type))
        return false;
    step(self);
    return true;
}

bool fan_token_take_word(struct fan_compiler *self, const char *word)
{
    if (!fan_token_word(self, word))
        return false;
    step(self);
    return true;
}

static void unexpected(struct fan_compiler *self, const char *wanted)
{
    struct fan_bytes found = self->lexer.token.text;

    fan_compiler_fail(self, FAN_INVALID, "expected %s, found %.*s", wanted,
            found.at ? (int)(found.len < 40 ? found.len : 40) : 8,
            found.at ? found.at : "the end ");
}

struct fan_bytes fan_token_want(struct fan_compiler *self, enum fan_token_type type,
        const char *what)
{
    struct fan_bytes text = self->lexer.token.text;

    if (fan_token_is(self, type))
        step(self);
    else
        unexpected(self, what);
    return text;
}

void fan_token_end(struct fan_compiler *self)
{
    if (!fan_token_is(self, FAN_TOKEN_END))
        unexpected(self, "the end");
}

/* ---- values ---- */

static void emit_constant(struct fan_compiler *self, struct fan_value value)
{
    fan_compile_emit(self, FAN_OP_CONST, fan_compile_constant(self, value), 1);
}

static struct fan_value string_value(struct fan_bytes quoted)
{
    return fan_value_text((struct fan_bytes){ quoted.at + 1, quoted.len - 2 });
}

static struct fan_value number_value(struct fan_bytes text, struct fan_arena *arena)
{
    int64_t integer;

    if (fan_bytes_i64(text, &integer))
        return fan_value_int(integer);
    return fan_value_real(strtod(fan_bytes_cstr(text, arena), NULL));
}

/* The words that are values by themselves. */
static bool literal_value(struct fan_compiler *self, struct fan_bytes word, struct fan_value *out)
{
    static const struct {
        const char *word;
        enum fan_value_type type;
        bool truth;
    } words[] = {
        { "nil", FAN_VALUE_NIL, false },
        { "null", FAN_VALUE_NIL, false },
        { "true", FAN_VALUE_BOOL, true },
        { "false", FAN_VALUE_BOOL, false },
        { "blank", FAN_VALUE_BLANK, false },
        { "empty", FAN_VALUE_EMPTY, false },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!fan_bytes_eq_text(word, words[i].word))
            continue;
        *out = (struct fan_value){ .type = (uint8_t)words[i].type, .truth = words[i].truth };
        if (words[i].type >= FAN_VALUE_BLANK && !self->condition)
            *out = fan_value_text(FAN_LIT(""));
        return true;
    }
    return false;
}

/* A member in brackets. When a constant stands there it becomes part of the step. */
static bool bracket(struct fan_compiler *self)
{
    bool condition = self->condition;
    uint32_t from = fan_compile_here(self), key;

    self->condition = false;
    fan_compile_value(self);
    self->condition = condition;
    fan_token_want(self, FAN_TOKEN_CLOSE_SQUARE, "]");
    if (fan_compile_here(self) != from + 1 || fan_compile_op(self, from)->code != FAN_OP_CONST) {
        fan_compile_emit(self, FAN_OP_INDEX, 0, -1);
        return false;
    }
    key = fan_compile_op(self, from)->arg;
    fan_compile_op(self, from)->code = FAN_OP_MEMBER;
    self->stack--;
    return ((struct fan_value *)self->constants.at)[key].type == FAN_VALUE_TEXT;
}

/* .name and [key], as often as they come. Returns how many named members come first. */
static uint32_t members(struct fan_compiler *self)
{
    uint32_t named = 0;
    bool still = true;

    for (;;) {
        if (fan_token_take(self, FAN_TOKEN_DOT)) {
            struct fan_bytes name = fan_token_want(self, FAN_TOKEN_ID, "a name behind the dot");
            uint32_t at = fan_compile_emit(self, FAN_OP_MEMBER,
                    fan_compile_constant(self, fan_value_text(name)), 0);

            fan_compile_op(self, at)->a = 1;
        } else if (fan_token_take(self, FAN_TOKEN_OPEN_SQUARE)) {
            still &= bracket(self);
        } else {
            return named;
        }
        named += still;
    }
}

static void reference(struct fan_compiler *self, struct fan_bytes name)
{
    struct fan_ref *ref = fan_compile_add(self, &self->refs, sizeof *ref);
    size_t which = self->refs.len - 1;
    uint32_t members_len;

    *ref = (struct fan_ref){ .code = (uint32_t)self->code,
        .op = fan_compile_here(self),
        .name = name };
    fan_compile_emit(self, FAN_OP_NAME, 0, 1);
    members_len = members(self);
    ((struct fan_ref *)self->refs.at)[which].members = members_len;
}

static void variable(struct fan_compiler *self)
{
    struct fan_bytes name = self->lexer.token.text;
    enum fan_token_type next = self->lexer.next.type;
    struct fan_value value;

    step(self);
    if (next != FAN_TOKEN_DOT && next != FAN_TOKEN_OPEN_SQUARE && literal_value(self, name, &value))
        emit_constant(self, value);
    else
        reference(self, name);
}

/* [name]: the variable whose name is the value. */
static void computed(struct fan_compiler *self)
{
    bool condition = self->condition;

    step(self);
    if (fan_token_is(self, FAN_TOKEN_STRING) && self->lexer.next.type == FAN_TOKEN_CLOSE_SQUARE) {
        struct fan_bytes name = fan_value_bytes(string_value(self->lexer.token.text));

        step(self);
        step(self);
        reference(self, name);
        return;
    }
    self->condition = false;
    fan_compile_value(self);
    self->condition = condition;
    fan_token_want(self, FAN_TOKEN_CLOSE_SQUARE, "]");
    if (self->source->schema)
        fan_compiler_fail(self, FAN_INVALID, "a field must be named, not computed: [ ]");
    fan_compile_emit(self, FAN_OP_DYNAMIC, 0, 0);
    members(self);
}

static bool constant_at(struct fan_compiler *self, uint32_t at, struct fan_value *out)
{
    if (fan_compile_op(self, at)->code != FAN_OP_CONST)
        return false;
    *out = ((struct fan_value *)self->constants.at)[fan_compile_op(self, at)->arg];
    return true;
}

static int64_t end_of_range(struct fan_value value)
{
    if (value.type == FAN_VALUE_REAL)
        return value.real > -9e18 && value.real < 9e18 ? (int64_t)value.real : 0;
    return value.type == FAN_VALUE_INT ? value.integer : fan_integer_at(fan_value_bytes(value));
}

static void range(struct fan_compiler *self)
{
    bool condition = self->condition;
    struct fan_value first, last;
    struct fan_range *constant;
    uint32_t from = fan_compile_here(self);

    step(self);
    self->condition = false;
    fan_compile_value(self);
    fan_token_want(self, FAN_TOKEN_DOTDOT, "..");
    fan_compile_value(self);
    self->condition = condition;
    fan_token_want(self, FAN_TOKEN_CLOSE_ROUND, ")");
    if (fan_compile_here(self) != from + 2 || !constant_at(self, from, &first) ||
            !constant_at(self, from + 1, &last)) {
        fan_compile_emit(self, FAN_OP_RANGE, 0, -1);
        return;
    }
    constant = fan_arena_alloc(self->arena, sizeof *constant);
    *constant = (struct fan_range){ end_of_range(first), end_of_range(last) };
    self->ops.len = self->lines.len = from;
    self->stack -= 2;
    emit_constant(self, (struct fan_value){ .type = FAN_VALUE_RANGE, .range = constant });
}

void fan_compile_value(struct fan_compiler *self)
{
    struct fan_bytes text = self->lexer.token.text;

    if (++self->nesting > FAN_LIQUID_NESTING_MAX)
        fan_compiler_fail(self, FAN_TOO_LARGE, "nested deeper than %d", FAN_LIQUID_NESTING_MAX);
    switch (self->lexer.token.type) {
    case FAN_TOKEN_ID:
        variable(self);
        break;
    case FAN_TOKEN_STRING:
        step(self);
        emit_constant(self, string_value(text));
        break;
    case FAN_TOKEN_NUMBER:
        step(self);
        emit_constant(self, number_value(text, self->work));
        break;
    case FAN_TOKEN_OPEN_SQUARE:
        computed(self);
        break;
    case FAN_TOKEN_OPEN_ROUND:
        range(self);
        break;
    default:
        unexpected(self, "a value");
    }
    self->nesting--;
}

void fan_compile_skip(struct fan_compiler *self)
{
    struct fan_vec ops = self->ops, lines = self->lines, refs = self->refs;
    uint32_t stack = self->stack;

    fan_compile_value(self);
    self->ops.len = ops.len;
    self->lines.len = lines.len;
    self->refs.len = refs.len;
    self->stack = stack;
}

/* ---- filters ---- */

enum { ARGUMENTS_MAX = 32 };

/* Where a named argument's value stands: named ones are passed last, whatever their order. */
struct later {
    struct fan_bytes name;
    struct fan_lexer value;
};

static void named_arguments(struct fan_compiler *self, const struct later *named, uint32_t count)
{
    struct fan_lexer behind = self->lexer;
    uint32_t at;

    for (uint32_t i = 0; i < count && !self->err; i++) {
        emit_constant(self, fan_value_text(named[i].name));
        self->lexer = named[i].value;
        fan_compile_value(self);
    }
    at = fan_compile_emit(self, FAN_OP_MAP, 0, 1 - 2 * (int)count);
    fan_compile_op(self, at)->b = (uint16_t)count;
    if (!self->err)
        self->lexer = behind;
}

/* Returns how many values were pushed. */
static uint32_t arguments(struct fan_compiler *self)
{
    struct later named[ARGUMENTS_MAX];
    uint32_t count = 0, named_len = 0;

    do {
        if (count + named_len == ARGUMENTS_MAX)
            fan_compiler_fail(self, FAN_TOO_LARGE, "more than %d arguments", ARGUMENTS_MAX);
        if (self->err)
            return 0;
        if (fan_token_is(self, FAN_TOKEN_ID) && self->lexer.next.type == FAN_TOKEN_COLON) {
            struct fan_bytes name = self->lexer.token.text;

            step(self);
            step(self);
            named[named_len++] = (struct later){ name, self->lexer };
            fan_compile_skip(self);
        } else {
            fan_compile_value(self);
            count++;
        }
    } while (fan_token_take(self, FAN_TOKEN_COMMA));
    if (named_len)
        named_arguments(self, named, named_len);
    return count + (named_len > 0);
}

static void check_filter(struct fan_compiler *self, int filter, struct fan_bytes name,
        uint32_t count)
{
    const struct fan_filter_row *row;

    if (filter < 0) {
        fan_compiler_fail(self, FAN_INVALID, "there is no filter \"%.*s\"",
                (int)(name.len < 40 ? name.len : 40), name.at);
        return;
    }
    row = fan_filter_at((size_t)filter);
    if (count < row->least || count > row->most)
        fan_compiler_fail(self, FAN_INVALID, "the filter %s takes %u to %u arguments, not %u",
                row->name, row->least, row->most, count);
}

/* Returns whether it is a default filter. */
static bool filter(struct fan_compiler *self)
{
    struct fan_bytes name = fan_token_want(self, FAN_TOKEN_ID, "a filter's name");
    int which = fan_filter_find(name);
    uint32_t count = 0, at;

    if (fan_token_take(self, FAN_TOKEN_COLON))
        count = arguments(self);
    if (!self->err)
        check_filter(self, which, name, count);
    if (self->err)
        return false;
    at = fan_compile_emit(self, FAN_OP_FILTER, 0, -(int)count);
    fan_compile_op(self, at)->a = (uint8_t)(count + 1);
    fan_compile_op(self, at)->b = (uint16_t)which;
    return fan_bytes_eq_text(name, "default");
}

void fan_compile_filtered(struct fan_compiler *self, struct fan_bytes text, bool written)
{
    size_t ref = self->refs.len;
    uint32_t from = fan_compile_here(self);
    bool defaults = false;

    fan_tokens(self, text);
    if (fan_token_is(self, FAN_TOKEN_END)) {
        emit_constant(self, fan_value_nil());
        return;
    }
    fan_compile_value(self);
    while (fan_token_take(self, FAN_TOKEN_PIPE))
        defaults |= filter(self);
    fan_token_end(self);
    if (written && !defaults && self->refs.len > ref) {
        struct fan_ref *first = (struct fan_ref *)self->refs.at + ref;

        first->written = first->op == from;
    }
}

/* ---- conditions ---- */

static void comparison(struct fan_compiler *self)
{
    static const struct {
        const char *text;
        enum fan_liquid_op op;
    } ops[] = {
        { "==", FAN_OP_EQ },
        { "!=", FAN_OP_NE },
        { "<>", FAN_OP_NE },
        { "<", FAN_OP_LT },
        { ">", FAN_OP_GT },
        { "<=", FAN_OP_LE },
        { ">=", FAN_OP_GE },
        { "contains", FAN_OP_CONTAINS },
    };
    struct fan_bytes text;

    fan_compile_value(self);
    text = self->lexer.token.text;
    if (!fan_token_take(self, FAN_TOKEN_COMPARE))
        return;
    fan_compile_value(self);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (fan_bytes_eq_text(text, ops[i].text))
            fan_compile_emit(self, ops[i].op, 0, -1);
}

/* and and or bind alike and to the right: the first that decides ends it all. */
void fan_compile_condition(struct fan_compiler *self)
{
    struct fan_vec jumps = { 0 };

    self->condition = true;
    comparison(self);
    while (fan_token_word(self, "and") || fan_token_word(self, "or")) {
        bool both = fan_token_word(self, "and");

        step(self);
        fan_compile_note(self, &jumps,
                fan_compile_emit(self, both ? FAN_OP_AND : FAN_OP_OR, 0, -1));
        comparison(self);
    }
    self->condition = false;
    fan_token_end(self);
    fan_compile_land_all(self, &jumps);
}

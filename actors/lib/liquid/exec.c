/*
 * The machine: one loop over the steps of a template, and what each of them does. Called anew for
 * each partial.
 */
#include "actors/lib/liquid/exec.h"

#include "actors/lib/liquid/number.h"

#include <stdio.h>

bool fan_exec_fail(struct fan_exec *exec, enum fan_err err, const char *format, ...)
{
    va_list args;

    if (exec->err)
        return false;
    va_start(args, format);
    vsnprintf(exec->text, sizeof exec->text, format, args);
    va_end(args);
    exec->err = err;
    return false;
}

bool fan_exec_spend(struct fan_exec *exec, size_t steps)
{
    if (steps > (size_t)FAN_LIQUID_STEPS_MAX || (exec->steps -= (int64_t)steps) < 0)
        return fan_exec_fail(exec, FAN_TOO_LARGE, "the template takes more than %d steps",
                FAN_LIQUID_STEPS_MAX);
    if (fan_arena_used(exec->arena) > FAN_LIQUID_MEMORY_MAX)
        return fan_exec_fail(exec, FAN_TOO_LARGE, "the template makes more than %d bytes of values",
                FAN_LIQUID_MEMORY_MAX);
    return true;
}

/* ---- names ---- */

struct fan_value *fan_exec_unset(struct fan_exec *exec)
{
    size_t len = exec->program->names_len;
    struct fan_value *values = fan_arena_array(exec->arena, len, sizeof *values);

    for (size_t i = 0; i < len; i++)
        values[i].type = FAN_VALUE_UNSET;
    return values;
}

struct fan_scope *fan_exec_scope(struct fan_exec *exec, bool isolated)
{
    struct fan_scope *scope = fan_arena_alloc(exec->arena, sizeof *scope);

    scope->local = fan_exec_unset(exec);
    scope->assigned = fan_exec_unset(exec);
    scope->slots = isolated ? NULL : exec->input->slots;
    scope->data = isolated ? NULL : exec->input->data;
    return scope;
}

int32_t fan_exec_find_name(const struct fan_exec *exec, struct fan_bytes name)
{
    for (size_t i = 0; i < exec->program->names_len; i++)
        if (fan_bytes_eq(exec->program->names[i].text, name))
            return (int32_t)i;
    return -1;
}

struct fan_value fan_exec_name(struct fan_exec *exec, uint32_t name)
{
    const struct fan_scope *scope = exec->scope;
    int32_t slot;

    FAN_ASSERT(scope->local && scope->assigned);
    if (scope->local[name].type != FAN_VALUE_UNSET)
        return scope->local[name];
    if (scope->assigned[name].type != FAN_VALUE_UNSET)
        return scope->assigned[name];
    if (scope->counters && scope->counters[name].type != FAN_VALUE_UNSET)
        return scope->counters[name];
    slot = exec->program->names[name].slot;
    return slot >= 0 && scope->slots ? scope->slots[slot] : fan_value_nil();
}

struct fan_value fan_exec_lookup(struct fan_exec *exec, struct fan_bytes name)
{
    int32_t bound = fan_exec_find_name(exec, name);
    const struct fan_value *found;

    if (bound >= 0)
        return fan_exec_name(exec, (uint32_t)bound);
    found = exec->scope->data ? fan_map_get(exec->scope->data, name) : NULL;
    return found ? *found : fan_value_nil();
}

/* ---- steps ---- */

static bool end_of_range(struct fan_exec *exec, struct fan_value value, int64_t *out)
{
    if (value.type == FAN_VALUE_NIL || value.type == FAN_VALUE_TEXT)
        *out = fan_integer_at(fan_value_bytes(value));
    else if (!fan_integer_of(value, out))
        return fan_exec_fail(exec, FAN_INVALID, "a range wants integers");
    return true;
}

static bool make_range(struct fan_exec *exec, struct fan_value *top)
{
    struct fan_range range;
    struct fan_range *made;

    if (!end_of_range(exec, top[-1], &range.first) || !end_of_range(exec, *top, &range.last))
        return false;
    made = fan_arena_alloc(exec->arena, sizeof *made);
    *made = range;
    top[-1] = (struct fan_value){ .type = FAN_VALUE_RANGE, .range = made };
    return true;
}

static struct fan_value make_map(struct fan_exec *exec, const struct fan_value *pairs, size_t count)
{
    struct fan_entry *entries = fan_arena_array(exec->arena, count, sizeof *entries);

    for (size_t i = 0; i < count; i++)
        entries[i] = (struct fan_entry){ fan_value_bytes(pairs[2 * i]), pairs[2 * i + 1] };
    return fan_value_map(entries, count, exec->arena);
}

static bool has_order(struct fan_value value)
{
    return value.type == FAN_VALUE_INT || value.type == FAN_VALUE_REAL ||
            value.type == FAN_VALUE_TEXT;
}

/* < > <= >=: false where there is no order, a fault between texts and numbers. */
static bool relate(struct fan_exec *exec, enum fan_liquid_op op, struct fan_value *top)
{
    struct fan_value a = top[-1], b = *top;
    int order = 0;
    bool truth;

    top[-1] = fan_value_bool(false);
    if (!has_order(a) || !has_order(b))
        return true;
    if ((a.type == FAN_VALUE_TEXT) != (b.type == FAN_VALUE_TEXT))
        return fan_exec_fail(exec, FAN_INVALID, "comparison of a text with a number");
    (void)fan_value_compare(a, b, &order);
    truth = op == FAN_OP_LT   ? order < 0
            : op == FAN_OP_GT ? order > 0
            : op == FAN_OP_LE ? order <= 0
                              : order >= 0;
    top[-1] = fan_value_bool(truth);
    return true;
}

static bool contains(struct fan_exec *exec, struct fan_value a, struct fan_value b)
{
    struct fan_bytes text;

    if (!fan_value_true(a) || !fan_value_true(b))
        return false;
    switch (a.type) {
    case FAN_VALUE_TEXT:
        text = fan_exec_text(exec, b);
        return memmem(a.text, a.len, text.at, text.len) != NULL;
    case FAN_VALUE_LIST:
        for (size_t i = 0; i < a.list->len; i++)
            if (fan_value_eq(a.list->items[i], b))
                return fan_exec_spend(exec, i / 4);
        return fan_exec_spend(exec, a.list->len / 4) && false;
    case FAN_VALUE_MAP:
        return b.type == FAN_VALUE_TEXT && fan_map_get(a.map, fan_value_bytes(b));
    case FAN_VALUE_RANGE:
        return (b.type == FAN_VALUE_INT || b.type == FAN_VALUE_REAL) &&
                fan_number_compare(b, fan_value_int(a.range->first)) >= 0 &&
                fan_number_compare(b, fan_value_int(a.range->last)) <= 0;
    default:
        return false;
    }
}

/* ---- tags ---- */

static void begin_capture(struct fan_exec *exec)
{
    struct fan_capture *capture = fan_arena_alloc(exec->arena, sizeof *capture);

    *capture = (struct fan_capture){ .outer = exec->capture, .from = exec->out->len };
    exec->capture = capture;
}

/* What was written since, taken back. */
static struct fan_bytes end_capture(struct fan_exec *exec)
{
    FAN_ASSERT(exec->capture);
    size_t from = exec->capture->from;
    struct fan_bytes text = { exec->out->at ? exec->out->at + from : "", exec->out->len - from };

    text = fan_bytes_dup(text, exec->arena);
    exec->out->len = from;
    exec->capture = exec->capture->outer;
    return text;
}

static bool captured(struct fan_exec *exec, uint32_t name)
{
    struct fan_value text = fan_value_text(end_capture(exec));

    text.safe = exec->input->escape == FAN_LIQUID_HTML;
    FAN_ASSERT(exec->scope->assigned);
    exec->scope->assigned[name] = text;
    return fan_exec_spend(exec, text.len / 64);
}

static bool changed(struct fan_exec *exec)
{
    struct fan_bytes text = end_capture(exec);

    if (!fan_bytes_eq(text, exec->scope->changed.at ? exec->scope->changed : FAN_LIT(""))) {
        exec->scope->changed = text;
        fan_buffer_add_bytes(exec->out, text);
    }
    return fan_exec_spend(exec, text.len / 64);
}

static bool count(struct fan_exec *exec, uint32_t name, int by)
{
    struct fan_scope *scope = exec->scope;
    int32_t slot = exec->program->names[name].slot;
    struct fan_value *counter;

    if (!scope->counters)
        scope->counters = fan_exec_unset(exec);
    counter = &scope->counters[name];
    if (counter->type == FAN_VALUE_UNSET) {
        *counter = slot >= 0 && scope->slots ? scope->slots[slot] : fan_value_nil();
        if (counter->type != FAN_VALUE_INT)
            *counter = fan_value_int(0);
    }
    if (by < 0 && __builtin_sub_overflow(counter->integer, 1, &counter->integer))
        counter->integer = INT64_MIN;
    fan_exec_write(exec, *counter);
    if (by > 0 && __builtin_add_overflow(counter->integer, 1, &counter->integer))
        counter->integer = INT64_MAX;
    return true;
}

static bool cycle(struct fan_exec *exec, bool named, const struct fan_value *choices, uint32_t len)
{
    struct fan_turn_taken *turn = exec->scope->cycles;

    while (turn && !(turn->named == named && fan_value_eq(turn->key, choices[-1])))
        turn = turn->next;
    if (!turn) {
        turn = fan_arena_alloc(exec->arena, sizeof *turn);
        *turn = (struct fan_turn_taken){
            .next = exec->scope->cycles,
            .key = choices[-1],
            .named = named,
        };
        exec->scope->cycles = turn;
    }
    if (turn->place < len)
        fan_exec_write(exec, choices[turn->place]);
    turn->place = turn->place + 1 < len ? turn->place + 1 : 0;
    return true;
}

/* ---- the loop ---- */

/* Say where it failed. */
static bool failed(struct fan_exec *exec, const struct fan_liquid_code *code,
        const struct fan_op *op)
{
    struct fan_bytes partial = code->name;

    if (exec->line)
        return false;
    exec->line = code->lines[op - code->ops];
    if (!exec->line)
        exec->line = 1;
    fan_fail(exec->why, exec->err, "line %u%s%.*s: %s", exec->line, partial.at ? " of " : "",
            (int)(partial.len < 40 ? partial.len : 40), partial.at ? partial.at : "", exec->text);
    return false;
}

static struct fan_value slot(const struct fan_exec *exec, uint32_t which)
{
    return exec->scope->slots ? exec->scope->slots[which] : fan_value_nil();
}

static struct fan_value slot_or(const struct fan_exec *exec, uint32_t which)
{
    struct fan_value value = slot(exec, which);

    if (value.type == FAN_VALUE_NIL || (value.type == FAN_VALUE_TEXT && !value.len))
        return exec->program->fallbacks ? fan_value_text(exec->program->fallbacks[which])
                                        : fan_value_nil();
    return value;
}

static bool filter(struct fan_exec *exec, const struct fan_op *op, struct fan_value *args)
{
    struct fan_value result = fan_value_nil();

    if (!fan_filter_at(op->b)->apply(exec, args, op->a, &result) || exec->err)
        return false;
    *args = result;
    return fan_exec_spend(exec, 1);
}

/* A step that goes on with the next one. */
static bool act(struct fan_exec *exec, const struct fan_op *op, struct fan_value **stack)
{
    struct fan_value *top = *stack - 1;

    switch (op->code) {
    case FAN_OP_DYNAMIC:
        *top = fan_exec_lookup(exec, fan_value_bytes(*top));
        return true;
    case FAN_OP_INDEX:
        top[-1] = fan_value_member(top[-1], *top, false, exec->arena);
        break;
    case FAN_OP_RANGE:
        if (!make_range(exec, top))
            return false;
        break;
    case FAN_OP_MAP:
        *stack -= 2 * op->b - 1;
        (*stack)[-1] = make_map(exec, *stack - 1, op->b);
        return true;
    case FAN_OP_FILTER:
        *stack -= op->a - 1;
        return filter(exec, op, *stack - 1);
    case FAN_OP_POP:
        break;
    case FAN_OP_EQ:
        top[-1] = fan_value_bool(fan_value_eq(top[-1], *top));
        break;
    case FAN_OP_NE:
        top[-1] = fan_value_bool(!fan_value_eq(top[-1], *top));
        break;
    case FAN_OP_LT:
    case FAN_OP_GT:
    case FAN_OP_LE:
    case FAN_OP_GE:
        if (!relate(exec, (enum fan_liquid_op)op->code, top))
            return false;
        break;
    case FAN_OP_CONTAINS:
        top[-1] = fan_value_bool(contains(exec, top[-1], *top));
        break;
    case FAN_OP_ADD_TRUE:
        top[-1].integer += fan_value_true(*top);
        break;
    case FAN_OP_ASSIGN:
        FAN_ASSERT(exec->scope->assigned);
        exec->scope->assigned[op->arg] = *top;
        break;
    case FAN_OP_CYCLE:
        *stack -= op->b + 1;
        return cycle(exec, op->arg, *stack + 1, op->b);
    default:
        FAN_ASSERT(!"a step that there is");
    }
    *stack = top;
    return !exec->err;
}

/* A step that leaves the stack as it is, but for a call's arguments. */
static bool act_tag(struct fan_exec *exec, const struct fan_op *op, struct fan_value **stack)
{
    switch (op->code) {
    case FAN_OP_CAPTURE:
        begin_capture(exec);
        return true;
    case FAN_OP_CAPTURED:
        return captured(exec, op->arg);
    case FAN_OP_CHANGED:
        return changed(exec);
    case FAN_OP_COUNT_UP:
        return count(exec, op->arg, 1);
    case FAN_OP_COUNT_DOWN:
        return count(exec, op->arg, -1);
    case FAN_OP_FOR_END:
        FAN_ASSERT(exec->frame);
        *stack = exec->frame->stack;
        fan_exec_end(exec);
        return true;
    case FAN_OP_ROW_CLOSE:
        fan_exec_row_close(exec);
        return true;
    case FAN_OP_ROW_BREAK:
        fan_buffer_add_text(exec->out, "</td>");
        return true;
    case FAN_OP_ROW_END:
        FAN_ASSERT(exec->frame);
        *stack = exec->frame->stack;
        fan_exec_end(exec);
        fan_buffer_add_text(exec->out, "</tr>\n");
        return true;
    case FAN_OP_CALL:
        return fan_exec_call(exec, &exec->program->calls[op->arg], stack);
    default:
        return act(exec, op, stack);
    }
}

static bool next_item(struct fan_exec *exec, bool row, struct fan_value **stack)
{
    FAN_ASSERT(exec->frame);
    *stack = exec->frame->stack;
    if (exec->out->overflowed || fan_arena_used(exec->arena) > FAN_LIQUID_MEMORY_MAX)
        return fan_exec_spend(exec, 0) &&
                fan_exec_fail(exec, FAN_TOO_LARGE, "longer than %zu bytes", exec->out->cap);
    return row ? fan_exec_row_next(exec) : fan_exec_next(exec);
}

/* A case's count of equal values, and below it whether there ever was one. */
static bool no_more_times(struct fan_value **stack)
{
    struct fan_value *top = *stack - 1;

    if (!top->integer) {
        *stack = top;
        return true;
    }
    top->integer--;
    top[-1].truth = true;
    return false;
}

/* Whether to jump. A failure is in exec->err. */
static bool decide(struct fan_exec *exec, const struct fan_op *op, struct fan_value **stack)
{
    enum fan_interrupt interrupt = exec->interrupt;
    bool truth = fan_op_jumps(op->code) && op->code != FAN_OP_JUMP &&
            op->code <= FAN_OP_UNLESS_SEEN && fan_value_true((*stack)[-1]);
    bool empty = false;

    switch (op->code) {
    case FAN_OP_JUMP_FALSE:
    case FAN_OP_JUMP_TRUE:
        --*stack;
        return truth == (op->code == FAN_OP_JUMP_TRUE);
    case FAN_OP_AND:
    case FAN_OP_OR:
        *stack -= truth == (op->code == FAN_OP_AND);
        return truth == (op->code == FAN_OP_OR);
    case FAN_OP_TIMES:
        return no_more_times(stack);
    case FAN_OP_UNLESS_SEEN:
        return truth;
    case FAN_OP_FOR:
        return fan_exec_for(exec, &exec->program->loops[op->b], stack, &empty) && empty;
    case FAN_OP_ROW:
        return fan_exec_row(exec, &exec->program->loops[op->b], stack, &empty) && empty;
    case FAN_OP_FOR_NEXT:
        return !next_item(exec, false, stack);
    case FAN_OP_ROW_NEXT:
        return !next_item(exec, true, stack);
    case FAN_OP_UNBROKEN:
        return !interrupt;
    case FAN_OP_ON_BREAK:
    case FAN_OP_ON_CONTINUE:
        if (interrupt != (op->code == FAN_OP_ON_BREAK ? FAN_BROKEN : FAN_CONTINUED))
            return false;
        exec->interrupt = FAN_CALM;
        return true;
    default:
        return true;
    }
}

/* That the compiler counted right; the sanitizers do not see it within an arena. */
#ifdef FAN_TEST_BUILD
#define CHECK_STACK(stack, base, code) \
    FAN_ASSERT((stack) >= (base) && (size_t)((stack) - (base)) <= (code)->stack)
#else
#define CHECK_STACK(stack, base, code) ((void)(base))
#endif

bool fan_exec_code(struct fan_exec *exec, size_t which)
{
    const struct fan_liquid_code *code = &exec->program->codes[which];
    const struct fan_value *constants = exec->program->constants;
    struct fan_value *const base = fan_arena_array(exec->arena, code->stack + 1, sizeof *base);
    struct fan_value *stack = base;
    struct fan_bytes text;

    for (const struct fan_op *op = code->ops;; op++) {
        CHECK_STACK(stack, base, code);
        if (--exec->steps < 0 && !fan_exec_spend(exec, 0))
            return failed(exec, code, op);
        switch (op->code) {
        case FAN_OP_END:
        case FAN_OP_LEAVE:
            return true;
        case FAN_OP_BREAK:
        case FAN_OP_CONTINUE:
            exec->interrupt = op->code == FAN_OP_BREAK ? FAN_BROKEN : FAN_CONTINUED;
            return true;
        case FAN_OP_TEXT:
            text = fan_value_bytes(constants[op->arg]);
            fan_buffer_add(exec->out, text.at, text.len);
            break;
        case FAN_OP_WRITE:
            fan_exec_write(exec, *--stack);
            break;
        case FAN_OP_WRITE_SLOT:
            fan_exec_write(exec, slot_or(exec, op->arg));
            break;
        case FAN_OP_WRITE_BARE:
            fan_exec_write(exec, slot(exec, op->arg));
            break;
        case FAN_OP_CONST:
            *stack++ = constants[op->arg];
            break;
        case FAN_OP_SLOT:
            *stack++ = slot(exec, op->arg);
            break;
        case FAN_OP_SLOT_OR:
            *stack++ = slot_or(exec, op->arg);
            break;
        case FAN_OP_NAME:
            *stack++ = fan_exec_name(exec, op->arg);
            break;
        case FAN_OP_MEMBER:
            stack[-1] = fan_value_member(stack[-1], constants[op->arg], op->a, exec->arena);
            break;
        default:
            if (fan_op_jumps(op->code) && decide(exec, op, &stack))
                op = exec->err ? op : code->ops + op->arg - 1;
            else if (!fan_op_jumps(op->code) && !act_tag(exec, op, &stack))
                return failed(exec, code, op);
            if (exec->err)
                return failed(exec, code, op);
        }
    }
}

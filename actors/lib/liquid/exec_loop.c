#include "actors/lib/liquid/exec.h"

#include "actors/lib/liquid/number.h"

/* ---- what a loop goes over ---- */

struct stretch {
    int64_t from, begin, length; /* places; from as it was asked for */
};

/* limit and offset; nil is as if it were not there. A tablerow is lenient. */
static bool read_attribute(struct fan_exec *exec, struct fan_value value, bool row,
        const char *name, bool *given, int64_t *out)
{
    *given = value.type != FAN_VALUE_NIL || row;
    if (!*given || fan_integer_of(value, out))
        return true;
    if (row && (value.type == FAN_VALUE_NIL || value.type == FAN_VALUE_TEXT)) {
        *out = fan_integer_at(fan_value_bytes(value));
        return true;
    }
    if (row && value.type == FAN_VALUE_REAL && value.real > -1e9 && value.real < 1e9) {
        *out = (int64_t)value.real;
        return true;
    }
    return fan_exec_fail(exec, FAN_INVALID, "%s must be an integer", name);
}

static int64_t clamped(int64_t value, int64_t most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

static struct fan_went *went_of(struct fan_exec *exec, struct fan_bytes name)
{
    struct fan_went *went = exec->scope->went;

    while (went && !fan_bytes_eq(went->name, name))
        went = went->next;
    return went;
}

static void remember(struct fan_exec *exec, struct fan_bytes name, int64_t offset)
{
    struct fan_went *went = went_of(exec, name);

    if (!went) {
        went = fan_arena_alloc(exec->arena, sizeof *went);
        *went = (struct fan_went){ .next = exec->scope->went, .name = name };
        exec->scope->went = went;
    }
    went->offset = offset;
}

static bool measure(struct fan_exec *exec, const struct fan_loop_site *site, struct fan_value items,
        const struct fan_value *attributes, struct stretch *out)
{
    bool row = site->flags & FAN_SITE_COLS || exec->program->names[site->self].text.len > 7;
    bool limited = false, given = false;
    int64_t limit = 0, count = (int64_t)fan_value_count(items), end;

    *out = (struct stretch){ 0 };
    if (site->flags & FAN_SITE_LIMIT &&
            !read_attribute(exec, *attributes++, row, "limit", &limited, &limit))
        return false;
    if (site->flags & FAN_SITE_OFFSET &&
            !read_attribute(exec, *attributes, row, "offset", &given, &out->from))
        return false;
    if (site->flags & FAN_SITE_CONTINUE && went_of(exec, site->name))
        out->from = went_of(exec, site->name)->offset;
    if (items.type == FAN_VALUE_TEXT) {
        out->length = items.len > 0; /* a text is one item, whatever the limits */
        return true;
    }
    out->begin = clamped(out->from, count);
    if (limited && __builtin_add_overflow(limit, out->from, &end))
        end = limit < 0 ? 0 : count;
    end = limited ? clamped(end, count) : count;
    out->length = end > out->begin ? end - out->begin : 0;
    if (out->length > FAN_LIQUID_LOOP_MAX)
        return fan_exec_fail(exec, FAN_TOO_LARGE, "a loop of %lld items; at most %d",
                (long long)out->length, FAN_LIQUID_LOOP_MAX);
    return true;
}

/* ---- for ---- */

static void open_frame(struct fan_exec *exec, const struct fan_loop_site *site,
        struct fan_value items, const struct stretch *stretch, struct fan_value *stack)
{
    struct fan_frame *frame = fan_arena_alloc(exec->arena, sizeof *frame);
    struct fan_value *local = exec->scope->local;

    frame->outer = exec->frame;
    frame->site = site;
    frame->items = items;
    frame->begin = stretch->begin;
    frame->loop.name = site->name;
    frame->loop.length = stretch->length;
    frame->saved_item = local[site->variable];
    frame->saved_self = local[site->self];
    frame->stack = stack;
    local[site->self] = (struct fan_value){ .type = FAN_VALUE_LOOP, .loop = &frame->loop };
    exec->frame = frame;
}

static size_t attributes_of(const struct fan_loop_site *site)
{
    return (size_t) !!(site->flags & FAN_SITE_COLS) + !!(site->flags & FAN_SITE_LIMIT) +
            !!(site->flags & FAN_SITE_OFFSET);
}

bool fan_exec_for(struct fan_exec *exec, const struct fan_loop_site *site, struct fan_value **stack,
        bool *empty)
{
    struct fan_value *base = *stack - attributes_of(site) - 1;
    struct stretch stretch;

    *stack = base;
    if (!measure(exec, site, *base, base + 1, &stretch))
        return false;
    remember(exec, site->name, stretch.from + stretch.length);
    *empty = !stretch.length;
    if (*empty)
        return true;
    open_frame(exec, site, *base, &stretch, base);
    exec->frame->loop.parent = exec->scope->loop;
    exec->scope->loop = &exec->frame->loop;
    return true;
}

bool fan_exec_next(struct fan_exec *exec)
{
    struct fan_frame *frame = exec->frame;
    int64_t place = frame->next;

    if (place >= frame->loop.length)
        return false;
    frame->loop.index = frame->next++;
    if (frame->site->flags & FAN_SITE_REVERSED)
        place = frame->loop.length - 1 - place;
    exec->scope->local[frame->site->variable] = frame->items.type == FAN_VALUE_TEXT
            ? frame->items
            : fan_value_item(frame->items, (size_t)(frame->begin + place), exec->arena);
    return true;
}

void fan_exec_end(struct fan_exec *exec)
{
    struct fan_frame *frame = exec->frame;

    exec->scope->local[frame->site->self] = frame->saved_self;
    exec->scope->local[frame->site->variable] = frame->saved_item;
    if (!frame->loop.row)
        exec->scope->loop = frame->loop.parent;
    exec->frame = frame->outer;
}

/* ---- tablerow ---- */

bool fan_exec_row(struct fan_exec *exec, const struct fan_loop_site *site, struct fan_value **stack,
        bool *empty)
{
    struct fan_value *base = *stack - attributes_of(site) - 1;
    bool cols = site->flags & FAN_SITE_COLS, given;
    struct stretch stretch;
    int64_t wide = 0;

    *stack = base;
    *empty = !fan_value_true(*base);
    if (*empty)
        return true;
    if (cols && !read_attribute(exec, base[1], true, "cols", &given, &wide))
        return false;
    if (!measure(exec, site, *base, base + 1 + cols, &stretch))
        return false;
    open_frame(exec, site, *base, &stretch, base);
    exec->frame->loop.cols = cols ? wide : stretch.length;
    exec->frame->loop.col = exec->frame->loop.row = 1;
    fan_buffer_add_text(exec->out, "<tr class=\"row1\">\n");
    return true;
}

bool fan_exec_row_next(struct fan_exec *exec)
{
    char text[24];

    if (!fan_exec_next(exec))
        return false;
    fan_buffer_add_text(exec->out, "<td class=\"col");
    fan_buffer_add(exec->out, text, fan_int_text(exec->frame->loop.col, text));
    fan_buffer_add_text(exec->out, "\">");
    return true;
}

void fan_exec_row_close(struct fan_exec *exec)
{
    struct fan_loop *loop = &exec->frame->loop;
    bool full = loop->col == loop->cols;
    char text[24];

    fan_buffer_add_text(exec->out, "</td>");
    if (full && loop->index != loop->length - 1) {
        fan_buffer_add_text(exec->out, "</tr>\n<tr class=\"row");
        fan_buffer_add(exec->out, text, fan_int_text(loop->row + 1, text));
        fan_buffer_add_text(exec->out, "\">");
    }
    loop->col = full ? 1 : loop->col + 1;
    loop->row += full;
}

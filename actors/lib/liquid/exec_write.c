#include "actors/lib/liquid/exec.h"

#include <stdio.h>

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static const char *line_space(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f ? " " : NULL;
}

/* Write @text with what @instead_of finds replaced, whole stretches at a time. */
static void write_replacing(struct fan_buffer *out, struct fan_bytes text,
        const char *(*instead_of)(char c))
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *instead = instead_of(text.at[i]);

        if (!instead)
            continue;
        fan_buffer_add(out, text.at + from, i - from);
        fan_buffer_add_text(out, instead);
        from = i + 1;
    }
    if (text.len > from)
        fan_buffer_add(out, text.at + from, text.len - from);
}

void fan_html_write(struct fan_bytes text, struct fan_buffer *out)
{
    write_replacing(out, text, entity);
}

static void write_text(struct fan_exec *exec, struct fan_bytes text, bool safe)
{
    if (exec->input->escape == FAN_LIQUID_HTML && !safe)
        write_replacing(exec->out, text, entity);
    else if (exec->input->escape == FAN_LIQUID_LINE)
        write_replacing(exec->out, text, line_space);
    else
        fan_buffer_add(exec->out, text.at, text.len);
}

void fan_exec_write(struct fan_exec *exec, struct fan_value value)
{
    struct fan_value written;
    char text[32];

    switch (value.type) {
    case FAN_VALUE_NIL:
        break;
    case FAN_VALUE_TEXT:
        write_text(exec, fan_value_bytes(value), value.safe);
        break;
    case FAN_VALUE_INT:
        fan_buffer_add(exec->out, text, fan_int_text(value.integer, text));
        break;
    case FAN_VALUE_LIST:
    case FAN_VALUE_MAP:
        fan_value_write(value, fan_exec_scratch(exec));
        if (fan_exec_take(exec, &written))
            write_text(exec, fan_value_bytes(written), false);
        break;
    default:
        fan_value_write(value, exec->out);
    }
}

struct fan_buffer *fan_exec_scratch(struct fan_exec *exec)
{
    fan_buffer_clear(&exec->machine->scratch);
    return &exec->machine->scratch;
}

bool fan_exec_take(struct fan_exec *exec, struct fan_value *out)
{
    struct fan_buffer *scratch = &exec->machine->scratch;

    if (scratch->overflowed)
        return fan_exec_fail(exec, FAN_TOO_LARGE, "a text longer than %d bytes",
                FAN_LIQUID_TEXT_MAX);
    *out = fan_value_text(fan_bytes_dup((struct fan_bytes){ scratch->at ? scratch->at : "",
                                                scratch->len },
            exec->arena));
    return fan_exec_spend(exec, scratch->len / 64);
}

struct fan_bytes fan_exec_text(struct fan_exec *exec, struct fan_value value)
{
    struct fan_value text;

    if (value.type == FAN_VALUE_TEXT)
        return fan_value_bytes(value);
    if (value.type == FAN_VALUE_NIL)
        return FAN_LIT("");
    fan_value_show(value, fan_exec_scratch(exec));
    return fan_exec_take(exec, &text) ? fan_value_bytes(text) : FAN_LIT("");
}

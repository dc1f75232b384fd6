#include "actors/lib/driver/form.h"

#include <string.h>

void fan_form_add(struct fan_buffer *form, const char *name, struct fan_bytes value)
{
    if (!value.at)
        return;
    if (form->len > 0)
        fan_buffer_add_char(form, '&');
    fan_buffer_add_percent(form, fan_bytes_of(name));
    fan_buffer_add_char(form, '=');
    fan_buffer_add_percent(form, value);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static struct fan_bytes decode(struct fan_bytes text, struct fan_arena *arena)
{
    size_t len = 0;
    char *out;

    if (text.len == 0)
        return FAN_LIT("");
    if (!memchr(text.at, '%', text.len) && !memchr(text.at, '+', text.len))
        return text;
    out = fan_arena_alloc(arena, text.len);

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i] == '+' ? ' ' : text.at[i];

        if (c == '%' && text.len - i > 2) {
            int high = digit_of(text.at[i + 1]), low = digit_of(text.at[i + 2]);

            if (high >= 0 && low >= 0) {
                c = (char)(high << 4 | low);
                i += 2;
            }
        }
        out[len++] = c;
    }
    return (struct fan_bytes){ out, len };
}

static size_t count_fields(struct fan_bytes text)
{
    size_t count = 1;

    for (size_t i = 0; i < text.len; i++)
        count += text.at[i] == '&';
    return count;
}

bool fan_form_read(struct fan_bytes text, struct fan_arena *arena, struct fan_form *out)
{
    size_t room = count_fields(text);

    *out = (struct fan_form){ 0 };
    if (room > FAN_FORM_FIELDS)
        return false;
    out->at = fan_arena_array(arena, room, sizeof *out->at);
    while (text.len > 0) {
        struct fan_bytes field, name, value;

        text = fan_bytes_split(text, '&', &field);
        if (field.len == 0)
            continue;
        value = fan_bytes_split(field, '=', &name);
        out->at[out->len++] = (struct fan_form_field){
            .name = decode(name, arena),
            .value = decode(value, arena),
        };
    }
    return true;
}

struct fan_bytes fan_form_get(const struct fan_form *form, const char *name)
{
    for (size_t i = 0; i < form->len; i++)
        if (fan_bytes_eq_text(form->at[i].name, name))
            return form->at[i].value;
    return FAN_NO_BYTES;
}

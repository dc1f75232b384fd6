#include "actors/lib/liquid/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- numbers ---- */

size_t fan_int_text(int64_t integer, char out[24])
{
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    char digits[24];
    size_t len = 0, n = 0;

    do
        digits[n++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (integer < 0)
        out[len++] = '-';
    while (n)
        out[len++] = digits[--n];
    return len;
}

/* With so few digits, dividing by an exact power of ten rounds once: what gives the number back is
 * its shortest text. */
bool fan_real_decimal(double real, int64_t *digits, int *places)
{
    static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6 };

    for (int i = 0; i < 7; i++) {
        double scaled = rint(real * powers[i]);

        if (!(fabs(scaled) < 1e15) || (scaled == 0 && (real != 0 || signbit(real))))
            return false;
        if (scaled / powers[i] != real)
            continue;
        *digits = (int64_t)scaled;
        *places = i;
        return true;
    }
    return false;
}

static size_t short_text(int64_t number, int places, char out[32])
{
    char digits[24];
    size_t len = fan_int_text(number < 0 ? -number : number, digits), at = 0, whole;

    if (number < 0)
        out[at++] = '-';
    whole = len > (size_t)places ? len - (size_t)places : 0;
    if (!whole)
        out[at++] = '0';
    memcpy(out + at, digits, whole);
    at += whole;
    out[at++] = '.';
    for (size_t i = len; i < (size_t)places; i++)
        out[at++] = '0';
    memcpy(out + at, digits + whole, len - whole);
    at += len - whole;
    if (!places)
        out[at++] = '0';
    return at;
}

/* The digits of a number and where its point stands, from "%.*e". */
static int shortest(double real, char digits[24], int *exponent)
{
    char text[40];
    int count = 0, precision = 14;

    do
        snprintf(text, sizeof text, "%.*e", precision, real);
    while (strtod(text, NULL) != real && ++precision < 17);
    *exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    for (const char *at = text; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return count;
}

static size_t plain(const char *digits, int count, int exponent, char *out)
{
    size_t len = 0;
    int at = 0;

    if (exponent < 0) {
        out[len++] = '0';
        out[len++] = '.';
        for (int i = -1; i > exponent; i--)
            out[len++] = '0';
        while (at < count)
            out[len++] = digits[at++];
        return len;
    }
    for (; at <= exponent; at++)
        out[len++] = at < count ? digits[at] : '0';
    out[len++] = '.';
    if (at >= count)
        out[len++] = '0';
    while (at < count)
        out[len++] = digits[at++];
    return len;
}

size_t fan_real_text(double real, char out[32])
{
    char digits[24];
    int exponent, count, places;
    int64_t number;
    size_t len = 0;

    if (fabs(real) >= 1e-4 && fan_real_decimal(real, &number, &places))
        return short_text(number, places, out);
    if (!isfinite(real))
        return (size_t)snprintf(out, 32, isnan(real) ? "NaN" : real < 0 ? "-Infinity" : "Infinity");
    if (signbit(real))
        out[len++] = '-';
    count = shortest(fabs(real), digits, &exponent);
    if (exponent >= -4 && exponent < 15)
        return len + plain(digits, count, exponent, out + len);
    len += plain(digits, count, 0, out + len);
    return len +
            (size_t)snprintf(out + len, 32 - len, "e%c%02d", exponent < 0 ? '-' : '+',
                    abs(exponent) % 1000);
}

/* ---- characters ---- */

size_t fan_text_prefix(struct fan_bytes text, size_t count)
{
    size_t at = 0;

    while (count-- && at < text.len) {
        struct fan_bytes rest = { text.at + at, text.len - at };
        size_t size = (unsigned char)*rest.at < 0x80 ? 1 : fan_bytes_utf8_first(rest);

        at += size ? size : 1;
    }
    return at;
}

size_t fan_text_characters(struct fan_bytes text)
{
    size_t count = 0;

    for (size_t at = 0; at < text.len; count++) {
        struct fan_bytes rest = { text.at + at, text.len - at };
        size_t size = (unsigned char)*rest.at < 0x80 ? 1 : fan_bytes_utf8_first(rest);

        at += size ? size : 1;
    }
    return count;
}

/* ---- values ---- */

static void write_scalar(struct fan_value value, struct fan_buffer *out)
{
    char text[32];

    switch (value.type) {
    case FAN_VALUE_BOOL:
        fan_buffer_add_text(out, value.truth ? "true" : "false");
        break;
    case FAN_VALUE_INT:
        fan_buffer_add(out, text, fan_int_text(value.integer, text));
        break;
    case FAN_VALUE_REAL:
        fan_buffer_add(out, text, fan_real_text(value.real, text));
        break;
    case FAN_VALUE_TEXT:
        fan_buffer_add(out, value.text, value.len);
        break;
    case FAN_VALUE_RANGE:
        fan_buffer_add(out, text, fan_int_text(value.range->first, text));
        fan_buffer_add_text(out, "..");
        fan_buffer_add(out, text, fan_int_text(value.range->last, text));
        break;
    case FAN_VALUE_LOOP:
        fan_buffer_add_text(out,
                value.loop->row ? "Liquid::TablerowloopDrop" : "Liquid::ForloopDrop");
        break;
    default:
        break;
    }
}

static void inspect_text(struct fan_bytes text, struct fan_buffer *out)
{
    static const char special[] = "\n\t\r\"\\", letters[] = "ntr\"\\";

    fan_buffer_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        const char *found = c ? strchr(special, c) : NULL;

        if (found) {
            fan_buffer_add_char(out, '\\');
            fan_buffer_add_char(out, letters[found - special]);
        } else if ((unsigned char)c < 0x20) {
            fan_buffer_printf(out, "\\u%04X", (unsigned)c);
        } else {
            fan_buffer_add_char(out, c);
        }
    }
    fan_buffer_add_char(out, '"');
}

/* As Ruby's inspect shows it: {"a"=>[1, nil]}. */
static void inspect(struct fan_value value, struct fan_buffer *out, int depth)
{
    if (depth > FAN_VALUE_DEPTH || out->overflowed)
        return;
    switch (value.type) {
    case FAN_VALUE_NIL:
        fan_buffer_add_text(out, "nil");
        break;
    case FAN_VALUE_TEXT:
        inspect_text(fan_value_bytes(value), out);
        break;
    case FAN_VALUE_LIST:
        fan_buffer_add_char(out, '[');
        for (size_t i = 0; i < value.list->len; i++) {
            fan_buffer_add_text(out, i ? ", " : "");
            inspect(value.list->items[i], out, depth + 1);
        }
        fan_buffer_add_char(out, ']');
        break;
    case FAN_VALUE_MAP:
        fan_buffer_add_char(out, '{');
        for (size_t i = 0; i < value.map->len; i++) {
            fan_buffer_add_text(out, i ? ", " : "");
            inspect_text(value.map->entries[i].key, out);
            fan_buffer_add_text(out, "=>");
            inspect(value.map->entries[i].value, out, depth + 1);
        }
        fan_buffer_add_char(out, '}');
        break;
    default:
        write_scalar(value, out);
    }
}

static void write_joined(struct fan_value value, struct fan_buffer *out, int depth)
{
    if (depth > FAN_VALUE_DEPTH || out->overflowed)
        return;
    if (value.type == FAN_VALUE_LIST)
        for (size_t i = 0; i < value.list->len; i++)
            write_joined(value.list->items[i], out, depth + 1);
    else if (value.type == FAN_VALUE_MAP)
        inspect(value, out, depth);
    else
        write_scalar(value, out);
}

void fan_value_write(struct fan_value value, struct fan_buffer *out)
{
    write_joined(value, out, 0);
}

void fan_value_show(struct fan_value value, struct fan_buffer *out)
{
    if (value.type == FAN_VALUE_LIST || value.type == FAN_VALUE_MAP)
        inspect(value, out, 0);
    else
        write_scalar(value, out);
}

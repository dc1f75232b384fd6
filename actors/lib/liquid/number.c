#include "actors/lib/liquid/number.h"

#include "proto/err.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS = 37 /* that an __int128 surely holds */ };

/* m * 10^e */
struct decimal {
    __int128 m;
    int e;
};

/* ---- reading ---- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct fan_bytes trimmed(struct fan_bytes text)
{
    while (text.len && is_space(text.at[0]))
        text.at++, text.len--;
    while (text.len && (is_space(text.at[text.len - 1]) || !text.at[text.len - 1]))
        text.len--;
    return text;
}

/* Digits, with single underscores between them, from @at on; saturates. Returns where they end. */
static size_t digits_at(struct fan_bytes text, size_t at, bool negative, int64_t *out)
{
    int64_t sum = 0;
    bool full = false;

    while (at < text.len &&
            (is_digit(text.at[at]) ||
                    (text.at[at] == '_' && at && is_digit(text.at[at - 1]) && at + 1 < text.len &&
                            is_digit(text.at[at + 1])))) {
        char c = text.at[at++];

        if (c == '_' || full)
            continue;
        full = __builtin_mul_overflow(sum, 10, &sum) ||
                __builtin_sub_overflow(sum, c - '0', &sum); /* negative: it reaches further */
    }
    if (full || (!negative && sum == INT64_MIN))
        *out = negative ? INT64_MIN : INT64_MAX;
    else
        *out = negative ? sum : -sum;
    return at;
}

int64_t fan_integer_at(struct fan_bytes text)
{
    int64_t number;
    size_t at = 0;

    text = trimmed(text);
    if (text.len && (text.at[0] == '-' || text.at[0] == '+'))
        at = 1;
    digits_at(text, at, at && text.at[0] == '-', &number);
    return number;
}

bool fan_integer_of(struct fan_value value, int64_t *out)
{
    struct fan_bytes text = trimmed(fan_value_bytes(value));
    size_t at = text.len && (text.at[0] == '-' || text.at[0] == '+') ? 1 : 0;

    *out = value.integer;
    if (value.type == FAN_VALUE_INT)
        return true;
    if (value.type != FAN_VALUE_TEXT || at >= text.len || !is_digit(text.at[at]))
        return false;
    return digits_at(text, at, at && text.at[0] == '-', out) == text.len;
}

/* Whether @text is digits, a point and digits, with perhaps a minus before. */
static bool looks_real(struct fan_bytes text)
{
    size_t at = text.len && text.at[0] == '-' ? 1 : 0, from = at, point;

    while (at < text.len && is_digit(text.at[at]))
        at++;
    point = at;
    if (at == from || at >= text.len || text.at[at++] != '.')
        return false;
    while (at < text.len && is_digit(text.at[at]))
        at++;
    return at == text.len && at > point + 1;
}

static double real_at(struct fan_bytes text)
{
    char copy[400];

    snprintf(copy, sizeof copy, "%.*s", (int)(text.len < 399 ? text.len : 399), text.at);
    return strtod(copy, NULL);
}

struct fan_value fan_number_of(struct fan_value value)
{
    struct fan_bytes text = trimmed(fan_value_bytes(value));

    if (value.type == FAN_VALUE_INT || value.type == FAN_VALUE_REAL)
        return value;
    if (value.type != FAN_VALUE_TEXT)
        return fan_value_int(0);
    return looks_real(text) ? fan_value_real(real_at(text)) : fan_value_int(fan_integer_at(text));
}

/* ---- decimals ---- */

/* The decimal number that the shortest text of @value is; false: not finite, or too small or too
 * large to be worth it. */
static bool decimal_of(struct fan_value value, struct decimal *out)
{
    char text[32], *exponent;
    size_t len;
    bool point = false;
    int64_t digits;
    int places;

    *out = (struct decimal){ .m = value.type == FAN_VALUE_INT ? value.integer : 0 };
    if (value.type == FAN_VALUE_INT)
        return true;
    if (fan_real_decimal(value.real, &digits, &places)) {
        *out = (struct decimal){ .m = digits, .e = -places };
        return true;
    }
    if (!isfinite(value.real) || fabs(value.real) > 1e30 ||
            (value.real != 0 && fabs(value.real) < 1e-30))
        return false;
    len = fan_real_text(value.real, text);
    text[len < sizeof text ? len : sizeof text - 1] = '\0';
    exponent = strchr(text, 'e');
    if (exponent)
        out->e = (int)strtol(exponent + 1, NULL, 10);
    for (const char *at = text; *at && *at != 'e'; at++) {
        if (*at == '.')
            point = true;
        if (!is_digit(*at))
            continue;
        out->m = out->m * 10 + (*at - '0');
        out->e -= point;
    }
    if (text[0] == '-')
        out->m = -out->m;
    while (out->m && out->m % 10 == 0 && out->e < 0)
        out->m /= 10, out->e++;
    return true;
}

static int digits_of(__int128 m)
{
    int count = 0;

    for (; m; m /= 10)
        count++;
    return count;
}

static __int128 power(int exponent)
{
    __int128 result = 1;

    while (exponent-- > 0)
        result *= 10;
    return result;
}

/* Give both the smaller exponent; false: they do not fit. */
static bool align(struct decimal *a, struct decimal *b)
{
    struct decimal *larger = a->e > b->e ? a : b;
    int by = abs(a->e - b->e);

    if (digits_of(larger->m) + by > DIGITS)
        return false;
    larger->m *= power(by);
    larger->e -= by;
    return true;
}

static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
    1e13, 1e14, 1e15 };

enum { POWERS = sizeof powers / sizeof *powers };

/* Whether a binary number holds it exactly. */
static bool is_small(__int128 m)
{
    return m > -((int64_t)1 << 53) && m < (int64_t)1 << 53;
}

static double real_of(struct decimal number)
{
    char digits[48], text[64];
    __int128 rest = number.m < 0 ? -number.m : number.m;
    size_t at = sizeof digits - 1;

    if (is_small(number.m) && number.e <= 0 && -number.e < POWERS)
        return (double)number.m / powers[-number.e];
    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + (int)(rest % 10));
    while (rest /= 10);
    snprintf(text, sizeof text, "%s%se%d", number.m < 0 ? "-" : "", digits + at, number.e);
    return strtod(text, NULL);
}

static double binary(char op, double a, double b)
{
    switch (op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return a / b;
    default:
        return a - b * floor(a / b);
    }
}

/* The quotient, exact to 19 digits or more. */
static double divided(struct decimal a, struct decimal b)
{
    int room = DIGITS - digits_of(a.m), by = a.e - b.e;
    struct decimal *larger = by > 0 ? &a : &b;

    if (abs(by) < POWERS && is_small(a.m) && is_small(b.m) &&
            is_small(larger->m * (__int128)powers[abs(by)])) {
        larger->m *= (__int128)powers[abs(by)];
        return (double)a.m / (double)b.m;
    }
    a.m *= power(room);
    return real_of((struct decimal){ .m = a.m / b.m, .e = a.e - room - b.e });
}

static double applied(char op, struct fan_value a, struct fan_value b)
{
    double x = a.type == FAN_VALUE_INT ? (double)a.integer : a.real;
    double y = b.type == FAN_VALUE_INT ? (double)b.integer : b.real;
    struct decimal m, n;

    if (!decimal_of(a, &m) || !decimal_of(b, &n))
        return binary(op, x, y);
    if (op == '/')
        return divided(m, n);
    if (op == '*') {
        if (digits_of(m.m) + digits_of(n.m) > DIGITS)
            return binary(op, x, y);
        return real_of((struct decimal){ .m = m.m * n.m, .e = m.e + n.e });
    }
    if (!align(&m, &n))
        return binary(op, x, y);
    if (op == '%') {
        FAN_ASSERT(n.m);
        m.m %= n.m;
        m.m += m.m && (m.m < 0) != (n.m < 0) ? n.m : 0;
    } else {
        m.m += op == '+' ? n.m : -n.m;
    }
    return real_of(m);
}

/* ---- operations ---- */

static enum fan_number_fault whole(char op, int64_t a, int64_t b, struct fan_value *out)
{
    int64_t result = 0;
    bool over = false;

    if (op == '+')
        over = __builtin_add_overflow(a, b, &result);
    else if (op == '-')
        over = __builtin_sub_overflow(a, b, &result);
    else if (op == '*')
        over = __builtin_mul_overflow(a, b, &result);
    else if (b == 0)
        return FAN_NUMBER_BY_ZERO;
    else if (b == -1)
        over = op == '/' && __builtin_sub_overflow(0, a, &result);
    else if (op == '/')
        result = a / b - (a % b != 0 && (a < 0) != (b < 0));
    else
        result = a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0);
    *out = fan_value_int(result);
    return over ? FAN_NUMBER_RANGE : FAN_NUMBER_OK;
}

enum fan_number_fault fan_number_apply(char op, struct fan_value a, struct fan_value b,
        struct fan_value *out)
{
    bool zero = b.type == FAN_VALUE_INT ? b.integer == 0 : b.real == 0;

    if ((op == '/' || op == '%') && zero)
        return FAN_NUMBER_BY_ZERO;
    if (a.type == FAN_VALUE_INT && b.type == FAN_VALUE_INT)
        return whole(op, a.integer, b.integer, out);
    *out = fan_value_real(applied(op, a, b));
    return isfinite(out->real) ? FAN_NUMBER_OK : FAN_NUMBER_RANGE;
}

static enum fan_number_fault integer_of_real(double real, struct fan_value *out)
{
    if (!(real > -9.2e18 && real < 9.2e18))
        return FAN_NUMBER_RANGE;
    *out = fan_value_int((int64_t)real);
    return FAN_NUMBER_OK;
}

/* Drop the decimals of @number beyond @digits, halves away from 0. */
static struct decimal rounded(struct decimal number, int digits)
{
    int drop = -number.e - digits;
    __int128 unit, half;

    if (drop <= 0)
        return number;
    if (drop > DIGITS)
        return (struct decimal){ .e = -digits };
    unit = power(drop);
    half = number.m < 0 ? -(unit / 2) : unit / 2;
    return (struct decimal){ .m = (number.m + half) / unit, .e = -digits };
}

enum fan_number_fault fan_number_round(struct fan_value value, int64_t digits,
        struct fan_value *out)
{
    struct decimal number;
    int places = digits > 40 ? 40 : digits < -40 ? -40 : (int)digits;
    double real;

    *out = value;
    if (value.type == FAN_VALUE_INT && places >= 0)
        return FAN_NUMBER_OK;
    if (!decimal_of(value, &number))
        return places > 0 ? FAN_NUMBER_OK : integer_of_real(round(value.real), out);
    real = real_of(rounded(number, places));
    if (places > 0) {
        *out = fan_value_real(real);
        return FAN_NUMBER_OK;
    }
    return integer_of_real(real, out);
}

enum fan_number_fault fan_number_whole(char op, struct fan_value value, struct fan_value *out)
{
    *out = value;
    if (value.type == FAN_VALUE_INT)
        return FAN_NUMBER_OK;
    return integer_of_real(op == 'c' ? ceil(value.real) : floor(value.real), out);
}

int fan_number_compare(struct fan_value a, struct fan_value b)
{
    int order = 0;

    (void)fan_value_compare(a, b, &order);
    return order;
}

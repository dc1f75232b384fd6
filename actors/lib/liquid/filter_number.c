#include "actors/lib/liquid/filters.h"

#include "actors/lib/liquid/number.h"

#include <math.h>

static bool judged(struct fan_exec *exec, enum fan_number_fault fault)
{
    if (fault == FAN_NUMBER_BY_ZERO)
        return fan_exec_fail(exec, FAN_INVALID, "divided by 0");
    if (fault)
        return fan_exec_fail(exec, FAN_INVALID, "a number beyond 64 bits");
    return true;
}

static bool applied(struct fan_exec *exec, char op, const struct fan_value *args,
        struct fan_value *out)
{
    return judged(exec, fan_number_apply(op, fan_number_of(args[0]), fan_number_of(args[1]), out));
}

bool fan_filter_plus(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return applied(exec, '+', args, out);
}

bool fan_filter_minus(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return applied(exec, '-', args, out);
}

bool fan_filter_times(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return applied(exec, '*', args, out);
}

bool fan_filter_divided_by(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return applied(exec, '/', args, out);
}

bool fan_filter_modulo(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return applied(exec, '%', args, out);
}

bool fan_filter_abs(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    *out = fan_number_of(args[0]);
    if (out->type == FAN_VALUE_REAL)
        out->real = fabs(out->real);
    else if (out->integer < 0)
        return judged(exec, fan_number_apply('-', fan_value_int(0), *out, out));
    return true;
}

bool fan_filter_at_least(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_value bound = fan_number_of(args[1]);

    (void)exec, (void)count;
    *out = fan_number_of(args[0]);
    if (fan_number_compare(bound, *out) > 0)
        *out = bound;
    return true;
}

bool fan_filter_at_most(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_value bound = fan_number_of(args[1]);

    (void)exec, (void)count;
    *out = fan_number_of(args[0]);
    if (fan_number_compare(bound, *out) < 0)
        *out = bound;
    return true;
}

bool fan_filter_round(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_value digits = count > 1 ? fan_number_of(args[1]) : fan_value_int(0);
    int64_t places = digits.integer;

    if (digits.type == FAN_VALUE_REAL)
        places = digits.real > -1000 && digits.real < 1000 ? (int64_t)digits.real : 0;
    return judged(exec, fan_number_round(fan_number_of(args[0]), places, out));
}

bool fan_filter_ceil(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return judged(exec, fan_number_whole('c', fan_number_of(args[0]), out));
}

bool fan_filter_floor(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return judged(exec, fan_number_whole('f', fan_number_of(args[0]), out));
}

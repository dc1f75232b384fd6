#include "proto/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum fan_err fan_fail(struct fan_why *why, enum fan_err err, const char *format, ...)
{
    va_list args;

    if (!why)
        return err;
    why->err = err;
    why->field[0] = '\0';
    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return err;
}

enum fan_err fan_fail_field(struct fan_why *why, enum fan_err err, const char *field,
        const char *format, ...)
{
    va_list args;

    if (!why)
        return err;
    why->err = err;
    snprintf(why->field, sizeof why->field, "%s", field);
    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return err;
}

const char *fan_err_name(enum fan_err err)
{
    static const char *const names[] = {
        [FAN_OK] = "ok",
        [FAN_INVALID] = "invalid",
        [FAN_NOT_FOUND] = "not_found",
        [FAN_DENIED] = "denied",
        [FAN_TOO_LARGE] = "too_large",
        [FAN_CONFLICT] = "conflict",
        [FAN_UNAVAILABLE] = "unavailable",
        [FAN_UNCERTAIN] = "uncertain",
    };

    return err <= FAN_UNCERTAIN ? names[err] : "unknown";
}

void fan_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "{\"level\":\"error\",\"event\":\"assert.failed\",\"text\":\"%s:%d: %s\"}\n",
            file, line, expression);
    abort();
}

void fan_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(70);
}

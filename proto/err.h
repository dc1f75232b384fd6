/*
 * err — how a function says that it failed, and what its caller should do next.
 *
 * Codes sort failures by what to do, never by what happened; the text tells a person what happened.
 * Texts hold no secrets, addresses or message bodies.
 */
#ifndef FAN_PROTO_ERR_H
#define FAN_PROTO_ERR_H

#define FAN_MUST_CHECK __attribute__((warn_unused_result))
#define FAN_NO_RETURN __attribute__((noreturn))
#define FAN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum fan_err {
    FAN_OK = 0,
    FAN_INVALID,     /* the input is wrong: do not repeat */
    FAN_NOT_FOUND,   /* there is no such thing: do not repeat */
    FAN_DENIED,      /* not allowed: do not repeat */
    FAN_TOO_LARGE,   /* over a bound: do not repeat */
    FAN_CONFLICT,    /* it moved on, or somebody else has it: start over */
    FAN_UNAVAILABLE, /* nothing was done: try later */
    FAN_UNCERTAIN,   /* it may have been done: look first */
};

/** Why something failed; fill it where the failure is known, read it where it is reported. */
struct fan_why {
    enum fan_err err;
    char field[64]; /* the input field at fault, or "" */
    char text[320]; /* a sentence for people */
};

/** Record @err and a text in @why (NULL: nowhere) and return @err, so that `return fan_fail(…)`
 * reads well. */
enum fan_err fan_fail(struct fan_why *why, enum fan_err err, const char *format, ...)
        FAN_PRINTF(3, 4);

/** The same, naming the input field at fault. */
enum fan_err fan_fail_field(struct fan_why *why, enum fan_err err, const char *field,
        const char *format, ...) FAN_PRINTF(4, 5);

/** The code's name in lower case, as logs and metrics show it: "invalid", "not_found", … */
const char *fan_err_name(enum fan_err err);

/** Say where our code broke its own contract, and abort. Outside data is never asserted. */
FAN_NO_RETURN void fan_assert_failed(const char *expression, const char *file, int line);

/** Say why the process cannot go on (wrong environment at boot, memory ran out) and exit with 70.
 */
FAN_NO_RETURN void fan_die(const char *format, ...) FAN_PRINTF(1, 2);

#define FAN_ASSERT(expression) \
    ((expression) ? (void)0 : fan_assert_failed(#expression, __FILE__, __LINE__))

#endif

#include "actors/lib/person/email.h"

enum { ADDRESS = 254, LOCAL = 64, LABEL = 63 }; /* bytes at most */

static bool is_letter_or_digit(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool may_stand_before_at(char c)
{
    return is_letter_or_digit((unsigned char)c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* "a.b.c": something between dots, and nothing that would have to be quoted. */
static const char *flaw_of_local(struct fan_bytes local)
{
    bool after_dot = true;

    if (local.len == 0 || local.len > LOCAL)
        return "the part before @ is empty or longer than 64 bytes";
    for (size_t i = 0; i < local.len; i++) {
        bool dot = local.at[i] == '.';

        if (dot && after_dot)
            return "there is a dot too many before @";
        if (!dot && !may_stand_before_at(local.at[i]))
            return "there is a character before @ that cannot stand there";
        after_dot = dot;
    }
    return after_dot ? "there is a dot too many before @" : NULL;
}

static const char *flaw_of_label(struct fan_bytes label)
{
    if (label.len == 0 || label.len > LABEL)
        return "a part of the domain is empty or longer than 63 bytes";
    if (label.at[0] == '-' || label.at[label.len - 1] == '-')
        return "a part of the domain begins or ends with a hyphen";
    for (size_t i = 0; i < label.len; i++)
        if (!is_letter_or_digit((unsigned char)label.at[i]) && label.at[i] != '-')
            return "there is a character in the domain that cannot stand there";
    return NULL;
}

static const char *flaw_of_domain(struct fan_bytes domain)
{
    struct fan_bytes rest = domain, label = FAN_NO_BYTES;
    const char *flaw = NULL;
    int64_t number;

    if (!domain.at || !memchr(domain.at, '.', domain.len))
        return "the domain has no dot";
    while (!flaw && rest.at) {
        rest = fan_bytes_split(rest, '.', &label);
        flaw = flaw_of_label(label);
    }
    if (!flaw && fan_bytes_i64(label, &number))
        return "the domain ends with a number"; /* an IP address is no domain */
    return flaw;
}

enum fan_err fan_email_normalise(struct fan_bytes raw, struct fan_arena *arena,
        struct fan_bytes *out, struct fan_why *why)
{
    struct fan_bytes text = fan_bytes_trim(raw), local, domain;
    const char *flaw = NULL;
    char *copy;

    domain = fan_bytes_split(text, '@', &local);
    if (text.len == 0 || text.len > ADDRESS)
        flaw = "the address is empty or longer than 254 bytes";
    else if (!fan_bytes_utf8(text))
        flaw = "the address is not UTF-8";
    else if (!domain.at || memchr(domain.at, '@', domain.len))
        flaw = "an address has one @";
    if (!flaw)
        flaw = flaw_of_local(local);
    if (!flaw)
        flaw = flaw_of_domain(domain);
    if (flaw)
        return fan_fail(why, FAN_INVALID, "%s", flaw);
    copy = fan_bytes_cstr(text, arena);
    for (char *c = copy + local.len; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c |= 0x20;
    *out = (struct fan_bytes){ copy, text.len };
    return FAN_OK;
}

#include "broker/runtime/http_text.h"

#include "broker/runtime/http_server.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9110, 5.6.2 */
static bool is_token(struct fan_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!letter && !is_digit(c) && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return text.len > 0;
}

/* ---- the head ---- */

void fan_http_head_refuse(struct fan_http_head *head, int status, const char *fault)
{
    if (head->status)
        return;
    head->status = status;
    head->fault = fault;
}

static void read_length(struct fan_http_head *head, struct fan_bytes value)
{
    int64_t length;

    head->lengths++;
    head->has_length = true;
    /* fan_bytes_i64 knows a sign, Content-Length does not */
    if (value.len == 0 || !is_digit(value.at[0]) || !fan_bytes_i64(value, &length))
        fan_http_head_refuse(head, 400, "Content-Length is not a number.");
    else
        head->length = (uint64_t)length;
}

void fan_http_head_add(struct fan_http_head *head, struct fan_bytes name, struct fan_bytes value)
{
    head->headers++;
    head->size += name.len + value.len;
    if (head->headers > FAN_HTTP_HEADERS_MAX || head->size > FAN_HTTP_HEAD_MAX)
        fan_http_head_refuse(head, 431, "The header is too large.");
    if (!is_token(name))
        fan_http_head_refuse(head, 400, "A header's name is malformed.");
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\0' || value.at[i] == '\r' || value.at[i] == '\n')
            fan_http_head_refuse(head, 400, "A header's value is malformed.");
    }
    if (fan_bytes_eq_nocase(name, FAN_LIT("Host"))) {
        head->hosts++;
        head->host = value;
    } else if (fan_bytes_eq_nocase(name, FAN_LIT("Content-Length"))) {
        read_length(head, value);
    } else if (fan_bytes_eq_nocase(name, FAN_LIT("Transfer-Encoding"))) {
        head->codings++;
        head->chunked = true;
        if (!fan_bytes_eq_nocase(value, FAN_LIT("chunked")))
            fan_http_head_refuse(head, 400, "The only transfer coding understood here is chunked.");
    } else if (fan_bytes_eq_nocase(name, FAN_LIT("Expect"))) {
        head->expects = true;
        if (!fan_bytes_eq_nocase(value, FAN_LIT("100-continue")))
            fan_http_head_refuse(head, 417,
                    "The only expectation understood here is 100-continue.");
    }
}

static bool is_known_method(struct fan_bytes method)
{
    static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
        "OPTIONS" };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (fan_bytes_eq_text(method, known[i]))
            return true;
    }
    return false;
}

bool fan_http_is_folded(const char *name, size_t name_len, const char *value)
{
    uintptr_t gap = (uintptr_t)value - (uintptr_t)name - name_len;

    if (gap == 0 || gap > FAN_HTTP_HEAD_MAX)
        return true;
    for (uintptr_t i = 1; i < gap; i++) {
        if (name[name_len + i] != ' ' && name[name_len + i] != '\t')
            return true;
    }
    return false;
}

void fan_http_head_end(struct fan_http_head *head, struct fan_bytes method,
        struct fan_bytes authority)
{
    if (head->lengths > 1 || head->codings > 1)
        fan_http_head_refuse(head, 400, "The length of the body is given twice.");
    if (head->lengths && head->codings)
        fan_http_head_refuse(head, 400, "The length of the body is given in two ways.");
    if (head->codings && head->old)
        fan_http_head_refuse(head, 400, "HTTP/1.0 has no transfer codings.");
    if (head->hosts > 1 || (head->hosts == 0 && !head->old))
        fan_http_head_refuse(head, 400, "There must be one Host header.");
    if (authority.at && !fan_bytes_eq_nocase(authority, head->host))
        fan_http_head_refuse(head, 400, "The target names another host than the Host header.");
    if (!is_known_method(method))
        fan_http_head_refuse(head, 501, "This method is not known.");
}

/* ---- the target ---- */

static bool is_clean_target(struct fan_bytes target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.at[i];

        if (c <= ' ' || c == 0x7f || c == '#' || c == '\\')
            return false;
    }
    return true;
}

static bool skip_scheme(struct fan_bytes *target)
{
    static const char *const schemes[] = { "http://", "https://" };

    for (size_t i = 0; i < 2; i++) {
        struct fan_bytes scheme = fan_bytes_of(schemes[i]);
        struct fan_bytes start = { target->at,
            target->len < scheme.len ? target->len : scheme.len };

        if (!fan_bytes_eq_nocase(start, scheme))
            continue;
        target->at += scheme.len;
        target->len -= scheme.len;
        return true;
    }
    return false;
}

bool fan_http_target_split(struct fan_bytes target, struct fan_http_target *out)
{
    *out = (struct fan_http_target){ .authority = FAN_NO_BYTES };
    if (!is_clean_target(target))
        return false;
    if (fan_bytes_eq_text(target, "*")) {
        out->path = target;
        return true;
    }
    if (skip_scheme(&target)) {
        size_t len = 0;

        while (len < target.len && target.at[len] != '/' && target.at[len] != '?')
            len++;
        out->authority = (struct fan_bytes){ target.at, len };
        target = (struct fan_bytes){ target.at + len, target.len - len };
        if (len == 0)
            return false;
    }
    out->query = fan_bytes_split(target, '?', &out->path);
    if (out->path.len == 0 && out->authority.at)
        out->path = FAN_LIT("/");
    return out->path.len > 0 && out->path.at[0] == '/';
}

/* ---- percent-encoding ---- */

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that "%xy" at the start of @rest stands for, or -1. */
static int escaped_byte(struct fan_bytes rest)
{
    int high, low;

    if (rest.len < 3 || rest.at[0] != '%')
        return -1;
    high = hex_value(rest.at[1]);
    low = hex_value(rest.at[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool fan_http_path_decode(struct fan_bytes raw, struct fan_arena *arena, struct fan_bytes *out)
{
    char *to = fan_arena_alloc(arena, raw.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        int c = (unsigned char)raw.at[i];

        if (c == '%') {
            c = escaped_byte((struct fan_bytes){ raw.at + i, raw.len - i });
            i += 2;
        }
        if (c <= 0)
            return false;
        to[len++] = (char)c;
    }
    *out = (struct fan_bytes){ to, len };
    return fan_bytes_utf8(*out);
}

/* The length of the well-formed UTF-8 character at the start of @rest; 0 when there is none. */
static size_t character_len(struct fan_bytes rest)
{
    for (size_t len = 1; len <= 4 && len <= rest.len; len++) {
        if (fan_bytes_utf8((struct fan_bytes){ rest.at, len }))
            return len;
    }
    return 0;
}

/* Whatever cannot stand in a text of ours, NUL too, becomes U+FFFD. */
static struct fan_bytes mended(struct fan_bytes text, struct fan_arena *arena)
{
    static const char unreadable[] = { '\xef', '\xbf', '\xbd' };
    char *to;
    size_t len = 0;

    if (fan_bytes_utf8(text) && (text.len == 0 || !memchr(text.at, '\0', text.len)))
        return text;
    to = fan_arena_alloc(arena, text.len * sizeof unreadable + 1);
    for (size_t i = 0; i < text.len;) {
        size_t good = character_len((struct fan_bytes){ text.at + i, text.len - i });

        if (good && text.at[i] != '\0') {
            memcpy(to + len, text.at + i, good);
            len += good;
            i += good;
            continue;
        }
        memcpy(to + len, unreadable, sizeof unreadable);
        len += sizeof unreadable;
        i++;
    }
    return (struct fan_bytes){ to, len };
}

/* As browsers do: "+" is a space, and a "%" that escapes nothing is a "%". */
static struct fan_bytes form_decode(struct fan_bytes raw, struct fan_arena *arena)
{
    char *to = fan_arena_alloc(arena, raw.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        int byte = escaped_byte((struct fan_bytes){ raw.at + i, raw.len - i });

        if (byte >= 0)
            i += 2;
        else
            byte = raw.at[i] == '+' ? ' ' : raw.at[i];
        to[len++] = (char)byte;
    }
    return mended((struct fan_bytes){ to, len }, arena);
}

bool fan_form_next(struct fan_bytes form, size_t *cursor, struct fan_arena *arena,
        struct fan_bytes *name, struct fan_bytes *value)
{
    while (form.at && *cursor < form.len) {
        struct fan_bytes rest = { form.at + *cursor, form.len - *cursor };
        struct fan_bytes pair, raw_name, raw_value;

        fan_bytes_split(rest, '&', &pair);
        *cursor += pair.len + 1;
        if (pair.len == 0)
            continue;
        raw_value = fan_bytes_split(pair, '=', &raw_name);
        *name = form_decode(raw_name, arena);
        *value = form_decode(raw_value, arena);
        return true;
    }
    return false;
}

/* ---- addresses ---- */

bool fan_http_listen_split(struct fan_bytes text, struct fan_arena *arena, const char **host,
        const char **port)
{
    size_t colon = text.len;
    struct fan_bytes name, digits;
    int64_t number;

    if (text.len && memchr(text.at, '\0', text.len))
        return false;
    while (colon > 0 && text.at[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    name = (struct fan_bytes){ text.at, colon - 1 };
    digits = (struct fan_bytes){ text.at + colon, text.len - colon };
    if (name.at[0] == '[' && name.at[name.len - 1] == ']')
        name = (struct fan_bytes){ name.at + 1, name.len - 2 };
    else if (memchr(name.at, ':', name.len))
        return false; /* an IPv6 address without brackets: where would the port begin? */
    if (name.len == 0 || digits.len == 0 || !is_digit(digits.at[0]) ||
            !fan_bytes_i64(digits, &number) || number > 65535)
        return false;
    *host = fan_bytes_cstr(name, arena);
    *port = fan_bytes_cstr(digits, arena);
    return true;
}

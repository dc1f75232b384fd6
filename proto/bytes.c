#include "proto/bytes.h"

#include "proto/arena.h"

#include <strings.h>

struct fan_bytes fan_bytes_of(const char *text)
{
    return (struct fan_bytes){ .at = text, .len = text ? strlen(text) : 0 };
}

bool fan_bytes_eq(struct fan_bytes a, struct fan_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool fan_bytes_eq_text(struct fan_bytes a, const char *text)
{
    return fan_bytes_eq(a, fan_bytes_of(text));
}

bool fan_bytes_eq_nocase(struct fan_bytes a, struct fan_bytes b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

bool fan_bytes_starts(struct fan_bytes text, struct fan_bytes prefix)
{
    return text.len >= prefix.len &&
            (prefix.len == 0 || memcmp(text.at, prefix.at, prefix.len) == 0);
}

bool fan_bytes_ends(struct fan_bytes text, struct fan_bytes suffix)
{
    return text.len >= suffix.len &&
            (suffix.len == 0 ||
                    memcmp(text.at + text.len - suffix.len, suffix.at, suffix.len) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct fan_bytes fan_bytes_trim(struct fan_bytes text)
{
    while (text.len > 0 && is_space(text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.at[text.len - 1]))
        text.len--;
    return text;
}

struct fan_bytes fan_bytes_split(struct fan_bytes text, char separator, struct fan_bytes *before)
{
    const char *hit = text.len ? memchr(text.at, separator, text.len) : NULL;

    if (!hit) {
        *before = text;
        return FAN_NO_BYTES;
    }
    *before = (struct fan_bytes){ text.at, (size_t)(hit - text.at) };
    return (struct fan_bytes){ hit + 1, text.len - before->len - 1 };
}

struct fan_bytes fan_bytes_dup(struct fan_bytes text, struct fan_arena *arena)
{
    if (!text.at)
        return text;
    return (struct fan_bytes){ fan_bytes_cstr(text, arena), text.len };
}

char *fan_bytes_cstr(struct fan_bytes text, struct fan_arena *arena)
{
    char *copy = fan_arena_alloc(arena, text.len + 1);

    if (text.len)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return copy;
}

bool fan_bytes_i64(struct fan_bytes text, int64_t *out)
{
    bool negative = text.len > 0 && text.at[0] == '-';
    int64_t value = 0;

    if (text.len == (size_t)negative)
        return false;
    for (size_t i = negative; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_sub_overflow(value, text.at[i] - '0', &value))
            return false; /* counted downwards, so that INT64_MIN fits */
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

/* How many continuation bytes follow @lead, and the least code point that may take so many; -1:
 * none begins so. */
static int utf8_tail(unsigned char lead, uint32_t *point, uint32_t *least)
{
    if (lead < 0x80)
        return *point = lead, *least = 0, 0;
    if (lead >= 0xc2 && lead < 0xe0)
        return *point = lead & 0x1f, *least = 0x80, 1;
    if (lead >= 0xe0 && lead < 0xf0)
        return *point = lead & 0x0f, *least = 0x800, 2;
    if (lead >= 0xf0 && lead < 0xf5)
        return *point = lead & 0x07, *least = 0x10000, 3;
    return -1;
}

size_t fan_bytes_utf8_first(struct fan_bytes text)
{
    uint32_t point, least;
    int tail = text.len ? utf8_tail((unsigned char)text.at[0], &point, &least) : -1;

    if (tail < 0 || text.len - 1 < (size_t)tail)
        return 0;
    for (int i = 1; i <= tail; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (c & 0x3f);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    return (size_t)tail + 1;
}

/* How many bytes at the front are ASCII, counted in eights; most text is, and bodies are checked on
 * every hop. */
static size_t ascii_eights(struct fan_bytes text)
{
    size_t i = 0;
    uint64_t eight;

    for (; text.len - i >= sizeof eight; i += sizeof eight) {
        memcpy(&eight, text.at + i, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool fan_bytes_utf8(struct fan_bytes text)
{
    while (text.len) {
        size_t len = ascii_eights(text);
        if (!len)
            len = fan_bytes_utf8_first(text);
        if (!len)
            return false;
        text.at += len;
        text.len -= len;
    }
    return true;
}

#include "actors/lib/liquid/filters.h"

#include "actors/lib/liquid/scan.h"

#include <sodium.h>

/* ---- HTML ---- */

bool fan_filter_escape(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);

    (void)count;
    if (args[0].type == FAN_VALUE_NIL)
        return true;
    fan_html_write(text, fan_exec_scratch(exec));
    if (!fan_exec_take(exec, out))
        return false;
    out->safe = true;
    return true;
}

/* The length of an entity at the front of @text: &name; or &#12; */
static size_t entity_length(struct fan_bytes text)
{
    bool number = text.len > 1 && text.at[1] == '#';
    size_t from = number ? 2 : 1, len = from;

    while (len < text.len &&
            (number ? text.at[len] >= '0' && text.at[len] <= '9'
                    : (text.at[len] | 0x20) >= 'a' && (text.at[len] | 0x20) <= 'z'))
        len++;
    return len > from && len < text.len && text.at[len] == ';' ? len + 1 : 0;
}

bool fan_filter_escape_once(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);
    struct fan_buffer *buffer = fan_exec_scratch(exec);

    (void)count;
    for (size_t i = 0; i < text.len;) {
        struct fan_bytes rest = { text.at + i, text.len - i };
        size_t len = *rest.at == '&' ? entity_length(rest) : 0;

        if (len)
            fan_buffer_add(buffer, rest.at, len);
        else
            fan_html_write((struct fan_bytes){ rest.at, 1 }, buffer);
        i += len ? len : 1;
    }
    if (!fan_exec_take(exec, out))
        return false;
    out->safe = true;
    return true;
}

bool fan_filter_raw(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    *out = fan_value_text(fan_exec_text(exec, args[0]));
    out->safe = true;
    return true;
}

/* ---- URLs ---- */

static bool stays(char c)
{
    return fan_scan_is_word(c) || c == '-' || c == '.' || c == '~';
}

bool fan_filter_url_encode(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    static const char digits[] = "0123456789ABCDEF";
    struct fan_bytes text = fan_exec_text(exec, args[0]);
    struct fan_buffer *buffer = fan_exec_scratch(exec);

    (void)count;
    if (args[0].type == FAN_VALUE_NIL)
        return true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        char code[3] = { '%', digits[c >> 4], digits[c & 15] };

        if (stays(text.at[i]) || c == ' ')
            fan_buffer_add_char(buffer, c == ' ' ? '+' : text.at[i]);
        else
            fan_buffer_add(buffer, code, sizeof code);
    }
    return fan_exec_take(exec, out);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool fan_filter_url_decode(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);
    struct fan_buffer *buffer = fan_exec_scratch(exec);

    (void)count;
    if (args[0].type == FAN_VALUE_NIL)
        return true;
    for (size_t i = 0; i < text.len; i++) {
        bool code = text.at[i] == '%' && i + 2 < text.len && digit(text.at[i + 1]) >= 0 &&
                digit(text.at[i + 2]) >= 0;

        if (code)
            fan_buffer_add_char(buffer, (char)(digit(text.at[i + 1]) << 4 | digit(text.at[i + 2])));
        else
            fan_buffer_add_char(buffer, text.at[i] == '+' ? ' ' : text.at[i]);
        i += code ? 2 : 0;
    }
    if (!fan_bytes_utf8(fan_buffer_bytes(buffer)))
        return fan_exec_fail(exec, FAN_INVALID, "url_decode gives what is not UTF-8");
    return fan_exec_take(exec, out);
}

/* ---- base64 ---- */

/* @safe: - and _ instead of + and /. */
static bool encoded(struct fan_exec *exec, struct fan_value value, bool safe, struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, value);
    struct fan_buffer *buffer = fan_exec_scratch(exec);

    fan_buffer_add_base64(buffer, text);
    for (size_t i = 0; safe && i < buffer->len; i++)
        buffer->at[i] = buffer->at[i] == '+' ? '-' : buffer->at[i] == '/' ? '_' : buffer->at[i];
    return fan_exec_take(exec, out);
}

bool fan_filter_base64_encode(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return encoded(exec, args[0], false, out);
}

bool fan_filter_base64_url_safe_encode(struct fan_exec *exec, const struct fan_value *args,
        size_t count, struct fan_value *out)
{
    (void)count;
    return encoded(exec, args[0], true, out);
}

static bool decoded(struct fan_exec *exec, struct fan_value value, int variant, const char *filter,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, value);
    struct fan_buffer *buffer = fan_exec_scratch(exec);
    char *to = fan_buffer_reserve(buffer, text.len + 1);
    size_t len = 0;

    if (!to)
        return fan_exec_take(exec, out);
    if (text.len &&
            sodium_base642bin((unsigned char *)to, text.len, text.at, text.len, NULL, &len, NULL,
                    variant))
        return fan_exec_fail(exec, FAN_INVALID, "%s: not base64", filter);
    if (!fan_bytes_utf8((struct fan_bytes){ to, len }))
        return fan_exec_fail(exec, FAN_INVALID, "%s gives what is not UTF-8", filter);
    fan_buffer_grew(buffer, len);
    return fan_exec_take(exec, out);
}

bool fan_filter_base64_decode(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    (void)count;
    return decoded(exec, args[0], sodium_base64_VARIANT_ORIGINAL, "base64_decode", out);
}

bool fan_filter_base64_url_safe_decode(struct fan_exec *exec, const struct fan_value *args,
        size_t count, struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);
    bool padded = text.len && text.at[text.len - 1] == '=';

    (void)count;
    return decoded(exec, args[0],
            padded ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_URLSAFE_NO_PADDING,
            "base64_url_safe_decode", out);
}

/* ---- hash ---- */

bool fan_filter_hash(struct fan_exec *exec, const struct fan_value *args, size_t count,
        struct fan_value *out)
{
    struct fan_bytes text = fan_exec_text(exec, args[0]);
    struct fan_bytes name = count > 1 ? fan_exec_text(exec, args[1]) : FAN_LIT("sha256");
    unsigned char hash[32];

    _Static_assert(crypto_hash_sha256_BYTES == sizeof hash, "one size for both");
    if (fan_bytes_eq_text(name, "sha256"))
        crypto_hash_sha256(hash, (const unsigned char *)text.at, text.len);
    else if (fan_bytes_eq_text(name, "blake2b"))
        crypto_generichash(hash, sizeof hash, (const unsigned char *)text.at, text.len, NULL, 0);
    else
        return fan_exec_fail(exec, FAN_INVALID, "hash knows sha256 and blake2b");
    fan_buffer_add_hex(fan_exec_scratch(exec), (struct fan_bytes){ (const char *)hash, 32 });
    return fan_exec_take(exec, out);
}

#include "proto/buffer.h"

#include "proto/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fan_buffer_init(struct fan_buffer *buffer, size_t cap)
{
    *buffer = (struct fan_buffer){ .cap = cap };
}

void fan_buffer_fini(struct fan_buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct fan_buffer){ .cap = buffer->cap };
}

void fan_buffer_clear(struct fan_buffer *buffer)
{
    buffer->len = 0;
    buffer->overflowed = false;
}

char *fan_buffer_reserve(struct fan_buffer *buffer, size_t len)
{
    size_t room = buffer->room ? buffer->room : 256;

    if (buffer->overflowed || len > buffer->cap - buffer->len) {
        buffer->overflowed = true;
        return NULL;
    }
    while (room - buffer->len < len)
        room *= 2;
    if (room != buffer->room) {
        char *at = realloc(buffer->at, room);
        if (!at)
            fan_die("out of memory: a buffer of %zu bytes", room);
        buffer->at = at;
        buffer->room = room;
    }
    return buffer->at + buffer->len;
}

void fan_buffer_grew(struct fan_buffer *buffer, size_t len)
{
    FAN_ASSERT(len <= buffer->room - buffer->len);
    buffer->len += len;
}

void fan_buffer_add(struct fan_buffer *buffer, const void *at, size_t len)
{
    char *to = fan_buffer_reserve(buffer, len);

    if (!to || len == 0)
        return;
    memcpy(to, at, len);
    buffer->len += len;
}

void fan_buffer_add_bytes(struct fan_buffer *buffer, struct fan_bytes bytes)
{
    fan_buffer_add(buffer, bytes.at, bytes.len);
}

void fan_buffer_add_text(struct fan_buffer *buffer, const char *text)
{
    fan_buffer_add(buffer, text, strlen(text));
}

void fan_buffer_add_char(struct fan_buffer *buffer, char c)
{
    fan_buffer_add(buffer, &c, 1);
}

void fan_buffer_printf(struct fan_buffer *buffer, const char *format, ...)
{
    va_list args, again;
    int len;
    char *to;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    FAN_ASSERT(len >= 0);
    to = fan_buffer_reserve(buffer, (size_t)len + 1);
    if (to) {
        vsnprintf(to, (size_t)len + 1, format, again);
        buffer->len += (size_t)len;
    }
    va_end(again);
}

void fan_buffer_drop(struct fan_buffer *buffer, size_t len)
{
    FAN_ASSERT(len <= buffer->len);
    if (len == 0)
        return;
    memmove(buffer->at, buffer->at + len, buffer->len - len);
    buffer->len -= len;
}

struct fan_bytes fan_buffer_bytes(const struct fan_buffer *buffer)
{
    return (struct fan_bytes){ buffer->at ? buffer->at : "", buffer->len };
}

/* RFC 3986's unreserved characters, one bit each, 64 to a word. */
static bool is_unreserved(unsigned char c)
{
    static const uint64_t set[4] = { UINT64_C(0x03ff600000000000), UINT64_C(0x47fffffe87fffffe) };

    return set[c >> 6] >> (c & 63) & 1;
}

void fan_buffer_add_percent(struct fan_buffer *buffer, struct fan_bytes bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = fan_buffer_reserve(buffer, bytes.len * 3);
    size_t n = 0;

    if (!to)
        return;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        if (is_unreserved(c)) {
            to[n++] = (char)c;
            continue;
        }
        to[n++] = '%';
        to[n++] = digits[c >> 4];
        to[n++] = digits[c & 15];
    }
    buffer->len += n;
}

void fan_buffer_add_base64(struct fan_buffer *buffer, struct fan_bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)bytes.at;
    char *to = fan_buffer_reserve(buffer, (bytes.len + 2) / 3 * 4);
    size_t n = 0;

    if (!to)
        return;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t three = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                (left > 2 ? (uint32_t)in[i + 2] : 0);

        to[n++] = digits[three >> 18];
        to[n++] = digits[three >> 12 & 63];
        to[n++] = left > 1 ? digits[three >> 6 & 63] : '=';
        to[n++] = left > 2 ? digits[three & 63] : '=';
    }
    buffer->len += n;
}

void fan_buffer_add_hex(struct fan_buffer *buffer, struct fan_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        fan_buffer_add_char(buffer, digits[c >> 4]);
        fan_buffer_add_char(buffer, digits[c & 15]);
    }
}

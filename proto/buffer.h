/*
 * buffer — bytes that grow at the end, up to a cap.
 *
 * A write past the cap is refused as a whole and remembered, so that a caller checks once, at
 * the end.
 */
#ifndef FAN_PROTO_BUFFER_H
#define FAN_PROTO_BUFFER_H

#include "proto/bytes.h"

struct fan_buffer {
    char *at;
    size_t len;
    size_t room; /* bytes allocated */
    size_t cap;  /* bytes it may grow to */
    bool overflowed;
};

/** Start empty; nothing is allocated before the first write. */
void fan_buffer_init(struct fan_buffer *buffer, size_t cap);
void fan_buffer_fini(struct fan_buffer *buffer);

/** Forget the bytes, keep the room. */
void fan_buffer_clear(struct fan_buffer *buffer);

void fan_buffer_add(struct fan_buffer *buffer, const void *at, size_t len);
void fan_buffer_add_bytes(struct fan_buffer *buffer, struct fan_bytes bytes);
void fan_buffer_add_text(struct fan_buffer *buffer, const char *text);
void fan_buffer_add_char(struct fan_buffer *buffer, char c);
void fan_buffer_printf(struct fan_buffer *buffer, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/** Room for @len more bytes, to be written and then added with fan_buffer_grew; NULL at the cap. */
char *fan_buffer_reserve(struct fan_buffer *buffer, size_t len);
void fan_buffer_grew(struct fan_buffer *buffer, size_t len);

/** Drop the first @len bytes. */
void fan_buffer_drop(struct fan_buffer *buffer, size_t len);

struct fan_bytes fan_buffer_bytes(const struct fan_buffer *buffer);

/** Add @bytes percent-encoded (RFC 3986 unreserved stay), as query strings and forms want them. */
void fan_buffer_add_percent(struct fan_buffer *buffer, struct fan_bytes bytes);

/** Add @bytes in base64 (RFC 4648, with padding). */
void fan_buffer_add_base64(struct fan_buffer *buffer, struct fan_bytes bytes);

/** Add @bytes in lower-case hexadecimal. */
void fan_buffer_add_hex(struct fan_buffer *buffer, struct fan_bytes bytes);

#endif

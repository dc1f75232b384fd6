/*
 * mime — writing a mail: headers, a text and an HTML part, 7-bit lines that end in CRLF. Pure.
 *
 * A line break or NUL in a header's value is refused, wherever it came from: headers cannot be
 * smuggled in.
 */
#ifndef FAN_ACTORS_LIB_MIME_MIME_H
#define FAN_ACTORS_LIB_MIME_MIME_H

#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/time.h"

struct fan_mail_header {
    struct fan_bytes name, value; /* the value is UTF-8; encoded where it must be */
};

/* Absent fields are left out. Texts are UTF-8. */
struct fan_mail {
    struct fan_bytes from_name, from_email; /* the address must be there */
    struct fan_bytes to_name, to_email;     /* the address must be there */
    struct fan_bytes reply_to;              /* an address */
    struct fan_bytes subject;
    fan_time date;
    struct fan_bytes message_id;           /* "local@domain", without < and > */
    struct fan_bytes text, html;           /* both: multipart/alternative. One must be there */
    struct fan_bytes unsubscribe_url;      /* https: List-Unsubscribe, and one click by RFC 8058 */
    struct fan_bytes unsubscribe_mailto;   /* an address: added to List-Unsubscribe */
    const struct fan_mail_header *headers; /* further ones, headers[headers_len] */
    size_t headers_len;
};

/**
 * Write @mail at the end of @out. The same mail always gives the same bytes.
 *
 * fails  FAN_INVALID    a field that cannot be written; why->field names it
 *        FAN_TOO_LARGE  more than @out's cap
 */
enum fan_err fan_mime_build(const struct fan_mail *mail, struct fan_buffer *out,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

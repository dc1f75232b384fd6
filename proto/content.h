/*
 * content — what one recipient is sent, as it stands in message.body and as drivers see it.
 *
 * A body that is nothing but text is stored as that text (format 1); anything richer as a JSON
 * object whose members are named like the fields below (format 2). Absent fields are left out.
 */
#ifndef FAN_PROTO_CONTENT_H
#define FAN_PROTO_CONTENT_H

#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/err.h"

enum fan_body_format { FAN_BODY_TEXT = 1, FAN_BODY_PARTS = 2 };

struct fan_content {
    struct fan_bytes text;          /* SMS, WhatsApp text, the e-mail's text part */
    struct fan_bytes subject;       /* e-mail */
    struct fan_bytes html;          /* e-mail */
    struct fan_bytes template_name; /* WhatsApp: an approved template; text is then absent */
    struct fan_bytes language;      /* of that template: "en_US" */
    struct fan_texts variables;     /* of its body, in order */
    struct fan_bytes media_url;     /* an image for WhatsApp's header or message, or an MMS */
};

/** Write @content at the end of @out in the simplest format that holds it, and return that format.
 */
enum fan_body_format fan_content_write(const struct fan_content *content, struct fan_buffer *out);

/** Read a stored body. Texts are borrowed from @body or @arena. fails FAN_INVALID: not what
 * fan_content_write wrote */
enum fan_err fan_content_read(enum fan_body_format format, struct fan_bytes body,
        struct fan_arena *arena, struct fan_content *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * templates — the WhatsApp templates that the sandbox's Meta has approved.
 *
 * Written as name:language:variables, with ":image", ":video" or ":document" behind it when the
 * template has such a header; separated by commas: "hello_world:en_US:0,festival:hi:2:image".
 */
#ifndef FAN_ACTORS_SANDBOX_TEMPLATES_H
#define FAN_ACTORS_SANDBOX_TEMPLATES_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/err.h"

struct fan_sandbox_template {
    struct fan_bytes name, language;
    int64_t variables;       /* of its body */
    struct fan_bytes header; /* "image", …; absent: none */
};

struct fan_sandbox_templates {
    struct fan_sandbox_template *at; /* at[len] */
    size_t len;
};

/** Read the list; it borrows @text. fails FAN_INVALID */
enum fan_err fan_sandbox_templates_read(struct fan_bytes text, struct fan_arena *arena,
        struct fan_sandbox_templates *out, struct fan_why *why) FAN_MUST_CHECK;

/** Find one, or NULL. */
const struct fan_sandbox_template *fan_sandbox_templates_find(const struct fan_sandbox_templates
                                                                      *templates,
        struct fan_bytes name, struct fan_bytes language);

#endif

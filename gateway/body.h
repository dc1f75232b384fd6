/*
 * body — a JSON object of the client's, read field by field.
 *
 * Each reader notes what is wrong and gives the default, so that a client is told everything at
 * once: end with body_end and call_check. A field that no reader asked for is refused by name.
 */
#ifndef FAN_GATEWAY_BODY_H
#define FAN_GATEWAY_BODY_H

#include "gateway/call.h"

enum { BODY_FIELDS = 64 };

struct body {
    struct call *call;
    const struct fan_json *object; /* NULL: empty */
    const char *prefix;            /* of field names in faults: "settings." or "" */
    const char *known[BODY_FIELDS];
    size_t known_len;
};

void body_begin(struct body *body, struct call *call, const struct fan_json *object,
        const char *prefix);

/** Refuse the fields that nobody asked for, naming those that there are. */
void body_end(struct body *body);

/** Note a fault of a field. */
void body_fault(struct body *body, const char *name, const char *expected, const char *reason);

/** Whether the field is there, be it null. */
bool body_has(struct body *body, const char *name);

/** The field as it is; NULL when it is not there or null. */
const struct fan_json *body_value(struct body *body, const char *name);

/** A text of 1 to @most bytes without NUL; absent when it is not there, null or not right. */
struct fan_bytes body_text(struct body *body, const char *name, size_t most);

/** The same; it must be there. */
struct fan_bytes body_needs_text(struct body *body, const char *name, size_t most);

/** A text that is one of @words, which end with NULL; its place, or -1. */
int body_word(struct body *body, const char *name, const char *const *words);

int64_t body_i64(struct body *body, const char *name, int64_t least, int64_t most,
        int64_t otherwise);
double body_real(struct body *body, const char *name, double least, double most, double otherwise);
bool body_bool(struct body *body, const char *name, bool otherwise);

/** An instant in RFC 3339; @otherwise when it is not there, 0 when it is null. */
fan_time body_time(struct body *body, const char *name, fan_time otherwise);

/** A list of up to @most texts of 1 to 200 bytes; false when it is not there or not right. */
bool body_texts(struct body *body, const char *name, size_t most, struct fan_texts *out);

/** A list of up to @most ids; false when it is not there or not right. */
bool body_ids(struct body *body, const char *name, size_t most, struct fan_ids *out);

#endif

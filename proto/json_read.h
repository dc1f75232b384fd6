/*
 * json_read — RapidJSON, as C sees it: a part of json.
 */
#ifndef FAN_PROTO_JSON_READ_H
#define FAN_PROTO_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fan_json_word { FAN_JSON_WORD_NULL, FAN_JSON_WORD_TRUE, FAN_JSON_WORD_FALSE };

/* What a text holds, told in its order. Each returns false to end the reading there. Texts and
 * numbers, as they were written, end with a NUL and are borrowed for the call. */
struct fan_json_events {
    bool (*word)(void *context, enum fan_json_word word);
    bool (*number)(void *context, const char *at, size_t len);
    bool (*text)(void *context, const char *at, size_t len);
    bool (*key)(void *context, const char *at, size_t len); /* a member's; its value follows */
    bool (*open)(void *context);                            /* an object or an array */
    bool (*close_object)(void *context, size_t count);
    bool (*close_array)(void *context, size_t count);
    /** at[size] or NULL, made larger; what is given lasts until the reading ends. Never NULL. */
    void *(*grow)(void *context, void *at, size_t size, size_t wanted);
};

/**
 * Read text[len], which holds no NUL, to its end.
 *
 * Whether strings are UTF-8 is not looked at.
 *
 * offset  where it stopped
 * Returns NULL, or a sentence that says what is wrong there; "" when an event said so.
 */
const char *fan_json_read(const char *text, size_t len, const struct fan_json_events *events,
        void *context, size_t *offset);

#ifdef __cplusplus
}
#endif

#endif

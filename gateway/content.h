/*
 * content — what a message is made of, as clients write it: its parts, in one or more languages.
 *
 * Stored as actors/lib/text/choice.h reads it. The API calls the stored "text" message; everything
 * else has one name.
 */
#ifndef FAN_GATEWAY_CONTENT_H
#define FAN_GATEWAY_CONTENT_H

#include "gateway/body.h"

#include "actors/lib/text/text.h"
#include "proto/words.h"

/** Whether the body has any of a content's fields; null does not count. */
bool content_given(struct body *body);

/**
 * Read a content's fields, noting what has the wrong shape.
 *
 * before  the content as it was stored: fields that the body does not have stay; absent: none
 * Returns it as it is to be stored, in the arena.
 */
struct fan_bytes content_read(struct body *body, struct fan_bytes before);

/** The fields that texts of the caller's account may name. */
enum fan_err content_fields(struct call *call, struct fan_text_fields *out);

/**
 * Note everything that is wrong with a content.
 *
 * prefix  of field names: "content." or ""
 */
void content_check(struct call *call, enum fan_kind kind, struct fan_bytes content,
        const struct fan_text_fields *fields, const char *prefix);

/** Write a stored content's members into the open object. */
void content_write(struct call *call, struct fan_bytes content);

/** The caller's object, begun in the arena's care; close it and take its bytes. */
struct fan_buffer *content_begin(struct call *call, struct fan_json_writer *json);

/** Add a value as it is, unless it is absent or null. */
void content_add(struct fan_json_writer *json, const char *name, const struct fan_json *value);

#endif

/*
 * type — what a file is, told by its own bytes and by nothing else. Pure.
 *
 * What a client says of a file (a name, a Content-Type) is never believed: browsers and phones go
 * by what we say of it later.
 */
#ifndef FAN_ACTORS_LIB_MEDIA_TYPE_H
#define FAN_ACTORS_LIB_MEDIA_TYPE_H

#include "proto/bytes.h"

enum fan_media_kind {
    FAN_MEDIA_IMAGE = 1,
    FAN_MEDIA_AUDIO,
    FAN_MEDIA_VIDEO,
    FAN_MEDIA_DOCUMENT,
    FAN_MEDIA_KIND_COUNT,
};

/* The numbers stand in signed URLs: new ones go to the end. */
enum fan_media_type {
    FAN_MEDIA_PNG = 1,
    FAN_MEDIA_JPEG,
    FAN_MEDIA_WEBP,
    FAN_MEDIA_GIF,
    FAN_MEDIA_MP3,
    FAN_MEDIA_AAC,
    FAN_MEDIA_AMR,
    FAN_MEDIA_OGG,
    FAN_MEDIA_WAV,
    FAN_MEDIA_M4A,
    FAN_MEDIA_MP4,
    FAN_MEDIA_3GP,
    FAN_MEDIA_PDF,
    FAN_MEDIA_TYPE_COUNT,
};

struct fan_media_rule {
    const char *mime;   /* "image/png" */
    const char *ending; /* "png" */
    enum fan_media_kind kind;
};

enum { FAN_MEDIA_HEAD = 64 }; /* bytes of a file that tell its type */

/** What the file is that begins with @head (all of it, or FAN_MEDIA_HEAD bytes); 0: none of ours.
 */
enum fan_media_type fan_media_type_find(struct fan_bytes head);

/** The rule of a type that fan_media_type_find or fan_media_type_of gave. */
const struct fan_media_rule *fan_media_rule_of(enum fan_media_type type);

/** The type of that MIME name; 0: none of ours. */
enum fan_media_type fan_media_type_of(struct fan_bytes mime);

/** "image", "audio", … */
const char *fan_media_kind_name(enum fan_media_kind kind);

/** Bytes that a file of that kind may have. */
int64_t fan_media_cap(enum fan_media_kind kind);

/**
 * Read the size of a picture from the whole file.
 *
 * Returns false when it is no picture, or one that ends before it says its size.
 */
bool fan_media_measure(enum fan_media_type type, struct fan_bytes file, uint32_t *width,
        uint32_t *height);

#endif

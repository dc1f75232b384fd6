/*
 * media — pictures, sounds and documents, each kept once under the hash of its bytes.
 *
 * What comes in is written to a file, hashed and recognised on its way, and then kept as a whole or
 * not at all: in a folder, or in an object storage that speaks like S3. Keeping the same bytes
 * again changes nothing. Memory does not grow with a file. Every account has objects of its own, so
 * that one that deletes takes nothing from another.
 *
 * All on the loop's thread. What takes long calls back, later and from the loop, never from here.
 */
#ifndef FAN_ACTORS_LIB_MEDIA_MEDIA_H
#define FAN_ACTORS_LIB_MEDIA_MEDIA_H

#include "actors/lib/media/type.h"
#include "broker/runtime/loop.h"
#include "broker/runtime/settings.h"
#include "proto/arena.h"
#include "proto/err.h"
#include "proto/time.h"

struct fan_media;
struct fan_media_incoming;

enum { FAN_MEDIA_HASH = 32 /* bytes: SHA-256 */ };

struct fan_media_object {
    unsigned char hash[FAN_MEDIA_HASH];
    enum fan_media_type type;
    int64_t bytes;
    uint32_t width, height; /* 0: not known, or no picture */
};

/**
 * Say whether the settings of the store are right, without touching it.
 *
 * fails  FAN_INVALID  why->field is the setting
 */
enum fan_err fan_media_check(const struct fan_common_settings *common,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Say whether the store can be used: ask the storage, or look at the folder; changes nothing, and
 * waits for the answer.
 *
 * fails  as fan_media_check, FAN_DENIED  the storage refuses, FAN_UNAVAILABLE
 */
enum fan_err fan_media_probe(const struct fan_common_settings *common,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Open the store that the settings name; leftovers of uploads that were cut are removed.
 *
 * fails  as fan_media_check, and FAN_UNAVAILABLE  the folder cannot be made or written
 */
enum fan_err fan_media_open(struct fan_loop *loop, const struct fan_common_settings *common,
        struct fan_media **out, struct fan_why *why) FAN_MUST_CHECK;
/** What is under way ends without its callback. NULL is fine. */
void fan_media_close(struct fan_media **media);

/** Where it keeps things, for people: "folder /var/lib/fanfare/media", "bucket x at https://…". */
const char *fan_media_place(const struct fan_media *media);

/* ---- in ---- */

/** Begin to receive a file. fails FAN_UNAVAILABLE  the disk is nearly full, or fails */
enum fan_err fan_media_begin(struct fan_media *media, struct fan_media_incoming **out,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Add the next part. After a failure only fan_media_drop is allowed.
 *
 * fails  FAN_TOO_LARGE    more than a file of its kind may have
 *        FAN_INVALID      its first bytes are of no type that we take
 *        FAN_UNAVAILABLE  it cannot be written: the disk is full, or fails
 */
enum fan_err fan_media_add(struct fan_media_incoming *incoming, struct fan_bytes part,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Say that this was all of it, and what it is.
 *
 * fails  as fan_media_add, and FAN_INVALID  it is empty, or a picture that is cut
 */
enum fan_err fan_media_end(struct fan_media_incoming *incoming, struct fan_media_object *out,
        struct fan_why *why) FAN_MUST_CHECK;

/** Forget a file that was not kept. NULL is fine. */
void fan_media_drop(struct fan_media_incoming **incoming);

/**
 * err  FAN_OK, FAN_NOT_FOUND, FAN_DENIED (the storage refuses our key), FAN_UNAVAILABLE,
 *      FAN_UNCERTAIN; every operation may be repeated
 */
typedef void fan_media_done(void *context, enum fan_err err, const struct fan_why *why);

/** Keep a file that has ended, for @account. Takes @incoming. */
void fan_media_keep(struct fan_media_incoming **incoming, fan_id account, fan_media_done *done,
        void *context);

/* ---- out ---- */

/** @bytes are borrowed during the call; absent when @err. */
typedef void fan_media_got(void *context, enum fan_err err, struct fan_bytes bytes,
        const struct fan_why *why);

/** Read the whole object. */
void fan_media_get(struct fan_media *media, fan_id account, const struct fan_media_object *object,
        fan_media_got *got, void *context);

/** Whether it is there: FAN_OK, or FAN_NOT_FOUND. */
void fan_media_exists(struct fan_media *media, fan_id account,
        const struct fan_media_object *object, fan_media_done *done, void *context);

/** Remove it; one that is not there is as good as removed. */
void fan_media_remove(struct fan_media *media, fan_id account,
        const struct fan_media_object *object, fan_media_done *done, void *context);

/** Whether objects are files here, so that fan_media_file serves; otherwise fan_media_link does. */
bool fan_media_is_folder(const struct fan_media *media);

/**
 * Open the object's file.
 *
 * fd     out: for the caller to close
 * bytes  out: its size
 * fails  FAN_NOT_FOUND, FAN_UNAVAILABLE
 */
enum fan_err fan_media_file(const struct fan_media *media, fan_id account,
        const struct fan_media_object *object, int *fd, int64_t *bytes,
        struct fan_why *why) FAN_MUST_CHECK;

/** A URL at the storage from which anybody may read the object until @expires_s (at most a week)
 * after @now. */
struct fan_bytes fan_media_link(const struct fan_media *media, fan_id account,
        const struct fan_media_object *object, fan_time now, uint32_t expires_s,
        struct fan_arena *arena);

/* ---- names ---- */

enum { FAN_MEDIA_KEY = 112 };

/** The object's name in the store: "7/ab/cd/abcd….png". */
struct fan_bytes fan_media_key(fan_id account, const struct fan_media_object *object,
        char out[FAN_MEDIA_KEY]);

#endif

/*
 * store — what a place that keeps objects does for media.c. Private to actors/lib/media.
 *
 *   folder.c  files below a folder
 *   s3.c      objects of a bucket
 */
#ifndef FAN_ACTORS_LIB_MEDIA_STORE_H
#define FAN_ACTORS_LIB_MEDIA_STORE_H

#include "actors/lib/media/media.h"

/* One operation under way; freed when it has called back, or with the store. */
struct media_job {
    struct media_job *next, **at; /* in media->jobs */
    struct fan_media *media;
    fan_media_done *done; /* or */
    fan_media_got *got;
    void *context;
    struct fan_arena *arena;
    struct fan_media_incoming *incoming; /* being kept */
    struct fan_bytes body;               /* mapped from it */
    struct fan_timer *timer;             /* it is over: tell it */
    enum fan_err err;
    struct fan_why why;
    char *bytes; /* that were read, malloc'd */
    size_t len;
};

struct media_store {
    void (*keep)(struct media_job *job, struct fan_bytes key);
    void (*get)(struct media_job *job, struct fan_bytes key);
    void (*exists)(struct media_job *job, struct fan_bytes key);
    void (*remove)(struct media_job *job, struct fan_bytes key);
    void (*close)(struct fan_media *media);
};

struct fan_media {
    struct fan_loop *loop;
    const struct media_store *store;
    struct media_job *jobs;
    char *dir;   /* where files come in, and stay with the folder */
    char *place; /* for people */
    struct s3 *s3;
};

/* A file on its way in. */
struct fan_media_incoming {
    struct fan_media *media;
    int fd;
    char name[32];
    struct hashing *hashing;
    unsigned char head[FAN_MEDIA_HEAD];
    int64_t flushed; /* bytes that the disk was asked to write */
    struct fan_media_object object;
    bool ended;
};

/** The job is over with @job->err: its callback is called from the loop. */
void media_job_over(struct media_job *job);

/* ---- folder.c ---- */

extern const struct media_store media_folder;

/** Make the folders, and remove what old uploads left. fails FAN_UNAVAILABLE */
enum fan_err media_folder_open(struct fan_media *media, struct fan_why *why) FAN_MUST_CHECK;
/** Whether the folder, or the one in which it would be made, may be written. fails FAN_UNAVAILABLE
 */
enum fan_err media_folder_probe(const struct fan_media *media, struct fan_why *why) FAN_MUST_CHECK;
/** The path of a file that comes in, in @arena. */
const char *media_incoming_path(const struct fan_media_incoming *incoming, struct fan_arena *arena);
/** FAN_UNAVAILABLE, saying what errno means for whoever keeps the disk. */
enum fan_err media_disk_failed(struct fan_why *why, const char *doing);

/* ---- s3.c ---- */

extern const struct media_store media_s3;

enum fan_err media_s3_check(const struct fan_common_settings *common,
        struct fan_why *why) FAN_MUST_CHECK;
void media_s3_open(struct fan_media *media, const struct fan_common_settings *common);
struct fan_bytes media_s3_link(const struct fan_media *media, struct fan_bytes key, fan_time now,
        uint32_t expires_s, struct fan_arena *arena);

#endif

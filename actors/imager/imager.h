/*
 * imager — what its files share: jobs, and what becomes of them one after the other.
 */
#ifndef FAN_IMAGER_IMAGER_H
#define FAN_IMAGER_IMAGER_H

#include "actors/lib/media/media.h"
#include "actors/lib/studio/studio.h"
#include "broker/runtime/actor.h"

enum { PREVIEW_MAX = 700 * 1024 /* bytes, of image_ready.picture */ };

struct imager_settings {
    uint32_t deadline_ms;
    uint32_t remembered;
    const char *pictures;
};

/* One picture that was asked for; all of it lies in its own arena. */
struct job {
    struct job *next;
    struct fan_arena *arena;
    struct fan_route route;
    uint64_t asker, request;
    struct fan_picture_order order;
    struct fan_media_object logo; /* when has_logo */
    bool has_logo, preview;
    unsigned char key[32]; /* hash of everything that the picture shows, and of the account */
    struct fan_media_object made;
};

/* A picture that is in the store. */
struct remembered {
    unsigned char key[32];
    struct fan_media_object object; /* type 0: none */
};

struct imager {
    struct fan_actor *actor;
    struct fan_studio *studio;
    struct fan_media *media;
    struct fan_watch *watch; /* of the drawing child */
    struct fan_timer *timer; /* its patience */
    struct fan_timer *soon;  /* the next job begins */
    struct job *first, **last;
    struct job *job; /* under way; not among the others */
    uint32_t waiting;
    struct remembered *remembered; /* [settings.remembered], by key */
    struct fan_metric *drawn, *found, *failed, *children;
};

/* ---- job.c ---- */

/** Copy a request. fails FAN_INVALID: the text says what is no such thing */
enum fan_err job_new(const struct fan_image_request *request, const struct fan_route *route,
        struct job **out, struct fan_why *why) FAN_MUST_CHECK;
void job_free(struct job **job);

/** Tell whoever asked: the picture of @job->made, with its bytes when it is a preview. */
void job_tell_made(struct fan_actor *actor, const struct job *job, struct fan_bytes picture);

/** Tell whoever asked why there is none. */
void job_tell_failed(struct fan_actor *actor, uint64_t asker, uint64_t request,
        const struct fan_route *route, enum fan_err err, const struct fan_why *why);

/* ---- work.c ---- */

/** Put a job at the end of the queue; it is taken. */
void work_add(struct imager *self, struct job *job);

/** Forget all jobs, unanswered. */
void work_end(struct imager *self);

#endif

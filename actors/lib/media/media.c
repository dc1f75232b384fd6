#include "actors/lib/media/store.h"

#include "broker/runtime/clock.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINK_MOST_S = 7 * 24 * 3600 };

static bool uses_s3(const struct fan_common_settings *common)
{
    return common->media_s3_endpoint[0] || common->media_s3_bucket[0] || common->media_s3_key[0] ||
            common->media_s3_secret[0];
}

/* ---- opening ---- */

enum fan_err fan_media_check(const struct fan_common_settings *common, struct fan_why *why)
{
    if (common->media_dir[0] && common->media_dir[0] != '/')
        return fan_fail_field(why, FAN_INVALID, "media_dir",
                "media_dir is \"%s\": it must be an absolute path, such as /var/lib/fanfare/media",
                common->media_dir);
    return uses_s3(common) ? media_s3_check(common, why) : FAN_OK;
}

static struct fan_media *media_new(struct fan_loop *loop, const struct fan_common_settings *common)
{
    struct fan_media *media = calloc(1, sizeof *media);

    if (sodium_init() < 0)
        fan_die("libsodium cannot start: no source of random numbers");
    if (!media ||
            (common->media_dir[0] ? asprintf(&media->dir, "%s", common->media_dir)
                                  : asprintf(&media->dir, "%s/media", common->state_dir)) < 0)
        fan_die("out of memory: the media store");
    media->loop = loop;
    if (uses_s3(common)) {
        media_s3_open(media, common);
        return media;
    }
    media->store = &media_folder;
    if (asprintf(&media->place, "folder %s", media->dir) < 0)
        fan_die("out of memory: the media store");
    return media;
}

enum fan_err fan_media_open(struct fan_loop *loop, const struct fan_common_settings *common,
        struct fan_media **out, struct fan_why *why)
{
    enum fan_err err = fan_media_check(common, why);

    *out = NULL;
    if (err)
        return err;
    *out = media_new(loop, common);
    err = media_folder_open(*out, why);
    if (err)
        fan_media_close(out);
    return err;
}

const char *fan_media_place(const struct fan_media *media)
{
    return media->place;
}

bool fan_media_is_folder(const struct fan_media *media)
{
    return media->store == &media_folder;
}

/* ---- names ---- */

struct fan_bytes fan_media_key(fan_id account, const struct fan_media_object *object,
        char out[FAN_MEDIA_KEY])
{
    char hex[2 * FAN_MEDIA_HASH + 1];
    int len;

    sodium_bin2hex(hex, sizeof hex, object->hash, FAN_MEDIA_HASH);
    len = snprintf(out, FAN_MEDIA_KEY, "%lld/%.2s/%.2s/%s.%s", (long long)account, hex, hex + 2,
            hex, fan_media_rule_of(object->type)->ending);
    return (struct fan_bytes){ out, (size_t)len };
}

struct fan_bytes fan_media_link(const struct fan_media *media, fan_id account,
        const struct fan_media_object *object, fan_time now, uint32_t expires_s,
        struct fan_arena *arena)
{
    char key[FAN_MEDIA_KEY];

    FAN_ASSERT(media->s3 && expires_s > 0);
    return media_s3_link(media, fan_media_key(account, object, key), now,
            expires_s < LINK_MOST_S ? expires_s : LINK_MOST_S, arena);
}

/* ---- operations ---- */

static struct media_job *job_new(struct fan_media *media, void *context)
{
    struct media_job *job = calloc(1, sizeof *job);

    if (!job)
        fan_die("out of memory: work on media");
    job->media = media;
    job->context = context;
    job->arena = fan_arena_new();
    job->next = media->jobs;
    job->at = &media->jobs;
    if (job->next)
        job->next->at = &job->next;
    media->jobs = job;
    return job;
}

static void job_free(struct media_job *job)
{
    *job->at = job->next;
    if (job->next)
        job->next->at = job->at;
    if (job->timer)
        fan_loop_cancel(&job->timer);
    fan_media_drop(&job->incoming);
    fan_arena_free(&job->arena); /* with what is mapped */
    free(job->bytes);
    free(job);
}

static void tell(void *context)
{
    struct media_job *job = context;
    struct fan_bytes bytes = FAN_NO_BYTES;

    job->timer = NULL;
    if (!job->err && job->got)
        bytes = (struct fan_bytes){ job->bytes ? job->bytes : "", job->len };
    if (job->got)
        job->got(job->context, job->err, bytes, &job->why);
    else
        job->done(job->context, job->err, &job->why);
    job_free(job);
}

void media_job_over(struct media_job *job)
{
    job->timer = fan_loop_after(job->media->loop, 0, tell, job);
}

void fan_media_close(struct fan_media **media)
{
    struct fan_media *self = *media;

    if (!self)
        return;
    if (self->store && self->store->close)
        self->store->close(self); /* its calls end here, without an answer */
    for (struct media_job *job = self->jobs, *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
    free(self->dir);
    free(self->place);
    free(self);
    *media = NULL;
}

void fan_media_keep(struct fan_media_incoming **incoming, fan_id account, fan_media_done *done,
        void *context)
{
    struct fan_media *media = (*incoming)->media;
    struct media_job *job = job_new(media, context);
    char key[FAN_MEDIA_KEY];

    FAN_ASSERT((*incoming)->ended);
    job->done = done;
    job->incoming = *incoming;
    *incoming = NULL;
    media->store->keep(job, fan_media_key(account, &job->incoming->object, key));
}

void fan_media_get(struct fan_media *media, fan_id account, const struct fan_media_object *object,
        fan_media_got *got, void *context)
{
    struct media_job *job = job_new(media, context);
    char key[FAN_MEDIA_KEY];

    job->got = got;
    media->store->get(job, fan_media_key(account, object, key));
}

void fan_media_exists(struct fan_media *media, fan_id account,
        const struct fan_media_object *object, fan_media_done *done, void *context)
{
    struct media_job *job = job_new(media, context);
    char key[FAN_MEDIA_KEY];

    job->done = done;
    media->store->exists(job, fan_media_key(account, object, key));
}

void fan_media_remove(struct fan_media *media, fan_id account,
        const struct fan_media_object *object, fan_media_done *done, void *context)
{
    struct media_job *job = job_new(media, context);
    char key[FAN_MEDIA_KEY];

    job->done = done;
    media->store->remove(job, fan_media_key(account, object, key));
}

/* ---- a look from outside ---- */

struct probe {
    struct fan_loop *loop;
    enum fan_err err;
    struct fan_why *why;
};

static void on_probed(void *context, enum fan_err err, struct fan_bytes bytes,
        const struct fan_why *why)
{
    struct probe *probe = context;

    (void)bytes;
    probe->err = err == FAN_NOT_FOUND ? FAN_OK : err;
    if (probe->err)
        *probe->why = *why;
    fan_loop_stop(probe->loop);
}

enum fan_err fan_media_probe(const struct fan_common_settings *common, struct fan_why *why)
{
    static const struct fan_media_object nothing = { .type = FAN_MEDIA_PNG };
    struct probe probe = { .err = fan_media_check(common, why), .why = why };
    struct fan_media *media;

    if (probe.err)
        return probe.err;
    probe.loop = fan_loop_new();
    media = media_new(probe.loop, common);
    if (fan_media_is_folder(media)) {
        probe.err = media_folder_probe(media, why);
    } else {
        fan_media_get(media, 1, &nothing, on_probed, &probe);
        fan_loop_run(probe.loop);
    }
    fan_media_close(&media);
    fan_loop_free(&probe.loop);
    return probe.err;
}

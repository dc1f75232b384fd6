/*
 * One job at a time: found in the store, or its logo read, the picture drawn and kept. The loop
 * goes on meanwhile; only the child computes.
 */
#include "actors/imager/imager.h"

#include "actors/lib/picture/logo.h"
#include "proto/fault.h"

#include <stdlib.h>

static const struct imager_settings *settings_of(const struct imager *self)
{
    return fan_actor_settings(self->actor);
}

/* ---- ends ---- */

static void begin_soon(struct imager *self);

static void end_job(struct imager *self)
{
    fan_actor_done(self->actor, self->job->route.lane);
    job_free(&self->job);
    begin_soon(self);
}

static void fail(struct imager *self, enum fan_err err, const struct fan_why *why)
{
    const struct job *job = self->job;

    fan_metric_add(self->failed, 1);
    fan_log(NULL, FAN_WARN, "picture.failed", "a picture of account %lld: %s: %s",
            (long long)job->route.account, fan_err_name(err), why->text);
    job_tell_failed(self->actor, job->asker, job->request, &job->route, err, why);
    end_job(self);
}

/* ---- what is in the store already ---- */

static struct remembered *place_of(struct imager *self, const unsigned char key[32])
{
    uint32_t number;

    memcpy(&number, key, sizeof number);
    return &self->remembered[number % settings_of(self)->remembered];
}

static bool remembers(struct imager *self, const struct job *job)
{
    const struct remembered *place = place_of(self, job->key);

    return place->object.type && memcmp(place->key, job->key, sizeof place->key) == 0;
}

static void remember(struct imager *self, const struct job *job)
{
    struct remembered *place = place_of(self, job->key);

    memcpy(place->key, job->key, sizeof place->key);
    place->object = job->made;
}

/* ---- keeping ---- */

static void on_kept(void *context, enum fan_err err, const struct fan_why *why)
{
    struct imager *self = context;

    if (err) {
        fail(self, err, why);
        return;
    }
    remember(self, self->job);
    job_tell_made(self->actor, self->job, FAN_NO_BYTES);
    end_job(self);
}

static void keep(struct imager *self, struct fan_bytes picture, const struct fan_picture_note *note)
{
    struct fan_media_incoming *incoming = NULL;
    struct fan_why why = { 0 };
    enum fan_err err = fan_media_begin(self->media, &incoming, &why);

    if (!err)
        err = fan_media_add(incoming, picture, &why);
    if (!err)
        err = fan_media_end(incoming, &self->job->made, &why);
    if (err) {
        fan_media_drop(&incoming);
        fail(self, err, &why);
        return;
    }
    self->job->made.width = (uint32_t)note->width;
    self->job->made.height = (uint32_t)note->height;
    fan_media_keep(&incoming, self->job->route.account, on_kept, self);
}

static void hand_out(struct imager *self, struct fan_bytes picture,
        const struct fan_picture_note *note)
{
    struct job *job = self->job;
    struct fan_why why = { 0 };

    fan_metric_add(self->drawn, 1);
    if (!job->preview) {
        keep(self, picture, note);
        return;
    }
    if (picture.len > PREVIEW_MAX) {
        fan_fail_field(&why, FAN_TOO_LARGE, "format",
                "the picture has %zu bytes, and a preview at most %d: ask for jpeg", picture.len,
                PREVIEW_MAX);
        fail(self, FAN_TOO_LARGE, &why);
        return;
    }
    job->made = (struct fan_media_object){ .type = (enum fan_media_type)job->order.format,
        .bytes = (int64_t)picture.len,
        .width = (uint32_t)note->width,
        .height = (uint32_t)note->height };
    job_tell_made(self->actor, job, picture);
    end_job(self);
}

/* ---- drawing ---- */

static void hear_no_more(struct imager *self)
{
    fan_loop_unwatch(&self->watch);
    fan_loop_cancel(&self->timer);
}

static void child_failed(struct imager *self, const struct fan_why *why)
{
    fan_metric_add(self->children, 1);
    fan_log(NULL, FAN_WARN, "child.replaced", "%s", why->text);
}

static void hear_child(struct imager *self);

static void on_said(void *context, int fd, int ready)
{
    struct imager *self = context;
    struct fan_picture_note note = { 0 };
    struct fan_why why = { 0 };
    struct fan_buffer picture;
    enum fan_err err;
    bool done;

    (void)fd;
    (void)ready;
    fan_buffer_init(&picture, FAN_PICTURE_BYTES_MAX);
    hear_no_more(self);
    err = fan_studio_hear(self->studio, &picture, &note, &done, &why);
    hear_child(self);
    if (err && !fan_studio_child(self->studio))
        child_failed(self, &why);
    if (done && err)
        fail(self, err, &why);
    else if (done)
        hand_out(self, fan_buffer_bytes(&picture), &note);
    fan_buffer_fini(&picture);
}

static void on_silence(void *context)
{
    struct imager *self = context;
    struct fan_why why = { 0 };
    enum fan_err err;

    self->timer = NULL;
    hear_no_more(self);
    err = fan_studio_give_up(self->studio, &why);
    child_failed(self, &why);
    if (self->job)
        fail(self, err, &why);
}

static void hear_child(struct imager *self)
{
    struct fan_loop *loop = fan_actor_loop(self->actor);
    uint32_t patience = fan_studio_patience(self->studio);
    int fd = fan_studio_fd(self->studio);

    hear_no_more(self);
    if (fd < 0)
        return;
    self->watch = fan_loop_watch(loop, fd, FAN_READABLE, on_said, self);
    if (patience)
        self->timer = fan_loop_after(loop, patience, on_silence, self);
}

static void draw(struct imager *self)
{
    struct fan_why why = { 0 };
    enum fan_err err;

    hear_no_more(self);
    err = fan_studio_ask(self->studio, &self->job->order, &why);
    FAN_FAULT("imager.asked");
    hear_child(self);
    if (err)
        fail(self, err, &why);
}

static void on_logo(void *context, enum fan_err err, struct fan_bytes file,
        const struct fan_why *why)
{
    struct imager *self = context;
    struct fan_why told = { 0 };

    if (err == FAN_NOT_FOUND)
        err = fan_fail_field(&told, FAN_NOT_FOUND, "logo", "there is no PNG of that hash");
    else if (err)
        told = *why;
    else if (file.len > FAN_LOGO_PNG_MAX)
        err = fan_fail_field(&told, FAN_TOO_LARGE, "logo", "it has %zu bytes; a logo at most %d",
                file.len, FAN_LOGO_PNG_MAX);
    if (err) {
        fail(self, err, &told);
        return;
    }
    self->job->order.logo = fan_bytes_dup(file, self->job->arena);
    draw(self);
}

static void make(struct imager *self)
{
    if (self->job->has_logo)
        fan_media_get(self->media, self->job->route.account, &self->job->logo, on_logo, self);
    else
        draw(self);
}

static void on_looked(void *context, enum fan_err err, const struct fan_why *why)
{
    struct imager *self = context;

    (void)why;
    if (err) { /* gone since, or the storage is away: drawing says what is wrong */
        make(self);
        return;
    }
    fan_metric_add(self->found, 1);
    self->job->made = place_of(self, self->job->key)->object;
    job_tell_made(self->actor, self->job, FAN_NO_BYTES);
    end_job(self);
}

/* ---- the queue ---- */

static bool is_late(const struct job *job)
{
    return job->route.not_after && fan_clock_now() > job->route.not_after;
}

static void on_soon(void *context)
{
    struct imager *self = context;
    struct fan_why why = { 0 };

    self->soon = NULL;
    if (self->job || !self->first)
        return;
    self->job = self->first;
    self->first = self->job->next;
    if (!self->first)
        self->last = &self->first;
    self->waiting--;
    if (is_late(self->job))
        fail(self, fan_fail(&why, FAN_UNAVAILABLE, "it waited until its deadline was over"), &why);
    else if (!self->job->preview && remembers(self, self->job))
        fan_media_exists(self->media, self->job->route.account,
                &place_of(self, self->job->key)->object, on_looked, self);
    else
        make(self);
}

static void begin_soon(struct imager *self)
{
    if (!self->soon && !self->job && self->first)
        self->soon = fan_loop_after(fan_actor_loop(self->actor), 0, on_soon, self);
}

void work_add(struct imager *self, struct job *job)
{
    *self->last = job;
    self->last = &job->next;
    self->waiting++;
    begin_soon(self);
}

void work_end(struct imager *self)
{
    hear_no_more(self);
    fan_loop_cancel(&self->soon);
    job_free(&self->job);
    while (self->first) {
        struct job *job = self->first;

        self->first = job->next;
        job_free(&job);
    }
}

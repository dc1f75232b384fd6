/*
 * imager — draws greeting pictures, for previews and for the media store.
 *
 * takes   image_request
 * gives   image_ready; pictures in the media store, each once
 * keeps   which requests' pictures are in the store, as a cache: what is forgotten is drawn again,
 *         and gives the same bytes under the same name
 * scales  start as many as there are cores; they share nothing but the store
 * fails   a picture whose drawing child dies, spins or takes too much memory fails alone, once, and
 *         says why; another child draws the next. Killed itself, it leaves what it was asked
 *         unanswered: whoever asked has a deadline
 *
 * Its child is started with the first picture: whoever wants none has no fonts in memory.
 * It reads no file and no text of strangers: fanfare-painter does, in a cage. It never waits for
 * it, so brokers hear of the imager while it draws.
 */
#include "actors/imager/imager.h"

#include "actors/lib/picture/place.h"
#include "proto/json.h"

#include <stdlib.h>

static const struct fan_setting settings[] = {
    FAN_SET_U32(struct imager_settings, deadline_ms, "10000", 100, 120000,
            "milliseconds that one picture may take; then its child is killed"),
    FAN_SET_U32(struct imager_settings, remembered, "4096", 1, 1048576,
            "pictures of which it knows that they are in the store"),
    FAN_SET_TEXT(struct imager_settings, pictures, "",
            "folder of the catalogue; empty: FANFARE_PICTURES, or this installation's"),
    FAN_SET_END,
};

static enum fan_err on_image_request(struct fan_turn *turn, const struct fan_image_request *request)
{
    struct imager *self = turn->state;
    struct fan_why why = { 0 };
    struct job *job;
    enum fan_err err = job_new(request, &turn->route, &job, &why);

    if (err) { /* told to whoever asked; the frame is done with */
        fan_metric_add(self->failed, 1);
        job_tell_failed(self->actor, request->asker, request->request, &turn->route, err, &why);
        fan_actor_done(self->actor, turn->route.lane);
        return FAN_OK;
    }
    work_add(self, job);
    return FAN_OK;
}

/* ---- its life ---- */

static void open_metrics(struct imager *self)
{
    struct fan_metrics *metrics = fan_actor_metrics(self->actor);

    self->drawn = fan_metric_counter(metrics, "fanfare_pictures_total", "result=\"drawn\"",
            "Pictures that were asked for, by what became of them.");
    self->found = fan_metric_counter(metrics, "fanfare_pictures_total", "result=\"found\"",
            "Pictures that were asked for, by what became of them.");
    self->failed = fan_metric_counter(metrics, "fanfare_pictures_total", "result=\"failed\"",
            "Pictures that were asked for, by what became of them.");
    self->children = fan_metric_counter(metrics, "fanfare_picture_children_ended_total", "",
            "Drawing children that died or were killed, and were replaced.");
}

static enum fan_err open_imager(struct fan_actor *actor, void *state, struct fan_why *why)
{
    const struct imager_settings *set = fan_actor_settings(actor);
    struct imager *self = state;
    struct fan_arena *arena = fan_arena_new();
    const struct fan_studio_settings studio = {
        .program = fan_place_beside("fanfare-painter", arena),
        .pictures = fan_place_of_pictures(set->pictures, arena),
        .deadline_ms = (int)set->deadline_ms,
    };

    self->actor = actor;
    self->last = &self->first;
    self->studio = fan_studio_new(&studio);
    fan_arena_free(&arena);
    self->remembered = calloc(set->remembered, sizeof *self->remembered);
    if (!self->remembered)
        fan_die("out of memory: remembered pictures");
    open_metrics(self);
    return fan_media_open(fan_actor_loop(actor), fan_actor_common(actor), &self->media, why);
}

static bool imager_is_busy(struct fan_actor *actor, void *state)
{
    const struct imager *self = state;

    (void)actor;
    return self->job || self->first;
}

static void close_imager(struct fan_actor *actor, void *state)
{
    struct imager *self = state;

    (void)actor;
    work_end(self);
    fan_media_close(&self->media);
    fan_studio_close(&self->studio);
    free(self->remembered);
}

static bool health(struct fan_actor *actor, void *state, struct fan_buffer *json_members)
{
    const struct imager *self = state;
    struct fan_json_writer json;

    (void)actor;
    fan_json_begin(&json, json_members);
    fan_json_add_bool(&json, "drawing", self->job != NULL);
    fan_json_add_i64(&json, "waiting", self->waiting);
    fan_json_add_bool(&json, "has_child", fan_studio_child(self->studio) != 0);
    return true;
}

static const struct fan_role imager = {
    .name = "imager",
    .summary = "draws greeting pictures, for previews and for the media store",
    .settings = settings,
    .settings_size = sizeof(struct imager_settings),
    .state_size = sizeof(struct imager),
    .no_database = true,
    .credit_urgent = 8,
    .credit_normal = 4,
    .manual_credit = true,
    .open = open_imager,
    .busy = imager_is_busy,
    .close = close_imager,
    .health = health,
    .on = { .image_request = on_image_request },
};

int main(int argc, char **argv)
{
    return fan_actor_main(&imager, argc, argv);
}

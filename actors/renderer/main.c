/*
 * renderer — writes each recipient's copy of a message.
 *
 * takes   render_request
 * gives   send_request
 * keeps   compiled templates, as a cache; which copy it is writing, in a mark that survives it;
 *         everything else is in PostgreSQL
 * scales  start as many as there are cores; they share nothing
 * fails   a copy that cannot be written fails that message alone, and so does one that three
 *         renderers died of; a database that is away leaves the chunk as it is, and the scheduler's
 *         sweep asks again
 */
#include "actors/renderer/renderer.h"

#include "actors/lib/text/values.h"
#include "proto/fault.h"
#include "sql/store/dead.h"

#include <stdio.h>
#include <stdlib.h>

enum { CARRIED_MAX = 256 * 1024 }; /* bytes of copies that still travel with the frame */
enum { MARKS_EVERY_MS = 2000 };

struct settings {
    uint32_t cached_templates;
};

static const struct fan_setting settings[] = {
    FAN_SET_U32(struct settings, cached_templates, "256", 1, 65536, "compiled templates to keep"),
    FAN_SET_END,
};

struct renderer {
    struct template_cache templates;
    struct pen pen;
    struct fan_actor *actor;
    char *marks; /* the folder of this host's */
    struct fan_metric *copies, *refused, *crashes;
};

/* Without a mark it goes on: a full disk must not keep messages from being written. */
static void make_mark(struct renderer *self)
{
    struct fan_why why;

    if (mark_create(self->marks, fan_actor_incarnation(self->actor), &self->pen.mark, &why))
        fan_log(NULL, FAN_WARN, "mark.missing",
                "should it die of a message, nobody will know of which: %s", why.text);
}

static enum fan_err open_renderer(struct fan_actor *actor, void *state, struct fan_why *why)
{
    const struct settings *set = fan_actor_settings(actor);
    struct fan_metrics *metrics = fan_actor_metrics(actor);
    struct renderer *self = state;

    (void)why;
    self->actor = actor;
    if (asprintf(&self->marks, "%s/marks", fan_actor_common(actor)->state_dir) < 0)
        fan_die("out of memory: a path");
    make_mark(self);
    template_cache_init(&self->templates, set->cached_templates);
    self->pen.machine = fan_liquid_machine_new();
    fan_buffer_init(&self->pen.scratch, FAN_RENDERED_MAX);
    self->copies = fan_metric_counter(metrics, "fanfare_copies_total", "result=\"written\"",
            "Copies of messages, by result");
    self->refused = fan_metric_counter(metrics, "fanfare_copies_total", "result=\"refused\"",
            "Copies of messages, by result");
    self->crashes = fan_metric_counter(metrics, "fanfare_renderer_crashes_total", "",
            "Renderers of this host that died while they wrote a copy");
    return FAN_OK;
}

static void close_renderer(struct fan_actor *actor, void *state)
{
    struct renderer *self = state;

    (void)actor;
    mark_remove(&self->pen.mark);
    free(self->marks);
    template_cache_fini(&self->templates);
    fan_buffer_fini(&self->pen.scratch);
    fan_liquid_machine_free(&self->pen.machine);
}

/* The copies travel with the frame when they are small; otherwise the sender reads them. */
static struct fan_copy_list carried(struct fan_turn *turn, fan_id chunk,
        const struct fan_chunk_written *messages)
{
    struct fan_copy *copies = fan_arena_array(turn->arena, messages->count, sizeof *copies);
    size_t count = 0, bytes = 0;

    for (size_t i = 0; i < messages->count; i++) {
        if (messages->states[i] != FAN_MESSAGE_PENDING)
            continue;
        bytes += messages->bodies[i].len + messages->addresses[i].len + 32;
        if (bytes > CARRIED_MAX)
            return (struct fan_copy_list){ 0 };
        copies[count++] = (struct fan_copy){
            .message = fan_message_id(chunk, (uint32_t)i),
            .contact = messages->contacts[i],
            .address = messages->addresses[i],
            .format = (uint32_t)messages->formats[i],
            .body = messages->bodies[i],
        };
    }
    return (struct fan_copy_list){ copies, count };
}

static void count(struct renderer *self, const struct fan_chunk_written *messages)
{
    size_t written = 0;

    for (size_t i = 0; i < messages->count; i++)
        written += messages->states[i] == FAN_MESSAGE_PENDING;
    fan_metric_add(self->copies, (double)written);
    fan_metric_add(self->refused, (double)(messages->count - written));
}

static enum fan_err read_people(struct fan_turn *turn, const struct fan_chunk_planned *chunk,
        const struct compiled *template, const struct fan_person **people)
{
    const struct fan_choice *choice =
            template->variants ? fan_variants_choice(template->variants, chunk->variant) : NULL;
    const struct fan_people_wanted wanted = {
        .contacts = chunk->contacts,
        .kind = chunk->kind,
        .attributes = choice && fan_choice_wants_attributes(choice),
        .more = choice && fan_choice_wants_more(choice),
    };

    return fan_chunk_people(turn->db, turn->route.account, &wanted, turn->arena, people,
            &turn->why);
}

static enum fan_err count_crash(struct fan_turn *turn, const struct mark_left *left)
{
    struct renderer *self = turn->state;
    enum fan_err err;

    if (left->position < 0)
        return FAN_OK;
    fan_turn_account(turn, left->account);
    err = fan_chunk_render_crashed(turn->db, left->account, left->chunk, (uint32_t)left->position,
            left->owner, turn->arena, &turn->why);
    if (!err)
        err = fan_turn_commit(turn);
    if (err)
        return err;
    fan_metric_add(self->crashes, 1);
    fan_log(turn, FAN_WARN, "message.suspected",
            "a renderer died while it wrote copy %d of chunk %lld", left->position,
            (long long)left->chunk);
    return FAN_OK;
}

/* Count what the dead of this host were writing. @found: out, whether there were any; then the
 * turn's transaction is another one */
static enum fan_err count_crashes(struct fan_turn *turn, bool *found)
{
    const struct renderer *self = turn->state;
    fan_id account = turn->route.account;
    struct mark_left left;
    enum fan_err err = FAN_OK;

    *found = false;
    while (!err && mark_find_left(self->marks, self->pen.mark, &left)) {
        *found = true;
        err = fan_turn_commit(turn);
        if (!err)
            err = count_crash(turn, &left);
        mark_left_close(&left, !err || err == FAN_INVALID); /* refused once, refused for ever */
    }
    if (*found)
        fan_turn_account(turn, account);
    return err;
}

static enum fan_err on_marks(struct fan_turn *turn)
{
    struct renderer *self = turn->state;
    bool found;

    if (!self->pen.mark)
        make_mark(self);
    return count_crashes(turn, &found);
}

/* A chunk, held, with every crash of this host counted: nobody else begins it, so whoever died of
 * it did so before. */
static enum fan_err load(struct fan_turn *turn, const struct fan_render_request *req,
        struct fan_chunk_planned *out)
{
    bool died = true;
    enum fan_err err = FAN_OK;

    while (!err && died) {
        err = fan_chunk_load(turn->db, turn->route.account, req->chunk, req->epoch, turn->arena,
                out, &turn->why);
        if (!err)
            err = count_crashes(turn, &died);
    }
    return err;
}

/* The people of whose copies too many renderers died are done with. */
static enum fan_err bury(struct fan_turn *turn, const struct fan_chunk_planned *chunk, fan_id id,
        const struct fan_chunk_written *messages)
{
    fan_id account = turn->route.account;
    fan_id *dead = fan_arena_array(turn->arena, messages->count, sizeof *dead);
    size_t count = 0;
    enum fan_err err = FAN_OK;

    if (chunk->crashed.len == 0)
        return FAN_OK;
    for (size_t i = 0; i < messages->count; i++) {
        if (messages->reasons[i] == FAN_REASON_POISON)
            dead[count++] = fan_message_id(id, (uint32_t)i);
    }
    if (count > 0)
        err = fan_dead_note_unwritten(turn->db, account, chunk->run,
                (struct fan_ids){ dead, count }, turn->arena, &turn->why);
    return err ? err : fan_chunk_render_survived(turn->db, account, id, turn->arena, &turn->why);
}

static enum fan_err on_render_request(struct fan_turn *turn, const struct fan_render_request *req)
{
    struct renderer *self = turn->state;
    fan_id account = turn->route.account;
    struct fan_chunk_planned chunk;
    struct fan_chunk_written messages;
    const struct fan_person *people;
    const struct compiled *template;
    struct fan_send_request out = { .chunk = req->chunk, .epoch = req->epoch };
    struct fan_route route;

    enum fan_err err = load(turn, req, &chunk);

    FAN_FAULT("renderer.loaded");
    if (err == FAN_CONFLICT)
        return FAN_OK; /* an old frame, or somebody was first: nothing to do */
    if (!err)
        err = template_cache_get(&self->templates, turn, &chunk, &template);
    if (!err)
        err = read_people(turn, &chunk, template, &people);
    mark_chunk(self->pen.mark, account, req->chunk);
    if (!err)
        err = write_copies(turn, template, &chunk, people, &self->pen, &messages);
    if (!err)
        err = fan_chunk_render(turn->db, account, req->chunk, req->epoch, &messages, turn->arena,
                &turn->why);
    if (!err)
        err = bury(turn, &chunk, req->chunk, &messages);
    FAN_FAULT("renderer.before_commit");
    if (err)
        return err;
    count(self, &messages);
    out.channel = chunk.channel;
    out.copies = carried(turn, req->chunk, &messages);
    route = (struct fan_route){ account, chunk.run, chunk.lane, chunk.kind,
        fan_clock_now() + 5 * FAN_SECOND };
    return fan_emit_send_request(turn, &route, &out);
}

static const struct fan_tick ticks[] = {
    { MARKS_EVERY_MS, "marks", on_marks },
    { 0 },
};

static const struct fan_role renderer = {
    .name = "renderer",
    .summary = "writes each recipient's copy of a message",
    .settings = settings,
    .settings_size = sizeof(struct settings),
    .state_size = sizeof(struct renderer),
    .db_use = FAN_DB_HOT,
    .ticks = ticks,
    .credit_urgent = 8,
    .credit_normal = 4,
    .open = open_renderer,
    .close = close_renderer,
    .on = { .render_request = on_render_request },
};

int main(int argc, char **argv)
{
    return fan_actor_main(&renderer, argc, argv);
}

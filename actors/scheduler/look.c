/* One look at one run: everything that the scheduler does to chunks. */
#include "actors/scheduler/scheduler.h"

#include "actors/lib/decide/retry.h"
#include "proto/fault.h"
#include "sql/store/chunk.h"
#include "sql/store/event.h"
#include "sql/store/lost.h"

enum { CANCEL_AT_ONCE = 20, TELL_AGAIN_MS = 1000, SHARE_LEAST = 2, RESOLVE_AGAIN_MS = 2000 };

enum { LOST_HOMES = 8 }; /* chunks whose unknowns are asked for at once */

struct look {
    struct scheduler *self;
    struct live *live;
    const struct fan_run_live *row;
    bool announced; /* in this turn, so it counts only once that is committed */
    bool more;      /* there is more to cancel: look again soon */
};

static struct fan_route route_of(const struct fan_run_live *row, enum fan_lane lane)
{
    return (struct fan_route){ row->account, row->run, lane, row->kind,
        fan_clock_now() + 5 * FAN_SECOND };
}

static enum fan_err ask_audience(struct fan_turn *turn, struct look *look)
{
    const struct fan_resolve_request ask = { 0 };
    struct fan_route route = route_of(look->row, look->row->lane);
    fan_time now = fan_clock_elapsed();

    route.kind = 0;
    /* A resolver that is at it asks itself for more: only when nothing came of that for a while, a
     * frame was lost. */
    if (look->live->resolve_asked && now - look->live->resolve_asked < RESOLVE_AGAIN_MS * FAN_MS)
        return FAN_OK;
    look->live->resolve_asked = now;
    return fan_emit_resolve_request(turn, &route, &ask);
}

static enum fan_err act(struct fan_turn *turn, struct look *look,
        const struct fan_chunk_seen *chunk, enum fan_window_act what)
{
    const struct fan_run_live *row = look->row;
    struct fan_route route = route_of(row, chunk->lane);
    const struct fan_render_request render = { chunk->chunk, chunk->epoch };
    const struct fan_send_request send = { .chunk = chunk->chunk,
        .epoch = chunk->epoch,
        .channel = chunk->channel };
    enum fan_err err;
    bool taken;

    switch (what) {
    case FAN_WINDOW_RENDER:
        route.kind = 0;
        return fan_emit_render_request(turn, &route, &render);
    case FAN_WINDOW_SEND:
        fan_metric_add(look->self->asked_again, 1);
        return fan_emit_send_request(turn, &route, &send);
    case FAN_WINDOW_TAKE_BACK:
        FAN_FAULT("scheduler.before_take_back");
        err = fan_chunk_take_back(turn->db, row->account, chunk, false, turn->arena, &taken,
                &turn->why);
        FAN_FAULT("scheduler.taking_back");
        if (!err)
            err = fan_turn_commit(turn);
        FAN_FAULT("scheduler.taken_back");
        if (!err && taken) {
            fan_metric_add(look->self->taken_back, 1);
            fan_log(turn, FAN_WARN, "chunk.taken_back", "chunk %lld: its sender's lease is over",
                    (long long)chunk->chunk);
        }
        return err;
    }
    return FAN_OK;
}

static enum fan_err move_chunks(struct fan_turn *turn, struct look *look, bool *idle)
{
    const struct scheduler_settings *set = fan_actor_settings(turn->actor);
    uint32_t share = look->live->share;
    const struct fan_window_rules rules = {
        .chunks = share < SHARE_LEAST ? SHARE_LEAST
                : share < set->window ? share
                                      : set->window,
        .ask_again_us = set->ask_again_ms * FAN_MS,
        .grace_us = 2 * FAN_SECOND,
    };
    const struct fan_chunk_seen *seen;
    struct fan_window_chunk *chunks;
    struct fan_window_todo *todo;
    size_t count, todos;
    enum fan_err err = fan_chunks_in_flight(turn->db, look->row->account, look->row->run,
            4 * rules.chunks, turn->arena, &seen, &count, &turn->why);

    if (err)
        return err;
    look->live->wants = count < set->window ? (uint32_t)count : set->window;
    chunks = fan_arena_array(turn->arena, count, sizeof *chunks);
    todo = fan_arena_array(turn->arena, count, sizeof *todo);
    for (size_t i = 0; i < count; i++)
        chunks[i] = (struct fan_window_chunk){ seen[i].chunk, seen[i].epoch, seen[i].state,
            seen[i].expired };
    todos = fan_window_decide(look->live->window, &rules, chunks, count, fan_clock_elapsed(), todo,
            idle);
    for (size_t i = 0; i < todos && !err; i++)
        err = act(turn, look, &seen[todo[i].index], todo[i].act);
    return err;
}

/* A message in doubt whose provider drops repetitions is repeated after so long, at first. */
#define KEYED_PAUSE (1 * FAN_SECOND)

static fan_time unknown_wait(const struct fan_run_live *row, const struct scheduler_settings *set)
{
    if (row->unknown_wait >= 0)
        return row->unknown_wait;
    return FAN_MS *
            (row->kind == FAN_KIND_EMAIL ? set->unknown_wait_mail_ms : set->unknown_wait_ms);
}

/* Each is committed by itself: chunks are locked in ascending order within a transaction. */
static enum fan_err promote(struct fan_turn *turn, struct look *look)
{
    const struct fan_run_live *row = look->row;
    int64_t promoted;
    enum fan_err err = fan_chunks_promote(turn->db, row->account, row->run, row->chunk_size,
            turn->arena, &promoted, &turn->why);

    if (err || promoted == 0)
        return err;
    FAN_FAULT("scheduler.promoting");
    err = fan_turn_commit(turn);
    FAN_FAULT("scheduler.promoted");
    return err;
}

static enum fan_err settle(struct fan_turn *turn, struct look *look)
{
    const struct fan_run_live *row = look->row;
    const struct fan_retry_rules *retry = fan_retry_rules_of(row->retry, row->kind);
    const struct fan_settle_rules rules = {
        .wait = unknown_wait(row, fan_actor_settings(turn->actor)),
        .tries = retry->tries,
        .free_tries = retry->free_tries,
        .pause = retry->base_us < KEYED_PAUSE ? retry->base_us : KEYED_PAUSE,
    };
    int64_t settled;
    enum fan_err err = fan_chunks_settle(turn->db, row->account, row->run, &rules, turn->arena,
            &settled, &turn->why);

    if (err || settled == 0)
        return err;
    FAN_FAULT("scheduler.settling");
    err = fan_turn_commit(turn);
    FAN_FAULT("scheduler.settled");
    return err;
}

static enum fan_err end_run(struct fan_turn *turn, struct look *look)
{
    const struct fan_run_live *row = look->row;
    struct fan_route route = route_of(row, row->lane);
    struct fan_run_changed news = { 0 };
    enum fan_err err;
    int ended;

    err = fan_run_complete(turn->db, row->account, row->run, turn->arena, &ended, &news.campaign,
            &turn->why);
    if (err || ended < 0)
        return err;
    FAN_FAULT("scheduler.ending_run");
    news.state = (uint32_t)ended + 1;
    err = fan_event_insert(turn->db, row->account, row->run, 0, &fan_schema_run_changed, &news,
            turn->arena, &turn->why);
    if (!err)
        err = fan_emit_run_changed(turn, &route, &news);
    if (!err)
        fan_log(turn, FAN_INFO, "run.ended", "run %lld of campaign %lld is %s", (long long)row->run,
                (long long)news.campaign, fan_run_state_name(ended));
    return err;
}

/* The audience is complete: the campaign runs, and says so. */
static enum fan_err announce_running(struct fan_turn *turn, struct look *look)
{
    static const int16_t preparing[] = { FAN_CAMPAIGN_PREPARING };
    const struct fan_run_live *row = look->row;
    const struct fan_campaign_changed news = { row->campaign, FAN_CAMPAIGN_RUNNING + 1 };
    struct fan_route route = route_of(row, row->lane);
    bool moved;
    enum fan_err err = fan_campaign_move(turn->db, row->account, row->campaign, preparing, 1,
            FAN_CAMPAIGN_RUNNING, turn->arena, &moved, &turn->why);

    if (err)
        return err;
    look->announced = true;
    return moved ? fan_emit_campaign_changed(turn, &route, &news) : FAN_OK;
}

/* A callback had its time; now the provider is asked, until the policy decides. */
static enum fan_err ask_lost(struct fan_turn *turn, struct look *look)
{
    const struct scheduler_settings *set = fan_actor_settings(turn->actor);
    const struct fan_run_live *row = look->row;
    fan_time age = set->look_up_after_ms * FAN_MS, now = fan_clock_elapsed();
    const struct fan_lost_home *homes;
    size_t count;
    enum fan_err err;

    if (age > unknown_wait(row, set) / 2)
        age = unknown_wait(row, set) / 2;
    if (now - look->live->lost_asked < age)
        return FAN_OK;
    look->live->lost_asked = now;
    err = fan_lost_homes(turn->db, row->account, row->run, age, LOST_HOMES, turn->arena, &homes,
            &count, &turn->why);
    for (size_t i = 0; i < count && !err; i++) {
        const struct fan_lookup_request ask = { homes[i].chunk, homes[i].channel };
        struct fan_route route = route_of(row, homes[i].lane);

        err = fan_emit_lookup_request(turn, &route, &ask);
    }
    return err;
}

/* ---- a run of which nothing may leave ---- */

/* News get lost: as long as a sender holds something, it is told again. */
static enum fan_err tell_stop(struct fan_turn *turn, struct look *look)
{
    const struct fan_control_changed stop = {};
    struct fan_route route = route_of(look->row, look->row->lane);
    fan_time now = fan_clock_elapsed();

    if (look->live->told_stop && now - look->live->told_stop < TELL_AGAIN_MS * FAN_MS)
        return FAN_OK;
    look->live->told_stop = now;
    return fan_emit_control_changed(turn, &route, &stop);
}

/* Nothing is asked for; what senders hold comes back, or is taken back when its lease is over. */
static enum fan_err call_back(struct fan_turn *turn, struct look *look)
{
    const struct scheduler_settings *set = fan_actor_settings(turn->actor);
    const struct fan_chunk_seen *seen;
    bool held = false;
    size_t count;
    enum fan_err err = fan_chunks_in_flight(turn->db, look->row->account, look->row->run,
            set->window_all, turn->arena, &seen, &count, &turn->why);

    for (size_t i = 0; i < count && !err; i++) {
        if (seen[i].state != FAN_CHUNK_CLAIMED)
            continue;
        held = held || !seen[i].expired;
        if (seen[i].expired)
            err = act(turn, look, &seen[i], FAN_WINDOW_TAKE_BACK);
    }
    return !err && held ? tell_stop(turn, look) : err;
}

/* What was asked for and seen before says nothing about what is found afterwards. */
static void forget_asked(struct live *live)
{
    fan_window_free(&live->window);
    live->window = fan_window_new();
}

static enum fan_err look_paused(struct fan_turn *turn, struct look *look)
{
    enum fan_err err = call_back(turn, look);

    forget_asked(look->live);
    look->live->wants = 0; /* its part is others' meanwhile */
    if (!err && !look->self->stopped)
        err = ask_lost(turn, look);
    return err ? err : settle(turn, look);
}

/* Their minute counts them, as it does what senders settle. */
static enum fan_err tell_cancelled(struct fan_turn *turn, const struct look *look,
        const struct fan_chunks_cancelled *done)
{
    const struct fan_messages_settled news = { .chunk = done->first,
        .cancelled = (uint32_t)done->messages };
    struct fan_route route = route_of(look->row, look->row->lane);
    enum fan_err err;

    if (done->messages == 0)
        return FAN_OK;
    err = fan_event_insert(turn->db, look->row->account, look->row->run, done->first,
            &fan_schema_messages_settled, &news, turn->arena, &turn->why);
    return err ? err : fan_emit_messages_settled(turn, &route, &news);
}

/* Some chunks at a time; what senders hold follows when it came back. */
static enum fan_err look_cancelled(struct fan_turn *turn, struct look *look)
{
    const struct fan_run_live *row = look->row;
    struct fan_chunks_cancelled done = { 0 };
    enum fan_err err = call_back(turn, look);

    if (!err)
        err = ask_lost(turn, look);
    if (!err)
        err = settle(turn, look);
    if (!err)
        err = fan_chunks_cancel(turn->db, row->account, row->run, CANCEL_AT_ONCE, turn->arena,
                &done, &turn->why);
    if (!err)
        err = tell_cancelled(turn, look, &done);
    look->more = done.chunks >= CANCEL_AT_ONCE;
    look->live->wants = 0;
    if (!err && done.chunks > 0)
        err = fan_turn_commit(turn);
    return err || done.chunks > 0 ? err : end_run(turn, look);
}

static enum fan_err look_turn(struct fan_turn *turn, void *context)
{
    struct look *look = context;
    const struct fan_run_live *row = look->row;
    bool idle = false;
    enum fan_err err = FAN_OK;

    if (row->state == FAN_RUN_CANCELLED)
        return look_cancelled(turn, look);
    if (row->state == FAN_RUN_PAUSED || look->self->stopped)
        return look_paused(turn, look);
    if (!row->resolved)
        err = ask_audience(turn, look);
    else if (!look->live->announced)
        err = announce_running(turn, look);
    if (!err)
        err = promote(turn, look);
    if (!err)
        err = ask_lost(turn, look);
    if (!err)
        err = settle(turn, look);
    if (!err)
        err = move_chunks(turn, look, &idle);
    if (!err && idle && row->resolved)
        err = end_run(turn, look);
    return err;
}

void scheduler_look(struct scheduler *self, struct live *live, const struct fan_run_live *row)
{
    struct look look = { self, live, row, false, false };
    struct fan_route route = route_of(row, row->lane);

    /* The runtime logs a failure; the next sweep tries again. */
    if (!fan_actor_turn(self->actor, &route, look_turn, &look, NULL) && look.announced)
        live->announced = true;
    if (look.more)
        scheduler_wake(self);
}

struct gone {
    struct scheduler *self;
    uint64_t worker;
};

static enum fan_err gone_turn(struct fan_turn *turn, void *context)
{
    struct gone *gone = context;
    const struct fan_chunk_seen *owned;
    size_t count;
    enum fan_err err = fan_chunks_owned(turn->db, turn->route.account, turn->route.run,
            gone->worker, turn->arena, &owned, &count, &turn->why);

    for (size_t i = 0; i < count && !err; i++) {
        bool taken;
        FAN_FAULT("scheduler.before_worker_gone");
        err = fan_chunk_take_back(turn->db, turn->route.account, &owned[i], true, turn->arena,
                &taken, &turn->why);
        if (!err && taken)
            fan_metric_add(gone->self->taken_back, 1);
        if (!err)
            err = fan_turn_commit(turn);
    }
    return err;
}

void scheduler_worker_gone(struct scheduler *self, const struct live *live, uint64_t worker)
{
    struct gone gone = { self, worker };
    struct fan_route route = { .account = live->account, .run = live->run };

    (void)fan_actor_turn(self->actor, &route, gone_turn, &gone, NULL);
}

/*
 * scheduler — the queue manager: decides what goes next, and takes back what was lost.
 *
 * takes   the clock; rows that are due or stale; news of chunks and workers, which only wake it
 * gives   runs of scheduled campaigns, resolve_request, render_request, send_request for stale
 * chunks, retry chunks, the end of runs keeps   what it asked for lately; everything else is in
 * PostgreSQL scales  one active, by an advisory lock; others stand by fails   killed, another leads
 * as soon as the lock is free; what was asked is asked again
 */
#include "actors/scheduler/scheduler.h"

#include "proto/fault.h"

#include <stdlib.h>

/* What happens within such a time is looked at once. A large run's chunks end one after another,
 * and a window of them is on its way: they can wait. */
enum { DEPOSE_EVERY_MS = 500, WAKE_MS = 2, WAKE_CALM_MS = 25 };

static const struct fan_setting settings[] = {
    FAN_SET_U32(struct scheduler_settings, sweep_ms, "200", 10, 10000,
            "milliseconds between looks at every live run"),
    FAN_SET_U32(struct scheduler_settings, window, "12", 1, 1000,
            "chunks of one run on their way at once"),
    FAN_SET_U32(struct scheduler_settings, window_all, "40", 1, 10000,
            "chunks of all runs on their way at once"),
    FAN_SET_U32(struct scheduler_settings, ask_again_ms, "5000", 100, 600000,
            "milliseconds after which what was asked and has not moved is asked again"),
    FAN_SET_U32(struct scheduler_settings, unknown_wait_ms, "900000", 0, 604800000,
            "milliseconds that an unknown waits for evidence, unless its campaign says"),
    FAN_SET_U32(struct scheduler_settings, unknown_wait_mail_ms, "60000", 0, 604800000,
            "the same of a mail: a relay has no callbacks that could settle it"),
    FAN_SET_U32(struct scheduler_settings, late_start_grace_s, "3600", 0, 31622400,
            "seconds that a scheduled campaign may be late and still start by itself"),
    FAN_SET_U32(struct scheduler_settings, look_up_after_ms, "20000", 100, 86400000,
            "milliseconds after which providers are asked for messages whose answer was lost"),
    FAN_SET_BOOL(struct scheduler_settings, trust_failover, "false",
            "standbys are synchronous: a promoted one lacks nothing and needs no confirmation"),
    FAN_SET_U32(struct scheduler_settings, depose_ms, "10000", 1000, 600000,
            "milliseconds of silence after which another scheduler takes the lead"),
    FAN_SET_U32(struct scheduler_settings, keep_events, "7", 1, 3650,
            "days that the event log is kept"),
    FAN_SET_U32(struct scheduler_settings, pause_dead_minute, "10", 0, 1000000,
            "messages that die within a minute and pause their run; 0: no number does"),
    FAN_SET_U32(struct scheduler_settings, pause_dead_percent, "1", 0, 100,
            "percent of a run's recipients whose messages die and pause it; 0: no part does"),
    FAN_SET_U32(struct scheduler_settings, pause_dead_least, "3", 1, 1000000,
            "messages that a percentage must amount to before it pauses a run"),
    FAN_SET_TEXT(struct scheduler_settings, control_user, "fan_owner",
            "login role that owns the tables and makes partitions"),
    FAN_SET_END,
};

static struct live *find(struct scheduler *self, fan_id account, fan_id run)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->runs[i].run == run && self->runs[i].account == account)
            return &self->runs[i];
    }
    return NULL;
}

static struct live *find_or_add(struct scheduler *self, fan_id account, fan_id run)
{
    const struct scheduler_settings *set = fan_actor_settings(self->actor);
    struct live *live = find(self, account, run);

    if (live)
        return live;
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 64;
        self->runs = realloc(self->runs, self->room * sizeof *self->runs);
        if (!self->runs)
            fan_die("out of memory: %zu live runs", self->room);
    }
    live = &self->runs[self->count++];
    *live = (struct live){ .account = account, .run = run, .wants = set->window };
    live->window = fan_window_new();
    return live;
}

static void forget_ended(struct scheduler *self)
{
    for (size_t i = 0; i < self->count;) {
        if (self->runs[i].round == self->round) {
            i++;
            continue;
        }
        fan_window_free(&self->runs[i].window);
        self->runs[i] = self->runs[--self->count];
    }
}

static void forget_all(struct scheduler *self)
{
    self->round++;
    forget_ended(self);
}

struct rows {
    const struct fan_run_live *at;
    size_t count;
};

/* Copy the list out of the turn, which ends before the runs are looked at. */
static enum fan_err read_live(struct fan_turn *turn, void *context)
{
    const struct fan_run_live *at;
    struct rows *out = context;
    enum fan_err err = fan_runs_live(turn->db, turn->arena, &at, &out->count, &turn->why);

    if (err)
        return err;
    out->at = malloc((out->count + 1) * sizeof *at);
    if (!out->at)
        fan_die("out of memory: %zu live runs", out->count);
    memcpy((void *)out->at, at, out->count * sizeof *at);
    return FAN_OK;
}

/* Whose turn it is, and what each may have, by what the last sweep saw. */
static const struct fan_turns_run *decide_turns(struct scheduler *self, const struct rows *rows,
        struct fan_arena *arena)
{
    const struct scheduler_settings *set = fan_actor_settings(self->actor);
    struct fan_turns_run *turns = fan_arena_array(arena, rows->count, sizeof *turns);

    for (size_t i = 0; i < rows->count; i++) {
        const struct fan_run_live *row = &rows->at[i];
        turns[i] = (struct fan_turns_run){ .account = row->account,
            .lane = row->lane,
            .wants = find(self, row->account, row->run)->wants };
    }
    fan_turns_decide(turns, rows->count, self->turn++, set->window_all, arena);
    for (size_t i = 0; i < rows->count; i++)
        find(self, rows->at[i].account, rows->at[i].run)->share = turns[i].share;
    return turns;
}

/* Every live run in turn, urgent ones first, and then account by account. */
static void sweep(struct scheduler *self)
{
    struct fan_arena *arena = fan_arena_new();
    struct rows rows = { 0 };
    struct fan_route nobody = { 0 };
    const struct fan_turns_run *turns;

    if (fan_actor_turn(self->actor, &nobody, read_live, &rows, NULL))
        rows.count = 0; /* what is remembered of them stays */
    self->round++;
    for (size_t i = 0; i < rows.count; i++)
        find_or_add(self, rows.at[i].account, rows.at[i].run)->round = self->round;
    if (rows.at)
        forget_ended(self);
    turns = decide_turns(self, &rows, arena);
    for (size_t i = 0; i < rows.count; i++) {
        const struct fan_run_live *row = &rows.at[turns[i].next];

        scheduler_look(self, find(self, row->account, row->run), row);
    }
    fan_metric_set(self->live_runs, (double)self->count);
    free((void *)rows.at);
    fan_arena_free(&arena);
}

/* A leader whose process hangs keeps its lock for as long as its connection lives; it speaks on
 * that at every sweep, so silence tells. */
static void look_at_leader(struct scheduler *self, struct fan_arena *arena)
{
    const struct scheduler_settings *set = fan_actor_settings(self->actor);
    fan_time now = fan_clock_elapsed();
    struct fan_why why;
    bool deposed;

    if (now < self->depose_at)
        return;
    self->depose_at = now + DEPOSE_EVERY_MS * FAN_MS;
    if (fan_run_depose(self->lock, set->depose_ms * FAN_MS, arena, &deposed, &why))
        fan_log(NULL, FAN_WARN, "lead.unknown", "the leader cannot be looked at: %s", why.text);
    else if (deposed)
        fan_log(NULL, FAN_WARN, "lead.deposed", "the leader was silent for %u ms", set->depose_ms);
}

static void lead_or_stand_by(struct scheduler *self)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_why why = { 0 };
    bool leading = false;
    enum fan_err err = fan_run_lead(self->lock, arena, &leading, &why);

    if (!err && !leading)
        look_at_leader(self, arena);
    fan_arena_free(&arena);
    if (leading != self->leading)
        fan_log(NULL, FAN_INFO, leading ? "lead.taken" : "lead.lost", "%s", why.text);
    if (!leading) {
        forget_all(self);
        self->site_known = false; /* a promoted standby, a restored database: who knows */
    }
    self->leading = leading;
    fan_metric_set(self->leader, leading);
}

static void on_sweep(void *context)
{
    struct scheduler *self = context;

    lead_or_stand_by(self);
    if (!self->leading || fan_actor_draining(self->actor))
        return;
    FAN_FAULT("scheduler.leading");
    if (!self->site_known)
        scheduler_check_site(self);
    if (!self->site_known)
        return;
    scheduler_read_control(self);
    if (!self->stopped && !self->starts_held)
        scheduler_launch_due(self);
    scheduler_count_deaths(self);
    sweep(self);
    scheduler_ask_imports(self);
    scheduler_end_uploads(self);
    scheduler_statistics(self);
    scheduler_upkeep(self);
}

static void on_woken(void *context)
{
    struct scheduler *self = context;

    self->waking = NULL;
    if (self->leading && self->site_known && !fan_actor_draining(self->actor))
        sweep(self);
}

static void wake_within(struct scheduler *self, uint32_t ms)
{
    fan_time at = fan_clock_elapsed() + ms * FAN_MS;

    if (!self->leading || (self->waking && self->waking_at <= at))
        return;
    fan_loop_cancel(&self->waking);
    self->waking = fan_loop_after(fan_actor_loop(self->actor), ms, on_woken, self);
    self->waking_at = at;
}

void scheduler_wake(struct scheduler *self)
{
    wake_within(self, WAKE_MS);
}

static enum fan_err on_chunk_done(struct fan_turn *turn, const struct fan_chunk_done *news)
{
    (void)news;
    wake_within(turn->state, turn->route.lane == FAN_LANE_URGENT ? WAKE_MS : WAKE_CALM_MS);
    return FAN_OK;
}

static enum fan_err on_chunks_planned(struct fan_turn *turn, const struct fan_chunks_planned *news)
{
    struct live *live = find(turn->state, turn->route.account, turn->route.run);

    (void)news;
    if (live)
        live->resolve_asked = fan_clock_elapsed();
    scheduler_wake(turn->state);
    return FAN_OK;
}

static enum fan_err on_run_changed(struct fan_turn *turn, const struct fan_run_changed *news)
{
    (void)news;
    scheduler_wake(turn->state);
    return FAN_OK;
}

struct gone {
    struct scheduler *self;
    uint64_t worker;
};

static void take_back(void *context)
{
    struct gone *gone = context;

    for (size_t i = 0; gone->self->leading && i < gone->self->count; i++)
        scheduler_worker_gone(gone->self, &gone->self->runs[i], gone->worker);
    scheduler_wake(gone->self);
    free(gone);
}

static enum fan_err on_worker_gone(struct fan_turn *turn, const struct fan_worker_gone *news)
{
    struct scheduler *self = turn->state;
    struct gone *gone;

    if (!self->leading)
        return FAN_OK;
    for (size_t i = 0; i < self->count; i++)
        fan_window_doubt(self->runs[i].window);
    if (!fan_bytes_eq_text(news->role, "sender")) {
        scheduler_wake(self);
        return FAN_OK;
    }
    gone = malloc(sizeof *gone);
    if (!gone)
        fan_die("out of memory: a worker that is gone");
    *gone = (struct gone){ self, news->worker };
    fan_loop_soon(fan_actor_loop(self->actor), take_back,
            gone); /* turns of its own, after this one */
    return FAN_OK;
}

static enum fan_err open_scheduler(struct fan_actor *actor, void *state, struct fan_why *why)
{
    const struct scheduler_settings *set = fan_actor_settings(actor);
    const struct fan_common_settings *common = fan_actor_common(actor);
    struct fan_metrics *metrics = fan_actor_metrics(actor);
    struct scheduler *self = state;
    struct fan_db_options control = {
        .url = common->database_url,
        .user = set->control_user,
        .name = "fanfare-scheduler-control",
        .use = FAN_DB_FREE,
    };

    (void)why;
    self->actor = actor;
    self->lock = fan_actor_new_db(actor, FAN_DB_FREE);
    self->control = fan_db_new(&control);
    control.name = "fanfare-scheduler-statistics";
    control.statement_timeout_ms = 60000;
    self->statistics = fan_db_new(&control);
    self->statistics_watch = fan_db_watch_new(fan_actor_loop(actor), self->statistics);
    self->live_runs =
            fan_metric_gauge(metrics, "fanfare_live_runs", "", "Runs that have not ended");
    self->leader = fan_metric_gauge(metrics, "fanfare_scheduler_leading", "",
            "1 while this scheduler is the active one");
    self->asked_again = fan_metric_counter(metrics, "fanfare_chunks_asked_again_total", "",
            "Chunks that waited too long");
    self->taken_back = fan_metric_counter(metrics, "fanfare_chunks_taken_back_total", "",
            "Chunks taken back from workers");
    self->paused = fan_metric_counter(metrics, "fanfare_runs_paused_total", "",
            "Runs that were paused because too many of their messages died");
    fan_loop_every(fan_actor_loop(actor), set->sweep_ms, on_sweep, self);
    return FAN_OK;
}

static void close_scheduler(struct fan_actor *actor, void *state)
{
    struct scheduler *self = state;

    (void)actor;
    fan_loop_cancel(&self->waking);
    forget_all(self);
    free(self->runs);
    fan_db_free(&self->lock);
    fan_db_free(&self->control);
    fan_db_watch_free(&self->statistics_watch);
    fan_db_free(&self->statistics);
}

static const struct fan_role scheduler = {
    .name = "scheduler",
    .summary = "decides what goes next, and takes back what was lost",
    .settings = settings,
    .settings_size = sizeof(struct scheduler_settings),
    .state_size = sizeof(struct scheduler),
    .db_use = FAN_DB_HOT,
    .open = open_scheduler,
    .close = close_scheduler,
    .on = {
        .chunk_done = on_chunk_done,
        .chunks_planned = on_chunks_planned,
        .run_changed = on_run_changed,
        .worker_gone = on_worker_gone,
    },
};

int main(int argc, char **argv)
{
    return fan_actor_main(&scheduler, argc, argv);
}

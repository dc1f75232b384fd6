/* Runs that go wrong: too many of their messages die, so a person is to look before the rest goes
 * the same way. */
#include "actors/scheduler/scheduler.h"

#include "actors/lib/decide/deaths.h"
#include "sql/store/dead.h"
#include "sql/store/event.h"

#include <stdlib.h>

enum { COUNT_EVERY_MS = 1000 };

struct dead {
    struct scheduler *self;
    struct fan_dead_run *at;
    size_t count;
    size_t now; /* the one that a turn is about */
    int64_t least;
};

static enum fan_err read_runs(struct fan_turn *turn, void *context)
{
    const struct fan_dead_run *at;
    struct dead *out = context;
    enum fan_err err =
            fan_dead_runs(turn->db, out->least, turn->arena, &at, &out->count, &turn->why);

    if (err || out->count == 0)
        return err;
    free(out->at); /* of an attempt before */
    out->at = malloc(out->count * sizeof *at);
    if (!out->at)
        fan_die("out of memory: %zu runs with deaths", out->count);
    memcpy(out->at, at, out->count * sizeof *at);
    return FAN_OK;
}

/* As a person's pause tells it. */
static enum fan_err tell(struct fan_turn *turn, const struct fan_dead_run *run)
{
    const struct fan_run_changed run_news = { run->campaign, FAN_RUN_PAUSED + 1 };
    const struct fan_campaign_changed news = { run->campaign, FAN_CAMPAIGN_PAUSED + 1 };
    const struct fan_control_changed stop = {};
    enum fan_err err = fan_event_insert(turn->db, run->account, 0, 0, &fan_schema_campaign_changed,
            &news, turn->arena, &turn->why);

    if (!err)
        err = fan_event_insert(turn->db, run->account, run->run, 0, &fan_schema_run_changed,
                &run_news, turn->arena, &turn->why);
    if (!err)
        err = fan_emit_campaign_changed(turn, &turn->route, &news);
    if (!err)
        err = fan_emit_run_changed(turn, &turn->route, &run_news);
    return err ? err : fan_emit_control_changed(turn, &turn->route, &stop);
}

static enum fan_err pause_run(struct fan_turn *turn, void *context)
{
    struct dead *dead = context;
    const struct fan_dead_run *run = &dead->at[dead->now];
    struct fan_run_controlled done;
    const char *reason;
    enum fan_err err = fan_run_control(turn->db, run->account, run->campaign, FAN_RUN_PAUSE,
            turn->arena, &done, &turn->why);

    if (err == FAN_CONFLICT && turn->why.field[0])
        return FAN_OK; /* it has ended */
    if (err || !done.changed)
        return err;
    reason = fan_arena_printf(turn->arena,
            "paused by itself: %lld of %lld messages killed processes or used up their tries, "
            "%lld of them within a minute; look at its dead letters, then resume or cancel it",
            (long long)run->in_all, (long long)run->recipients, (long long)run->in_minute);
    err = fan_run_campaign_hold(turn->db, run->account, run->campaign, fan_bytes_of(reason),
            turn->arena, &turn->why);
    if (!err)
        err = tell(turn, run);
    if (err)
        return err;
    fan_metric_add(dead->self->paused, 1);
    fan_log(turn, FAN_WARN, "campaign.paused", "campaign %lld: %s", (long long)run->campaign,
            reason);
    return FAN_OK;
}

void scheduler_count_deaths(struct scheduler *self)
{
    const struct scheduler_settings *set = fan_actor_settings(self->actor);
    const struct fan_deaths_rules rules = { set->pause_dead_minute, set->pause_dead_percent,
        set->pause_dead_least };
    struct dead dead = { .self = self, .least = fan_deaths_least(&rules) };
    struct fan_route nobody = { 0 };

    if (dead.least == 0 || fan_clock_elapsed() < self->deaths_at)
        return;
    self->deaths_at = fan_clock_elapsed() + COUNT_EVERY_MS * FAN_MS;
    if (fan_actor_turn(self->actor, &nobody, read_runs, &dead, NULL))
        dead.count = 0;
    for (dead.now = 0; dead.now < dead.count; dead.now++) {
        const struct fan_dead_run *run = &dead.at[dead.now];
        const struct fan_deaths deaths = { run->in_minute, run->in_all, run->resolved,
            run->recipients };
        struct fan_route route = { .account = run->account, .run = run->run };

        if (fan_deaths_are_too_many(&rules, &deaths))
            (void)fan_actor_turn(self->actor, &route, pause_run, &dead, NULL);
    }
    free(dead.at);
}

/* Scheduled campaigns whose time has come. */
#include "actors/scheduler/scheduler.h"

#include "actors/lib/decide/start.h"
#include "proto/fault.h"
#include "sql/store/event.h"

#include <stdlib.h>

struct due {
    struct fan_run_due *at;
    size_t count;
};

static enum fan_err read_due(struct fan_turn *turn, void *context)
{
    const struct fan_run_due *at;
    struct due *out = context;
    enum fan_err err = fan_run_campaigns_due(turn->db, turn->arena, &at, &out->count, &turn->why);

    if (err || out->count == 0)
        return err;
    free(out->at); /* of an attempt before */
    out->at = malloc(out->count * sizeof *at);
    if (!out->at)
        fan_die("out of memory: %zu campaigns that are due", out->count);
    memcpy(out->at, at, out->count * sizeof *at);
    return FAN_OK;
}

/* ---- one that may not start by itself ---- */

static struct fan_bytes reason_of(enum fan_start_act act, const struct fan_run_due_now *due,
        fan_time grace, struct fan_arena *arena)
{
    char at[FAN_TIME_TEXT];

    if (act == FAN_START_OVER)
        return FAN_LIT("missed: its end_date passed before it could start");
    fan_time_text(due->scheduled_at, at);
    return fan_bytes_of(fan_arena_printf(arena,
            "missed: it was to start at %s and could not within %lld s; send it if it still should",
            at, (long long)(grace / FAN_SECOND)));
}

/* A person decides: nothing starts silently late. */
static enum fan_err put_on_hold(struct fan_turn *turn, const struct fan_run_due *due,
        struct fan_bytes reason)
{
    const struct fan_campaign_changed news = { due->campaign, FAN_CAMPAIGN_SCHEDULED + 1 };
    enum fan_err err = fan_run_campaign_hold(turn->db, due->account, due->campaign, reason,
            turn->arena, &turn->why);

    if (!err)
        err = fan_event_insert(turn->db, due->account, 0, 0, &fan_schema_campaign_changed, &news,
                turn->arena, &turn->why);
    if (err)
        return err;
    fan_log(turn, FAN_WARN, "campaign.missed", "campaign %lld: %.*s", (long long)due->campaign,
            FAN_BYTES_ARG(reason));
    return fan_emit_campaign_changed(turn, &turn->route, &news);
}

/* ---- one that may ---- */

static enum fan_err start(struct fan_turn *turn, const struct fan_run_due *due)
{
    const struct fan_run_new how = { .campaign = due->campaign, .occurrence = FAN_LIT("once") };
    const struct fan_run_changed news = { due->campaign, FAN_RUN_PREPARING + 1 };
    struct fan_route route = turn->route;
    bool created;
    enum fan_err err;

    FAN_FAULT("scheduler.run_due");
    err = fan_run_create(turn->db, due->account, &how, turn->arena, &route.run, &created,
            &turn->why);
    if (err == FAN_CONFLICT && strcmp(turn->why.field, "channel_id") == 0)
        return FAN_OK; /* no channel can take it now; that may change within its grace */
    if (err || !created)
        return err;
    FAN_FAULT("scheduler.run_inserted");
    err = fan_event_insert(turn->db, due->account, route.run, 0, &fan_schema_run_changed, &news,
            turn->arena, &turn->why);
    return err ? err : fan_emit_run_changed(turn, &route, &news);
}

static enum fan_err launch(struct fan_turn *turn, void *context)
{
    const struct scheduler_settings *set = fan_actor_settings(turn->actor);
    const struct fan_run_due *due = context;
    struct fan_run_due_now now;
    struct fan_start when;
    enum fan_start_act act;
    enum fan_err err =
            fan_run_hold_due(turn->db, due->account, due->campaign, turn->arena, &now, &turn->why);

    if (err)
        return err == FAN_NOT_FOUND ? FAN_OK : err; /* changed since it was found */
    when = (struct fan_start){
        .now = now.now,
        .scheduled_at = now.scheduled_at,
        .grace = FAN_SECOND * (now.grace_s >= 0 ? now.grace_s : set->late_start_grace_s),
        .end_at = now.end_at,
    };
    act = fan_start_decide(&when);
    return act == FAN_START_GO
            ? start(turn, due)
            : put_on_hold(turn, due, reason_of(act, &now, when.grace, turn->arena));
}

void scheduler_launch_due(struct scheduler *self)
{
    struct due due = { 0 };
    struct fan_route nobody = { 0 };

    if (fan_actor_turn(self->actor, &nobody, read_due, &due, NULL))
        due.count = 0;
    for (size_t i = 0; i < due.count; i++) {
        struct fan_route route = { .account = due.at[i].account };
        (void)fan_actor_turn(self->actor, &route, launch, &due.at[i], NULL);
        FAN_FAULT("scheduler.launched");
    }
    free(due.at);
}

/* What is due by the clock, and what must be looked after now and then. */
#include "actors/scheduler/scheduler.h"

#include "proto/fault.h"
#include "sql/store/event.h"
#include "sql/store/upkeep.h"
#include "sql/store/waiting.h"

#include <stdlib.h>

enum { UPKEEP_S = 60, EVENTS_AT_ONCE = 10000, STATISTICS_MS = 1000 };

/* A campaign that could not be launched for so long has failed. */
#define MISSED_AFTER (3600 * FAN_SECOND)

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
    out->at = malloc(out->count * sizeof *at);
    if (!out->at)
        fan_die("out of memory: %zu campaigns that are due", out->count);
    memcpy(out->at, at, out->count * sizeof *at);
    return FAN_OK;
}

/* No channel can take it. That may change soon; after a while it is told, instead of standing in
 * the way of others for ever. */
static enum fan_err wait_or_fail(struct fan_turn *turn, const struct fan_run_due *due)
{
    static const int16_t scheduled[] = { FAN_CAMPAIGN_SCHEDULED };
    const struct fan_campaign_changed news = { due->campaign, FAN_CAMPAIGN_FAILED + 1 };
    enum fan_err err;
    bool moved;

    if (fan_clock_now() - due->scheduled_at < MISSED_AFTER)
        return FAN_OK;
    err = fan_campaign_move(turn->db, due->account, due->campaign, scheduled, 1,
            FAN_CAMPAIGN_FAILED, turn->arena, &moved, &turn->why);
    if (err || !moved)
        return err;
    fan_log(turn, FAN_WARN, "campaign.missed",
            "campaign %lld could not be launched for an hour: %s", (long long)due->campaign,
            turn->why.text);
    return fan_emit_campaign_changed(turn, &turn->route, &news);
}

static enum fan_err launch(struct fan_turn *turn, void *context)
{
    const struct fan_run_due *due = context;
    const struct fan_run_new how = { .campaign = due->campaign, .occurrence = FAN_LIT("once") };
    const struct fan_run_changed news = { due->campaign, FAN_RUN_PREPARING + 1 };
    struct fan_route route = turn->route;
    bool created;
    enum fan_err err;

    FAN_FAULT("scheduler.run_due");
    err = fan_run_create(turn->db, due->account, &how, turn->arena, &route.run, &created,
            &turn->why);

    if (err == FAN_CONFLICT && strcmp(turn->why.field, "channel_id") == 0)
        return wait_or_fail(turn, due);
    if (err || !created)
        return err;
    FAN_FAULT("scheduler.run_inserted");
    err = fan_event_insert(turn->db, due->account, route.run, 0, &fan_schema_run_changed, &news,
            turn->arena, &turn->why);
    return err ? err : fan_emit_run_changed(turn, &route, &news);
}

void scheduler_launch_due(struct scheduler *self)
{
    struct due due = { 0 };
    struct fan_route nobody = { 0 };

    (void)fan_actor_turn(self->actor, &nobody, read_due, &due, NULL);
    for (size_t i = 0; i < due.count; i++) {
        struct fan_route route = { .account = due.at[i].account };
        (void)fan_actor_turn(self->actor, &route, launch, &due.at[i], NULL);
    }
    free(due.at);
}

static enum fan_err ask_imports(struct fan_turn *turn, void *context)
{
    const struct fan_waiting_import *at;
    size_t count;
    enum fan_err err = fan_imports_waiting(turn->db, turn->arena, &at, &count, &turn->why);

    (void)context;
    for (size_t i = 0; i < count && !err; i++) {
        const struct fan_import_request ask = { .import = at[i].import };
        const struct fan_route route = { .account = at[i].account,
            .not_after = fan_clock_now() + 5 * FAN_SECOND };
        err = fan_emit_import_request(turn, &route, &ask);
    }
    return err;
}

void scheduler_ask_imports(struct scheduler *self)
{
    struct fan_route nobody = { 0 };

    (void)fan_actor_turn(self->actor, &nobody, ask_imports, NULL, NULL);
}

static enum fan_err drop_events(struct fan_turn *turn, void *context)
{
    const struct scheduler_settings *set = fan_actor_settings(turn->actor);
    int64_t dropped;

    (void)context;
    return fan_events_drop_old(turn->db, set->keep_events, EVENTS_AT_ONCE, turn->arena, &dropped,
            &turn->why);
}

static void on_statistics(void *context, enum fan_err err, const struct fan_rows *rows, int count,
        const struct fan_why *why)
{
    struct scheduler *self = context;

    (void)count;
    self->statistics_asked = false;
    self->statistics_at = fan_clock_elapsed() + STATISTICS_MS * FAN_MS;
    if (err)
        fan_log(NULL, FAN_WARN, "statistics.failed", "plans may not fit the tables: %s", why->text);
    else if (rows[0].count > 0 && !fan_row_null(&rows[0], 0, 0))
        fan_log(NULL, FAN_DEBUG, "statistics.gathered", "of %.*s",
                FAN_BYTES_ARG(fan_row_text(&rows[0], 0, 0)));
}

void scheduler_statistics(struct scheduler *self)
{
    struct fan_batch *batch;

    if (self->statistics_asked || fan_clock_elapsed() < self->statistics_at)
        return;
    self->statistics_asked = true;
    batch = fan_batch_new(0);
    fan_upkeep_add_analyze(batch);
    fan_db_submit(self->statistics, &batch, on_statistics, self);
    fan_db_watch_kick(self->statistics_watch);
}

void scheduler_upkeep(struct scheduler *self)
{
    struct fan_arena *arena;
    struct fan_route nobody = { 0 };
    struct fan_why why = { 0 };

    if (fan_clock_elapsed() < self->upkeep_at)
        return;
    self->upkeep_at = fan_clock_elapsed() + UPKEEP_S * FAN_SECOND;
    arena = fan_arena_new();
    if (fan_run_partitions(self->control, arena, &why))
        fan_log(NULL, FAN_ERROR, "partitions.failed", "no partition could be made ahead: %s",
                why.text);
    fan_arena_free(&arena);
    (void)fan_actor_turn(self->actor, &nobody, drop_events, NULL, NULL);
}

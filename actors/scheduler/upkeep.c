/* What must be looked after now and then. */
#include "actors/scheduler/scheduler.h"

#include "sql/store/dead.h"
#include "sql/store/event.h"
#include "sql/store/upkeep.h"
#include "sql/store/waiting.h"

enum { UPKEEP_S = 60, EVENTS_AT_ONCE = 10000, STATISTICS_MS = 1000 };

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

static enum fan_err drop_old(struct fan_turn *turn, void *context)
{
    const struct scheduler_settings *set = fan_actor_settings(turn->actor);
    int64_t dropped;
    enum fan_err err = fan_events_drop_old(turn->db, set->keep_events, EVENTS_AT_ONCE, turn->arena,
            &dropped, &turn->why);

    (void)context;
    return err ? err : fan_dead_forget(turn->db, turn->arena, &turn->why);
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
    scheduler_check_site(self); /* and note how far it is */
    arena = fan_arena_new();
    if (fan_run_partitions(self->control, arena, &why))
        fan_log(NULL, FAN_ERROR, "partitions.failed", "no partition could be made ahead: %s",
                why.text);
    fan_arena_free(&arena);
    (void)fan_actor_turn(self->actor, &nobody, drop_old, NULL, NULL);
}

/*
 * analytics — rolls the event log up by minute and campaign: the first of its subscribers.
 *
 * takes   the event log; news only wake it
 * gives   rows of stat_minute
 * keeps   its place in the log, as a row
 * scales  one reads at a time, others stand by
 * fails   killed, what it had not committed is read again; counts and place commit together
 */
#include "actors/analytics/fold.h"
#include "broker/runtime/actor.h"

enum { LOOK_MS = 2000, READ_MS = 500 };

struct settings {
    uint32_t batch;   /* events at once */
    uint32_t wait_ms; /* after news, for more of them */
};

static const struct fan_setting settings[] = {
    FAN_SET_U32(struct settings, batch, "1000", 1, 10000, "events at once"),
    FAN_SET_U32(struct settings, wait_ms, "200", 1, 10000,
            "milliseconds to wait after news, for more of them"),
    FAN_SET_END,
};

struct analytics {
    struct fan_actor *actor;
    struct fan_timer *soon; /* set while a look at the log is due */
    struct fan_metric *events, *unread;
};

/* ---- reading ---- */

/* One batch; @more: there may be another one. */
static enum fan_err read_batch(struct fan_turn *turn, bool *more)
{
    const struct settings *set = fan_actor_settings(turn->actor);
    struct analytics *self = turn->state;
    struct fan_stat_events events;
    struct folded folded;
    enum fan_err err = fan_stat_events_next(turn->db, set->batch, turn->arena, &events, &turn->why);

    *more = !err && events.len == set->batch;
    if (err || events.len == 0)
        return err;
    folded = fold(&events, turn->arena);
    if (folded.len)
        err = fan_stat_minutes_add(turn->db, folded.at, folded.len, turn->arena, &turn->why);
    if (!err)
        err = fan_stat_advance(turn->db, &events.at[events.len - 1], turn->arena, &turn->why);
    if (!err)
        err = fan_turn_commit(turn);
    if (err)
        return err;
    if (folded.unread)
        fan_log(turn, FAN_ERROR, "event.unread", "%zu events are not what their type says",
                folded.unread);
    fan_metric_add(self->events, (double)events.len);
    fan_metric_add(self->unread, (double)folded.unread);
    fan_arena_reset(turn->arena); /* the batch is committed; the next one needs the room */
    return FAN_OK;
}

/* ---- when ---- */

static void on_soon(void *context);

static void look_soon(struct analytics *self)
{
    const struct settings *set = fan_actor_settings(self->actor);

    if (!self->soon)
        self->soon = fan_loop_after(fan_actor_loop(self->actor), set->wait_ms, on_soon, self);
}

/* Read on, but not so long that brokers would take us for dead. */
static enum fan_err read_log(struct fan_turn *turn)
{
    fan_time until = fan_clock_elapsed() + READ_MS * FAN_MS;
    enum fan_err err = FAN_OK;
    bool more = true;

    while (more && !err && fan_clock_elapsed() < until)
        err = read_batch(turn, &more);
    if (more && !err && !fan_actor_draining(turn->actor))
        look_soon(turn->state);
    return err == FAN_NOT_FOUND ? FAN_OK : err;
}

static enum fan_err read_turn(struct fan_turn *turn, void *context)
{
    (void)context;
    return read_log(turn);
}

static void on_soon(void *context)
{
    const struct fan_route everybody = { 0 };
    struct analytics *self = context;

    self->soon = NULL;
    (void)fan_actor_turn(self->actor, &everybody, read_turn, NULL, NULL); /* logged; tried again */
}

static enum fan_err wake(struct fan_turn *turn)
{
    look_soon(turn->state);
    return FAN_OK;
}

static enum fan_err on_chunks_planned(struct fan_turn *turn, const struct fan_chunks_planned *news)
{
    (void)news;
    return wake(turn);
}

static enum fan_err on_messages_settled(struct fan_turn *turn,
        const struct fan_messages_settled *news)
{
    (void)news;
    return wake(turn);
}

static enum fan_err on_receipts_applied(struct fan_turn *turn,
        const struct fan_receipts_applied *news)
{
    (void)news;
    return wake(turn);
}

/* ---- its life ---- */

static enum fan_err open_analytics(struct fan_actor *actor, void *state, struct fan_why *why)
{
    struct analytics *self = state;
    struct fan_metrics *metrics = fan_actor_metrics(actor);

    (void)why;
    self->actor = actor;
    self->events = fan_metric_counter(metrics, "fanfare_events_read_total", "",
            "Events of the log that were rolled up.");
    self->unread = fan_metric_counter(metrics, "fanfare_events_unread_total", "",
            "Events that are not what their type says.");
    return FAN_OK;
}

static void close_analytics(struct fan_actor *actor, void *state)
{
    struct analytics *self = state;

    (void)actor;
    fan_loop_cancel(&self->soon);
}

static const struct fan_tick ticks[] = {
    { .interval_ms = LOOK_MS, .name = "read_log", .fn = read_log },
    { 0 },
};

static const struct fan_role analytics = {
    .name = "analytics",
    .summary = "rolls the event log up by minute and campaign",
    .settings = settings,
    .settings_size = sizeof(struct settings),
    .state_size = sizeof(struct analytics),
    .db_use = FAN_DB_HOT,
    .ticks = ticks,
    .open = open_analytics,
    .close = close_analytics,
    .on = {
        .chunks_planned = on_chunks_planned,
        .messages_settled = on_messages_settled,
        .receipts_applied = on_receipts_applied,
    },
};

int main(int argc, char **argv)
{
    return fan_actor_main(&analytics, argc, argv);
}

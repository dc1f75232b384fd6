/* What holds for the whole installation, looked at before anything is launched or asked for. */
#include "actors/scheduler/scheduler.h"

#include "sql/store/control.h"

static void watch_clock(struct fan_turn *turn, struct scheduler *self, fan_time now)
{
    fan_time jumped;

    self->starts_held = fan_clock_watch_read(&self->clock, now, fan_clock_elapsed(), &jumped);
    if (jumped)
        fan_log(turn, FAN_WARN, "clock.jumped",
                "the database's clock was put forward by %lld s: nothing is started for a minute",
                (long long)(jumped / FAN_SECOND));
}

static enum fan_err read_control(struct fan_turn *turn, void *context)
{
    struct scheduler *self = context;
    struct fan_control control;
    enum fan_err err = fan_control_get(turn->db, turn->arena, &control, &turn->why);
    bool stopped;

    if (err)
        return err;
    stopped = !fan_control_may_send(&control);
    if (stopped != self->stopped)
        fan_log(turn, FAN_WARN, stopped ? "sending.stopped" : "sending.resumed", "%.*s",
                FAN_BYTES_ARG(control.hold_reason.at ? control.hold_reason : control.stop_reason));
    self->stopped = stopped;
    if (control.confirmed)
        self->site_known = false; /* to be taken for the right one */
    watch_clock(turn, self, control.now);
    return FAN_OK;
}

void scheduler_read_control(struct scheduler *self)
{
    struct fan_route nobody = { 0 };

    /* Whoever cannot read it launches nothing either: that takes the same connection. */
    (void)fan_actor_turn(self->actor, &nobody, read_control, self, NULL);
}

/* Frames and timers become turns. */
#include "broker/runtime/actor_inside.h"

struct arrival {
    const struct fan_frame *frame;
    const struct fan_schema *schema;
};

static enum fan_err handle(struct fan_turn *turn, void *context)
{
    struct arrival *arrival = context;
    void *message = fan_arena_alloc(turn->arena, arrival->schema->size);
    enum fan_err err =
            fan_decode(arrival->schema, arrival->frame->body, turn->arena, message, &turn->why);

    if (!err)
        err = fan_dispatch_call(&turn->actor->role->on, arrival->frame->number, turn, message);
    return err;
}

/* With manual credit, a frame that was refused or failed has nobody to give its credit back. */
static void settle_credit(struct fan_actor *actor, const struct fan_frame *frame, enum fan_err err)
{
    if (!actor->role->manual_credit || err)
        fan_bus_done(actor->bus, frame->route.lane);
}

void fan_actor_on_frame(void *context, const struct fan_frame *frame)
{
    struct fan_actor *actor = context;
    const struct fan_schema *schema = fan_schema_of(frame->number);
    struct arrival arrival = { .frame = frame, .schema = schema };
    enum fan_err err = FAN_INVALID;

    if (schema && fan_dispatch_handles(&actor->role->on, frame->number)) {
        const struct fan_errand errand = {
            .meter = &actor->meters[fan_dispatch_index(frame->number)],
            .route = frame->route,
            .trace = frame->trace,
            .from = frame->incarnation,
            .fn = handle,
            .context = &arrival,
        };
        err = fan_turn_run(actor, &errand, NULL);
    } else {
        fan_log(NULL, FAN_WARN, "frame.refused", "message 0x%04x is none of ours", frame->number);
    }
    if (!schema || schema->way == FAN_PIPE)
        settle_credit(actor, frame, err);
}

static enum fan_err call_tick(struct fan_turn *turn, void *context)
{
    const struct fan_actor_tick *tick = context;

    return tick->tick->fn(turn);
}

static void on_tick(void *context)
{
    struct fan_actor_tick *tick = context;
    const struct fan_errand errand = { .meter = &tick->meter, .fn = call_tick, .context = tick };

    (void)fan_turn_run(tick->actor, &errand, NULL);
}

static size_t ticks_of(const struct fan_role *role)
{
    size_t count = 0;

    while (role->ticks && role->ticks[count].interval_ms)
        count++;
    return count;
}

void fan_actor_start_ticks(struct fan_actor *actor)
{
    size_t count = ticks_of(actor->role);

    actor->ticks = fan_arena_array(actor->lasting, count + 1, sizeof(*actor->ticks));
    for (size_t i = 0; i < count; i++) {
        struct fan_actor_tick *running = &actor->ticks[i];
        const struct fan_tick *tick = &actor->role->ticks[i];

        *running = (struct fan_actor_tick){
            .actor = actor,
            .tick = tick,
            .meter.name = tick->name,
        };
        running->timer = fan_loop_every(actor->loop, tick->interval_ms, on_tick, running);
    }
}

void fan_actor_stop_ticks(struct fan_actor *actor)
{
    for (struct fan_actor_tick *tick = actor->ticks; tick && tick->tick; tick++)
        fan_loop_cancel(&tick->timer);
}

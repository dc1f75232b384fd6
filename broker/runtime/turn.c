/*
 * A turn is the unit in which a process does and undoes things: what it wrote is committed, and
 * what it emitted leaves, only when it went well. So frames wait in the outbox until the commit.
 */
#include "broker/runtime/actor_inside.h"
#include "broker/runtime/socket.h"
#include "proto/fault.h"

#include <stdlib.h>

enum { TRIES = 4, TRACE_ID = 16, SPAN_ID = 8 };

struct spans { /* the bytes that turn->trace points to */
    char trace_id[TRACE_ID];
    char span_id[SPAN_ID];
};

/* ---- the outbox ---- */

static struct fan_packet *pack(struct fan_actor *actor, const struct fan_trace *trace,
        const struct fan_schema *schema, const struct fan_route *route, const void *message)
{
    const struct fan_frame frame = {
        .route = *route,
        .incarnation = actor->incarnation,
        .sequence = ++actor->sequence,
        .sent_at = fan_clock_now(),
        .trace = *trace,
    };

    fan_buffer_clear(&actor->scratch);
    fan_frame_encode(&frame, schema, message, &actor->scratch);
    return actor->scratch.overflowed ? NULL : fan_packet_new(fan_buffer_bytes(&actor->scratch));
}

static void outbox_add(struct fan_outbox *box, enum fan_way way, struct fan_packet *packet)
{
    if (box->len == box->room) {
        box->room = box->room ? box->room * 2 : 16;
        box->out = realloc(box->out, box->room * sizeof(*box->out));
        if (!box->out)
            fan_die("out of memory: %zu frames of one turn", box->room);
    }
    box->out[box->len++] = (struct fan_outgoing){ way, packet };
}

static void outbox_send(struct fan_actor *actor)
{
    struct fan_outbox *box = &actor->outbox;

    for (size_t i = 0; i < box->len; i++) {
        if (actor->bus)
            fan_bus_send(actor->bus, box->out[i].way, &box->out[i].packet);
        else
            fan_packet_free(&box->out[i].packet);
        FAN_FAULT("turn.emitted");
    }
    box->len = 0;
}

static void outbox_clear(struct fan_outbox *box)
{
    for (size_t i = 0; i < box->len; i++)
        fan_packet_free(&box->out[i].packet);
    box->len = 0;
}

enum fan_err fan_emit(struct fan_turn *turn, const struct fan_schema *schema,
        const struct fan_route *route, const void *message)
{
    struct fan_packet *packet = pack(turn->actor, &turn->trace, schema, route, message);

    if (!packet)
        return fan_fail(&turn->why, FAN_TOO_LARGE, "%s does not fit into a frame", schema->name);
    outbox_add(&turn->actor->outbox, schema->way, packet);
    return FAN_OK;
}

void fan_actor_emit(struct fan_actor *actor, const struct fan_schema *schema,
        const struct fan_route *route, const void *message)
{
    struct fan_packet *packet = pack(actor, &(struct fan_trace){ 0 }, schema, route, message);

    if (!packet)
        fan_log(NULL, FAN_ERROR, "frame.dropped", "%s does not fit into a frame", schema->name);
    else if (actor->bus)
        fan_bus_send(actor->bus, schema->way, &packet);
    fan_packet_free(&packet);
}

/* ---- one attempt ---- */

/* splitmix64: ids that must differ, not be secret. */
static void draw(struct fan_actor *actor, char *to, size_t len)
{
    for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t z = actor->random += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        memcpy(to + at, &z, sizeof z);
    }
}

/* A turn that a frame began continues its trace with a span of its own. */
static struct fan_trace trace_of(struct fan_actor *actor, const struct fan_errand *errand,
        struct spans *spans)
{
    if (errand->trace.trace_id.len == TRACE_ID)
        memcpy(spans->trace_id, errand->trace.trace_id.at, TRACE_ID);
    else
        draw(actor, spans->trace_id, TRACE_ID);
    draw(actor, spans->span_id, SPAN_ID);
    return (struct fan_trace){ { spans->trace_id, TRACE_ID }, { spans->span_id, SPAN_ID } };
}

static enum fan_err commit(struct fan_turn *turn)
{
    struct fan_actor *actor = turn->actor;
    enum fan_err err;

    FAN_FAULT("turn.before_commit");
    err = turn->db ? fan_db_commit(turn->db, &turn->why) : FAN_OK;
    FAN_FAULT("turn.committed");
    if (err)
        outbox_clear(&actor->outbox);
    else
        outbox_send(actor);
    return err;
}

static enum fan_err attempt(struct fan_turn *turn, const struct fan_errand *errand)
{
    struct fan_actor *actor = turn->actor;
    enum fan_err err;

    fan_arena_reset(actor->arena);
    turn->route = errand->route;
    turn->why = (struct fan_why){ 0 };
    if (turn->db)
        fan_db_account(turn->db, errand->route.account);
    FAN_FAULT("turn.begun");
    err = errand->fn(turn, errand->context);
    if (!err)
        return commit(turn);
    if (turn->db)
        fan_db_abort(turn->db);
    outbox_clear(&actor->outbox);
    return err;
}

enum fan_err fan_turn_commit(struct fan_turn *turn)
{
    return commit(turn);
}

void fan_turn_account(struct fan_turn *turn, fan_id account)
{
    turn->route.account = account;
    if (turn->db)
        fan_db_account(turn->db, account);
}

/* ---- the whole turn ---- */

static void count(struct fan_actor *actor, struct fan_turn_meter *meter, enum fan_err err,
        fan_time took)
{
    const char *labels;

    if (!meter->seconds) {
        labels = fan_arena_printf(actor->lasting, "turn=\"%s\"", meter->name);
        meter->seconds = fan_metric_histogram(actor->metrics, "fanfare_turn_seconds", labels,
                "How long turns took, repeats and commit included.");
    }
    if (!meter->results[err]) {
        labels = fan_arena_printf(actor->lasting, "turn=\"%s\",result=\"%s\"", meter->name,
                err ? fan_err_name(err) : "ok");
        meter->results[err] = fan_metric_counter(actor->metrics, "fanfare_turns_total", labels,
                "Turns by what became of them.");
    }
    fan_metric_observe(meter->seconds, (double)took / FAN_SECOND);
    fan_metric_add(meter->results[err], 1);
}

/* Somebody was faster, or the row has gone: ordinary life among hints that come late or twice. */
static enum fan_log_level level_of(enum fan_err err)
{
    if (err == FAN_UNAVAILABLE || err == FAN_UNCERTAIN)
        return FAN_WARN;
    return err == FAN_CONFLICT || err == FAN_NOT_FOUND ? FAN_DEBUG : FAN_ERROR;
}

static void report(const struct fan_turn *turn, const struct fan_errand *errand, enum fan_err err)
{
    enum fan_log_level level = level_of(err);

    if (errand->quiet && level != FAN_WARN)
        return;
    fan_log(turn, level, "turn.failed", "%s is %s: %s%s%s", errand->meter->name, fan_err_name(err),
            turn->why.text, turn->why.field[0] ? ", at " : "", turn->why.field);
}

enum fan_err fan_turn_run(struct fan_actor *actor, const struct fan_errand *errand,
        struct fan_why *why)
{
    struct spans spans;
    struct fan_turn turn = {
        .state = actor->state,
        .actor = actor,
        .arena = actor->arena,
        .db = actor->db,
        .trace = trace_of(actor, errand, &spans),
        .from = errand->from,
    };
    fan_time start = fan_clock_elapsed();
    enum fan_err err = FAN_CONFLICT;

    FAN_ASSERT(!actor->turn); /* a turn within a turn would share its arena and transaction */
    actor->turn = &turn;
    for (int try = 0; err == FAN_CONFLICT && try < TRIES; try++)
        err = attempt(&turn, errand);
    count(actor, errand->meter, err, fan_clock_elapsed() - start);
    if (err)
        report(&turn, errand, err);
    if (why)
        *why = turn.why;
    fan_arena_reset(actor->arena);
    actor->turn = NULL;
    return err;
}

enum fan_err fan_actor_turn(struct fan_actor *actor, const struct fan_route *route,
        enum fan_err (*fn)(struct fan_turn *turn, void *context), void *context,
        struct fan_why *why)
{
    const struct fan_errand errand = {
        .meter = &actor->call_meter,
        .route = *route,
        .quiet = true,
        .fn = fn,
        .context = context,
    };

    return fan_turn_run(actor, &errand, why);
}

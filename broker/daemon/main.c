/*
 * broker — carries frames between the other processes.
 *
 * takes   frames for one worker, and everybody's news; hello, credit, heartbeat and bye of workers
 * gives   each frame to one worker that has credit for it; news to all who asked; who came and went
 * keeps   who is there, and a few frames that wait; nothing that matters tomorrow
 * scales  run two: everyone connects to both
 * fails   what it held is lost, and the rows ask again
 */
#include "broker/daemon/broker.h"
#include "broker/runtime/endpoint.h"
#include "proto/json.h"

#include <unistd.h>

static const struct fan_setting settings[] = {
    FAN_SET_TEXT(struct fan_broker_settings, listen, "ipc:///run/fanfare/broker",
            "where to listen: ipc://path, whose endpoints are that path with endings, or "
            "tcp://host:port, whose ports follow that one"),
    FAN_SET_U32(struct fan_broker_settings, ports, "1000", 1, 50000,
            "over TCP: ports for workers, one each, that begin 10 above the first"),
    FAN_SET_U32(struct fan_broker_settings, waiting_mb, "64", 1, 4096,
            "MiB of frames that may wait for workers"),
    FAN_SET_END,
};

/* ---- opening ---- */

static void open_counters(struct fan_broker *broker)
{
    struct fan_metrics *metrics = fan_actor_metrics(broker->actor);
    static const char *const frames = "fanfare_broker_frames_total";
    static const char *const dropped = "fanfare_broker_dropped_total";
    static const char *const passed = "Frames that passed.";
    static const char *const why = "Frames that did not reach anybody.";

    broker->count.in = fan_metric_counter(metrics, frames, "way=\"in\"", passed);
    broker->count.out = fan_metric_counter(metrics, frames, "way=\"out\"", passed);
    broker->count.news = fan_metric_counter(metrics, frames, "way=\"news\"", passed);
    broker->count.late = fan_metric_counter(metrics, dropped, "reason=\"late\"", why);
    broker->count.full = fan_metric_counter(metrics, dropped, "reason=\"full\"", why);
    broker->count.invalid = fan_metric_counter(metrics, dropped, "reason=\"invalid\"", why);
    broker->count.lost = fan_metric_counter(metrics, dropped, "reason=\"lost\"", why);
}

static enum fan_err listen_at(struct fan_broker *broker, struct fan_socket **out,
        enum fan_socket_type type, int room, enum fan_endpoint which, struct fan_why *why)
{
    char endpoint[FAN_ENDPOINT_TEXT];
    enum fan_err err = fan_endpoint_name(broker->base, which, 0, endpoint, why);

    if (err)
        return err;
    *out = fan_socket_new(type, room);
    return fan_socket_bind(*out, endpoint, why);
}

static void watch(struct fan_broker *broker)
{
    struct fan_loop *loop = fan_actor_loop(broker->actor);

    fan_socket_watch(broker->in, loop, fan_broker_on_frames, broker);
    fan_socket_watch(broker->pub, loop, fan_broker_on_news, broker);
    fan_socket_watch(broker->bus, loop, fan_broker_on_subscription, broker);
}

static void on_late(void *context, struct fan_packet *packet)
{
    struct fan_broker *broker = context;

    fan_metric_add(broker->count.late, 1);
    fan_packet_free(&packet);
}

static void broker_init(struct fan_broker *broker, struct fan_actor *actor)
{
    const struct fan_broker_settings *set = fan_actor_settings(actor);
    uint32_t places = fan_endpoint_workers(fan_bytes_of(set->listen));

    broker->actor = actor;
    broker->base = fan_bytes_of(set->listen);
    broker->incarnation = fan_actor_incarnation(actor);
    if (fan_bytes_starts(broker->base, FAN_LIT("tcp://")) && places > set->ports)
        places = set->ports;
    broker->places = places;
    broker->next_place = (uint32_t)(broker->incarnation % (places ? places : 1));
    broker->queues.bytes_max = (size_t)set->waiting_mb * 1024 * 1024;
    broker->queues.on_late = on_late;
    broker->queues.context = broker;
    broker->lock = -1;
    broker->arena = fan_arena_new();
    fan_buffer_init(&broker->scratch, FAN_FRAME_MAX);
    open_counters(broker);
}

static void close_broker(struct fan_actor *actor, void *state);

static enum fan_err open_broker(struct fan_actor *actor, void *state, struct fan_why *why)
{
    struct fan_broker *broker = state;
    enum fan_err err;

    broker_init(broker, actor);
    if (!broker->places)
        err = fan_fail_field(why, FAN_INVALID, "listen", "no ports are left above %.*s",
                FAN_BYTES_ARG(broker->base));
    else
        err = fan_place_take(broker->base, &broker->lock, why);
    if (!err)
        err = listen_at(broker, &broker->bus, FAN_SOCKET_XPUB, FAN_NEWS_ROOM, FAN_ENDPOINT_BUS,
                why);
    if (!err)
        err = listen_at(broker, &broker->pub, FAN_SOCKET_XSUB, FAN_NEWS_ROOM, FAN_ENDPOINT_PUB,
                why);
    if (!err)
        err = listen_at(broker, &broker->in, FAN_SOCKET_PULL, FAN_PIPE_ROOM, FAN_ENDPOINT_IN, why);
    if (err)
        close_broker(actor, state);
    else
        watch(broker);
    return err;
}

static void close_broker(struct fan_actor *actor, void *state)
{
    struct fan_broker *broker = state;

    (void)actor;
    fan_broker_forget_workers(broker);
    fan_registry_fini(&broker->registry);
    fan_queues_fini(&broker->queues);
    fan_socket_close(&broker->in, FAN_LINGER_NONE);
    fan_socket_close(&broker->pub, FAN_LINGER_NONE);
    fan_socket_close(&broker->bus, FAN_LINGER_DRAIN);
    fan_buffer_fini(&broker->scratch);
    fan_arena_free(&broker->arena);
    if (broker->lock >= 0)
        close(broker->lock);
}

/* ---- timers ---- */

static enum fan_err greet(struct fan_turn *turn)
{
    fan_broker_greet(turn->state);
    return FAN_OK;
}

static enum fan_err bury(struct fan_turn *turn)
{
    fan_broker_bury(turn->state);
    return FAN_OK;
}

static enum fan_err say_alive(struct fan_turn *turn)
{
    fan_broker_say_alive(turn->state);
    return FAN_OK;
}

static const char *message_name(uint32_t number)
{
    const struct fan_schema *schema = fan_schema_of(number);

    return schema ? schema->name : "unknown";
}

static void gauge_lane(struct fan_broker *broker, struct fan_arena *arena, enum fan_lane lane)
{
    const char *labels = fan_arena_printf(arena, "lane=\"%s\"", fan_lane_name(lane));
    struct fan_metrics *metrics = fan_actor_metrics(broker->actor);
    uint64_t credit = 0;

    for (size_t i = 0; i < broker->registry.len; i++)
        credit += fan_worker_left(broker->registry.at[i], lane);
    fan_metric_set(fan_metric_gauge(metrics, "fanfare_broker_credit", labels,
                           "Frames that workers would take now."),
            (double)credit);
}

static enum fan_err gauge(struct fan_turn *turn)
{
    struct fan_broker *broker = turn->state;
    struct fan_metrics *metrics = fan_actor_metrics(broker->actor);

    fan_metric_set(fan_metric_gauge(metrics, "fanfare_broker_workers", "", "Workers known."),
            (double)broker->registry.len);
    gauge_lane(broker, turn->arena, FAN_LANE_URGENT);
    gauge_lane(broker, turn->arena, FAN_LANE_NORMAL);
    for (size_t i = 0; i < broker->queues.len; i++) {
        const struct fan_queue *queue = broker->queues.at[i];
        const char *labels = fan_arena_printf(turn->arena, "message=\"%s\",kind=\"%s\",lane=\"%s\"",
                message_name(queue->key.number),
                queue->key.kind ? fan_kind_name(queue->key.kind) : "any",
                fan_lane_name(queue->key.lane));

        fan_metric_set(fan_metric_gauge(metrics, "fanfare_broker_waiting", labels,
                               "Frames that wait for a worker with credit."),
                (double)queue->len);
    }
    return FAN_OK;
}

static const struct fan_tick ticks[] = {
    { 100, "greet", greet },
    { 250, "bury", bury },
    { 1000, "say_alive", say_alive },
    { 1000, "gauge", gauge },
    { 0, NULL, NULL },
};

/* ---- the process ---- */

static bool tell_health(struct fan_actor *actor, void *state, struct fan_buffer *json_members)
{
    const struct fan_broker *broker = state;
    struct fan_json_writer json;

    (void)actor;
    fan_json_begin(&json, json_members);
    fan_json_add_i64(&json, "workers", (int64_t)broker->registry.len);
    fan_json_add_i64(&json, "waiting",
            (int64_t)(fan_queues_waiting(&broker->queues, FAN_LANE_URGENT) +
                    fan_queues_waiting(&broker->queues, FAN_LANE_NORMAL)));
    return true;
}

static const struct fan_role broker_role = {
    .name = "broker",
    .summary = "carries frames between the other processes",
    .settings = settings,
    .settings_size = sizeof(struct fan_broker_settings),
    .state_size = sizeof(struct fan_broker),
    .no_database = true,
    .no_bus = true,
    .ticks = ticks,
    .open = open_broker,
    .close = close_broker,
    .health = tell_health,
};

int main(int argc, char **argv)
{
    return fan_actor_main(&broker_role, argc, argv);
}

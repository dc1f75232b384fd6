/* Who is there: a worker is known from its hello to its bye or its silence. */
#include "broker/daemon/broker.h"
#include "broker/runtime/endpoint.h"

enum { BIND_TRIES = 16 }; /* ports that others may hold, in a row */

/* ---- welcome ---- */

static void send_ping(struct fan_worker *worker)
{
    const struct fan_ping ping = { .broker = worker->broker->incarnation };
    struct fan_packet *packet = fan_broker_pack(worker->broker, &fan_schema_ping, 0, &ping);

    fan_socket_send(worker->socket, &packet);
    fan_packet_free(&packet);
}

/* A worker that only gives is told no endpoint. */
static void welcome(struct fan_worker *worker)
{
    struct fan_broker *broker = worker->broker;
    char endpoint[FAN_ENDPOINT_TEXT] = "";
    enum fan_err err = FAN_OK;

    if (worker->socket)
        err = fan_endpoint_name(broker->base, FAN_ENDPOINT_WORKER, worker->place, endpoint, NULL);
    FAN_ASSERT(!err); /* it was bound by that name */
    const struct fan_welcome welcome = {
        .broker = broker->incarnation,
        .worker = worker->incarnation,
        .endpoint = fan_bytes_of(endpoint),
    };
    fan_broker_publish(broker, &fan_schema_welcome, worker->incarnation, &welcome);
}

/* Its peer came, or there is room again. */
static void on_room(void *context, struct fan_socket *socket)
{
    struct fan_worker *worker = context;

    (void)socket;
    worker->is_full = false;
    if (worker->met)
        fan_broker_dispatch(worker->broker);
    else
        send_ping(worker);
}

/* Places are used in turn and begin anywhere, so that a worker that has not heard yet of the end of
 * its acquaintance, with this broker or the one before, does not find its successor's endpoint. */
static enum fan_err bind_place(struct fan_worker *worker, struct fan_why *why)
{
    struct fan_broker *broker = worker->broker;
    enum fan_err err = FAN_UNAVAILABLE;

    for (int i = 0; err == FAN_UNAVAILABLE && i < BIND_TRIES; i++) {
        char endpoint[FAN_ENDPOINT_TEXT];

        worker->place = broker->next_place;
        broker->next_place = (broker->next_place + 1) % broker->places;
        err = fan_endpoint_name(broker->base, FAN_ENDPOINT_WORKER, worker->place, endpoint, why);
        if (!err)
            err = fan_socket_bind(worker->socket, endpoint, why);
    }
    return err;
}

static enum fan_err open_endpoint(struct fan_worker *worker, struct fan_why *why)
{
    enum fan_err err;

    worker->socket = fan_socket_new(FAN_SOCKET_PUSH, FAN_PIPE_ROOM);
    err = bind_place(worker, why);
    if (!err)
        fan_socket_watch(worker->socket, fan_actor_loop(worker->broker->actor), on_room, worker);
    return err;
}

static void forget(struct fan_worker **worker)
{
    struct fan_broker *broker = (*worker)->broker;

    fan_socket_close(&(*worker)->socket, FAN_LINGER_NONE);
    fan_registry_remove(&broker->registry, worker);
}

static struct fan_worker *refuse(struct fan_worker **worker, const struct fan_hello *hello,
        const char *reason)
{
    fan_log(NULL, FAN_ERROR, "worker.refused", "%.*s on %.*s: %s", FAN_BYTES_ARG(hello->role),
            FAN_BYTES_ARG(hello->host), reason);
    if (*worker)
        forget(worker);
    return NULL;
}

static struct fan_worker *acquaint(struct fan_broker *broker, const struct fan_hello *hello)
{
    struct fan_worker *worker = fan_registry_add(&broker->registry, hello, fan_clock_elapsed());
    struct fan_why why;

    if (!worker)
        return refuse(&worker, hello, "there are too many workers");
    worker->broker = broker;
    worker->met = !worker->takes_len; /* nothing will be sent to it */
    if (!worker->met && open_endpoint(worker, &why))
        return refuse(&worker, hello, why.text);
    fan_log(NULL, FAN_INFO, "worker.came", "%s %llu on %.*s", worker->role,
            (unsigned long long)worker->incarnation, FAN_BYTES_ARG(hello->host));
    return worker;
}

/* ---- what workers say ---- */

/* A worker that was met and says hello has forgotten us, and counts its frames from zero. */
static void on_hello(struct fan_broker *broker, const struct fan_hello *hello)
{
    struct fan_worker *worker = fan_registry_find(&broker->registry, hello->worker);

    if (hello->wire_min > FAN_WIRE_VERSION || hello->wire_max < FAN_WIRE_VERSION) {
        fan_log(NULL, FAN_ERROR, "worker.refused", "%.*s reads wire versions %u to %u, not %d",
                FAN_BYTES_ARG(hello->role), hello->wire_min, hello->wire_max, FAN_WIRE_VERSION);
        return;
    }
    if (worker && worker->met && worker->socket)
        forget(&worker);
    if (!worker)
        worker = acquaint(broker, hello);
    if (!worker)
        return;
    worker->heard = fan_clock_elapsed();
    welcome(worker);
}

/* The worker that speaks, or NULL; a stranger is told to say hello. */
static struct fan_worker *hear(struct fan_broker *broker, uint64_t incarnation)
{
    struct fan_worker *worker = fan_registry_find(&broker->registry, incarnation);
    const struct fan_unknown_worker unknown = { .worker = incarnation };

    if (worker)
        worker->heard = fan_clock_elapsed();
    else
        fan_broker_publish(broker, &fan_schema_unknown_worker, incarnation, &unknown);
    return worker;
}

static void on_credit(struct fan_broker *broker, const struct fan_credit *credit)
{
    struct fan_worker *worker = hear(broker, credit->worker);
    uint64_t lost;

    if (!worker || credit->broker != broker->incarnation)
        return;
    lost = fan_worker_credit(worker, credit, fan_clock_elapsed());
    if (lost) {
        fan_metric_add(broker->count.lost, (double)lost);
        fan_log(NULL, FAN_WARN, "frames.lost", "%llu on the way to %s %llu",
                (unsigned long long)lost, worker->role, (unsigned long long)worker->incarnation);
    }
    fan_broker_dispatch(broker);
}

static void on_heartbeat(struct fan_broker *broker, const struct fan_heartbeat *heartbeat)
{
    struct fan_worker *worker = hear(broker, heartbeat->worker);

    if (!worker || worker->met || !heartbeat->met)
        return;
    worker->met = true;
    fan_broker_dispatch(broker);
}

static void say_gone(struct fan_worker **worker, bool said_bye)
{
    struct fan_broker *broker = (*worker)->broker;
    const struct fan_worker_gone gone = {
        .worker = (*worker)->incarnation,
        .role = fan_bytes_of((*worker)->role),
        .said_bye = said_bye,
    };

    fan_log(NULL, FAN_INFO, "worker.gone", "%s %llu %s", (*worker)->role,
            (unsigned long long)gone.worker, said_bye ? "said bye" : "fell silent");
    fan_broker_publish(broker, &fan_schema_worker_gone, gone.worker, &gone);
    forget(worker);
}

static void on_bye(struct fan_broker *broker, const struct fan_bye *bye)
{
    struct fan_worker *worker = fan_registry_find(&broker->registry, bye->worker);

    if (worker)
        say_gone(&worker, true);
}

void fan_broker_on_control(struct fan_broker *broker, const struct fan_frame *frame)
{
    union {
        struct fan_hello hello;
        struct fan_credit credit;
        struct fan_heartbeat heartbeat;
        struct fan_bye bye;
    } message;
    const struct fan_schema *schema = fan_schema_of(frame->number);

    fan_arena_reset(broker->arena);
    if (!schema || schema->size > sizeof message ||
            fan_decode(schema, frame->body, broker->arena, &message, NULL)) {
        fan_metric_add(broker->count.invalid, 1);
        return;
    }
    switch (frame->number) {
    case FAN_MSG_hello:
        on_hello(broker, &message.hello);
        break;
    case FAN_MSG_credit:
        on_credit(broker, &message.credit);
        break;
    case FAN_MSG_heartbeat:
        on_heartbeat(broker, &message.heartbeat);
        break;
    case FAN_MSG_bye:
        on_bye(broker, &message.bye);
        break;
    default:
        fan_metric_add(broker->count.invalid, 1);
        break;
    }
}

/* ---- what time brings ---- */

void fan_broker_greet(struct fan_broker *broker)
{
    for (size_t i = 0; i < broker->registry.len; i++) {
        struct fan_worker *worker = broker->registry.at[i];

        if (worker->met)
            continue;
        welcome(worker);
        send_ping(worker);
    }
}

void fan_broker_bury(struct fan_broker *broker)
{
    struct fan_worker *silent;

    while ((silent = fan_registry_silent(&broker->registry, fan_clock_elapsed())) != NULL)
        say_gone(&silent, false);
}

void fan_broker_forget_workers(struct fan_broker *broker)
{
    while (broker->registry.len) {
        struct fan_worker *worker = broker->registry.at[0];

        forget(&worker);
    }
}

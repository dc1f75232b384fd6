#include "broker/runtime/bus_link.h"

#include "broker/runtime/clock.h"
#include "broker/runtime/log.h"

#include <stdio.h>

enum {
    IMPATIENT_HELLOS = 20,
    CALM_BEATS = 4
}; /* after so many, a hello only every so many beats */

/* ---- speaking to the broker ---- */

/* Whatever is not taken at once is said again at a later beat. */
static void say(struct fan_link *link, const struct fan_schema *schema, const void *message)
{
    struct fan_bus *bus = link->bus;
    struct fan_packet *packet;
    const struct fan_frame frame = {
        .incarnation = bus->options.incarnation,
        .sequence = ++*bus->options.sequence,
        .sent_at = fan_clock_now(),
    };

    fan_buffer_clear(&bus->scratch);
    fan_frame_encode(&frame, schema, message, &bus->scratch);
    packet = fan_packet_new(fan_buffer_bytes(&bus->scratch));
    if (!fan_socket_send(link->in, &packet))
        fan_packet_free(&packet);
}

static void say_hello(struct fan_link *link)
{
    const struct fan_bus_options *options = &link->bus->options;
    const struct fan_hello hello = {
        .worker = options->incarnation,
        .role = fan_bytes_of(options->role),
        .kind = options->kind,
        .takes = options->takes,
        .host = fan_bytes_of(options->host),
        .wire_min = FAN_WIRE_VERSION,
        .wire_max = FAN_WIRE_VERSION,
    };

    say(link, &fan_schema_hello, &hello);
}

static void say_heartbeat(struct fan_link *link)
{
    const struct fan_heartbeat heartbeat = {
        .worker = link->bus->options.incarnation,
        .met = link->met,
    };

    say(link, &fan_schema_heartbeat, &heartbeat);
}

void fan_link_say_bye(struct fan_link *link)
{
    const struct fan_bye bye = { .worker = link->bus->options.incarnation };

    say(link, &fan_schema_bye, &bye);
}

void fan_link_tell_credit(struct fan_link *link)
{
    struct fan_bus *bus = link->bus;
    struct fan_capacity *urgent = &bus->capacity[FAN_LANE_URGENT];
    struct fan_capacity *normal = &bus->capacity[FAN_LANE_NORMAL];

    if (!link->welcomed || !link->pull || bus->draining)
        return;
    const struct fan_credit credit = {
        .worker = bus->options.incarnation,
        .broker = link->broker,
        .urgent = fan_capacity_grant(urgent, link->index),
        .normal = fan_capacity_grant(normal, link->index),
        .urgent_came = urgent->line[link->index].came,
        .normal_came = normal->line[link->index].came,
    };
    say(link, &fan_schema_credit, &credit);
    fan_metric_add(bus->count.credit_told, 1);
}

/* ---- where the acquaintance stands ---- */

/* The broker counts our frames from zero: what it sent before has become nobody's. */
static void forget(struct fan_link *link)
{
    fan_socket_close(&link->pull, FAN_LINGER_NONE);
    fan_capacity_forgotten(&link->bus->capacity[FAN_LANE_URGENT], link->index);
    fan_capacity_forgotten(&link->bus->capacity[FAN_LANE_NORMAL], link->index);
    link->welcomed = false;
    link->met = false;
    link->hellos = 0;
    link->endpoint[0] = '\0';
}

static void start_over(struct fan_link *link)
{
    forget(link);
    if (!link->bus->draining)
        say_hello(link);
}

void fan_link_set_live(struct fan_link *link, bool live)
{
    if (link->live == live)
        return;
    link->live = live;
    fan_capacity_live(&link->bus->capacity[FAN_LANE_URGENT], link->index, live);
    fan_capacity_live(&link->bus->capacity[FAN_LANE_NORMAL], link->index, live);
    fan_log(NULL, live ? FAN_INFO : FAN_WARN, live ? "broker.found" : "broker.lost",
            "the broker at %s %s", link->base, live ? "is heard again" : "has been silent for 3 s");
}

static void on_alive(struct fan_link *link, uint64_t broker)
{
    bool is_new = broker != link->broker;

    link->heard = fan_clock_elapsed();
    link->broker = broker;
    fan_link_set_live(link, true);
    if (is_new)
        start_over(link);
}

static void connect_pull(struct fan_link *link, const char *endpoint)
{
    struct fan_why why;

    link->pull = fan_socket_new(FAN_SOCKET_PULL, FAN_PIPE_ROOM);
    if (fan_socket_connect(link->pull, endpoint, &why)) {
        fan_log(NULL, FAN_WARN, "welcome.refused", "%s", why.text);
        fan_socket_close(&link->pull, FAN_LINGER_NONE);
        return;
    }
    fan_socket_watch(link->pull, link->bus->loop, fan_bus_on_pull, link);
}

static void on_welcome(struct fan_link *link, const struct fan_welcome *welcome)
{
    char endpoint[FAN_ENDPOINT_TEXT];

    on_alive(link, welcome->broker);
    fan_endpoint_seen_from(fan_bytes_of(link->base), welcome->endpoint, endpoint);
    if (link->bus->draining || (link->welcomed && strcmp(endpoint, link->endpoint) == 0))
        return;
    forget(link);
    snprintf(link->endpoint, sizeof link->endpoint, "%s", endpoint);
    if (*endpoint)
        connect_pull(link, endpoint);
    link->welcomed = link->pull || !*endpoint;
    fan_link_tell_credit(link);
}

/* It had given us up, or is another than the one that had welcomed us. */
static void on_unknown(struct fan_link *link)
{
    if (link->welcomed)
        start_over(link);
}

void fan_link_on_news(struct fan_link *link, const struct fan_frame *frame)
{
    struct fan_bus *bus = link->bus;
    bool is_ours = (uint64_t)frame->route.run == bus->options.incarnation;
    struct fan_broker_alive alive;
    struct fan_welcome welcome;

    fan_arena_reset(bus->arena);
    switch (frame->number) {
    case FAN_MSG_broker_alive:
        if (!fan_decode(&fan_schema_broker_alive, frame->body, bus->arena, &alive, NULL))
            on_alive(link, alive.broker);
        break;
    case FAN_MSG_welcome:
        if (is_ours && !fan_decode(&fan_schema_welcome, frame->body, bus->arena, &welcome, NULL))
            on_welcome(link, &welcome);
        break;
    case FAN_MSG_unknown_worker:
    case FAN_MSG_worker_gone:
        if (is_ours)
            on_unknown(link);
        break;
    default:
        break;
    }
}

void fan_link_on_ping(struct fan_link *link, const struct fan_frame *frame)
{
    struct fan_ping ping;

    fan_arena_reset(link->bus->arena);
    if (fan_decode(&fan_schema_ping, frame->body, link->bus->arena, &ping, NULL))
        return;
    if (ping.broker != link->broker)
        return; /* another broker took over the endpoint; its broker_alive is on the way */
    link->met = true;
    say_heartbeat(link);
    fan_link_tell_credit(link);
}

void fan_link_beat(struct fan_link *link, bool second)
{
    if (link->bus->draining)
        return;
    if (!link->welcomed && (link->hellos < IMPATIENT_HELLOS || link->hellos % CALM_BEATS == 0))
        say_hello(link);
    link->hellos += !link->welcomed;
    if (!second || !link->welcomed)
        return;
    say_heartbeat(link);
    fan_link_tell_credit(link);
}

/* ---- sockets ---- */

static void subscribe(struct fan_link *link)
{
    const struct fan_bus_options *options = &link->bus->options;
    static const uint32_t to_us[] = {
        FAN_MSG_welcome,
        FAN_MSG_unknown_worker,
        FAN_MSG_worker_gone,
    };
    char prefix[18];

    for (size_t i = 0; i < sizeof(to_us) / sizeof(to_us[0]); i++)
        fan_socket_subscribe(link->sub, prefix,
                fan_frame_prefix(to_us[i], 0, options->incarnation, prefix));
    fan_socket_subscribe(link->sub, prefix, fan_frame_prefix(FAN_MSG_broker_alive, 0, 0, prefix));
    for (size_t i = 0; i < options->wants.len; i++)
        fan_socket_subscribe(link->sub, prefix,
                fan_frame_prefix((uint32_t)options->wants.at[i], 0, 0, prefix));
}

static enum fan_err connect_to(struct fan_link *link, struct fan_socket *socket,
        enum fan_endpoint which, struct fan_why *why)
{
    char endpoint[FAN_ENDPOINT_TEXT];
    enum fan_err err = fan_endpoint_name(fan_bytes_of(link->base), which, 0, endpoint, why);

    return err ? err : fan_socket_connect(socket, endpoint, why);
}

enum fan_err fan_link_open(struct fan_link *link, struct fan_bytes base, struct fan_why *why)
{
    enum fan_err err;

    snprintf(link->base, sizeof link->base, "%.*s", FAN_BYTES_ARG(base));
    link->in = fan_socket_new(FAN_SOCKET_PUSH, FAN_PIPE_ROOM);
    link->pub = fan_socket_new(FAN_SOCKET_PUB, FAN_NEWS_ROOM);
    link->sub = fan_socket_new(FAN_SOCKET_SUB, FAN_NEWS_ROOM);
    subscribe(link);
    err = connect_to(link, link->in, FAN_ENDPOINT_IN, why);
    if (!err)
        err = connect_to(link, link->pub, FAN_ENDPOINT_PUB, why);
    if (!err)
        err = connect_to(link, link->sub, FAN_ENDPOINT_BUS, why);
    if (err)
        return err;
    fan_socket_watch(link->sub, link->bus->loop, fan_bus_on_sub, link);
    link->heard = fan_clock_elapsed();
    link->live = true;
    fan_capacity_live(&link->bus->capacity[FAN_LANE_URGENT], link->index, true);
    fan_capacity_live(&link->bus->capacity[FAN_LANE_NORMAL], link->index, true);
    return FAN_OK;
}

void fan_link_close(struct fan_link *link, int linger_ms)
{
    fan_socket_close(&link->pull, FAN_LINGER_NONE);
    fan_socket_close(&link->sub, FAN_LINGER_NONE);
    fan_socket_close(&link->pub, linger_ms);
    fan_socket_close(&link->in, linger_ms);
}

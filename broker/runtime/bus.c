#include "broker/runtime/bus.h"

#include "broker/runtime/bus_link.h"
#include "broker/runtime/clock.h"
#include "broker/runtime/log.h"

#include <stdlib.h>

enum {
    BEATS_A_SECOND = 1000 / FAN_BEAT_MS,
    BURST = 64,         /* packets taken from a socket before others have their turn */
    DELIVER_MS = 10,    /* handlers run so long before others have their turn */
    SILENT_MS = 3000,   /* a broker that says nothing for so long is not counted on */
    OVERSLEPT_MS = 1000 /* a beat that late: it is us who were away, not they */
};

/* ---- sending ---- */

static bool is_heard(const struct fan_link *link)
{
    return link->live && link->broker;
}

/* A broker that was never heard is tried last: its socket knows whether anybody is there. */
static bool send_pipe(struct fan_bus *bus, struct fan_packet **packet)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < bus->links; i++) {
            struct fan_link *link = &bus->link[(bus->next + i) % bus->links];

            if (pass == 0 ? !is_heard(link) : link->broker != 0)
                continue;
            if (!fan_socket_send(link->in, packet))
                continue;
            bus->next = (link->index + 1) % bus->links;
            return true;
        }
    }
    return false;
}

static bool send_news(struct fan_bus *bus, struct fan_packet **packet)
{
    for (int i = 0; i < bus->links; i++) {
        size_t at = (bus->options.incarnation + (uint64_t)i) % (uint64_t)bus->links;

        if (is_heard(&bus->link[at]))
            return fan_socket_send(bus->link[at].pub, packet);
    }
    return false;
}

void fan_bus_send(struct fan_bus *bus, enum fan_way way, struct fan_packet **packet)
{
    if (way == FAN_PIPE ? send_pipe(bus, packet) : send_news(bus, packet)) {
        fan_metric_add(way == FAN_PIPE ? bus->count.sent : bus->count.news_sent, 1);
        return;
    }
    fan_metric_add(bus->count.nowhere, 1);
    fan_packet_free(packet);
}

/* ---- handing frames to the process ---- */

static void list_init(struct fan_waiting_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_add(struct fan_waiting_list *list, struct fan_waiting *one)
{
    *list->end = one;
    list->end = &one->next;
}

static struct fan_waiting *list_take(struct fan_waiting_list *list)
{
    struct fan_waiting *one = list->first;

    if (!one)
        return NULL;
    list->first = one->next;
    if (!list->first)
        list->end = &list->first;
    return one;
}

static void waiting_free(struct fan_waiting **one)
{
    fan_packet_free(&(*one)->packet);
    free(*one);
    *one = NULL;
}

static struct fan_waiting *take_next(struct fan_bus *bus)
{
    struct fan_waiting *one = list_take(&bus->waiting[FAN_LANE_URGENT]);

    return one ? one : list_take(&bus->waiting[FAN_LANE_NORMAL]);
}

static void hand_over(struct fan_bus *bus, const struct fan_frame *frame)
{
    if (bus->draining) {
        fan_metric_add(bus->count.refused, 1);
    } else if (frame->route.not_after && frame->route.not_after < fan_clock_now()) {
        fan_metric_add(bus->count.late, 1);
        fan_bus_done(bus, frame->route.lane);
    } else {
        fan_metric_add(bus->count.received, 1);
        bus->options.on_frame(bus->options.context, frame);
    }
}

/* Frames wait here and not in the socket, so that an urgent one overtakes those that came before
 * it. Credit bounds how many there are. */
static void deliver(void *context)
{
    struct fan_bus *bus = context;
    fan_time stop = fan_clock_elapsed() + DELIVER_MS * FAN_MS;
    struct fan_waiting *one;

    bus->deliver = NULL;
    while ((one = take_next(bus)) != NULL) {
        hand_over(bus, &one->frame);
        waiting_free(&one);
        if (fan_clock_elapsed() >= stop)
            break;
    }
    if (!bus->deliver &&
            (bus->waiting[FAN_LANE_URGENT].first || bus->waiting[FAN_LANE_NORMAL].first))
        bus->deliver = fan_loop_after(bus->loop, 0, deliver, bus);
}

static void enqueue(struct fan_link *link, struct fan_packet **packet,
        const struct fan_frame *frame)
{
    struct fan_bus *bus = link->bus;
    struct fan_waiting *one = calloc(1, sizeof(*one));

    if (!one)
        fan_die("out of memory: a frame that waits for its turn");
    one->packet = *packet;
    one->frame = *frame;
    *packet = NULL;
    fan_capacity_came(&bus->capacity[frame->route.lane], link->index);
    list_add(&bus->waiting[frame->route.lane], one);
    if (!bus->deliver)
        bus->deliver = fan_loop_after(bus->loop, 0, deliver, bus);
}

/* ---- receiving ---- */

static bool decode(struct fan_bus *bus, const struct fan_packet *packet, struct fan_frame *frame)
{
    struct fan_why why;

    if (!fan_frame_decode(fan_packet_bytes(packet), frame, &why))
        return true;
    fan_metric_add(bus->count.invalid, 1);
    fan_log(NULL, FAN_DEBUG, "frame.refused", "%s", why.text);
    return false;
}

/* A frame that cannot be read used a credit of who knows which lane: the broker finds out that it
 * did not come, and gives the credit back to itself. */
void fan_bus_on_pull(void *context, struct fan_socket *socket)
{
    struct fan_link *link = context;

    for (int i = 0; i < BURST; i++) {
        struct fan_packet *packet = fan_socket_receive(socket);
        struct fan_frame frame;

        if (!packet)
            return;
        if (decode(link->bus, packet, &frame)) {
            if (frame.number == FAN_MSG_ping)
                fan_link_on_ping(link, &frame);
            else
                enqueue(link, &packet, &frame);
        }
        fan_packet_free(&packet);
    }
}

static bool is_wanted(const struct fan_bus *bus, uint32_t number)
{
    for (size_t i = 0; i < bus->options.wants.len; i++) {
        if ((uint32_t)bus->options.wants.at[i] == number)
            return true;
    }
    return false;
}

void fan_bus_on_sub(void *context, struct fan_socket *socket)
{
    struct fan_link *link = context;
    struct fan_bus *bus = link->bus;
    fan_time stop = fan_clock_elapsed() + DELIVER_MS * FAN_MS;

    for (int i = 0; i < BURST && fan_clock_elapsed() < stop; i++) {
        struct fan_packet *packet = fan_socket_receive(socket);
        struct fan_frame frame;

        if (!packet)
            return;
        if (decode(bus, packet, &frame)) {
            fan_link_on_news(link, &frame);
            if (is_wanted(bus, frame.number)) {
                fan_metric_add(bus->count.news_received, 1);
                bus->options.on_frame(bus->options.context, &frame);
            }
        }
        fan_packet_free(&packet);
    }
}

/* ---- credit and the beat ---- */

void fan_bus_done(struct fan_bus *bus, enum fan_lane lane)
{
    int broker;

    if (!lane)
        lane = FAN_LANE_NORMAL;
    broker = fan_capacity_finished(&bus->capacity[lane]);
    for (int i = 0; i < bus->links; i++) {
        if ((i == broker || broker < 0) && fan_capacity_is_due(&bus->capacity[lane], i))
            fan_link_tell_credit(&bus->link[i]);
    }
}

/* After a long handler or a stopped machine, what they said meanwhile is still to be read. */
static bool overslept(struct fan_bus *bus, fan_time now)
{
    bool late = now - bus->last_beat > (FAN_BEAT_MS + OVERSLEPT_MS) * FAN_MS;

    bus->last_beat = now;
    for (int i = 0; late && i < bus->links; i++) {
        if (bus->link[i].live)
            bus->link[i].heard = now;
    }
    return late;
}

static void beat(void *context)
{
    struct fan_bus *bus = context;
    fan_time now = fan_clock_elapsed();
    bool second = ++bus->beats % BEATS_A_SECOND == 0;
    bool late = overslept(bus, now);

    for (int i = 0; i < bus->links; i++) {
        struct fan_link *link = &bus->link[i];

        if (!late && now - link->heard > SILENT_MS * FAN_MS)
            fan_link_set_live(link, false);
        fan_link_beat(link, second || late);
    }
    fan_metric_set(bus->count.brokers, fan_bus_brokers(bus));
}

int fan_bus_brokers(const struct fan_bus *bus)
{
    int heard = 0;

    for (int i = 0; i < bus->links; i++)
        heard += is_heard(&bus->link[i]);
    return heard;
}

void fan_bus_drain(struct fan_bus *bus)
{
    if (bus->draining)
        return;
    bus->draining = true;
    for (int i = 0; i < bus->links; i++)
        fan_link_say_bye(&bus->link[i]);
}

/* ---- opening and closing ---- */

static void open_counters(struct fan_bus *bus)
{
    struct fan_metrics *metrics = bus->options.metrics;
    static const char *const frames = "fanfare_frames_total";
    static const char *const dropped = "fanfare_frames_dropped_total";
    static const char *const what = "Frames that came and left.";
    static const char *const why = "Frames that were dropped.";

    bus->count.sent = fan_metric_counter(metrics, frames, "way=\"pipe\",to=\"broker\"", what);
    bus->count.received = fan_metric_counter(metrics, frames, "way=\"pipe\",to=\"us\"", what);
    bus->count.news_sent = fan_metric_counter(metrics, frames, "way=\"news\",to=\"broker\"", what);
    bus->count.news_received = fan_metric_counter(metrics, frames, "way=\"news\",to=\"us\"", what);
    bus->count.nowhere = fan_metric_counter(metrics, dropped, "reason=\"no_broker\"", why);
    bus->count.late = fan_metric_counter(metrics, dropped, "reason=\"late\"", why);
    bus->count.invalid = fan_metric_counter(metrics, dropped, "reason=\"invalid\"", why);
    bus->count.refused = fan_metric_counter(metrics, dropped, "reason=\"draining\"", why);
    bus->count.credit_told = fan_metric_counter(metrics, "fanfare_credit_frames_total", "",
            "Credit frames sent to brokers.");
    bus->count.brokers =
            fan_metric_gauge(metrics, "fanfare_brokers", "", "Brokers heard within 3 s.");
}

static enum fan_err open_links(struct fan_bus *bus, struct fan_why *why)
{
    struct fan_bytes rest = fan_bytes_of(bus->options.brokers), base;
    enum fan_err err = FAN_OK;

    while (!err && rest.at) {
        struct fan_link *link = &bus->link[bus->links];

        rest = fan_bytes_split(rest, ',', &base);
        base = fan_bytes_trim(base);
        if (!base.len)
            continue;
        if (bus->links == FAN_BROKERS_MAX)
            return fan_fail_field(why, FAN_INVALID, "brokers", "more than %d brokers",
                    FAN_BROKERS_MAX);
        link->bus = bus;
        link->index = bus->links++;
        err = fan_link_open(link, base, why);
    }
    return err;
}

enum fan_err fan_bus_open(struct fan_loop *loop, const struct fan_bus_options *options,
        struct fan_bus **out, struct fan_why *why)
{
    struct fan_bus *bus = calloc(1, sizeof(*bus));
    enum fan_err err;

    if (!bus)
        fan_die("out of memory: the bus");
    bus->options = *options;
    bus->loop = loop;
    bus->arena = fan_arena_new();
    fan_buffer_init(&bus->scratch, FAN_FRAME_MAX);
    for (int lane = 0; lane < FAN_LANE_COUNT; lane++) {
        bus->capacity[lane].frames = options->credit[lane];
        list_init(&bus->waiting[lane]);
    }
    open_counters(bus);
    err = open_links(bus, why);
    if (err) {
        fan_bus_close(&bus, FAN_LINGER_NONE);
        return err;
    }
    bus->last_beat = fan_clock_elapsed();
    bus->beat = fan_loop_every(loop, FAN_BEAT_MS, beat, bus);
    *out = bus;
    return FAN_OK;
}

void fan_bus_close(struct fan_bus **bus, int linger_ms)
{
    struct fan_bus *old = *bus;
    struct fan_waiting *one;

    if (!old)
        return;
    fan_loop_cancel(&old->beat);
    fan_loop_cancel(&old->deliver);
    for (int i = 0; i < old->links; i++)
        fan_link_close(&old->link[i], linger_ms);
    while ((one = take_next(old)) != NULL)
        waiting_free(&one);
    fan_arena_free(&old->arena);
    fan_buffer_fini(&old->scratch);
    free(old);
    *bus = NULL;
}

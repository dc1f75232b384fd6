/* Brokers, and the workers' links to them. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#define LATE (5 * FAN_SECOND)

static void on_late(void *context, struct fan_packet *packet)
{
    (void)context;
    free(packet);
}

static struct fan_worker *find(struct sim *sim, int broker, int worker)
{
    return fan_registry_find(&sim->broker[broker].registry, sim->worker[worker].life);
}

static bool is_awake(const struct sim *sim, int worker)
{
    return sim->worker[worker].life && sim->worker[worker].paused_until <= sim->now;
}

/* ---- frames ---- */

static void on_delivered(struct sim *sim, const struct sim_event *event)
{
    struct sim_worker *worker = &sim->worker[event->who];
    struct sim_frame *frame = event->about;

    if (!sim_may(sim, event))
        return;
    /* It came through an endpoint that was closed meanwhile. */
    if (worker->met[event->what] != frame->met) {
        free(frame);
        return;
    }
    fan_capacity_came(&worker->capacity, event->what);
    worker->held++;
    if (event->who == SIM_RENDERER)
        renderer_take(sim, event->who, frame);
    else
        sender_take(sim, event->who, frame);
    free(frame);
}

static int worker_of(const struct sim *sim, uint64_t life)
{
    for (int i = 0; i < SIM_WORKERS; i++) {
        if (sim->worker[i].life == life)
            return i;
    }
    return -1;
}

static void dispatch(struct sim *sim, int broker)
{
    struct sim_broker *self = &sim->broker[broker];
    struct fan_handover next;

    while (fan_routing_next(&self->queues, &self->registry, sim->now, &next)) {
        int worker = worker_of(sim, next.worker->incarnation);
        struct sim_event event = { .happen = on_delivered,
            .who = worker,
            .what = broker,
            .life = next.worker->incarnation,
            .about = next.packet };

        if (fan_worker_left(next.worker, next.queue->key.lane) == 0)
            sim_wrong(sim, "broker %d sends a frame without credit", broker);
        fan_routing_sent(&self->queues, &next);
        if (worker >= 0)
            ((struct sim_frame *)event.about)->met = sim->worker[worker].met[broker];
        if (worker < 0 || sim_mishap(sim, 30)) /* dead, or lost on its way */
            free(event.about);
        else
            sim_after(sim, sim_mishap(sim, 50) ? sim_wait(sim, FAN_SECOND) : sim_wait(sim, 100),
                    event);
    }
}

static void on_arrived(struct sim *sim, const struct sim_event *event)
{
    struct sim_broker *broker = &sim->broker[event->who];
    struct sim_frame *frame = event->about;
    const struct fan_queue_key key = { frame->number, 0, FAN_LANE_NORMAL };
    const struct fan_queued queued = { .packet = event->about,
        .bytes = 100,
        .dies_at = sim->now + LATE };

    if (!broker->life || !fan_queues_put(&broker->queues, &key, &queued, sim->now)) {
        free(frame);
        return;
    }
    dispatch(sim, event->who);
}

void wire_emit(struct sim *sim, uint32_t number, fan_id chunk, uint32_t epoch)
{
    for (int times = sim_mishap(sim, 100) ? 2 : 1; times > 0; times--) {
        struct sim_frame *frame = malloc(sizeof *frame);

        if (!frame)
            fan_die("out of memory: a frame");
        *frame = (struct sim_frame){ number, epoch, chunk, 0 };
        if (sim_mishap(sim, 80)) {
            free(frame);
            continue;
        }
        sim_after(sim, sim_mishap(sim, 50) ? sim_wait(sim, 2 * FAN_SECOND) : sim_wait(sim, 100),
                (struct sim_event){ .happen = on_arrived,
                        .who = (int)sim_draw(sim, SIM_BROKERS),
                        .about = frame });
    }
}

/* ---- credit ---- */

struct credit {
    uint64_t met;
    int worker;
    struct fan_credit credit;
};

static void on_credit(struct sim *sim, const struct sim_event *event)
{
    struct credit *said = event->about;
    struct sim_broker *broker = &sim->broker[event->who];
    struct fan_worker *worker = fan_registry_find(&broker->registry, said->credit.worker);

    /* What was said before a hello comes before it. */
    if (worker && said->credit.broker == broker->life &&
            sim->worker[said->worker].met[event->who] == said->met) {
        worker->heard = sim->now;
        (void)fan_worker_credit(worker, &said->credit, sim->now);
        dispatch(sim, event->who);
    }
    free(said);
}

static void tell_credit(struct sim *sim, int index, int broker)
{
    struct sim_worker *worker = &sim->worker[index];
    struct credit *said;

    if (!worker->knows[broker] || sim_mishap(sim, 100)) {
        if (worker->knows[broker])
            (void)fan_capacity_grant(&worker->capacity, broker); /* said, and lost */
        return;
    }
    said = malloc(sizeof *said);
    if (!said)
        fan_die("out of memory: a word of credit");
    *said = (struct credit){ worker->met[broker], index,
        { .worker = worker->life,
                .broker = worker->knows[broker],
                .normal = fan_capacity_grant(&worker->capacity, broker),
                .normal_came = worker->capacity.line[broker].came } };
    sim_after(sim, sim_wait(sim, 100),
            (struct sim_event){ .happen = on_credit, .who = broker, .about = said });
}

void wire_done(struct sim *sim, int index)
{
    struct sim_worker *worker = &sim->worker[index];
    int broker = fan_capacity_finished(&worker->capacity);

    if (worker->held == 0)
        sim_wrong(sim, "worker %d is done with more frames than came", index);
    worker->held--;
    for (int b = 0; b < SIM_BROKERS; b++) {
        if ((b == broker || broker < 0) && fan_capacity_is_due(&worker->capacity, b))
            tell_credit(sim, index, b);
    }
}

/* ---- acquaintance ---- */

static void greet(struct sim *sim, int index, int broker)
{
    static const int64_t takes[] = { SIM_RENDER_REQUEST, SIM_SEND_REQUEST };
    struct sim_worker *worker = &sim->worker[index];
    bool renders = index == SIM_RENDERER;
    const struct fan_hello hello = { .worker = worker->life,
        .role = renders ? FAN_LIT("renderer") : FAN_LIT("sender"),
        .takes = { renders ? takes : takes + 1, 1 } };
    struct fan_worker *old = find(sim, broker, index);

    if (old)
        fan_registry_remove(&sim->broker[broker].registry, &old);
    fan_registry_add(&sim->broker[broker].registry, &hello, sim->now)->met = true;
    fan_capacity_forgotten(&worker->capacity, broker);
    fan_capacity_live(&worker->capacity, broker, true);
    worker->knows[broker] = sim->broker[broker].life;
    worker->met[broker] = ++sim->lives;
}

static void beat(struct sim *sim, int index, int broker)
{
    struct sim_worker *worker = &sim->worker[index];
    struct fan_worker *known = find(sim, broker, index);

    if (!sim->broker[broker].life) {
        if (sim->now - worker->heard[broker] > FAN_SILENT_MS * FAN_MS)
            fan_capacity_live(&worker->capacity, broker, false);
        return;
    }
    worker->heard[broker] = sim->now;
    if (!known || worker->knows[broker] != sim->broker[broker].life) {
        if (sim_mishap(sim, 200))
            return;
        greet(sim, index, broker);
        known = find(sim, broker, index);
    }
    known->heard = sim->now;
    tell_credit(sim, index, broker);
}

static void bury(struct sim *sim, int broker)
{
    struct fan_worker *silent;

    while ((silent = fan_registry_silent(&sim->broker[broker].registry, sim->now)) != NULL) {
        uint64_t life = silent->incarnation;
        bool sends = silent->role[0] == 's';

        fan_registry_remove(&sim->broker[broker].registry, &silent);
        if (sends)
            scheduler_gone(sim, life);
    }
}

static void on_back(struct sim *sim, const struct sim_event *event)
{
    sim->broker[event->who].life = ++sim->lives;
}

void wire_kill_broker(struct sim *sim, int broker)
{
    struct sim_broker *self = &sim->broker[broker];

    if (!self->life)
        return;
    self->life = 0;
    fan_queues_fini(&self->queues);
    fan_registry_fini(&self->registry);
    sim_after(sim, sim_wait(sim, 2 * FAN_SECOND),
            (struct sim_event){ .happen = on_back, .who = broker });
}

void wire_beat(struct sim *sim)
{
    for (int b = 0; b < SIM_BROKERS; b++) {
        for (int w = 0; w < SIM_WORKERS; w++) {
            if (is_awake(sim, w) && !sim_mishap(sim, 50))
                beat(sim, w, b);
        }
        if (!sim->broker[b].life)
            continue;
        bury(sim, b);
        dispatch(sim, b);
    }
}

void wire_begin(struct sim *sim)
{
    for (int b = 0; b < SIM_BROKERS; b++) {
        sim->broker[b].life = ++sim->lives;
        sim->broker[b].queues.bytes_max = 1 << 20;
        sim->broker[b].queues.on_late = on_late;
    }
    for (int w = 0; w < SIM_WORKERS; w++) {
        sim->worker[w].life = w < sim->senders || w == SIM_RENDERER ? ++sim->lives : 0;
        sim->worker[w].capacity.frames = sim->frames;
    }
}

void wire_end(struct sim *sim)
{
    for (size_t i = 0; i < sim->heap_len; i++)
        free(sim->heap[i].about);
    for (int b = 0; b < SIM_BROKERS; b++) {
        fan_queues_fini(&sim->broker[b].queues);
        fan_registry_fini(&sim->broker[b].registry);
    }
}

void wire_check_rest(struct sim *sim)
{
    for (int w = 0; w < SIM_WORKERS; w++) {
        uint64_t left = 0;

        if (w >= sim->senders && w != SIM_RENDERER)
            continue;

        for (int b = 0; b < SIM_BROKERS; b++) {
            const struct fan_worker *known = find(sim, b, w);
            uint64_t mine = known ? fan_worker_left(known, FAN_LANE_NORMAL) : 0;

            left += mine;
            if (mine == 0)
                sim_wrong(sim, "broker %d may send worker %d nothing any more", b, w);
        }
        if (sim->worker[w].held)
            sim_wrong(sim, "worker %d still holds %u frames", w, sim->worker[w].held);
        if (left > sim->worker[w].capacity.frames + SIM_BROKERS)
            sim_wrong(sim, "the brokers may send worker %d %llu frames", w,
                    (unsigned long long)left);
        if (sim->worker[w].capacity.orphans)
            sim_wrong(sim, "worker %d holds frames that nobody sent", w);
    }
}

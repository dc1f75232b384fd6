/*
 * A simulation: frames, grants, workers that come and go, time that passes, at random from fixed
 * seeds. The broker must never break what it promises, whatever happens in whatever order.
 */
#include "broker/daemon/routing.h"

#include <stdlib.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { STEPS = 20000, SEEDS = 10, NUMBERS = 3, KINDS = 3, WORKERS_MAX = 12 };

struct packet {
    struct fan_queue_key key;
    fan_time dies_at;
    uint64_t order; /* in which it was put */
};

/* What a worker granted and got, by its own count. */
struct account {
    uint64_t incarnation;
    uint64_t granted[FAN_LANE_COUNT], got[FAN_LANE_COUNT];
};

struct world {
    struct fan_queues queues;
    struct fan_registry registry;
    struct account account[WORKERS_MAX];
    size_t workers;
    uint64_t next_incarnation, next_order;
    uint64_t last_order[NUMBERS][KINDS][FAN_LANE_COUNT]; /* last frame handed out */
    uint64_t put, refused, late, sent;
    fan_time now;
};

static int dice(int sides)
{
    return (int)(random() % sides);
}

static void on_late(void *context, struct fan_packet *late)
{
    struct world *world = context;
    struct packet *packet = (struct packet *)late;

    assert_true(packet->dies_at <= world->now);
    world->late++;
    free(packet);
}

static void put_frame(struct world *world)
{
    struct packet *packet = calloc(1, sizeof(*packet));
    struct fan_queued frame = { .packet = (struct fan_packet *)packet };

    packet->key = (struct fan_queue_key){ (uint32_t)dice(NUMBERS), (enum fan_kind)dice(KINDS),
        dice(4) ? FAN_LANE_NORMAL : FAN_LANE_URGENT };
    packet->dies_at = world->now + dice(5000) * FAN_MS;
    packet->order = ++world->next_order;
    frame.bytes = (size_t)dice(1000);
    frame.dies_at = packet->dies_at;
    world->put++;
    if (fan_queues_put(&world->queues, &packet->key, &frame, world->now))
        return;
    world->refused++;
    free(packet);
}

static void come(struct world *world)
{
    int64_t takes[] = { dice(NUMBERS), dice(NUMBERS) };
    const struct fan_hello hello = {
        .worker = ++world->next_incarnation,
        .role = FAN_LIT("sim"),
        .kind = (uint32_t)dice(KINDS),
        .takes = { takes, 2 },
    };

    if (world->workers == WORKERS_MAX)
        return;
    world->account[world->workers++] = (struct account){ .incarnation = hello.worker };
    fan_registry_add(&world->registry, &hello, world->now)->met = dice(4) != 0;
}

static void go(struct world *world, size_t at)
{
    struct fan_worker *worker = fan_registry_find(&world->registry, world->account[at].incarnation);

    fan_registry_remove(&world->registry, &worker);
    world->account[at] = world->account[--world->workers];
}

/* Grants come late, twice and out of order; the worker remembers the most it ever said. */
static void grant(struct world *world, struct account *account)
{
    struct fan_worker *worker = fan_registry_find(&world->registry, account->incarnation);
    struct fan_credit credit = {
        .urgent = account->got[FAN_LANE_URGENT] + (uint64_t)dice(4),
        .normal = account->got[FAN_LANE_NORMAL] + (uint64_t)dice(8),
        .urgent_came = account->got[FAN_LANE_URGENT],
        .normal_came = account->got[FAN_LANE_NORMAL],
    };

    worker->met = true;
    if (credit.urgent > account->granted[FAN_LANE_URGENT])
        account->granted[FAN_LANE_URGENT] = credit.urgent;
    if (credit.normal > account->granted[FAN_LANE_NORMAL])
        account->granted[FAN_LANE_NORMAL] = credit.normal;
    assert_int_equal(fan_worker_credit(worker, &credit, world->now), 0);
}

static struct account *account_of(struct world *world, uint64_t incarnation)
{
    for (size_t i = 0; i < world->workers; i++) {
        if (world->account[i].incarnation == incarnation)
            return &world->account[i];
    }
    fail_msg("a frame for a worker that has gone");
    return NULL;
}

/* No urgent frame may wait while somebody could take it. */
static void check_no_urgent_waits(struct world *world)
{
    for (size_t i = 0; i < world->queues.len; i++) {
        struct fan_queue *queue = world->queues.at[i];

        if (queue->key.lane != FAN_LANE_URGENT ||
                !fan_queue_peek(&world->queues, queue, world->now))
            continue;
        assert_null(fan_registry_choose(&world->registry, queue->key.number, queue->key.kind,
                FAN_LANE_URGENT));
    }
}

static void check_handover(struct world *world, const struct fan_handover *handover)
{
    const struct packet *packet = (const struct packet *)handover->packet;
    const struct fan_queue_key *key = &packet->key;
    struct account *account = account_of(world, handover->worker->incarnation);
    uint64_t *last = &world->last_order[key->number][key->kind][key->lane];
    bool takes = false;

    for (size_t i = 0; i < handover->worker->takes_len; i++)
        takes |= handover->worker->takes[i] == key->number;
    assert_true(takes);
    assert_true(!handover->worker->kind || !key->kind || handover->worker->kind == key->kind);
    assert_true(handover->worker->met);
    assert_true(packet->dies_at > world->now);
    assert_true(++account->got[key->lane] <= account->granted[key->lane]);
    assert_true(packet->order > *last);
    *last = packet->order;
    if (key->lane == FAN_LANE_NORMAL)
        check_no_urgent_waits(world);
}

static void hand_out(struct world *world)
{
    struct fan_handover next;

    while (fan_routing_next(&world->queues, &world->registry, world->now, &next)) {
        check_handover(world, &next);
        fan_routing_sent(&world->queues, &next);
        world->sent++;
        free((struct packet *)next.packet);
        if (dice(20) == 0)
            return; /* others had their turn */
    }
}

static void check_bounds(const struct world *world)
{
    size_t waiting = 0;

    for (size_t i = 0; i < world->queues.len; i++) {
        assert_true(world->queues.at[i]->len <= FAN_QUEUE_FRAMES);
        waiting += world->queues.at[i]->len;
    }
    assert_true(world->queues.bytes <= world->queues.bytes_max);
    assert_int_equal(world->put, world->refused + world->late + world->sent + waiting);
}

static void step(struct world *world)
{
    int what = dice(100);

    world->now += dice(20) * FAN_MS;
    if (what < 55)
        put_frame(world);
    else if (what < 80 && world->workers)
        grant(world, &world->account[dice((int)world->workers)]);
    else if (what < 97)
        hand_out(world);
    else if (what < 99 || !world->workers)
        come(world);
    else
        go(world, (size_t)dice((int)world->workers));
    check_bounds(world);
}

static void nothing_that_was_promised_is_ever_broken(void **state)
{
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct world world = { .now = FAN_SECOND };

        srandom(seed);
        world.queues.bytes_max = 60000;
        world.queues.on_late = on_late;
        world.queues.context = &world;
        for (int i = 0; i < STEPS; i++)
            step(&world);
        assert_true(world.sent > STEPS / 20);
        assert_true(world.refused + world.late > 0);
        world.now += 60 * FAN_SECOND;
        fan_queues_fini(&world.queues);
        fan_registry_fini(&world.registry);
    }
}

static void the_queues_of_a_lane_take_turns(void **state)
{
    struct world world = { .now = FAN_SECOND };
    int64_t takes[] = { 1, 2 };
    const struct fan_hello hello = { .worker = 1, .takes = { takes, 2 } };
    struct fan_worker *worker = fan_registry_add(&world.registry, &hello, world.now);
    uint32_t order[4];

    worker->met = true;
    worker->lane[FAN_LANE_NORMAL].granted = 4;
    world.queues.bytes_max = 1000;
    for (uintptr_t i = 0; i < 4; i++) {
        const struct fan_queue_key key = { i < 2 ? 1 : 2, 0, FAN_LANE_NORMAL };
        const struct fan_queued frame = { (struct fan_packet *)&world, 1, 2 * FAN_SECOND };

        assert_true(fan_queues_put(&world.queues, &key, &frame, world.now));
    }
    for (int i = 0; i < 4; i++) {
        struct fan_handover next;

        assert_true(fan_routing_next(&world.queues, &world.registry, world.now, &next));
        order[i] = next.queue->key.number;
        fan_routing_sent(&world.queues, &next);
    }
    assert_memory_equal(order, ((uint32_t[]){ 1, 2, 1, 2 }), sizeof order);
    fan_queues_fini(&world.queues);
    fan_registry_fini(&world.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_was_promised_is_ever_broken),
        cmocka_unit_test(the_queues_of_a_lane_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

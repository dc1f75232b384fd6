/* Brokers, workers and publishers as real processes: what passes, and what happens when they die.
 */
#include "tests/support/crew.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* What the processes report. */
enum {
    READY = 1, /* its incarnation */
    EMITTED,   /* a chunk */
    GOT,       /* a chunk */
    GONE,      /* a worker's incarnation */
    SAID_BYE,  /* a worker's incarnation */
    PUBLISHED, /* how many */
    HEARD,     /* how many news */
};

enum { BURST = 64, BURSTS = 10 };
enum { NEWS = 100000, NEWS_AT_ONCE = 1000, WAITED_MS = 5000, GONE_MS = 3500 };

/* ---- the processes ---- */

static enum fan_err tell_ready(struct fan_actor *actor, void *state, struct fan_why *why)
{
    crew_tell(READY, (int64_t)fan_actor_incarnation(actor));
    return FAN_OK;
}

static enum fan_err on_render(struct fan_turn *turn, const struct fan_render_request *request)
{
    crew_tell(GOT, request->chunk);
    return FAN_OK;
}

static const struct fan_role worker = {
    .name = "test",
    .no_database = true,
    .credit_urgent = 2,
    .credit_normal = 8,
    .open = tell_ready,
    .on = { .render_request = on_render },
};

static const struct fan_role hoarder = {
    .name = "test",
    .no_database = true,
    .credit_normal = 6,
    .manual_credit = true, /* and never gives any back */
    .open = tell_ready,
    .on = { .render_request = on_render },
};

struct emitter {
    fan_id chunk;
};

static enum fan_err emit_one(struct fan_turn *turn)
{
    struct emitter *self = turn->state;
    const struct fan_render_request request = { .chunk = ++self->chunk, .epoch = 1 };

    crew_tell(EMITTED, request.chunk);
    return fan_emit_render_request(turn, &turn->route, &request);
}

static const struct fan_tick emitter_ticks[] = { { 10, "emit", emit_one }, { 0, NULL, NULL } };

static const struct fan_role emitter = {
    .name = "test",
    .no_database = true,
    .state_size = sizeof(struct emitter),
    .ticks = emitter_ticks,
};

static enum fan_err emit_burst(struct fan_turn *turn)
{
    struct emitter *self = turn->state;
    enum fan_err err = FAN_OK;

    for (int i = 0; !err && i < BURST && self->chunk < BURST * BURSTS; i++) {
        const struct fan_render_request request = { .chunk = ++self->chunk, .epoch = 1 };

        err = fan_emit_render_request(turn, &turn->route, &request);
    }
    return err;
}

static const struct fan_tick burster_ticks[] = { { 300, "burst", emit_burst }, { 0, NULL, NULL } };

static const struct fan_role burster = {
    .name = "test",
    .no_database = true,
    .state_size = sizeof(struct emitter),
    .ticks = burster_ticks,
};

static enum fan_err on_gone(struct fan_turn *turn, const struct fan_worker_gone *gone)
{
    crew_tell(gone->said_bye ? SAID_BYE : GONE, (int64_t)gone->worker);
    return FAN_OK;
}

static const struct fan_role watcher = {
    .name = "test",
    .no_database = true,
    .open = tell_ready,
    .on = { .worker_gone = on_gone },
};

static enum fan_err publish_many(struct fan_turn *turn)
{
    struct emitter *self = turn->state;
    const struct fan_chunk_done event = { .chunk = 1 };
    enum fan_err err = FAN_OK;

    for (int i = 0; !err && i < NEWS_AT_ONCE && self->chunk < NEWS; i++, self->chunk++)
        err = fan_emit_chunk_done(turn, &turn->route, &event);
    if (self->chunk == NEWS)
        crew_tell(PUBLISHED, self->chunk);
    self->chunk += self->chunk == NEWS;
    return err;
}

static const struct fan_tick publisher_ticks[] = {
    { 1, "publish", publish_many },
    { 0, NULL, NULL },
};

static const struct fan_role publisher = {
    .name = "test",
    .no_database = true,
    .state_size = sizeof(struct emitter),
    .ticks = publisher_ticks,
};

static enum fan_err on_rendered(struct fan_turn *turn, const struct fan_chunk_done *event)
{
    struct emitter *heard = turn->state;

    heard->chunk++;
    return FAN_OK;
}

static enum fan_err tell_heard(struct fan_turn *turn)
{
    const struct emitter *heard = turn->state;

    crew_tell(HEARD, heard->chunk);
    return FAN_OK;
}

static const struct fan_tick listener_ticks[] = { { 200, "tell", tell_heard }, { 0, NULL, NULL } };

static const struct fan_role listener = {
    .name = "test",
    .no_database = true,
    .state_size = sizeof(struct emitter),
    .ticks = listener_ticks,
    .on = { .chunk_done = on_rendered },
};

/* ---- what tests have in common ---- */

static int64_t incarnation_of(struct crew *crew, pid_t pid)
{
    struct crew_report report;

    while (crew_read(crew, &report, WAITED_MS)) {
        if (report.what == READY && report.pid == pid)
            return report.number;
    }
    fail_msg("a process did not start");
    return 0;
}

/* Wait until @pid has handled @count chunks. */
static void await_work(struct crew *crew, pid_t pid, int count, int wait_ms)
{
    fan_time until = fan_clock_elapsed() + wait_ms * FAN_MS;
    struct crew_report report;

    while (count > 0 && fan_clock_elapsed() < until) {
        if (crew_read(crew, &report, 100) && report.what == GOT && report.pid == pid)
            count--;
    }
    assert_int_equal(count, 0);
}

/* Read for @wait_ms: chunks emitted and handled from now on, and the last of each. */
struct tally {
    int emitted, got, twice;
    char seen[100000];
};

static void tally_for(struct crew *crew, struct tally *tally, int wait_ms)
{
    fan_time until = fan_clock_elapsed() + wait_ms * FAN_MS;
    struct crew_report report;

    while (fan_clock_elapsed() < until) {
        if (!crew_read(crew, &report, 20))
            continue;
        tally->emitted += report.what == EMITTED;
        if (report.what != GOT)
            continue;
        tally->got++;
        tally->twice += tally->seen[report.number]++;
    }
}

/* ---- the tests ---- */

static void each_frame_reaches_one_worker(struct crew *crew)
{
    struct tally *tally = calloc(1, sizeof(*tally));
    pid_t emits, one, other;

    crew_start_broker(crew, 0);
    crew_start_broker(crew, 1);
    one = crew_start(crew, &worker, NULL, NULL);
    other = crew_start(crew, &worker, NULL, NULL);
    usleep(1000 * 1000);
    emits = crew_start(crew, &emitter, NULL, NULL);
    await_work(crew, one, 20, WAITED_MS);
    await_work(crew, other, 20, WAITED_MS);
    tally_for(crew, tally, 1000);
    crew_signal(crew, emits, SIGTERM);
    assert_int_equal(crew_wait(crew, emits, WAITED_MS), 0);
    tally_for(crew, tally, 500);
    assert_true(tally->emitted > 50);
    assert_in_range(tally->got, tally->emitted, tally->emitted + 2); /* two were on their way */
    assert_int_equal(tally->twice, 0);
    free(tally);
}

static void each_frame_reaches_one_worker_through_either_broker(void **state)
{
    struct crew crew;

    crew_init(&crew, 2, 0);
    each_frame_reaches_one_worker(&crew);
    crew_fini(&crew);
}

static void it_is_the_same_over_tcp(void **state)
{
    struct crew crew;

    crew_init(&crew, 2, 20000 + getpid() % 200 * 200);
    each_frame_reaches_one_worker(&crew);
    crew_fini(&crew);
}

/* As many as a broker may hold of one message; its pipes must not hold fewer. */
static void a_turn_s_burst_of_frames_arrives_whole(void **state)
{
    struct crew crew;
    pid_t one;

    crew_init(&crew, 1, 0);
    crew_start_broker(&crew, 0);
    one = crew_start(&crew, &worker, NULL, NULL);
    usleep(1000 * 1000);
    crew_start(&crew, &burster, NULL, NULL);
    await_work(&crew, one, BURST * BURSTS, 3 * WAITED_MS);
    crew_fini(&crew);
}

static void a_killed_worker_is_announced_and_others_take_its_work(void **state)
{
    struct crew crew;
    struct crew_report report;
    pid_t one, other;
    int64_t incarnation;
    fan_time killed;

    crew_init(&crew, 2, 0);
    crew_start_broker(&crew, 0);
    crew_start_broker(&crew, 1);
    crew_start(&crew, &watcher, NULL, NULL);
    one = crew_start(&crew, &worker, NULL, NULL);
    incarnation = incarnation_of(&crew, one);
    crew_start(&crew, &emitter, NULL, NULL);
    await_work(&crew, one, 20, WAITED_MS);
    other = crew_start(&crew, &worker, NULL, NULL);
    await_work(&crew, other, 20, WAITED_MS);
    crew_signal(&crew, one, SIGKILL);
    killed = fan_clock_elapsed();
    await_work(&crew, other, 100, WAITED_MS);
    assert_true(crew_await(&crew, GONE, incarnation, &report, WAITED_MS));
    assert_true(report.at - killed < GONE_MS * FAN_MS);
    crew_fini(&crew);
}

static void a_worker_that_stops_says_bye(void **state)
{
    struct crew crew;
    pid_t one;
    int64_t incarnation;

    crew_init(&crew, 1, 0);
    crew_start_broker(&crew, 0);
    crew_start(&crew, &watcher, NULL, NULL);
    one = crew_start(&crew, &worker, NULL, NULL);
    incarnation = incarnation_of(&crew, one);
    crew_start(&crew, &emitter, NULL, NULL);
    await_work(&crew, one, 5, WAITED_MS);
    crew_signal(&crew, one, SIGTERM);
    assert_int_equal(crew_wait(&crew, one, WAITED_MS), 0);
    assert_true(crew_await(&crew, SAID_BYE, incarnation, NULL, 1000));
    crew_fini(&crew);
}

static void a_worker_that_was_stopped_for_long_comes_back(void **state)
{
    struct crew crew;
    pid_t one;
    int64_t incarnation;

    crew_init(&crew, 1, 0);
    crew_start_broker(&crew, 0);
    crew_start(&crew, &watcher, NULL, NULL);
    one = crew_start(&crew, &worker, NULL, NULL);
    incarnation = incarnation_of(&crew, one);
    crew_start(&crew, &emitter, NULL, NULL);
    await_work(&crew, one, 5, WAITED_MS);
    crew_signal(&crew, one, SIGSTOP);
    assert_true(crew_await(&crew, GONE, incarnation, NULL, WAITED_MS));
    crew_signal(&crew, one, SIGCONT);
    await_work(&crew, one, 100, WAITED_MS);
    crew_fini(&crew);
}

/* After the death of each of two brokers in turn, all that is emitted arrives again. */
static void traffic_outlives_the_death_of_either_broker(void **state)
{
    struct crew crew;
    struct tally *tally;
    pid_t broker[2], one;

    crew_init(&crew, 2, 0);
    broker[0] = crew_start_broker(&crew, 0);
    broker[1] = crew_start_broker(&crew, 1);
    one = crew_start(&crew, &worker, NULL, NULL);
    crew_start(&crew, &emitter, NULL, NULL);
    await_work(&crew, one, 50, WAITED_MS);
    for (int i = 0; i < 2; i++) {
        crew_signal(&crew, broker[i], SIGKILL);
        tally = calloc(1, sizeof(*tally));
        tally_for(&crew, tally, 3000);
        assert_true(tally->emitted > 100);
        assert_true(tally->got >= tally->emitted - 10); /* those that it held are lost */
        free(tally);
        broker[i] = crew_start_broker(&crew, i);
        usleep(1500 * 1000);
    }
    crew_fini(&crew);
}

/* Brokers that restart count from zero; what the worker still holds counts all the same. */
static void a_worker_that_never_finishes_gets_what_it_granted(void **state)
{
    struct crew crew;
    struct tally *tally = calloc(1, sizeof(*tally));
    pid_t broker;

    crew_init(&crew, 2, 0);
    crew_start_broker(&crew, 0);
    broker = crew_start_broker(&crew, 1);
    crew_start(&crew, &hoarder, NULL, NULL);
    crew_start(&crew, &emitter, NULL, NULL);
    tally_for(&crew, tally, 3000);
    assert_true(tally->emitted > 100);
    assert_int_equal(tally->got, 6);
    crew_signal(&crew, broker, SIGKILL);
    crew_start_broker(&crew, 1);
    tally_for(&crew, tally, 3000);
    assert_in_range(tally->got, 6, 7); /* a live broker may always send one */
    free(tally);
    crew_fini(&crew);
}

static void news_never_wait_for_who_hears_them(void **state)
{
    struct crew crew;
    struct crew_report report;
    fan_time start;
    pid_t deaf;

    crew_init(&crew, 2, 0);
    crew_start_broker(&crew, 0);
    crew_start_broker(&crew, 1);
    crew_start(&crew, &listener, NULL, NULL);
    deaf = crew_start(&crew, &listener, NULL, NULL);
    assert_true(crew_await(&crew, HEARD, -1, NULL, WAITED_MS));
    usleep(500 * 1000);
    crew_signal(&crew, deaf, SIGSTOP);
    start = fan_clock_elapsed();
    crew_start(&crew, &publisher, NULL, NULL);
    assert_true(crew_await(&crew, PUBLISHED, NEWS, &report, 20000));
    assert_true(report.at - start < 15 * FAN_SECOND);
    while (crew_await(&crew, HEARD, -1, &report, 1000) && report.number < NEWS / 100)
        assert_true(fan_clock_elapsed() - start < 30 * FAN_SECOND);
    crew_fini(&crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_frame_reaches_one_worker_through_either_broker),
        cmocka_unit_test(it_is_the_same_over_tcp),
        cmocka_unit_test(a_turn_s_burst_of_frames_arrives_whole),
        cmocka_unit_test(a_killed_worker_is_announced_and_others_take_its_work),
        cmocka_unit_test(a_worker_that_stops_says_bye),
        cmocka_unit_test(a_worker_that_was_stopped_for_long_comes_back),
        cmocka_unit_test(traffic_outlives_the_death_of_either_broker),
        cmocka_unit_test(a_worker_that_never_finishes_gets_what_it_granted),
        cmocka_unit_test(news_never_wait_for_who_hears_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The life of a process, seen from outside: how it starts, stops and with which exit code. */
#include "tests/support/crew.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { READY = 1, DRAINING, CLOSED, WAITED_MS = 5000 };

static enum fan_err tell_ready(struct fan_actor *actor, void *state, struct fan_why *why)
{
    crew_tell(READY, 0);
    return FAN_OK;
}

static void tell_draining(struct fan_actor *actor, void *state)
{
    crew_tell(DRAINING, 0);
}

static void tell_closed(struct fan_actor *actor, void *state)
{
    crew_tell(CLOSED, 0);
}

static bool always(struct fan_actor *actor, void *state)
{
    return true;
}

static enum fan_err refuse(struct fan_actor *actor, void *state, struct fan_why *why)
{
    return fan_fail(why, FAN_UNAVAILABLE, "there is no such thing here");
}

static const struct fan_role idle = {
    .name = "test",
    .no_database = true,
    .open = tell_ready,
    .drain = tell_draining,
    .close = tell_closed,
};

static const struct fan_role busy = {
    .name = "test",
    .no_database = true,
    .open = tell_ready,
    .drain = tell_draining,
    .busy = always,
    .close = tell_closed,
};

static const struct fan_role broken = { .name = "test", .no_database = true, .open = refuse };

static void a_process_that_is_asked_to_stop_drains_and_closes(void **state)
{
    struct crew crew;
    pid_t pid;

    crew_init(&crew, 1, 0);
    pid = crew_start(&crew, &idle, NULL, NULL);
    assert_true(crew_await(&crew, READY, -1, NULL, WAITED_MS));
    crew_signal(&crew, pid, SIGTERM);
    assert_true(crew_await(&crew, DRAINING, -1, NULL, WAITED_MS));
    assert_true(crew_await(&crew, CLOSED, -1, NULL, WAITED_MS));
    assert_int_equal(crew_wait(&crew, pid, WAITED_MS), 0);
    crew_fini(&crew);
}

static void work_in_flight_is_waited_for_but_not_for_ever(void **state)
{
    struct crew crew;
    pid_t pid;

    crew_init(&crew, 1, 0);
    pid = crew_start(&crew, &busy, "--drain_ms", "3000");
    assert_true(crew_await(&crew, READY, -1, NULL, WAITED_MS));
    crew_signal(&crew, pid, SIGINT);
    assert_true(crew_await(&crew, DRAINING, -1, NULL, WAITED_MS));
    assert_int_equal(crew_wait(&crew, pid, 200), -1000);
    assert_int_equal(crew_wait(&crew, pid, WAITED_MS), 75);
    assert_true(crew_await(&crew, CLOSED, -1, NULL, 100));
    crew_fini(&crew);
}

static void the_second_signal_ends_it_at_once(void **state)
{
    struct crew crew;
    pid_t pid;

    crew_init(&crew, 1, 0);
    pid = crew_start(&crew, &busy, "--drain_ms", "60000");
    assert_true(crew_await(&crew, READY, -1, NULL, WAITED_MS));
    crew_signal(&crew, pid, SIGTERM);
    assert_true(crew_await(&crew, DRAINING, -1, NULL, WAITED_MS));
    crew_signal(&crew, pid, SIGTERM);
    assert_int_equal(crew_wait(&crew, pid, WAITED_MS), 75);
    crew_fini(&crew);
}

static void a_boot_that_fails_says_so_with_its_exit_code(void **state)
{
    static const struct {
        const struct fan_role *role;
        const char *option, *value;
        int code;
    } cases[] = {
        { &idle, "--no_such_setting", "1", 64 },
        { &idle, "--drain_ms", "soon", 64 },
        { &idle, "--status_listen", "nonsense", 64 },
        { &broken, NULL, NULL, 70 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct crew crew;
        pid_t pid;

        crew_init(&crew, 1, 0);
        pid = crew_start(&crew, cases[i].role, cases[i].option, cases[i].value);
        assert_int_equal(crew_wait(&crew, pid, WAITED_MS), cases[i].code);
        crew_fini(&crew);
    }
}

static void a_child_of_a_supervisor_that_has_gone_stops(void **state)
{
    struct crew crew;
    pid_t pid;

    crew_init(&crew, 1, 0);
    setenv("FANFARE_SUPERVISED", "999999", 1);
    pid = crew_start(&crew, &idle, NULL, NULL);
    unsetenv("FANFARE_SUPERVISED");
    assert_int_equal(crew_wait(&crew, pid, WAITED_MS), 0);
    assert_true(crew_await(&crew, CLOSED, -1, NULL, 100));
    crew_fini(&crew);
}

static void a_child_outlives_no_supervisor(void **state)
{
    struct crew crew;
    char supervisor[16];
    pid_t parent;

    crew_init(&crew, 1, 0);
    parent = fork();
    if (parent == 0) {
        snprintf(supervisor, sizeof supervisor, "%d", getpid());
        setenv("FANFARE_SUPERVISED", supervisor, 1);
        crew_start(&crew, &idle, NULL, NULL);
        pause();
    }
    assert_true(crew_await(&crew, READY, -1, NULL, WAITED_MS));
    usleep(100 * 1000);
    crew_signal(&crew, parent, SIGKILL);
    assert_true(crew_await(&crew, CLOSED, -1, NULL, WAITED_MS));
    crew_fini(&crew);
}

static void two_brokers_do_not_share_a_place(void **state)
{
    struct crew crew;
    pid_t first, second;

    crew_init(&crew, 1, 0);
    first = crew_start_broker(&crew, 0);
    usleep(500 * 1000);
    second = crew_start_broker(&crew, 0);
    assert_int_equal(crew_wait(&crew, second, WAITED_MS), 70);
    crew_signal(&crew, first, SIGTERM);
    assert_int_equal(crew_wait(&crew, first, WAITED_MS), 0);
    crew_fini(&crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_that_is_asked_to_stop_drains_and_closes),
        cmocka_unit_test(work_in_flight_is_waited_for_but_not_for_ever),
        cmocka_unit_test(the_second_signal_ends_it_at_once),
        cmocka_unit_test(a_boot_that_fails_says_so_with_its_exit_code),
        cmocka_unit_test(a_child_of_a_supervisor_that_has_gone_stops),
        cmocka_unit_test(a_child_outlives_no_supervisor),
        cmocka_unit_test(two_brokers_do_not_share_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

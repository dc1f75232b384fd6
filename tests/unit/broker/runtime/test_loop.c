#include "broker/runtime/loop.h"

#include "broker/runtime/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS = 40 };

/* A test's notes: letters, in the order in which things happened. */
struct notes {
    struct fan_loop *loop;
    char text[256];
    int count;
    struct fan_timer *timer, *other;
    int sockets[SOCKETS][2];
    struct fan_watch *watches[SOCKETS];
};

static void note(struct notes *notes, char c)
{
    size_t len = strlen(notes->text);

    if (len + 1 < sizeof(notes->text))
        notes->text[len] = c;
}

static void note_a(void *context)
{
    note(context, 'a');
}

static void note_b(void *context)
{
    note(context, 'b');
}

static void note_c(void *context)
{
    note(context, 'c');
}

static void stop(void *context)
{
    struct notes *notes = context;

    fan_loop_stop(notes->loop);
}

static int set_up(void **state)
{
    static struct notes notes;

    memset(&notes, 0, sizeof(notes));
    notes.loop = fan_loop_new();
    *state = &notes;
    return 0;
}

static int tear_down(void **state)
{
    struct notes *notes = *state;

    fan_loop_free(&notes->loop);
    assert_null(notes->loop);
    fan_loop_free(&notes->loop);
    return 0;
}

/* ---- timers ---- */

static void timers_fire_in_the_order_of_their_instants(void **state)
{
    struct notes *notes = *state;
    fan_time began = fan_clock_elapsed();

    fan_loop_after(notes->loop, 60, stop, notes);
    fan_loop_after(notes->loop, 40, note_c, notes);
    fan_loop_after(notes->loop, 0, note_a, notes);
    fan_loop_after(notes->loop, 20, note_b, notes);
    fan_loop_run(notes->loop);
    assert_string_equal(notes->text, "abc");
    assert_in_range(fan_clock_elapsed() - began, 60 * FAN_MS, 2000 * FAN_MS);
}

static void count_to_five(void *context)
{
    struct notes *notes = context;

    if (++notes->count < 5)
        return;
    fan_loop_cancel(&notes->timer);
    fan_loop_after(notes->loop, 30, stop, notes);
}

static void a_repeated_timer_may_cancel_itself(void **state)
{
    struct notes *notes = *state;

    notes->timer = fan_loop_every(notes->loop, 2, count_to_five, notes);
    fan_loop_run(notes->loop);
    assert_int_equal(notes->count, 5);
    assert_null(notes->timer);
}

static void cancel_the_other(void *context)
{
    struct notes *notes = context;

    note(notes, 'x');
    fan_loop_cancel(&notes->other);
    fan_loop_cancel(&notes->other);
}

static void a_timer_may_cancel_one_that_is_due_with_it(void **state)
{
    struct notes *notes = *state;

    fan_loop_after(notes->loop, 1, cancel_the_other, notes);
    notes->other = fan_loop_after(notes->loop, 1, note_a, notes);
    fan_loop_after(notes->loop, 20, stop, notes);
    usleep(5000); /* so that both are due in one go */
    fan_loop_run(notes->loop);
    assert_string_equal(notes->text, "x");
}

static void sleep_once(void *context)
{
    struct notes *notes = context;

    if (notes->count++ == 0)
        usleep(100 * 1000);
}

static void ticks_that_were_missed_are_not_made_up_for(void **state)
{
    struct notes *notes = *state;

    fan_loop_every(notes->loop, 10, sleep_once, notes);
    fan_loop_after(notes->loop, 135, stop, notes);
    fan_loop_run(notes->loop);
    assert_in_range(notes->count, 2, 4);
}

/* ---- soon ---- */

static void ask_for_more(void *context)
{
    struct notes *notes = context;

    note(notes, '(');
    fan_loop_soon(notes->loop, note_a, notes);
    fan_loop_soon(notes->loop, note_b, notes);
    note(notes, ')');
}

static void a_soon_call_comes_when_the_callback_has_returned(void **state)
{
    struct notes *notes = *state;

    fan_loop_after(notes->loop, 1, ask_for_more, notes);
    fan_loop_after(notes->loop, 1, note_c, notes);
    fan_loop_after(notes->loop, 20, stop, notes);
    usleep(5000);
    fan_loop_run(notes->loop);
    assert_string_equal(notes->text, "()abc");
}

static void a_soon_call_from_outside_comes_with_the_first_round(void **state)
{
    struct notes *notes = *state;

    fan_loop_soon(notes->loop, note_a, notes);
    fan_loop_soon(notes->loop, stop, notes);
    fan_loop_run(notes->loop);
    assert_string_equal(notes->text, "a");
}

static void again_and_again(void *context)
{
    struct notes *notes = context;

    notes->count++;
    fan_loop_soon(notes->loop, again_and_again, notes);
}

static void a_soon_call_that_repeats_itself_lets_others_through(void **state)
{
    struct notes *notes = *state;

    fan_loop_soon(notes->loop, again_and_again, notes);
    fan_loop_after(notes->loop, 20, stop, notes);
    fan_loop_run(notes->loop);
    assert_true(notes->count > 10);
}

/* ---- sockets ---- */

static void make_sockets(struct notes *notes, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, notes->sockets[i]), 0);
}

static void close_sockets(struct notes *notes, int count)
{
    for (int i = 0; i < count; i++) {
        fan_loop_unwatch(&notes->watches[i]);
        close(notes->sockets[i][0]);
        close(notes->sockets[i][1]);
    }
}

static void on_socket(void *context, int fd, int ready)
{
    struct notes *notes = context;
    char c;

    if (ready & FAN_WRITABLE)
        note(notes, 'w');
    if (ready & FAN_READABLE)
        note(notes, read(fd, &c, 1) == 1 ? c : 'e');
    fan_loop_stop(notes->loop);
}

static void a_watch_sees_what_it_asked_for(void **state)
{
    struct notes *notes = *state;

    make_sockets(notes, 1);
    notes->watches[0] =
            fan_loop_watch(notes->loop, notes->sockets[0][0], FAN_READABLE, on_socket, notes);
    assert_int_equal(write(notes->sockets[0][1], "r", 1), 1);
    fan_loop_run(notes->loop);
    fan_loop_watch_events(notes->watches[0], FAN_READABLE | FAN_WRITABLE);
    fan_loop_run(notes->loop);
    fan_loop_watch_events(notes->watches[0], 0);
    fan_loop_after(notes->loop, 10, stop, notes);
    fan_loop_run(notes->loop);
    fan_loop_watch_events(notes->watches[0], FAN_READABLE);
    assert_int_equal(write(notes->sockets[0][1], "s", 1), 1);
    fan_loop_run(notes->loop);
    assert_string_equal(notes->text, "rws");
    close_sockets(notes, 1);
}

static void an_error_counts_as_readable_and_writable(void **state)
{
    struct notes *notes = *state;

    make_sockets(notes, 1);
    notes->watches[0] =
            fan_loop_watch(notes->loop, notes->sockets[0][0], FAN_READABLE, on_socket, notes);
    close(notes->sockets[0][1]);
    fan_loop_run(notes->loop);
    assert_string_equal(notes->text, "we");
    notes->sockets[0][1] = dup(notes->sockets[0][0]);
    close_sockets(notes, 1);
}

static void a_watch_without_events_is_not_woken_by_a_hang_up(void **state)
{
    struct notes *notes = *state;

    make_sockets(notes, 1);
    notes->watches[0] = fan_loop_watch(notes->loop, notes->sockets[0][0], 0, on_socket, notes);
    close(notes->sockets[0][1]);
    fan_loop_after(notes->loop, 20, stop, notes);
    fan_loop_run(notes->loop);
    assert_string_equal(notes->text, "");
    notes->sockets[0][1] = dup(notes->sockets[0][0]);
    close_sockets(notes, 1);
}

/* The first one that is called unwatches all, itself included. */
static void unwatch_all(void *context, int fd, int ready)
{
    struct notes *notes = context;

    notes->count++;
    for (int i = 0; i < SOCKETS; i++)
        fan_loop_unwatch(&notes->watches[i]);
}

static void a_callback_may_unwatch_sockets_that_are_ready_too(void **state)
{
    struct notes *notes = *state;

    make_sockets(notes, SOCKETS);
    for (int i = 0; i < SOCKETS; i++) {
        notes->watches[i] =
                fan_loop_watch(notes->loop, notes->sockets[i][0], FAN_WRITABLE, unwatch_all, notes);
    }
    fan_loop_after(notes->loop, 20, stop, notes);
    fan_loop_run(notes->loop);
    assert_int_equal(notes->count, 1);
    close_sockets(notes, SOCKETS);
}

static void replace(void *context, int fd, int ready)
{
    struct notes *notes = context;

    if (++notes->count == 1000)
        fan_loop_stop(notes->loop);
    fan_loop_unwatch(&notes->watches[0]);
    notes->watches[0] = fan_loop_watch(notes->loop, fd, FAN_WRITABLE, replace, notes);
}

static void a_socket_may_be_watched_anew_in_its_own_callback(void **state)
{
    struct notes *notes = *state;

    make_sockets(notes, 1);
    notes->watches[0] =
            fan_loop_watch(notes->loop, notes->sockets[0][0], FAN_WRITABLE, replace, notes);
    fan_loop_run(notes->loop);
    assert_int_equal(notes->count, 1000);
    close_sockets(notes, 1);
}

/* ---- the loop ---- */

static void on_alarm(int number) {}

static void a_signal_neither_stops_the_loop_nor_delays_its_timers(void **state)
{
    struct notes *notes = *state;
    struct sigaction action = { .sa_handler = on_alarm }, old;
    struct itimerval often = { .it_interval = { .tv_usec = 2000 },
        .it_value = { .tv_usec = 2000 } },
                     never = { 0 };
    fan_time began = fan_clock_elapsed();

    sigaction(SIGALRM, &action, &old);
    setitimer(ITIMER_REAL, &often, NULL);
    fan_loop_after(notes->loop, 100, stop, notes);
    fan_loop_run(notes->loop);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &old, NULL);
    assert_in_range(fan_clock_elapsed() - began, 100 * FAN_MS, 1000 * FAN_MS);
}

static void a_stopped_loop_can_run_again(void **state)
{
    struct notes *notes = *state;

    fan_loop_stop(notes->loop);
    fan_loop_run(notes->loop); /* returns at once */
    fan_loop_after(notes->loop, 1, stop, notes);
    fan_loop_run(notes->loop);
    fan_loop_after(notes->loop, 1, note_a, notes);
    fan_loop_after(notes->loop, 10, stop, notes);
    fan_loop_run(notes->loop);
    assert_string_equal(notes->text, "a");
}

static void an_idle_loop_sleeps(void **state)
{
    struct notes *notes = *state;
    clock_t before = clock();

    fan_loop_after(notes->loop, 300, stop, notes);
    fan_loop_run(notes->loop);
    assert_true(clock() - before < CLOCKS_PER_SEC / 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_the_order_of_their_instants),
        TEST(a_repeated_timer_may_cancel_itself),
        TEST(a_timer_may_cancel_one_that_is_due_with_it),
        TEST(ticks_that_were_missed_are_not_made_up_for),
        TEST(a_soon_call_comes_when_the_callback_has_returned),
        TEST(a_soon_call_from_outside_comes_with_the_first_round),
        TEST(a_soon_call_that_repeats_itself_lets_others_through),
        TEST(a_watch_sees_what_it_asked_for),
        TEST(an_error_counts_as_readable_and_writable),
        TEST(a_watch_without_events_is_not_woken_by_a_hang_up),
        TEST(a_callback_may_unwatch_sockets_that_are_ready_too),
        TEST(a_socket_may_be_watched_anew_in_its_own_callback),
        TEST(a_signal_neither_stops_the_loop_nor_delays_its_timers),
        TEST(a_stopped_loop_can_run_again),
        TEST(an_idle_loop_sleeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

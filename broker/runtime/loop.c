/*
 * zloop waits for one thing: an epoll that holds every socket and a timerfd. zloop's own set would
 * be built anew, and what else was ready forgotten, at every change; its timers start over when a
 * signal interrupts the wait, and cannot be cancelled safely from a callback after that.
 */
#include "broker/runtime/loop.h"

#include "broker/runtime/clock.h"
#include "proto/err.h"

#include <czmq.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    READY_MAX = 64, /* sockets served between two looks at the others */
    ROUNDS_MAX = 8, /* looks before zloop waits anew, which costs a few system calls */
};

struct fan_watch {
    struct fan_loop *loop;
    int fd;
    int events;       /* 0: not in the epoll, which would report a hang-up without end */
    fan_watch_fn *fn; /* NULL: unwatched while its batch was being served */
    void *context;
    struct fan_watch *next_dead;
};

struct fan_timer {
    struct fan_loop *loop;
    fan_time due;      /* of fan_clock_elapsed */
    fan_time interval; /* 0: once */
    fan_timer_fn *fn;
    void *context;
    struct fan_timer *before, *after;
};

struct call {
    fan_timer_fn *fn;
    void *context;
};

struct fan_loop {
    zloop_t *zloop;
    int epoll;
    int timerfd;
    fan_time armed;          /* what the timerfd will fire at; 0: nothing */
    struct fan_timer *first; /* by due */
    struct fan_timer *last;
    struct call *soon; /* soon[soon_len] */
    size_t soon_len, soon_room;
    struct fan_watch *clock; /* on the timerfd */
    struct fan_watch *dead;  /* unwatched in this batch, which may still point to them */
    bool in_batch;
    bool running;
    bool stopped;
};

static void *allocate(size_t size)
{
    void *at = calloc(1, size);

    if (!at)
        fan_die("out of memory: %zu bytes for the event loop", size);
    return at;
}

/* ---- timers ---- */

/* From the end: timers of one length, the common case, belong there. */
static void insert_timer(struct fan_timer *timer)
{
    struct fan_loop *loop = timer->loop;
    struct fan_timer *before = loop->last;

    while (before && before->due > timer->due)
        before = before->before;
    timer->before = before;
    timer->after = before ? before->after : loop->first;
    *(timer->before ? &timer->before->after : &loop->first) = timer;
    *(timer->after ? &timer->after->before : &loop->last) = timer;
}

static void detach_timer(struct fan_timer *timer)
{
    struct fan_loop *loop = timer->loop;

    *(timer->before ? &timer->before->after : &loop->first) = timer->after;
    *(timer->after ? &timer->after->before : &loop->last) = timer->before;
}

static void set_timerfd(struct fan_loop *loop, fan_time due)
{
    struct itimerspec at = {
        .it_value = { .tv_sec = due / FAN_SECOND, .tv_nsec = due % FAN_SECOND * 1000 },
    };

    FAN_ASSERT(timerfd_settime(loop->timerfd, TFD_TIMER_ABSTIME, &at, NULL) == 0);
    loop->armed = due;
}

/* A wake-up that comes too early is cheaper than a system call for every cancelled timer; and while
 * a batch is served, what is due at its end needs none. */
static void arm(struct fan_loop *loop)
{
    fan_time due = loop->soon_len ? 1 : loop->first ? loop->first->due : 0;

    if (!loop->in_batch && due && (!loop->armed || due < loop->armed))
        set_timerfd(loop, due);
}

static struct fan_timer *add_timer(struct fan_loop *loop, uint32_t delay_ms, bool again,
        fan_timer_fn *fn, void *context)
{
    struct fan_timer *timer = allocate(sizeof(*timer));

    timer->loop = loop;
    timer->due = fan_clock_elapsed() + delay_ms * FAN_MS;
    timer->interval = again ? delay_ms * FAN_MS : 0;
    timer->fn = fn;
    timer->context = context;
    insert_timer(timer);
    arm(loop);
    return timer;
}

struct fan_timer *fan_loop_after(struct fan_loop *loop, uint32_t delay_ms, fan_timer_fn *fn,
        void *context)
{
    return add_timer(loop, delay_ms, false, fn, context);
}

struct fan_timer *fan_loop_every(struct fan_loop *loop, uint32_t interval_ms, fan_timer_fn *fn,
        void *context)
{
    FAN_ASSERT(interval_ms > 0);
    return add_timer(loop, interval_ms, true, fn, context);
}

void fan_loop_cancel(struct fan_timer **timer)
{
    if (!*timer)
        return;
    detach_timer(*timer);
    free(*timer);
    *timer = NULL;
}

/* ---- calls that come soon ---- */

void fan_loop_soon(struct fan_loop *loop, fan_timer_fn *fn, void *context)
{
    if (loop->soon_len == loop->soon_room) {
        loop->soon_room = loop->soon_room ? loop->soon_room * 2 : 16;
        loop->soon = realloc(loop->soon, loop->soon_room * sizeof(*loop->soon));
        if (!loop->soon)
            fan_die("out of memory: %zu calls that come soon", loop->soon_room);
    }
    loop->soon[loop->soon_len++] = (struct call){ fn, context };
    arm(loop);
}

/* Only those that stand there now: one that adds itself again must not keep the sockets waiting. */
static void run_soon(struct fan_loop *loop)
{
    size_t count = loop->soon_len;

    for (size_t i = 0; i < count; i++) {
        struct call call = loop->soon[i];
        call.fn(call.context);
    }
    loop->soon_len -= count;
    if (count && loop->soon_len)
        memmove(loop->soon, loop->soon + count, loop->soon_len * sizeof(*loop->soon));
}

static struct fan_timer *pop_timer(struct fan_loop *loop)
{
    struct fan_timer *timer = loop->first;

    loop->first = timer->after;
    *(timer->after ? &timer->after->before : &loop->last) = NULL;
    return timer;
}

static void fire_first(struct fan_loop *loop, fan_time now)
{
    struct fan_timer *timer = pop_timer(loop);
    struct call call = { timer->fn, timer->context };

    if (timer->interval) {
        timer->due += timer->interval;
        if (timer->due <= now)
            timer->due = now + timer->interval; /* missed ones are not made up for */
        insert_timer(timer);
    } else {
        free(timer);
    }
    call.fn(call.context);
}

/* Those that are due now: one that is due again at once must not keep the sockets waiting. */
static void fire_due(struct fan_loop *loop)
{
    fan_time now = loop->first ? fan_clock_elapsed() : 0;

    while (!loop->stopped && loop->first && loop->first->due <= now) {
        fire_first(loop, now);
        run_soon(loop);
    }
}

/* What is due is fired at the end of the batch. */
static void on_timerfd(void *context, int fd, int ready)
{
    struct fan_loop *loop = context;
    uint64_t fired;

    (void)ready;
    if (read(fd, &fired, sizeof(fired)) > 0)
        loop->armed = 0;
}

/* ---- sockets ---- */

static void control(struct fan_watch *watch, int operation, int events)
{
    struct epoll_event event = {
        .events = (events & FAN_READABLE ? EPOLLIN : 0u) | (events & FAN_WRITABLE ? EPOLLOUT : 0u),
        .data.ptr = watch,
    };
    int rc = epoll_ctl(watch->loop->epoll, operation, watch->fd, &event);

    FAN_ASSERT(rc == 0 || operation == EPOLL_CTL_DEL);
}

struct fan_watch *fan_loop_watch(struct fan_loop *loop, int fd, int events, fan_watch_fn *fn,
        void *context)
{
    struct fan_watch *watch = allocate(sizeof(*watch));

    watch->loop = loop;
    watch->fd = fd;
    watch->fn = fn;
    watch->context = context;
    fan_loop_watch_events(watch, events);
    return watch;
}

void fan_loop_watch_events(struct fan_watch *watch, int events)
{
    if (events == watch->events)
        return;
    control(watch,
            events == 0             ? EPOLL_CTL_DEL
                    : watch->events ? EPOLL_CTL_MOD
                                    : EPOLL_CTL_ADD,
            events);
    watch->events = events;
}

void fan_loop_unwatch(struct fan_watch **watch)
{
    struct fan_watch *old = *watch;

    if (!old)
        return;
    *watch = NULL;
    fan_loop_watch_events(old, 0);
    if (!old->loop->in_batch) {
        free(old);
        return;
    }
    old->fn = NULL;
    old->next_dead = old->loop->dead;
    old->loop->dead = old;
}

static void bury(struct fan_loop *loop)
{
    while (loop->dead) {
        struct fan_watch *watch = loop->dead;
        loop->dead = watch->next_dead;
        free(watch);
    }
}

static int ready_of(uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return FAN_READABLE | FAN_WRITABLE;
    return (events & EPOLLIN ? FAN_READABLE : 0) | (events & EPOLLOUT ? FAN_WRITABLE : 0);
}

static int serve_ready(struct fan_loop *loop)
{
    struct epoll_event events[READY_MAX];
    int count = epoll_wait(loop->epoll, events, READY_MAX, 0);

    for (int i = 0; i < count && !loop->stopped; i++) {
        struct fan_watch *watch = events[i].data.ptr;

        if (!watch->fn)
            continue;
        watch->fn(watch->context, watch->fd, ready_of(events[i].events));
        run_soon(loop);
    }
    return count;
}

static int serve_batch(zloop_t *zloop, zmq_pollitem_t *item, void *context)
{
    struct fan_loop *loop = context;
    int count = 1;

    (void)zloop;
    (void)item;
    loop->in_batch = true;
    for (int round = 0; round < ROUNDS_MAX && count > 0 && !loop->stopped; round++) {
        count = serve_ready(loop);
        fire_due(loop);
        bury(loop);
    }
    loop->in_batch = false;
    arm(loop);
    return loop->stopped ? -1 : 0;
}

/* ---- the loop ---- */

struct fan_loop *fan_loop_new(void)
{
    struct fan_loop *loop = allocate(sizeof(*loop));
    zmq_pollitem_t item = { .events = ZMQ_POLLIN };

    zsys_handler_set(NULL); /* signals belong to the process, which reads them from a signalfd */
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->timerfd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    loop->zloop = zloop_new();
    if (loop->epoll < 0 || loop->timerfd < 0 || !loop->zloop)
        fan_die("the event loop cannot be made: %s", strerror(errno));
    item.fd = loop->epoll;
    if (zloop_poller(loop->zloop, &item, serve_batch, loop) != 0)
        fan_die("the event loop cannot be made: out of memory");
    zloop_poller_set_tolerant(loop->zloop, &item);
    zloop_set_nonstop(loop->zloop, true);
    loop->clock = fan_loop_watch(loop, loop->timerfd, FAN_READABLE, on_timerfd, loop);
    return loop;
}

void fan_loop_free(struct fan_loop **loop)
{
    struct fan_loop *old = *loop;

    if (!old)
        return;
    FAN_ASSERT(!old->running);
    for (struct fan_timer *timer = old->first, *after; timer; timer = after) {
        after = timer->after;
        fan_loop_cancel(&timer);
    }
    fan_loop_unwatch(&old->clock);
    zloop_destroy(&old->zloop);
    close(old->timerfd);
    close(old->epoll);
    free(old->soon);
    free(old);
    *loop = NULL;
}

void fan_loop_run(struct fan_loop *loop)
{
    FAN_ASSERT(!loop->running);
    loop->running = true;
    while (!loop->stopped)
        zloop_start(loop->zloop); /* also returns when a signal interrupted the wait */
    loop->running = false;
    loop->stopped = false;
}

void fan_loop_stop(struct fan_loop *loop)
{
    loop->stopped = true;
}

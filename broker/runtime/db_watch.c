#include "broker/runtime/db_watch.h"

#include "proto/err.h"

#include <stdlib.h>

enum { LOOK_AFTER_MS = 100 };

struct fan_db_watch {
    struct fan_loop *loop;
    struct fan_db *db;
    struct fan_watch *watch;
    struct fan_timer *timer, *kick;
    int fd; /* what is being watched; -1: nothing */
    int events;
};

static void follow_socket(struct fan_db_watch *self);

static void io(struct fan_db_watch *self)
{
    fan_db_io(self->db);
    follow_socket(self);
}

static void on_ready(void *context, int fd, int ready)
{
    (void)fd;
    (void)ready;
    io(context);
}

/* The socket is another one after a reconnect, and is gone while there is no connection. */
static void follow_socket(struct fan_db_watch *self)
{
    int fd = fan_db_fd(self->db);
    int events = FAN_READABLE | (fan_db_wants_write(self->db) ? FAN_WRITABLE : 0);

    if (fd != self->fd) {
        fan_loop_unwatch(&self->watch);
        self->fd = fd;
        self->events = events;
        if (fd >= 0)
            self->watch = fan_loop_watch(self->loop, fd, events, on_ready, self);
    } else if (self->watch && events != self->events) {
        self->events = events;
        fan_loop_watch_events(self->watch, events);
    }
}

static void on_timer(void *context)
{
    struct fan_db_watch *self = context;

    if (fan_db_pending(self->db) > 0)
        io(self);
}

static void on_kick(void *context)
{
    struct fan_db_watch *self = context;

    self->kick = NULL;
    io(self);
}

struct fan_db_watch *fan_db_watch_new(struct fan_loop *loop, struct fan_db *db)
{
    struct fan_db_watch *self = calloc(1, sizeof *self);

    if (!self)
        fan_die("out of memory: a database watch");
    self->loop = loop;
    self->db = db;
    self->fd = -1;
    self->timer = fan_loop_every(loop, LOOK_AFTER_MS, on_timer, self);
    return self;
}

void fan_db_watch_free(struct fan_db_watch **watch)
{
    struct fan_db_watch *self = *watch;

    if (!self)
        return;
    fan_loop_unwatch(&self->watch);
    fan_loop_cancel(&self->timer);
    fan_loop_cancel(&self->kick);
    free(self);
    *watch = NULL;
}

void fan_db_watch_kick(struct fan_db_watch *watch)
{
    if (!watch->kick)
        watch->kick = fan_loop_after(watch->loop, 0, on_kick, watch);
}

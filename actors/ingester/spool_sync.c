#include "actors/ingester/spool_sync.h"

#include "proto/err.h"
#include "proto/fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct wish {
    int fd;
    bool close_it;
    uint64_t ticket;
};

struct wishes {
    struct wish *at; /* at[len] */
    size_t len, room;
};

struct spool_sync {
    struct fan_loop *loop;
    struct fan_watch *watch;
    spool_sync_fn *fn;
    void *context;
    int event; /* the thread tells the loop */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t asked;
    struct wishes wishes;
    bool ending;
    uint64_t done, failed; /* highest tickets */
};

/* ---- the thread ---- */

/* Bring a round of wishes to the disk. Returns whether all went well. */
static bool fulfil(const struct wishes *round)
{
    bool safe = true;

    for (size_t i = 0; i < round->len; i++) {
        const struct wish *wish = &round->at[i];
        bool again = i + 1 < round->len && round->at[i + 1].fd == wish->fd;

        if (!again)
            safe &= !FAN_FAULTY("ingester.sync") && fdatasync(wish->fd) == 0;
        if (wish->close_it)
            close(wish->fd);
    }
    return safe;
}

static void tell(struct spool_sync *self, uint64_t ticket, bool safe)
{
    uint64_t one = 1;

    pthread_mutex_lock(&self->mutex);
    self->done = ticket;
    if (!safe)
        self->failed = ticket;
    pthread_mutex_unlock(&self->mutex);
    if (write(self->event, &one, sizeof one) < 0)
        return; /* it is as full as it can be, and will be read */
}

/* Wait for wishes and take them all; false: the end. */
static bool take_round(struct spool_sync *self, struct wishes *round)
{
    pthread_mutex_lock(&self->mutex);
    while (self->wishes.len == 0 && !self->ending)
        pthread_cond_wait(&self->asked, &self->mutex);
    *round = self->wishes;
    self->wishes = (struct wishes){ 0 };
    pthread_mutex_unlock(&self->mutex);
    return round->len > 0;
}

static void *work(void *context)
{
    struct spool_sync *self = context;
    struct wishes round;

    while (take_round(self, &round)) {
        bool safe = fulfil(&round);

        FAN_FAULT("ingester.synced");
        tell(self, round.at[round.len - 1].ticket, safe);
        free(round.at);
    }
    return NULL;
}

/* ---- the loop's side ---- */

static void on_event(void *context, int fd, int ready)
{
    struct spool_sync *self = context;
    uint64_t count, done, failed;

    (void)ready;
    if (read(fd, &count, sizeof count) < 0)
        return;
    pthread_mutex_lock(&self->mutex);
    done = self->done;
    failed = self->failed;
    self->failed = 0;
    pthread_mutex_unlock(&self->mutex);
    /* Of several rounds that ended meanwhile the last one that failed counts for those before it:
     * a doubt too much, never a promise too much. */
    if (failed)
        self->fn(self->context, failed, false);
    self->fn(self->context, done, true);
}

struct spool_sync *spool_sync_new(struct fan_loop *loop, spool_sync_fn *fn, void *context)
{
    struct spool_sync *self = calloc(1, sizeof *self);

    if (!self)
        fan_die("out of memory: the spool");
    self->loop = loop;
    self->fn = fn;
    self->context = context;
    self->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->event < 0)
        fan_die("the spool cannot be watched: %s", strerror(errno));
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->asked, NULL);
    if (pthread_create(&self->thread, NULL, work, self) != 0)
        fan_die("the spool's thread cannot be started");
    self->watch = fan_loop_watch(loop, self->event, FAN_READABLE, on_event, self);
    return self;
}

void spool_sync_free(struct spool_sync **sync)
{
    struct spool_sync *self = *sync;

    if (!self)
        return;
    pthread_mutex_lock(&self->mutex);
    self->ending = true;
    pthread_cond_signal(&self->asked);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
    fan_loop_unwatch(&self->watch);
    close(self->event);
    pthread_cond_destroy(&self->asked);
    pthread_mutex_destroy(&self->mutex);
    free(self->wishes.at);
    free(self);
    *sync = NULL;
}

void spool_sync_ask(struct spool_sync *self, int fd, bool close_it, uint64_t ticket)
{
    struct wishes *wishes = &self->wishes;

    pthread_mutex_lock(&self->mutex);
    if (wishes->len == wishes->room) {
        wishes->room = wishes->room ? 2 * wishes->room : 16;
        wishes->at = realloc(wishes->at, wishes->room * sizeof *wishes->at);
        if (!wishes->at)
            fan_die("out of memory: the spool");
    }
    wishes->at[wishes->len++] = (struct wish){ fd, close_it, ticket };
    pthread_cond_signal(&self->asked);
    pthread_mutex_unlock(&self->mutex);
}

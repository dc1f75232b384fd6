#include "actors/ingester/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { NEWS_MOST = 256, LETTERS_MOST = 64 };

struct news {
    fan_id account;
    struct fan_receipts_run run;
};

struct content {
    struct news news[NEWS_MOST];
    struct letter letters[LETTERS_MOST];
    size_t news_len, letters_len;
};

struct mailbox {
    struct ingester *ingester;
    struct fan_watch *watch;
    int event;
    pthread_mutex_t mutex;
    struct content full;  /* guarded by @mutex */
    struct content taken; /* the loop's */
    struct fan_metric *applied, *messages, *unmatched, *refused, *seconds, *lag;
};

/* ---- the loop's side ---- */

static void publish(struct mailbox *self, const struct news *news)
{
    const struct fan_route route = { .account = news->account, .run = news->run.run };
    const struct fan_receipts_applied message = {
        .delivered = news->run.delivered,
        .read = news->run.read,
        .undelivered = news->run.undelivered,
        .flagged = news->run.flagged,
    };

    fan_actor_emit(self->ingester->actor, &fan_schema_receipts_applied, &route, &message);
}

static void note(struct mailbox *self, const struct letter *letter)
{
    fan_time late = letter->oldest ? fan_clock_now() - letter->oldest : 0;

    fan_metric_add(self->applied, letter->words);
    fan_metric_add(self->messages, letter->messages);
    fan_metric_add(self->unmatched, letter->unmatched);
    fan_metric_add(self->refused, letter->refused);
    if (letter->seconds > 0)
        fan_metric_observe(self->seconds, letter->seconds);
    fan_metric_set(self->lag, late > 0 ? (double)late / FAN_SECOND : 0);
}

static void on_mail(void *context, int fd, int ready)
{
    struct mailbox *self = context;
    uint64_t count;

    (void)ready;
    if (read(fd, &count, sizeof count) < 0)
        return;
    pthread_mutex_lock(&self->mutex);
    self->taken = self->full;
    self->full.news_len = self->full.letters_len = 0;
    pthread_mutex_unlock(&self->mutex);
    for (size_t i = 0; i < self->taken.news_len; i++)
        publish(self, &self->taken.news[i]);
    for (size_t i = 0; i < self->taken.letters_len; i++)
        note(self, &self->taken.letters[i]);
}

static void make_metrics(struct mailbox *self)
{
    struct fan_metrics *metrics = fan_actor_metrics(self->ingester->actor);
    static const char name[] = "fanfare_receipts_total", help[] = "Receipts, by what they came to.";

    self->applied = fan_metric_counter(metrics, name, "result=\"applied\"", help);
    self->messages = fan_metric_counter(metrics, "fanfare_receipts_messages_total", "",
            "Messages of which a batch of receipts said something new.");
    self->unmatched = fan_metric_counter(metrics, name, "result=\"unmatched\"", help);
    self->refused = fan_metric_counter(metrics, "fanfare_spool_refused_total", "",
            "Records that could not be applied and were set aside.");
    self->seconds = fan_metric_histogram(metrics, "fanfare_receipts_batch_seconds", "",
            "How long it took to apply a batch of receipts.");
    self->lag = fan_metric_gauge(metrics, "fanfare_receipts_lag_seconds", "",
            "How long ago what was applied last had arrived; 0 when nothing waits.");
}

struct mailbox *mailbox_new(struct ingester *ingester)
{
    struct mailbox *self = calloc(1, sizeof *self);

    if (!self)
        fan_die("out of memory: the mailbox");
    self->ingester = ingester;
    self->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->event < 0)
        fan_die("the mailbox cannot be watched: %s", strerror(errno));
    pthread_mutex_init(&self->mutex, NULL);
    make_metrics(self);
    self->watch = fan_loop_watch(fan_actor_loop(ingester->actor), self->event, FAN_READABLE,
            on_mail, self);
    return self;
}

void mailbox_free(struct mailbox **mailbox)
{
    struct mailbox *self = *mailbox;

    if (!self)
        return;
    fan_loop_unwatch(&self->watch);
    close(self->event);
    pthread_mutex_destroy(&self->mutex);
    free(self);
    *mailbox = NULL;
}

/* ---- the writer's side ---- */

static void ring(struct mailbox *self)
{
    uint64_t one = 1;

    if (write(self->event, &one, sizeof one) < 0)
        return; /* it is as full as it can be, and will be read */
}

void mailbox_put_news(struct mailbox *self, fan_id account, const struct fan_receipts_run *run)
{
    pthread_mutex_lock(&self->mutex);
    if (self->full.news_len == NEWS_MOST)
        self->full.news_len = 0;
    self->full.news[self->full.news_len++] = (struct news){ account, *run };
    pthread_mutex_unlock(&self->mutex);
    ring(self);
}

void mailbox_put(struct mailbox *self, const struct letter *letter)
{
    pthread_mutex_lock(&self->mutex);
    if (self->full.letters_len == LETTERS_MOST)
        self->full.letters_len = 0;
    self->full.letters[self->full.letters_len++] = *letter;
    pthread_mutex_unlock(&self->mutex);
    ring(self);
}

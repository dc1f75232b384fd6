/*
 * Clients of one account share a feed: the rows are read once for all of them. A feed keeps the
 * last text of everything it shows; a client that reads slowly is left out until its queue is
 * empty, and then gets all texts as they are by then.
 */
#include "gateway/live.h"

#include "gateway/progress.h"

#include <stdlib.h>

enum {
    LOOK_EVERY = 2000,       /* ms, when nothing is heard */
    QUEUE_MAX = 1024 * 1024, /* bytes waiting for a client; more cuts it */
    QUEUE_SLOW = 64 * 1024,  /* bytes from which on a client is left out */
    BEAT = 15,               /* seconds */
};

struct client {
    struct client *next;
    struct feed *feed;
    struct fan_http_stream *stream;
    fan_time told_at; /* when it got something */
    bool behind;      /* it needs the present state */
};

struct feed {
    struct feed *next;
    struct live *live;
    fan_id account;
    struct client *clients;
    struct progress progress;
    fan_time looked_at;
    fan_time rest_until; /* a look that took long is not repeated at once */
    bool woken;
};

struct live {
    struct gateway *gateway;
    struct feed *feeds;
    uint32_t clients;
};

static void *zeroed(size_t size)
{
    void *at = calloc(1, size);

    if (!at)
        fan_die("out of memory: live updates");
    return at;
}

struct live *live_new(struct gateway *gateway)
{
    struct live *live = zeroed(sizeof *live);

    live->gateway = gateway;
    return live;
}

static void feed_drop(struct feed **at)
{
    struct feed *feed = *at;

    FAN_ASSERT(!feed->clients);
    *at = feed->next;
    progress_fini(&feed->progress);
    free(feed);
}

/* ---- clients ---- */

static struct feed *feed_of(struct live *live, fan_id account)
{
    struct feed *feed = live->feeds;

    while (feed && feed->account != account)
        feed = feed->next;
    return feed;
}

static struct feed *feed_for(struct live *live, fan_id account)
{
    struct feed *feed = feed_of(live, account);

    if (feed)
        return feed;
    feed = zeroed(sizeof *feed);
    feed->live = live;
    feed->account = account;
    feed->next = live->feeds;
    live->feeds = feed;
    return feed;
}

static void on_closed(void *context, struct fan_http_stream *stream)
{
    struct client *client = context;
    struct feed *feed = client->feed;
    struct client **at = &feed->clients;

    (void)stream;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    feed->live->clients--;
    free(client);
}

void live_open(struct live *live, struct call *call)
{
    struct client *client;

    if (live->clients >= live->gateway->settings->streams) {
        call_refuse(call, 503, "too many clients watch already");
        call_answer(call);
        return;
    }
    client = zeroed(sizeof *client);
    client->feed = feed_for(live, call->caller.account);
    client->behind = true;
    client->told_at = fan_clock_elapsed();
    client->next = client->feed->clients;
    client->feed->clients = client;
    client->feed->woken = true;
    live->clients++;
    fan_http_add_header(call->request, "X-Request-Id", call->id);
    fan_http_add_header(call->request, "Cache-Control", "no-store");
    fan_http_add_header(call->request, "X-Accel-Buffering", "no");
    fan_metric_add(live->gateway->requests[2], 1);
    client->stream = fan_http_stream_open(call->request, 200, "text/event-stream", QUEUE_MAX,
            on_closed, client);
    fan_buffer_fini(&call->reply);
    fan_http_stream_send(client->stream, FAN_LIT("retry: 2000\n\n"));
}

void live_wake(struct live *live, fan_id account)
{
    struct feed *feed = feed_of(live, account);

    if (feed)
        feed->woken = true;
}

/* ---- telling ---- */

static void tell(struct client *client, const struct progress *progress)
{
    fan_time now = fan_clock_elapsed();
    bool all = client->behind;

    if (fan_http_stream_queued(client->stream) > (all ? 0 : QUEUE_SLOW)) {
        client->behind = true;
        return;
    }
    client->behind = false;
    for (const struct progress_item *item = progress->items; item; item = item->next) {
        if (!all && !item->changed)
            continue;
        client->told_at = now;
        if (!fan_http_stream_send(client->stream, fan_buffer_bytes(&item->text)))
            return; /* it is being cut */
    }
}

static void tell_all(struct feed *feed)
{
    struct client *next;

    for (struct client *client = feed->clients; client; client = next) {
        next = client->next;
        tell(client, &feed->progress);
    }
}

static bool is_due(const struct feed *feed, fan_time now)
{
    if (now < feed->rest_until)
        return false;
    return feed->woken || now - feed->looked_at >= LOOK_EVERY * FAN_MS;
}

static enum fan_err look(struct feed *feed, struct fan_turn *turn)
{
    fan_time begun = fan_clock_elapsed();
    enum fan_err err;

    feed->woken = false;
    feed->looked_at = begun;
    fan_turn_account(turn, feed->account);
    err = progress_look(&feed->progress, turn, feed->account);
    if (!err)
        err = fan_turn_commit(turn);
    feed->rest_until = begun + 5 * (fan_clock_elapsed() - begun);
    if (!err)
        tell_all(feed);
    return err;
}

enum fan_err live_look(struct live *live, struct fan_turn *turn)
{
    fan_time now = fan_clock_elapsed();
    struct feed **at = &live->feeds;
    enum fan_err err = FAN_OK;

    while (*at && !err) {
        if (!(*at)->clients) {
            feed_drop(at);
            continue;
        }
        if (is_due(*at, now))
            err = look(*at, turn);
        at = &(*at)->next;
    }
    return err;
}

void live_beat(struct live *live)
{
    fan_time now = fan_clock_elapsed();

    for (struct feed *feed = live->feeds; feed; feed = feed->next) {
        struct client *next;

        for (struct client *client = feed->clients; client; client = next) {
            next = client->next;
            if (now - client->told_at < BEAT * FAN_SECOND)
                continue;
            client->told_at = now;
            fan_http_stream_send(client->stream, FAN_LIT(": still here\n\n"));
        }
    }
}

void live_end(struct live *live)
{
    for (struct feed *feed = live->feeds; feed; feed = feed->next) {
        struct client *next;

        for (struct client *client = feed->clients; client; client = next) {
            next = client->next;
            fan_http_stream_end(client->stream);
        }
    }
}

void live_free(struct live **live)
{
    if (!*live)
        return;
    while ((*live)->feeds)
        feed_drop(&(*live)->feeds); /* the server was closed before: nobody watches */
    free(*live);
    *live = NULL;
}

/*
 * Calls wait in one queue, get a handle while there are places, and go where libcurl's connection
 * cache for their kind is. libcurl's sockets and its timer are the loop's; after every step of it,
 * what ended is told and what waits may start.
 */
#include "broker/runtime/http_client.h"

#include "broker/runtime/clock.h"
#include "broker/runtime/http_easy.h"
#include "proto/buffer.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>

enum {
    ANSWER_CAP = 256 * 1024, /* bytes */
    CONNECT_MS = 5000,
    TOTAL_MS = 30000,
    CACHE_IDLE_SECONDS = 60,
};

/*
 * Connections that may stand in for each other: one cache for all of HTTP, one for each mail relay
 * with its TLS and login settings. libcurl does not look at the TLS setting when it picks a
 * connection for a mail: out of a common cache, a call that demands TLS could go over one that is
 * in the clear.
 */
struct cache {
    struct fan_http_client *client;
    struct cache *next;
    struct fan_http_policy policy;
    char *key; /* of a mail relay; NULL: HTTP */
    CURLM *multi;
    int64_t due; /* fan_clock_elapsed when libcurl wants to be called; 0: never */
    int64_t last_used;
    struct fan_http_easy *busy, *spare;
};

struct fan_http_client {
    struct fan_loop *loop;
    struct fan_http_client_options options;
    char *user_agent, *ca_file;
    struct fan_http_sockets *sockets;
    struct cache *caches; /* the last is HTTP's */
    struct fan_http_transfer *waiting, **waiting_end, *spare;
    size_t calls, active; /* all; those that have a handle */
    struct fan_timer *timer;
    int64_t timer_due;
    bool advancing;
};

#define SET(multi, option, value) FAN_ASSERT(curl_multi_setopt(multi, option, value) == CURLM_OK)

static void advance(struct fan_http_client *client);

static void *allocate(size_t size)
{
    void *at = calloc(1, size);

    if (!at)
        fan_die("out of memory: %zu bytes for HTTP calls", size);
    return at;
}

static char *copy(const char *text)
{
    char *at = text ? strdup(text) : NULL;

    if (text && !at)
        fan_die("out of memory: a setting of HTTP calls");
    return at;
}

/* ---- libcurl's sockets and timers ---- */

static void on_socket(void *owner, int fd, int ready)
{
    struct cache *cache = owner;
    int flags = (ready & FAN_READABLE ? CURL_CSELECT_IN : 0) |
            (ready & FAN_WRITABLE ? CURL_CSELECT_OUT : 0);
    int running;

    curl_multi_socket_action(cache->multi, fd, flags, &running);
    advance(cache->client);
}

static int want_socket(CURL *curl, curl_socket_t fd, int what, void *context, void *unused)
{
    struct cache *cache = context;
    int events = what == CURL_POLL_REMOVE
            ? 0
            : (what & CURL_POLL_IN ? FAN_READABLE : 0) | (what & CURL_POLL_OUT ? FAN_WRITABLE : 0);
    struct fan_http_easy *easy;

    (void)unused;
    fan_http_socket_want(cache->client->sockets, cache, fd, events);
    if (events && cache->policy.mail &&
            curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&easy) == CURLE_OK)
        easy->fd = fd;
    return 0;
}

/* libcurl moves its timer several times a request; it is only noted here. */
static int want_timer(CURLM *multi, long delay_ms, void *context)
{
    struct cache *cache = context;

    (void)multi;
    if (delay_ms <= 0)
        cache->due = delay_ms < 0 ? 0 : 1;
    else
        cache->due = fan_clock_elapsed() + delay_ms * FAN_MS;
    return 0;
}

static void run_due(struct fan_http_client *client, int64_t now)
{
    int running;

    for (struct cache *cache = client->caches; cache; cache = cache->next) {
        if (!cache->due || cache->due > now)
            continue;
        cache->due = 0;
        curl_multi_socket_action(cache->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

static void on_timer(void *context)
{
    struct fan_http_client *client = context;

    client->timer = NULL;
    advance(client);
}

/* A timer that fires too early is cheaper than moving it with every request. */
static void wake_by(struct fan_http_client *client, int64_t due)
{
    int64_t now;

    if (client->timer && client->timer_due <= due)
        return;
    now = fan_clock_elapsed();
    fan_loop_cancel(&client->timer);
    client->timer_due = due;
    client->timer = fan_loop_after(client->loop,
            due <= now ? 0 : (uint32_t)((due - now + FAN_MS - 1) / FAN_MS), on_timer, client);
}

/* ---- connection caches ---- */

static struct cache *add_cache(struct fan_http_client *client, const char *key)
{
    struct cache *cache = allocate(sizeof(*cache));

    cache->client = client;
    cache->key = copy(key);
    cache->policy = (struct fan_http_policy){
        .options = client->options,
        .mail = key != NULL,
        .sockets = client->sockets,
        .owner = cache,
    };
    cache->multi = curl_multi_init();
    if (!cache->multi)
        fan_die("out of memory: a connection cache");
    SET(cache->multi, CURLMOPT_MAXCONNECTS, (long)client->options.connections);
    SET(cache->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    SET(cache->multi, CURLMOPT_SOCKETDATA, cache);
    SET(cache->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    SET(cache->multi, CURLMOPT_TIMERDATA, cache);
    cache->next = client->caches;
    client->caches = cache;
    return cache;
}

static void free_cache(struct cache *cache)
{
    while (cache->busy) {
        struct fan_http_easy *easy = cache->busy;
        cache->busy = easy->next;
        curl_multi_remove_handle(cache->multi, easy->curl);
        free(easy->transfer);
        fan_http_easy_free(&easy);
    }
    while (cache->spare) {
        struct fan_http_easy *easy = cache->spare;
        cache->spare = easy->next;
        fan_http_easy_free(&easy);
    }
    fan_http_sockets_deafen(cache->client->sockets,
            cache); /* or every relay's reply to QUIT is waited for */
    curl_multi_cleanup(cache->multi);
    free(cache->key);
    free(cache);
}

static void drop_idle_caches(struct fan_http_client *client)
{
    int64_t before = fan_clock_elapsed() - CACHE_IDLE_SECONDS * FAN_SECOND;

    for (struct cache **at = &client->caches; *at;) {
        struct cache *cache = *at;

        if (cache->key && !cache->busy && cache->last_used < before) {
            *at = cache->next;
            free_cache(cache);
        } else {
            at = &cache->next;
        }
    }
}

static struct cache *cache_for(struct fan_http_client *client, const struct fan_http_call *call)
{
    struct cache *cache = client->caches;
    struct fan_buffer key;

    if (call->method.at) {
        while (cache->key)
            cache = cache->next;
        return cache;
    }
    fan_buffer_init(&key, SIZE_MAX);
    fan_buffer_printf(&key, "%.*s %s %.*s", FAN_BYTES_ARG(call->url),
            call->starttls ? "starttls" : "-", FAN_BYTES_ARG(call->username));
    while (cache && !(cache->key && strcmp(cache->key, key.at) == 0))
        cache = cache->next;
    if (!cache) {
        drop_idle_caches(client);
        cache = add_cache(client, key.at);
    }
    fan_buffer_fini(&key);
    return cache;
}

/* ---- calls ---- */

static struct fan_http_easy *take_easy(struct cache *cache)
{
    struct fan_http_easy *easy = cache->spare;

    if (easy)
        cache->spare = easy->next;
    else
        easy = fan_http_easy_new(&cache->policy);
    easy->next = cache->busy;
    easy->at = &cache->busy;
    if (easy->next)
        easy->next->at = &easy->next;
    cache->busy = easy;
    cache->client->active++;
    return easy;
}

static void give_back_easy(struct cache *cache, struct fan_http_easy *easy)
{
    *easy->at = easy->next;
    if (easy->next)
        easy->next->at = easy->at;
    easy->transfer = NULL;
    easy->next = cache->spare;
    cache->spare = easy;
    cache->client->active--;
}

static void finish(struct cache *cache, struct fan_http_easy *easy, CURLcode code, int64_t now)
{
    struct fan_http_client *client = cache->client;
    struct fan_http_transfer *transfer = easy->transfer;
    struct fan_http_reply reply;

    fan_http_easy_reply(easy, (int)code, &reply);
    reply.took_us = now - transfer->started;
    cache->last_used = now;
    client->calls--;
    transfer->done(transfer->context, &reply);
    give_back_easy(cache, easy); /* only now: the reply was borrowed from it */
    transfer->next = client->spare;
    client->spare = transfer;
}

static void start(struct fan_http_client *client, struct fan_http_transfer *transfer, int64_t now)
{
    struct cache *cache = cache_for(client, &transfer->call);
    struct fan_http_easy *easy = take_easy(cache);

    transfer->started = now;
    fan_http_easy_set(easy, transfer);
    if (!transfer->refused && transfer->call.stop_after && now >= transfer->call.stop_after)
        transfer->refused = "it was too late to begin";
    if (transfer->refused)
        finish(cache, easy, CURLE_ABORTED_BY_CALLBACK, now);
    else
        FAN_ASSERT(curl_multi_add_handle(cache->multi, easy->curl) == CURLM_OK);
}

/* Whether there was one. */
static bool start_waiting(struct fan_http_client *client, int64_t now)
{
    bool any = false;

    while (client->waiting && client->active < client->options.connections) {
        struct fan_http_transfer *transfer = client->waiting;

        client->waiting = transfer->next;
        if (!client->waiting)
            client->waiting_end = &client->waiting;
        start(client, transfer, now);
        any = true;
    }
    return any;
}

static void tell_finished(struct fan_http_client *client, int64_t now)
{
    for (struct cache *cache = client->caches; cache; cache = cache->next) {
        struct CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(cache->multi, &left))) {
            CURLcode code = message->data.result;
            CURL *curl = message->easy_handle;
            struct fan_http_easy *easy;

            FAN_ASSERT(curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&easy) == CURLE_OK);
            curl_multi_remove_handle(cache->multi, curl);
            finish(cache, easy, code, now);
        }
    }
}

/* What ended is told, which may bring further calls; they take the free places, and their first
 * bytes leave at once and not a turn of the loop later. */
static void advance(struct fan_http_client *client)
{
    int64_t now = fan_clock_elapsed(), due = 0;
    bool started;

    client->advancing = true;
    run_due(client, now);
    tell_finished(client, now);
    started = start_waiting(client, now);
    run_due(client, now);
    tell_finished(client, started ? fan_clock_elapsed() : now);
    client->advancing = false;
    for (struct cache *cache = client->caches; cache; cache = cache->next)
        if (cache->due && (!due || cache->due < due))
            due = cache->due;
    if (client->waiting && client->active < client->options.connections)
        due = 1;
    if (due)
        wake_by(client, due);
}

/* ---- the client ---- */

struct fan_http_client *fan_http_client_new(struct fan_loop *loop,
        const struct fan_http_client_options *options)
{
    struct fan_http_client *client = allocate(sizeof(*client));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) /* counted: each client's own */
        fan_die("libcurl cannot start");
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that the other side closed */
    client->loop = loop;
    client->options = *options;
    client->options.user_agent = client->user_agent =
            copy(options->user_agent ? options->user_agent : "Fanfare");
    client->options.ca_file = client->ca_file = copy(options->ca_file);
    if (!client->options.answer_cap)
        client->options.answer_cap = ANSWER_CAP;
    client->waiting_end = &client->waiting;
    client->sockets = fan_http_sockets_new(loop, on_socket);
    add_cache(client, NULL);
    return client;
}

static void free_transfers(struct fan_http_transfer *list)
{
    while (list) {
        struct fan_http_transfer *transfer = list;
        list = transfer->next;
        free(transfer);
    }
}

void fan_http_client_free(struct fan_http_client **client)
{
    struct fan_http_client *old = *client;

    if (!old)
        return;
    FAN_ASSERT(!old->advancing); /* not from a call's own end */
    while (old->caches) {
        struct cache *cache = old->caches;
        old->caches = cache->next;
        free_cache(cache);
    }
    free_transfers(old->waiting);
    free_transfers(old->spare);
    fan_loop_cancel(&old->timer);
    fan_http_sockets_free(&old->sockets);
    curl_global_cleanup();
    free(old->user_agent);
    free(old->ca_file);
    free(old);
    *client = NULL;
}

size_t fan_http_client_busy(const struct fan_http_client *client)
{
    return client->calls;
}

void fan_http_send(struct fan_http_client *client, const struct fan_http_call *call,
        fan_http_starting *starting, fan_http_done *done, void *context)
{
    struct fan_http_transfer *transfer = client->spare;

    if (transfer)
        client->spare = transfer->next;
    else
        transfer = allocate(sizeof(*transfer));
    *transfer = (struct fan_http_transfer){
        .call = *call,
        .starting = starting,
        .done = done,
        .context = context,
    };
    if (!call->connect_ms)
        transfer->call.connect_ms = CONNECT_MS;
    if (!call->total_ms)
        transfer->call.total_ms = TOTAL_MS;
    *client->waiting_end = transfer;
    client->waiting_end = &transfer->next;
    client->calls++;
    if (!client->advancing && client->active < client->options.connections)
        wake_by(client, 1);
}

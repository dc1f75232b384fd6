#include "actors/sandbox/callback.h"

#include "actors/sandbox/callback_write.h"
#include "broker/runtime/http_client.h"

#include <stdlib.h>

enum {
    NAMES_MAX = 1024, /* different callback URLs and senders that are known at once */
    NAME_CAP = 4096,  /* bytes */
    RETRY_MS = 200,   /* before the second try; doubled from one to the next */
    RETRY_MOST_MS = 30000,
    CALL_MS = 15000, /* as long as Twilio waits */
};

/* Texts that many messages share, by number. */
struct names {
    struct fan_bytes *at; /* at[len] */
    uint16_t len;
    uint16_t last; /* found last: most likely the next one, too */
};

/* One request under way. */
struct delivery {
    struct fan_callbacks *callbacks;
    struct delivery *next; /* of those that are free */
    struct fan_arena *arena;
    enum fan_sandbox_provider provider;
    struct fan_callback_text text;
    uint32_t *index; /* records, index[len] */
    uint32_t len;
};

struct fan_callbacks {
    struct fan_sandbox *sandbox;
    struct fan_http_client *client;
    struct fan_timer *timer;
    fan_time start;
    struct fan_backlog backlog;
    struct fan_backlog_list due[FAN_SANDBOX_PROVIDERS];
    struct names names;
    struct delivery *deliveries, *free; /* deliveries[callback_connections] */
    struct fan_callback_tally tally;
};

/* ---- shared texts ---- */

/* The number of @text, which is remembered; -1 when there are too many. */
static int name_number(struct names *names, struct fan_bytes text)
{
    char *copy;

    if (names->len && fan_bytes_eq(names->at[names->last], text))
        return names->last;
    for (uint16_t i = 0; i < names->len; i++)
        if (fan_bytes_eq(names->at[i], text))
            return names->last = i;
    if (names->len == NAMES_MAX || text.len > NAME_CAP)
        return -1;
    copy = malloc(text.len + 1);
    if (!copy)
        fan_die("out of memory: a callback URL");
    memcpy(copy, text.len ? text.at : "", text.len);
    names->at[names->len] = (struct fan_bytes){ copy, text.len };
    return names->last = names->len++;
}

/* ---- steps ---- */

static uint32_t now_ms(const struct fan_callbacks *callbacks)
{
    return (uint32_t)((fan_clock_elapsed() - callbacks->start) / FAN_MS);
}

/* delay_ms to twice that, so that what was accepted together does not come back together. */
static uint32_t step_delay(const struct fan_callbacks *callbacks, const struct fan_pending *pending)
{
    uint32_t delay = callbacks->sandbox->settings->delay_ms;
    uint64_t salt = pending->serial * 4 + pending->step;

    return delay + (uint32_t)fan_faults_choice(&callbacks->sandbox->faults, salt, delay + 1);
}

static void wait_for_step(struct fan_callbacks *callbacks, uint32_t index)
{
    struct fan_pending *pending = &callbacks->backlog.at[index];

    pending->due_ms = now_ms(callbacks) + step_delay(callbacks, pending);
    fan_backlog_wait(&callbacks->backlog, index);
}

static void wait_for_retry(struct fan_callbacks *callbacks, uint32_t index)
{
    struct fan_pending *pending = &callbacks->backlog.at[index];
    uint32_t delay = RETRY_MOST_MS;

    if (pending->tries < 8 && RETRY_MS << (pending->tries - 1) < RETRY_MOST_MS)
        delay = RETRY_MS << (pending->tries - 1);
    pending->due_ms = now_ms(callbacks) + delay;
    fan_backlog_wait(&callbacks->backlog, index);
}

static void next_step(struct fan_callbacks *callbacks, uint32_t index)
{
    struct fan_pending *pending = &callbacks->backlog.at[index];

    pending->step++;
    pending->tries = 0;
    if (fan_callback_has_step(pending->provider, pending->fate, pending->step))
        wait_for_step(callbacks, index);
    else
        fan_backlog_remove(&callbacks->backlog, index);
}

static void settle(struct fan_callbacks *callbacks, uint32_t index, bool taken)
{
    struct fan_pending *pending = &callbacks->backlog.at[index];

    if (taken) {
        callbacks->tally.delivered++;
        next_step(callbacks, index);
        return;
    }
    callbacks->tally.failed++;
    if (++pending->tries < callbacks->sandbox->settings->callback_tries) {
        wait_for_retry(callbacks, index);
        return;
    }
    callbacks->tally.given_up++;
    next_step(callbacks, index);
}

/* ---- requests ---- */

static void pump(struct fan_callbacks *callbacks);

static void on_done(void *context, const struct fan_http_reply *reply)
{
    struct delivery *delivery = context;
    struct fan_callbacks *callbacks = delivery->callbacks;
    bool taken = reply->complete && reply->status >= 200 && reply->status < 300;

    for (uint32_t i = 0; i < delivery->len; i++)
        settle(callbacks, delivery->index[i], taken);
    fan_arena_reset(delivery->arena);
    delivery->next = callbacks->free;
    callbacks->free = delivery;
    pump(callbacks);
}

static struct fan_bytes whole_url(const struct fan_callbacks *callbacks,
        const struct fan_pending *pending, struct fan_arena *arena)
{
    int token = (int)strnlen(pending->token, FAN_PENDING_TOKEN);

    return fan_bytes_of(fan_arena_printf(arena, "%.*s%.*s",
            FAN_BYTES_ARG(callbacks->names.at[pending->url]), token, pending->token));
}

static void write_twilio(struct delivery *delivery)
{
    const struct fan_callbacks *callbacks = delivery->callbacks;
    const struct fan_pending *pending = &callbacks->backlog.at[delivery->index[0]];

    fan_callback_write_twilio(callbacks->sandbox, pending,
            whole_url(callbacks, pending, delivery->arena), callbacks->names.at[pending->from],
            delivery->arena, &delivery->text);
}

static void write_meta(struct delivery *delivery)
{
    const struct fan_callbacks *callbacks = delivery->callbacks;
    const struct fan_pending **pending =
            fan_arena_array(delivery->arena, delivery->len, sizeof(void *));

    for (uint32_t i = 0; i < delivery->len; i++)
        pending[i] = &callbacks->backlog.at[delivery->index[i]];
    fan_callback_write_meta(callbacks->sandbox, pending, delivery->len, delivery->arena,
            &delivery->text);
}

static void transmit(struct delivery *delivery)
{
    struct fan_http_call call = { .method = FAN_LIT("POST"), .total_ms = CALL_MS };

    if (delivery->provider == FAN_SANDBOX_TWILIO)
        write_twilio(delivery);
    else
        write_meta(delivery);
    call.url = delivery->text.url;
    call.headers = delivery->text.headers;
    call.headers_len = 2;
    call.body = delivery->text.body;
    fan_http_send(delivery->callbacks->client, &call, NULL, on_done, delivery);
}

/* Take up to @most due records of a provider into a free delivery, and send it. */
static bool deliver(struct fan_callbacks *callbacks, enum fan_sandbox_provider provider,
        uint32_t most)
{
    struct delivery *delivery = callbacks->free;
    uint32_t index = FAN_BACKLOG_NONE;

    if (!delivery || callbacks->due[provider].first == FAN_BACKLOG_NONE)
        return false;
    callbacks->free = delivery->next;
    delivery->provider = provider;
    delivery->len = 0;
    while (delivery->len < most &&
            (index = fan_backlog_pop(&callbacks->backlog, &callbacks->due[provider])) !=
                    FAN_BACKLOG_NONE)
        delivery->index[delivery->len++] = index;
    transmit(delivery);
    return true;
}

/* By turns, so that neither provider's callbacks wait behind the other's. */
static void pump(struct fan_callbacks *callbacks)
{
    bool sent;

    do {
        sent = deliver(callbacks, FAN_SANDBOX_TWILIO, 1);
        sent |= deliver(callbacks, FAN_SANDBOX_META, callbacks->sandbox->settings->callback_batch);
    } while (sent);
}

static void on_tick(void *context)
{
    struct fan_callbacks *callbacks = context;

    fan_backlog_due(&callbacks->backlog, now_ms(callbacks), callbacks->due);
    pump(callbacks);
}

/* ---- expecting them ---- */

bool fan_callbacks_room(const struct fan_callbacks *callbacks)
{
    return callbacks->backlog.used < callbacks->backlog.cap;
}

static void expect(struct fan_callbacks *callbacks, const struct fan_pending *wanted,
        struct fan_bytes token)
{
    uint32_t index = fan_backlog_add(&callbacks->backlog);
    struct fan_pending *pending;

    if (index == FAN_BACKLOG_NONE)
        return;
    pending = &callbacks->backlog.at[index];
    *pending = *wanted;
    if (token.len > 0)
        memcpy(pending->token, token.at, token.len);
    wait_for_step(callbacks, index);
}

static bool reads(enum fan_sandbox_provider provider)
{
    return provider == FAN_SANDBOX_META;
}

static enum fan_fate fate_of(const struct fan_callbacks *callbacks, uint64_t to,
        struct fan_bytes token, enum fan_sandbox_provider provider)
{
    struct fan_bytes number = { (const char *)&to, sizeof(to) };

    return fan_faults_fate(&callbacks->sandbox->faults, number, token, reads(provider));
}

void fan_callbacks_twilio(struct fan_callbacks *callbacks, uint64_t serial, uint64_t to,
        struct fan_bytes from, struct fan_bytes url, struct fan_bytes token)
{
    struct fan_pending pending = { .serial = serial, .to = to, .provider = FAN_SANDBOX_TWILIO };
    int url_number, from_number;

    if (!url.at)
        return;
    if (token.len > FAN_PENDING_TOKEN || !fan_bytes_ends(url, token))
        token.len = 0;
    url.len -= token.len;
    url_number = name_number(&callbacks->names, url);
    from_number = name_number(&callbacks->names, from);
    if (url_number < 0 || from_number < 0)
        return;
    pending.url = (uint16_t)url_number;
    pending.from = (uint16_t)from_number;
    pending.fate = (uint8_t)fate_of(callbacks, to, token, FAN_SANDBOX_TWILIO);
    expect(callbacks, &pending, token);
}

void fan_callbacks_meta(struct fan_callbacks *callbacks, uint64_t serial, uint64_t to,
        struct fan_bytes token)
{
    struct fan_pending pending = { .serial = serial, .to = to, .provider = FAN_SANDBOX_META };

    if (!*callbacks->sandbox->settings->meta_webhook_url)
        return;
    if (token.len > FAN_PENDING_TOKEN)
        token.len = 0;
    pending.fate = (uint8_t)fate_of(callbacks, to, token, FAN_SANDBOX_META);
    expect(callbacks, &pending, token);
}

struct fan_callback_tally fan_callbacks_tally(const struct fan_callbacks *callbacks)
{
    struct fan_callback_tally tally = callbacks->tally;

    tally.waiting = callbacks->backlog.used;
    return tally;
}

/* ---- the engine ---- */

static void *allocate(size_t count, size_t size)
{
    void *at = calloc(count, size);

    if (!at)
        fan_die("out of memory: callbacks");
    return at;
}

static void add_deliveries(struct fan_callbacks *callbacks)
{
    const struct fan_sandbox_settings *settings = callbacks->sandbox->settings;

    callbacks->deliveries = allocate(settings->callback_connections, sizeof(struct delivery));
    for (uint32_t i = 0; i < settings->callback_connections; i++) {
        struct delivery *delivery = &callbacks->deliveries[i];

        *delivery = (struct delivery){
            .callbacks = callbacks,
            .next = callbacks->free,
            .arena = fan_arena_new(),
            .index = allocate(settings->callback_batch, sizeof(uint32_t)),
        };
        callbacks->free = delivery;
    }
}

struct fan_callbacks *fan_callbacks_new(struct fan_sandbox *sandbox)
{
    struct fan_callbacks *callbacks = allocate(1, sizeof(*callbacks));
    const struct fan_http_client_options options = {
        .connections = sandbox->settings->callback_connections,
        .user_agent = "TwilioProxy/1.1",
    };

    callbacks->sandbox = sandbox;
    callbacks->start = fan_clock_elapsed();
    callbacks->client = fan_http_client_new(sandbox->loop, &options);
    fan_backlog_init(&callbacks->backlog, sandbox->settings->callback_backlog);
    for (size_t i = 0; i < FAN_SANDBOX_PROVIDERS; i++)
        callbacks->due[i] = (struct fan_backlog_list){ FAN_BACKLOG_NONE, FAN_BACKLOG_NONE };
    callbacks->names.at = allocate(NAMES_MAX, sizeof(struct fan_bytes));
    add_deliveries(callbacks);
    callbacks->timer = fan_loop_every(sandbox->loop, FAN_BACKLOG_TICK_MS, on_tick, callbacks);
    return callbacks;
}

void fan_callbacks_free(struct fan_callbacks **callbacks)
{
    struct fan_callbacks *old = *callbacks;

    if (!old)
        return;
    fan_loop_cancel(&old->timer);
    fan_http_client_free(&old->client);
    for (uint32_t i = 0; i < old->sandbox->settings->callback_connections; i++) {
        fan_arena_free(&old->deliveries[i].arena);
        free(old->deliveries[i].index);
    }
    for (uint16_t i = 0; i < old->names.len; i++)
        free((void *)(uintptr_t)old->names.at[i].at);
    free(old->names.at);
    free(old->deliveries);
    fan_backlog_fini(&old->backlog);
    free(old);
    *callbacks = NULL;
}

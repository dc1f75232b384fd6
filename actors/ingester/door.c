#include "actors/ingester/ingester.h"

#include <stdlib.h>

enum {
    SMALL_BODY = 64 * 1024, /* bytes; larger ones are counted */
    HEADERS_CAP = 8 * 1024, /* bytes that are kept with a hook */
    /* Of a connection, and wiped after each request: providers' heads have less than 2 KiB. */
    CONNECTION_MEMORY = 16 * 1024,
};

#define AGAIN_S "30" /* Retry-After of what cannot be taken now */

struct door {
    struct ingester *ingester;
    struct fan_http_server *server;
    size_t large; /* bytes of large bodies that are held */
    struct fan_arena *scratch;
    struct fan_metric *put_off;
    fan_time told; /* elapsed, when it was last logged that something is refused */
};

/* A body that arrives in parts. */
struct large_body {
    struct door *door;
    struct fan_buffer bytes;
};

/* A hook under way; lives in the request's arena. */
struct visit {
    struct ingester *ingester;
    struct fan_http_request *request;
    fan_id account, channel;
    struct fan_bytes tail; /* of the target, behind the channel: path and query */
    struct fan_bytes body;
};

/* ---- answers ---- */

static void answer(struct fan_http_request *request, int status, const char *text)
{
    fan_http_answer(request, status, "text/plain; charset=utf-8", fan_bytes_of(text));
}

static void put_off(struct door *door, struct fan_http_request *request)
{
    fan_metric_add(door->put_off, 1);
    fan_http_add_header(request, "Retry-After", AGAIN_S);
    answer(request, 503, "Try again later.\n");
}

/* What was taken in waits for the disk. */
struct taking {
    struct door *door;
    struct fan_http_request *request;
    struct fan_hook_answer answer;
};

static void on_safe(void *context, bool safe)
{
    const struct taking *taking = context;

    if (safe)
        fan_http_answer(taking->request, taking->answer.status ? taking->answer.status : 200,
                taking->answer.type, taking->answer.body);
    else
        put_off(taking->door, taking->request);
}

/* Once a second: who comes in thousands is refused in thousands. */
static void tell_refusal(struct door *door, const struct fan_why *why)
{
    fan_time now = fan_clock_elapsed();

    if (door->told && now - door->told < FAN_SECOND)
        return;
    door->told = now;
    fan_log(NULL, FAN_WARN, "hook.refused", "%s", why->text);
}

void door_take(struct ingester *self, struct fan_http_request *request,
        const struct spool_record *record, const struct fan_hook_answer *reply)
{
    struct taking *taking = fan_arena_alloc(fan_http_arena(request), sizeof *taking);
    struct fan_why why = { 0 };
    enum fan_err err;

    *taking = (struct taking){ self->door, request, *reply };
    err = spool_append(self->spool, record, on_safe, taking, &why);
    if (!err)
        return;
    tell_refusal(self->door, &why);
    if (err == FAN_TOO_LARGE)
        answer(request, 413, "Too large.\n");
    else
        put_off(self->door, request);
}

/* ---- hooks ---- */

static void count(struct ingester *self, const struct channel *channel, const char *result)
{
    struct fan_arena *scratch = self->door->scratch;
    const char *labels = fan_arena_printf(scratch, "provider=\"%s\",result=\"%s\"",
            channel && channel->provider ? channel->provider->name : "none", result);

    fan_metric_add(fan_metric_counter(fan_actor_metrics(self->actor), "fanfare_hooks_total", labels,
                           "Hooks by provider and what became of them."),
            1);
    fan_arena_reset(scratch);
}

static bool begins_with_any(struct fan_bytes line, const char *const *words)
{
    for (; *words; words++) {
        struct fan_bytes word = fan_bytes_of(*words);

        if (line.len >= word.len &&
                fan_bytes_eq_nocase((struct fan_bytes){ line.at, word.len }, word))
            return true;
    }
    return false;
}

/* Headers that a driver may look at when it reads a hook; none that says who our proxies are. */
static struct fan_bytes kept_headers(struct fan_bytes lines, struct fan_arena *arena)
{
    static const char *const kept[] = { "Content-Type:", "Webhook-", "X-", NULL };
    static const char *const dropped[] = { "X-Forwarded-", "X-Real-IP:", NULL };
    struct fan_buffer out;
    struct fan_bytes line, text;

    fan_buffer_init(&out, HEADERS_CAP);
    while (lines.len > 0) {
        lines = fan_bytes_split(lines, '\n', &line);
        if (!begins_with_any(line, kept) || begins_with_any(line, dropped))
            continue;
        fan_buffer_add_bytes(&out, line);
        fan_buffer_add_char(&out, '\n');
    }
    text = fan_bytes_dup(fan_buffer_bytes(&out), arena);
    fan_buffer_fini(&out);
    return text;
}

static struct fan_hook hook_of(const struct visit *visit, const struct channel *channel)
{
    struct fan_arena *arena = fan_http_arena(visit->request);
    struct fan_bytes before;

    return (struct fan_hook){
        .method = fan_http_method(visit->request),
        .url = fan_bytes_of(fan_arena_printf(arena, "%.*s%.*s",
                FAN_BYTES_ARG(channel->view.hook_url), FAN_BYTES_ARG(visit->tail))),
        .query = fan_bytes_split(visit->tail, '?', &before),
        .body = visit->body,
        .headers = fan_http_header_lines(visit->request),
    };
}

static void take_hook(const struct visit *visit, const struct channel *channel,
        const struct fan_hook *hook)
{
    const struct spool_record record = {
        .arrived = fan_clock_now(),
        .sort = SPOOL_HOOK,
        .account = visit->account,
        .subject = visit->channel,
        .method = hook->method,
        .url = hook->url,
        .headers = kept_headers(hook->headers, fan_http_arena(visit->request)),
        .body = hook->body,
    };

    count(visit->ingester, channel, "taken");
    door_take(visit->ingester, visit->request, &record, &channel->provider->hook_answer);
}

/* A channel that is not there and a wrong signature are answered alike: nobody shall find out which
 * channels there are. */
static void refuse(const struct visit *visit, const struct channel *channel)
{
    count(visit->ingester, channel, "refused");
    answer(visit->request, 403, "Forbidden.\n");
}

static void greet(const struct visit *visit, const struct channel *channel,
        const struct fan_hook_answer *reply)
{
    if (reply->status >= 400) {
        refuse(visit, channel);
        return;
    }
    count(visit->ingester, channel, "greeted");
    fan_http_answer(visit->request, reply->status, reply->type, reply->body);
}

static void on_channel(void *context, const struct channel *channel)
{
    const struct visit *visit = context;
    struct fan_arena *arena = fan_http_arena(visit->request);
    const struct fan_provider *provider;
    struct fan_hook_answer reply;
    struct fan_why why = { 0 };
    struct fan_hook hook;

    if (!channel) {
        count(visit->ingester, channel, "put off");
        put_off(visit->ingester->door, visit->request);
        return;
    }
    provider = channel->provider;
    if (!provider || !provider->hook_check) {
        refuse(visit, channel);
        return;
    }
    hook = hook_of(visit, channel);
    if (provider->hook_greet && provider->hook_greet(&channel->view, &hook, arena, &reply)) {
        greet(visit, channel, &reply);
    } else if (provider->hook_check(&channel->view, &hook, arena, &why)) {
        refuse(visit, channel);
    } else {
        take_hook(visit, channel, &hook);
    }
}

/* "<account>/<channel>" and what follows, behind "/hooks/". */
static bool read_address(struct fan_bytes text, struct visit *out)
{
    struct fan_bytes account, rest = fan_bytes_split(text, '/', &account);
    size_t digits = 0;

    while (digits < rest.len && rest.at[digits] >= '0' && rest.at[digits] <= '9')
        digits++;
    if (digits < rest.len && rest.at[digits] != '/' && rest.at[digits] != '?')
        return false;
    out->tail = (struct fan_bytes){ rest.at ? rest.at + digits : "", rest.len - digits };
    return fan_bytes_i64(account, &out->account) &&
            fan_bytes_i64((struct fan_bytes){ rest.at, digits }, &out->channel) &&
            out->account > 0 && out->channel > 0;
}

static void on_hook(struct ingester *self, struct fan_http_request *request, struct fan_bytes text,
        struct fan_bytes body)
{
    struct visit *visit = fan_arena_alloc(fan_http_arena(request), sizeof *visit);

    *visit = (struct visit){ .ingester = self, .request = request, .body = body };
    if (read_address(text, visit))
        channels_get(self->channels, visit->account, visit->channel, on_channel, visit);
    else
        refuse(visit, NULL);
}

/* ---- requests ---- */

static struct fan_bytes behind(struct fan_bytes text, struct fan_bytes prefix)
{
    if (!fan_bytes_starts(text, prefix))
        return FAN_NO_BYTES;
    return (struct fan_bytes){ text.at + prefix.len, text.len - prefix.len };
}

static void route(struct ingester *self, struct fan_http_request *request, struct fan_bytes body)
{
    struct fan_bytes hook = behind(fan_http_target(request), FAN_LIT("/hooks/"));
    struct fan_bytes token = behind(fan_http_path(request), FAN_LIT("/u/"));
    struct fan_bytes media = behind(fan_http_path(request), FAN_LIT("/media/"));

    if (hook.at)
        on_hook(self, request, hook, body);
    else if (token.at)
        unsubscribe_answer(self, request, token);
    else if (media.at)
        media_serve(self, request, media);
    else
        answer(request, 404, "There is nothing here.\n");
}

static void on_request(void *context, struct fan_http_request *request)
{
    struct door *door = context;

    route(door->ingester, request, fan_http_body(request));
}

/* ---- large bodies ---- */

/* The body stays until the request is over: it is answered after the disk has it. */
static void release_large(void *context)
{
    struct large_body *body = context;

    body->door->large -= body->bytes.len;
    fan_buffer_fini(&body->bytes);
}

static bool on_head(void *context, struct fan_http_request *request, void **part_context)
{
    struct door *door = context;
    struct fan_bytes length = fan_http_header(request, "Content-Length");
    struct large_body *body;
    int64_t size = 0;

    if (length.at && fan_bytes_i64(length, &size) && size <= SMALL_BODY)
        return false;
    if (!length.at && !fan_http_header(request, "Transfer-Encoding").at)
        return false;
    body = fan_arena_alloc(fan_http_arena(request), sizeof *body);
    body->door = door;
    fan_buffer_init(&body->bytes, (size_t)door->ingester->set->body_kb * 1024);
    fan_arena_defer(fan_http_arena(request), release_large, body);
    *part_context = body;
    return true;
}

static bool on_part(void *context, struct fan_http_request *request, struct fan_bytes part,
        bool last)
{
    struct large_body *body = context;
    struct door *door = body->door;

    if (!part.at)
        return false; /* the client went away */
    if (door->large + part.len > (size_t)door->ingester->set->bodies_mb * 1024 * 1024) {
        put_off(door, request);
        return false;
    }
    fan_buffer_add_bytes(&body->bytes, part);
    if (body->bytes.overflowed) {
        answer(request, 413, "Too large.\n");
        return false;
    }
    door->large += part.len;
    if (last)
        route(door->ingester, request, fan_buffer_bytes(&body->bytes));
    return true;
}

/* ---- its life ---- */

enum fan_err door_open(struct ingester *self, struct door **out, struct fan_why *why)
{
    const struct fan_http_server_options options = {
        .listen = self->set->listen,
        .connections = self->set->connections,
        .body_cap = SMALL_BODY,
        .memory = CONNECTION_MEMORY,
    };
    struct door *door = calloc(1, sizeof *door);
    enum fan_err err;

    if (!door)
        fan_die("out of memory: the door");
    door->ingester = self;
    door->scratch = fan_arena_new();
    door->put_off = fan_metric_counter(fan_actor_metrics(self->actor),
            "fanfare_hooks_put_off_total", "",
            "Hooks answered 503: the spool or its disk is full or fails, or too much came.");
    err = fan_http_server_open(fan_actor_loop(self->actor), &options, on_request, door,
            &door->server, why);
    if (err) {
        fan_arena_free(&door->scratch);
        free(door);
        return err;
    }
    fan_http_server_parts(door->server, on_head, on_part);
    *out = door;
    return FAN_OK;
}

void door_quiesce(struct door *door)
{
    fan_http_server_quiesce(door->server);
}

bool door_busy(const struct door *door)
{
    return fan_http_server_open_requests(door->server) > 0;
}

void door_close(struct door **door)
{
    if (!*door)
        return;
    fan_http_server_close(&(*door)->server);
    fan_arena_free(&(*door)->scratch);
    free(*door);
    *door = NULL;
}

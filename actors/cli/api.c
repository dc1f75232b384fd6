#include "actors/cli/api.h"

#include "actors/cli/file.h"
#include "broker/runtime/http_client.h"

#include <stdio.h>
#include <stdlib.h>

struct fan_api {
    struct fan_arena *arena;
    struct fan_loop *loop;
    struct fan_http_client *client;
    const char *url;
    const char *authorization;
};

/* ---- opening ---- */

static const char *first_of(const char *asked, const char *variable)
{
    const char *set = getenv(variable);

    if (asked && *asked)
        return asked;
    return set && *set ? set : NULL;
}

static const char *without_slash(const char *url, struct fan_arena *arena)
{
    size_t len = strlen(url);

    while (len && url[len - 1] == '/')
        len--;
    return fan_arena_printf(arena, "%.*s", (int)len, url);
}

static enum fan_err find_key(const struct fan_api_options *options, struct fan_arena *arena,
        const char **key, struct fan_why *why)
{
    struct fan_home home;
    enum fan_err err = FAN_OK;

    *key = first_of(options->key, "FANFARE_API_KEY");
    if (*key)
        return FAN_OK;
    err = fan_home_find(options->home, arena, &home, why);
    if (err)
        return err;
    *key = fan_file_text(home.api_key_file, arena);
    if (*key)
        return FAN_OK;
    return fan_fail(why, FAN_NOT_FOUND,
            "no API key: %s cannot be read; say with --home where `fanfare up` lives, or give "
            "--key or FANFARE_API_KEY",
            home.api_key_file);
}

enum fan_err fan_api_open(const struct fan_api_options *options, struct fan_api **out,
        struct fan_why *why)
{
    static const struct fan_http_client_options client = { .connections = 4,
        .answer_cap = 4 * 1024 * 1024 };
    struct fan_arena *arena = fan_arena_new();
    struct fan_api *api = fan_arena_alloc(arena, sizeof(*api));
    const char *url = first_of(options->url, "FANFARE_URL"), *key;
    enum fan_err err = find_key(options, arena, &key, why);

    if (err) {
        fan_arena_free(&arena);
        return err;
    }
    api->arena = arena;
    api->url = without_slash(url ? url : FAN_API_URL, arena);
    api->authorization = fan_arena_printf(arena, "Authorization: Bearer %s", key);
    api->loop = fan_loop_new();
    api->client = fan_http_client_new(api->loop, &client);
    *out = api;
    return FAN_OK;
}

void fan_api_close(struct fan_api **api)
{
    struct fan_api *old = *api;
    struct fan_arena *arena;

    if (!old)
        return;
    *api = NULL;
    fan_http_client_free(&old->client);
    fan_loop_free(&old->loop);
    arena = old->arena;
    fan_arena_free(&arena);
}

const char *fan_api_url(const struct fan_api *api)
{
    return api->url;
}

/* ---- what went wrong ---- */

const char *fan_api_problem(const struct fan_json *problem, struct fan_arena *arena)
{
    const struct fan_json *faults = fan_json_get(problem, "errors");
    struct fan_bytes detail = fan_json_get_text(problem, "detail");
    const char *text =
            fan_bytes_cstr(detail.len ? detail : fan_json_get_text(problem, "title"), arena);

    /* The detail only counts the faults. */
    for (size_t i = 0; i < fan_json_size(faults); i++) {
        const struct fan_json *fault = fan_json_at(faults, i);
        struct fan_bytes right = fan_json_get_text(fault, "expected");

        text = fan_arena_printf(arena, "%s%s%.*s: %.*s%s%.*s%s", i ? text : "", i ? "; " : "",
                FAN_BYTES_ARG(fan_json_get_text(fault, "field")),
                FAN_BYTES_ARG(fan_json_get_text(fault, "reason")), right.len ? " (" : "",
                FAN_BYTES_ARG(right), right.len ? ")" : "");
    }
    return text;
}

static enum fan_err meaning_of(int status)
{
    switch (status) {
    case 401:
    case 403:
        return FAN_DENIED;
    case 404:
        return FAN_NOT_FOUND;
    case 409:
        return FAN_CONFLICT;
    case 413:
        return FAN_TOO_LARGE;
    default:
        return status >= 500 || status == 429 ? FAN_UNAVAILABLE : FAN_INVALID;
    }
}

/* ---- calling ---- */

struct waiting {
    struct fan_api *api;
    struct fan_arena *arena;
    int status;
    struct fan_bytes body;
    const char *error;
};

static void on_reply(void *context, const struct fan_http_reply *reply)
{
    struct waiting *waiting = context;

    waiting->status = reply->complete ? reply->status : 0;
    waiting->body = fan_bytes_dup(reply->body, waiting->arena);
    waiting->error = fan_bytes_cstr(fan_bytes_of(reply->error), waiting->arena);
    fan_loop_stop(waiting->api->loop);
}

static void send_and_wait(struct fan_api *api, const struct fan_api_call *call,
        struct waiting *waiting)
{
    const char *type = fan_arena_printf(waiting->arena, "Content-Type: %s",
            call->type ? call->type : "application/json");
    const struct fan_bytes headers[] = { fan_bytes_of(api->authorization),
        FAN_LIT("Accept: application/json"), fan_bytes_of(type) };
    bool absolute = strncmp(call->path, "http", 4) == 0;
    const struct fan_http_call http = {
        .method = fan_bytes_of(call->method),
        .url = fan_bytes_of(fan_arena_printf(waiting->arena, "%s%s", absolute ? "" : api->url,
                call->path)),
        .headers = absolute ? headers + 1 : headers, /* the key is the gateway's alone */
        .headers_len = (absolute ? 1u : 2u) + (call->body.at ? 1u : 0u),
        .body = call->body,
        .total_ms = call->total_ms,
    };

    fan_http_send(api->client, &http, NULL, on_reply, waiting);
    fan_loop_run(api->loop);
}

enum fan_err fan_api_send(struct fan_api *api, const struct fan_api_call *call,
        struct fan_arena *arena, const struct fan_json **out, struct fan_why *why)
{
    struct waiting waiting = { .api = api, .arena = arena };

    *out = NULL;
    send_and_wait(api, call, &waiting);
    if (!waiting.status)
        return fan_fail(why, FAN_UNAVAILABLE, "no answer from %s: %s", api->url, waiting.error);
    if (waiting.body.len && fan_json_parse(waiting.body, arena, out, NULL))
        *out = NULL;
    if (waiting.status / 100 == 2)
        return FAN_OK;
    if (!*out)
        return fan_fail(why, meaning_of(waiting.status), "%s answered with status %d", call->path,
                waiting.status);
    return fan_fail(why, meaning_of(waiting.status), "%s", fan_api_problem(*out, arena));
}

enum fan_err fan_api_get(struct fan_api *api, const char *path, struct fan_arena *arena,
        const struct fan_json **out, struct fan_why *why)
{
    const struct fan_api_call call = { .method = "GET", .path = path };

    return fan_api_send(api, &call, arena, out, why);
}

enum fan_err fan_api_post(struct fan_api *api, const char *path, const char *body,
        struct fan_arena *arena, const struct fan_json **out, struct fan_why *why)
{
    const struct fan_api_call call = { .method = "POST", .path = path, .body = fan_bytes_of(body) };

    return fan_api_send(api, &call, arena, out, why);
}

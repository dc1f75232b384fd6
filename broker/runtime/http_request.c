#include "broker/runtime/http_request.h"

#include <sys/socket.h>

struct fan_arena *fan_http_arena(struct fan_http_request *request)
{
    return request->arena;
}

struct fan_bytes fan_http_method(const struct fan_http_request *request)
{
    return request->method;
}

struct fan_bytes fan_http_path(const struct fan_http_request *request)
{
    return request->path;
}

struct fan_bytes fan_http_target(const struct fan_http_request *request)
{
    return request->target;
}

bool fan_http_query_next(const struct fan_http_request *request, size_t *cursor,
        struct fan_bytes *name, struct fan_bytes *value)
{
    return fan_form_next(request->query, cursor, request->arena, name, value);
}

struct fan_bytes fan_http_query(const struct fan_http_request *request, const char *name)
{
    struct fan_bytes key, value;
    size_t cursor = 0;

    while (fan_http_query_next(request, &cursor, &key, &value)) {
        if (fan_bytes_eq_text(key, name))
            return value;
    }
    return FAN_NO_BYTES;
}

struct fan_bytes fan_http_body(const struct fan_http_request *request)
{
    return fan_buffer_bytes(&request->body);
}

void *fan_http_user(const struct fan_http_request *request)
{
    return request->user;
}

void fan_http_set_user(struct fan_http_request *request, void *user)
{
    request->user = user;
}

void fan_http_pause(struct fan_http_request *request)
{
    if (request->paused)
        return;
    request->paused = true;
    request->paused_at = fan_clock_elapsed();
}

void fan_http_resume(struct fan_http_request *request)
{
    if (!request->paused)
        return;
    request->paused = false;
    request->wait->since += fan_clock_elapsed() - request->paused_at; /* not the client's time */
    fan_http_wake(request);
}

/* ---- the answer ---- */

static bool is_one_line(const char *value)
{
    for (; *value; value++) {
        if ((unsigned char)*value < ' ' || *value == 0x7f)
            return false;
    }
    return true;
}

void fan_http_add_header(struct fan_http_request *request, const char *name, const char *value)
{
    struct fan_http_extra *extra = fan_arena_alloc(request->arena, sizeof(*extra));

    FAN_ASSERT(!request->answered);
    if (!is_one_line(value))
        return;
    extra->name = fan_bytes_cstr(fan_bytes_of(name), request->arena);
    extra->value = fan_bytes_cstr(fan_bytes_of(value), request->arena);
    *request->extra_end = extra;
    request->extra_end = &extra->next;
}

void fan_http_answer(struct fan_http_request *request, int status, const char *type,
        struct fan_bytes body)
{
    FAN_ASSERT(!request->answered);
    if (type)
        fan_http_add_header(request, "Content-Type", type);
    request->answered = true;
    request->paused = false;
    request->status = status;
    request->answer = fan_bytes_dup(body, request->arena);
    if (request->step == FAN_HTTP_STEP_BODY && request->has_body)
        fan_http_answer_now(request);
    fan_http_wake(request);
}

void fan_http_answer_file(struct fan_http_request *request, int status, const char *type, int fd,
        uint64_t offset, uint64_t len)
{
    FAN_ASSERT(request->step == FAN_HTTP_STEP_WHOLE);
    request->file = fd;
    request->file_at = offset;
    request->file_len = len;
    fan_http_answer(request, status, type, FAN_NO_BYTES);
}

void fan_http_drop(struct fan_http_request *request)
{
    FAN_ASSERT(!request->answered);
    request->answered = true;
    request->paused = false;
    request->dropped = true;
    fan_http_wake(request);
}

void fan_http_answer_now(struct fan_http_request *request)
{
    struct fan_buffer out;
    bool head_only = fan_bytes_eq_text(request->method, "HEAD");

    fan_buffer_init(&out, SIZE_MAX);
    fan_buffer_printf(&out, "HTTP/1.1 %d \r\n", request->status); /* the phrase may be empty */
    for (const struct fan_http_extra *extra = request->extra; extra; extra = extra->next)
        fan_buffer_printf(&out, "%s: %s\r\n", extra->name, extra->value);
    fan_buffer_printf(&out, "Content-Length: %zu\r\nConnection: close\r\n\r\n",
            request->answer.len);
    if (!head_only)
        fan_buffer_add_bytes(&out, request->answer);
    /* Nothing else is on its way to the client: a short answer fits in the socket's buffer. */
    send(request->wait->fd, out.at, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    fan_buffer_fini(&out);
    /* Closing now would reset the connection, and the client would lose the answer. */
    shutdown(request->wait->fd, SHUT_WR);
    request->deaf = true;
    fan_http_phase_set(request->wait, FAN_HTTP_DEAF);
}

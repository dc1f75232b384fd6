/*
 * What a client says in a request's head and form never reaches outside its bytes, and what is
 * taken is clean.
 *
 * The input is a request: target, header lines "Name: value", an empty line, a form.
 */
#include "broker/runtime/http_server.h"
#include "broker/runtime/http_text.h"

static void assert_clean(struct fan_bytes text)
{
    FAN_ASSERT(fan_bytes_utf8(text));
    FAN_ASSERT(text.len == 0 || !memchr(text.at, '\0', text.len));
}

static void try_target(struct fan_bytes text, struct fan_arena *arena, struct fan_http_target *out)
{
    struct fan_bytes path;

    if (fan_http_target_split(text, out) && fan_http_path_decode(out->path, arena, &path)) {
        assert_clean(path);
        FAN_ASSERT(path.len > 0 && path.len <= text.len);
    }
}

static void try_form(struct fan_bytes form, struct fan_arena *arena)
{
    struct fan_bytes name, value;
    size_t cursor = 0, count = 0;

    while (fan_form_next(form, &cursor, arena, &name, &value)) {
        assert_clean(name);
        assert_clean(value);
        FAN_ASSERT(++count <= form.len);
    }
}

static struct fan_bytes try_head(struct fan_bytes rest, struct fan_bytes authority)
{
    struct fan_http_head head = { 0 };
    struct fan_bytes line, name, value;

    while (rest.at) {
        rest = fan_bytes_split(rest, '\n', &line);
        if (line.len == 0)
            break;
        value = fan_bytes_split(line, ':', &name);
        fan_http_head_add(&head, name, fan_bytes_trim(value));
    }
    fan_http_head_end(&head, FAN_LIT("POST"), authority);
    if (head.status == 0) {
        FAN_ASSERT(head.hosts == 1 && head.lengths + head.codings <= 1);
        FAN_ASSERT(head.headers <= FAN_HTTP_HEADERS_MAX && head.size <= FAN_HTTP_HEAD_MAX);
    }
    return rest;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes input = { (const char *)at, len }, target, rest;
    struct fan_http_target parts;
    const char *host, *port;

    rest = fan_bytes_split(input, '\n', &target);
    try_target(target, arena, &parts);
    rest = try_head(rest, parts.authority);
    try_form(rest, arena);
    try_form(parts.query, arena);
    if (fan_http_listen_split(target, arena, &host, &port))
        FAN_ASSERT(*host && *port);
    fan_arena_free(&arena);
    return 0;
}

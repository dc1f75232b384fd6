/*
 * http_echo — a server for tests: it says what it was asked, at once or when the test wants it to.
 */
#ifndef FAN_TEST_HTTP_ECHO_H
#define FAN_TEST_HTTP_ECHO_H

#include "tests/unit/broker/runtime/http_peer.h"

struct server {
    struct fan_loop *loop;
    struct fan_http_server *http;
    struct fan_http_request *kept; /* "/later" waits for the test to answer */
    unsigned handled;
};

static inline void echo(struct fan_http_request *request)
{
    struct fan_arena *arena = fan_http_arena(request);
    struct fan_bytes x = fan_http_query(request, "x");
    const char *text = fan_arena_printf(arena, "%.*s %.*s x=%.*s body=%.*s from=%.*s",
            FAN_BYTES_ARG(fan_http_method(request)), FAN_BYTES_ARG(fan_http_path(request)),
            FAN_BYTES_ARG(x), FAN_BYTES_ARG(fan_http_body(request)),
            FAN_BYTES_ARG(fan_http_peer(request)));

    fan_http_add_header(request, "X-Echo",
            fan_bytes_cstr(fan_http_header(request, "x-say"), arena));
    fan_http_answer(request, 200, "text/plain", fan_bytes_of(text));
}

static inline void on_request(void *context, struct fan_http_request *request)
{
    struct server *server = context;

    server->handled++;
    if (fan_bytes_eq_text(fan_http_path(request), "/later"))
        server->kept = request;
    else if (fan_bytes_eq_text(fan_http_path(request), "/drop"))
        fan_http_drop(request);
    else if (fan_bytes_eq_text(fan_http_path(request), "/empty"))
        fan_http_answer(request, 204, NULL, FAN_NO_BYTES);
    else
        echo(request);
}

static inline void open_server(struct server *server, const struct fan_http_server_options *options)
{
    struct fan_why why;

    server->loop = fan_loop_new();
    server->handled = 0;
    server->kept = NULL;
    assert_int_equal(fan_http_server_open(server->loop, options, on_request, server, &server->http,
                             &why),
            FAN_OK);
}

static inline int set_up(void **state)
{
    static struct server server;

    open_server(&server,
            &(struct fan_http_server_options){ .listen = "127.0.0.1:0",
                    .body_cap = 1000,
                    .head_ms = 600 });
    *state = &server;
    return 0;
}

static inline int tear_down(void **state)
{
    struct server *server = *state;

    fan_http_server_close(&server->http);
    fan_loop_free(&server->loop);
    return 0;
}

static inline void join(struct peer *peer, struct server *server)
{
    peer_connect(peer, server->loop, fan_http_server_port(server->http));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

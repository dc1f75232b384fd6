/* Clients that lie about lengths, never finish, send too much or vanish. */
#include "tests/unit/broker/runtime/http_echo.h"

#include <stdio.h>

/* Each is followed by another request, which nobody must see. */
struct probe {
    const char *sent;
    const char *status; /* "": it is hung up on */
};

#define GET(target, headers) "GET " target " HTTP/1.1\r\n" headers "\r\n"
#define POST(headers) "POST / HTTP/1.1\r\nHost: h\r\n" headers "\r\n"

static const struct probe probes[] = {
    { POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n", " 400 " },
    { POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") "0\r\n\r\n", " 400 " },
    { POST("Content-Length: 0\r\nContent-Length: 44\r\n"), " 400 " },
    { POST("Content-Length: 3\r\nContent-Length: 3\r\n") "abc", " 400 " },
    { POST("Content-Length: 0x3\r\n") "abc", " 400 " },
    { POST("Content-Length: +3\r\n") "abc", " 400 " },
    { POST("Content-Length: -1\r\n"), " 400 " },
    { POST("Content-Length: 3, 3\r\n") "abc", " 400 " },
    { POST("Content-Length:\r\n"), " 400 " },
    { POST("Content-Length : 3\r\n") "abc", " 400 " },
    { POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n", " 400 " },
    { POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n", " 400 " },
    { POST("Transfer-Encoding: identity\r\n"), " 400 " },
    { POST("Transfer-Encoding:\r\n chunked\r\nX: y\r\n") "0\r\n\r\n", " 400 " },
    { POST("Transfer-Encoding:\r\n chunked\r\n") "0\r\n\r\n", " 400 " },
    { POST("X: 1\r\n \r\n"), " 400 " },
    { POST("X: 1\r\n\tY: 2\r\n  Z\r\n"), " 400 " },
    { POST("X:\r\n \r\n\r\n"), " 400 " },
    { POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n") "0\r\n\r\n", " 400 " },
    { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " 400 " },
    { POST("Expect: tea\r\nContent-Length: 0\r\n"), " 417 " },
    { GET("/", ""), " 400 " },
    { GET("/", "Host: a\r\nHost: b\r\n"), " 400 " },
    { GET("/", "Host : a\r\n"), " 400 " },
    { GET("http://other/", "Host: h\r\n"), " 400 " },
    { GET("ftp://h/", "Host: h\r\n"), " 400 " },
    { GET("no-slash", "Host: h\r\n"), " 400 " },
    { GET("/a%00b", "Host: h\r\n"), " 400 " },
    { GET("/a%ff", "Host: h\r\n"), " 400 " },
    { GET("/a%zz", "Host: h\r\n"), " 400 " },
    { GET("/a#b", "Host: h\r\n"), " 400 " },
    { GET("/a b", "Host: h\r\n"), "" },
    { "BREW /a HTTP/1.1\r\nHost: h\r\n\r\n", " 501 " },
    { "GET / HTTP/2.0\r\nHost: h\r\n\r\n", " 505 " },
};

static void a_request_that_can_be_read_in_two_ways_is_refused_and_ends_the_connection(void **state)
{
    static const char smuggled[] = GET("/smuggled", "Host: h\r\n");
    struct server *server = *state;

    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        struct peer peer;

        join(&peer, server);
        peer_say(&peer, probes[i].sent);
        peer_send(&peer, smuggled, strlen(smuggled));
        peer_await(&peer, NULL);
        if (!strstr(peer_heard(&peer), probes[i].status))
            fail_msg("probe %zu was answered \"%s\"", i, peer_heard(&peer));
        /* libmicrohttpd 0.9.75 prints the head of its own refusals twice, so they are not counted.
         */
        if (strstr(peer_heard(&peer), " 200 "))
            fail_msg("probe %zu let a second request through: \"%s\"", i, peer_heard(&peer));
        peer_close(&peer);
    }
    assert_int_equal(server->handled, 0);
}

static void a_head_that_never_ends_is_cut(void **state)
{
    struct server *server = *state;
    struct peer peer;
    fan_time began = fan_clock_elapsed();

    join(&peer, server);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; !peer.closed && i < 100; i++) {
        peer_send(&peer, "X", 1); /* a byte now and then keeps the library's own time-out away */
        pass(server->loop, 50);
    }
    assert_true(peer.closed);
    assert_in_range(fan_clock_elapsed() - began, 600 * FAN_MS, 3000 * FAN_MS);
    assert_non_null(strstr(peer_heard(&peer), " 408 "));
    peer_close(&peer);
}

static void a_head_that_is_too_large_is_refused(void **state)
{
    static const struct {
        int lines;
        int width; /* characters */
    } cases[] = { { 99, 1 }, { 90, 200 }, { 300, 200 } };
    struct server *server = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct peer peer;
        char line[256];
        int len = snprintf(line, sizeof(line), "X: %0*d\r\n", cases[i].width, 0);

        join(&peer, server);
        peer_say(&peer, "GET / HTTP/1.1\r\nHost: h\r\n");
        for (int n = 0; n < cases[i].lines; n++)
            peer_send(&peer, line, (size_t)len);
        peer_send(&peer, "X: y\r\n\r\n", 8);
        peer_await(&peer, NULL);
        assert_non_null(strstr(peer_heard(&peer), " 431 "));
        peer_close(&peer);
    }
    assert_int_equal(server->handled, 0);
}

static void a_target_that_is_too_long_is_refused(void **state)
{
    struct server *server = *state;
    char target[9000];
    struct peer peer;

    memset(target, 'a', sizeof(target));
    join(&peer, server);
    peer_say(&peer, "GET /");
    peer_send(&peer, target, sizeof(target));
    peer_say(&peer, " HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&peer, NULL);
    assert_non_null(strstr(peer_heard(&peer), " 414 "));
    peer_close(&peer);
}

static void a_body_over_the_cap_is_refused_before_it_was_sent(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer,
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
    peer_await(&peer, NULL);
    assert_non_null(strstr(peer_heard(&peer), " 413 "));
    assert_null(strstr(peer_heard(&peer), "100 Continue"));
    assert_int_equal(server->handled, 0);
    peer_close(&peer);
}

static void a_client_that_sends_too_much_still_reads_why(void **state)
{
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n",
    };
    struct server *server = *state;
    char body[1000];

    memset(body, 'b', sizeof(body));
    for (size_t kind = 0; kind < 2; kind++) {
        struct peer peer;

        join(&peer, server);
        peer_say(&peer, heads[kind]);
        for (int i = 0; i < 50; i++) { /* half of it: the server must not wait for the rest */
            peer_send(&peer, body, sizeof(body));
            pass(server->loop, 1);
        }
        peer_await(&peer, NULL);
        assert_false(peer.reset);
        assert_non_null(strstr(peer_heard(&peer), "HTTP/1.1 413 "));
        assert_non_null(strstr(peer_heard(&peer), "The body is too large."));
        peer_close(&peer);
    }
    assert_int_equal(server->handled, 0);
    pass(server->loop, 50);
    assert_int_equal(fan_http_server_open_requests(server->http), 0);
}

static void a_client_that_goes_on_sending_after_the_refusal_is_cut(void **state)
{
    struct server *server = *state;
    static char body[64 * 1024];
    struct peer peer;
    size_t sent = 0;

    join(&peer, server);
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n");
    while (sent < 64 * 1024 * 1024) {
        ssize_t n = send(peer.fd, body, sizeof(body), MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN)
            break;
        sent += n > 0 ? (size_t)n : 0;
        pass(server->loop, 1);
    }
    assert_true(sent < 64 * 1024 * 1024);
    peer_close(&peer);
}

static void a_client_that_vanishes_inside_its_body_is_forgotten(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
    pass(server->loop, 30);
    assert_int_equal(fan_http_server_open_requests(server->http), 1);
    peer_close(&peer);
    pass(server->loop, 30);
    assert_int_equal(fan_http_server_open_requests(server->http), 0);
    assert_int_equal(server->handled, 0);
}

static void a_header_with_a_line_break_is_not_sent(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    while (!server->kept)
        pass(server->loop, 10);
    fan_http_add_header(server->kept, "Location", "/a\r\nSet-Cookie: b");
    fan_http_answer(server->kept, 302, NULL, FAN_NO_BYTES);
    peer_await(&peer, "HTTP/1.1 302");
    pass(server->loop, 20);
    assert_null(strstr(peer_heard(&peer), "Set-Cookie"));
    peer_close(&peer);
}

static void connections_over_the_cap_wait_until_one_is_free(void **state)
{
    struct server server;
    struct peer first, second, third;

    (void)state;
    open_server(&server,
            &(struct fan_http_server_options){ .listen = "127.0.0.1:0", .connections = 2 });
    join(&first, &server);
    join(&second, &server);
    pass(server.loop, 20);
    join(&third, &server);
    peer_say(&third, "GET /third HTTP/1.1\r\nHost: h\r\n\r\n");
    pass(server.loop, 50);
    assert_int_equal(third.in.len, 0);
    peer_close(&first);
    peer_await(&third, "GET /third");
    peer_close(&second);
    peer_close(&third);
    fan_http_server_close(&server.http);
    fan_loop_free(&server.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_that_can_be_read_in_two_ways_is_refused_and_ends_the_connection),
        TEST(a_head_that_never_ends_is_cut),
        TEST(a_head_that_is_too_large_is_refused),
        TEST(a_target_that_is_too_long_is_refused),
        TEST(a_body_over_the_cap_is_refused_before_it_was_sent),
        TEST(a_client_that_sends_too_much_still_reads_why),
        TEST(a_client_that_goes_on_sending_after_the_refusal_is_cut),
        TEST(a_client_that_vanishes_inside_its_body_is_forgotten),
        TEST(a_header_with_a_line_break_is_not_sent),
        TEST(connections_over_the_cap_wait_until_one_is_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The HTTP server under friendly and hostile clients, over real sockets. */
#include "tests/unit/broker/runtime/http_peer.h"

#include <stdio.h>

struct server {
    struct fan_loop *loop;
    struct fan_http_server *http;
    struct fan_http_request *kept; /* "/later" waits for the test to answer */
    unsigned handled;
};

static void echo(struct fan_http_request *request)
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

static void on_request(void *context, struct fan_http_request *request)
{
    struct server *server = context;

    server->handled++;
    if (fan_bytes_eq_text(fan_http_path(request), "/later"))
        server->kept = request;
    else if (fan_bytes_eq_text(fan_http_path(request), "/empty"))
        fan_http_answer(request, 204, NULL, FAN_NO_BYTES);
    else
        echo(request);
}

static void open_server(struct server *server, const struct fan_http_server_options *options)
{
    struct fan_why why;

    server->loop = fan_loop_new();
    server->handled = 0;
    server->kept = NULL;
    assert_int_equal(fan_http_server_open(server->loop, options, on_request, server, &server->http,
                             &why),
            FAN_OK);
}

static int set_up(void **state)
{
    static struct server server;

    open_server(&server,
            &(struct fan_http_server_options){ .listen = "127.0.0.1:0",
                    .body_cap = 1000,
                    .head_ms = 600 });
    *state = &server;
    return 0;
}

static int tear_down(void **state)
{
    struct server *server = *state;

    fan_http_server_close(&server->http);
    fan_loop_free(&server->loop);
    return 0;
}

static void join(struct peer *peer, struct server *server)
{
    peer_connect(peer, server->loop, fan_http_server_port(server->http));
}

/* ---- friendly clients ---- */

static void a_request_is_answered_and_the_connection_stays(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    for (unsigned i = 1; i <= 3; i++) {
        peer_say(&peer,
                "GET /caf%C3%A9?x=a+b%21 HTTP/1.1\r\nHost: h\r\nX-Empty:\r\n"
                "X-Say:\t  hello\r\n\r\n");
        peer_await(&peer, "GET /caf\xc3\xa9 x=a b! body= from=127.0.0.1");
        assert_non_null(strstr(peer_heard(&peer), "HTTP/1.1 200 OK\r\n"));
        assert_non_null(strstr(peer_heard(&peer), "\r\nX-Echo: hello\r\n"));
        assert_non_null(strstr(peer_heard(&peer), "\r\nContent-Type: text/plain\r\n"));
        assert_int_equal(server->handled, i);
        fan_buffer_clear(&peer.in);
    }
    assert_false(peer.closed);
    peer_close(&peer);
}

static void a_body_with_a_length_arrives_whole(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234");
    pass(server->loop, 30);
    assert_int_equal(server->handled, 0);
    peer_say(&peer, "56789");
    peer_await(&peer, "body=0123456789");
    assert_false(peer.closed);
    peer_close(&peer);
}

static void a_chunked_body_arrives_whole(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer,
            "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    pass(server->loop, 30);
    peer_say(&peer, "6\r\n world\r\n0\r\n\r\n");
    peer_await(&peer, "body=hello world");
    assert_false(peer.closed);
    peer_close(&peer);
}

static void requests_in_one_packet_are_answered_in_order(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer,
            "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
            "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
            "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&peer, "GET /3");
    assert_true(strstr(peer_heard(&peer), "GET /1") < strstr(peer_heard(&peer), "POST /2"));
    assert_true(strstr(peer_heard(&peer), "POST /2") < strstr(peer_heard(&peer), "GET /3"));
    assert_int_equal(server->handled, 3);
    peer_close(&peer);
}

static void a_client_that_asks_first_is_told_to_continue(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer,
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    peer_await(&peer, "100 Continue\r\n\r\n");
    peer_say(&peer, "abc");
    peer_await(&peer, "body=abc");
    peer_close(&peer);
}

static void head_gets_the_length_without_the_body(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&peer, "GET /b");
    assert_non_null(strstr(peer_heard(&peer), "Content-Length: "));
    assert_null(strstr(peer_heard(&peer), "HEAD /a"));
    peer_close(&peer);
}

static void an_answer_without_a_body_has_none(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&peer, "GET /b");
    assert_non_null(strstr(peer_heard(&peer), "HTTP/1.1 204"));
    peer_close(&peer);
}

static void a_request_may_be_answered_later(void **state)
{
    struct server *server = *state;
    struct peer slow, quick;

    join(&slow, server);
    join(&quick, server);
    peer_say(&slow, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    while (!server->kept)
        pass(server->loop, 10);
    assert_int_equal(fan_http_server_open_requests(server->http), 1);
    peer_say(&quick, "GET /quick HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&quick, "GET /quick");
    assert_int_equal(slow.in.len, 0);
    fan_http_answer(server->kept, 201, "text/plain", FAN_LIT("at last"));
    peer_await(&slow, "at last");
    pass(server->loop, 20);
    assert_int_equal(fan_http_server_open_requests(server->http), 0);
    peer_say(&slow, "GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&slow, "GET /again");
    peer_close(&slow);
    peer_close(&quick);
}

static void a_client_that_leaves_before_its_answer_harms_nobody(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    while (!server->kept)
        pass(server->loop, 10);
    peer_close(&peer);
    pass(server->loop, 20);
    fan_http_answer(server->kept, 200, "text/plain", FAN_LIT("to nobody"));
    pass(server->loop, 20);
    assert_int_equal(fan_http_server_open_requests(server->http), 0);
}

static void a_whole_url_is_understood_when_it_names_the_host(void **state)
{
    struct server *server = *state;
    struct peer peer;

    join(&peer, server);
    peer_say(&peer, "GET http://h:80/a?x=1 HTTP/1.1\r\nHost: h:80\r\n\r\n");
    peer_await(&peer, "GET /a x=1");
    peer_close(&peer);
}

/* ---- hostile clients ---- */

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

/* ---- coming and going ---- */

static void a_server_that_leaves_finishes_what_has_begun(void **state)
{
    struct server *server = *state;
    struct sockaddr_in at = { .sin_family = AF_INET,
        .sin_port = htons(fan_http_server_port(server->http)) };
    struct peer peer;
    int late = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    join(&peer, server);
    peer_say(&peer, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    while (!server->kept)
        pass(server->loop, 10);
    fan_http_server_quiesce(server->http);
    fan_http_server_quiesce(server->http);
    assert_int_equal(connect(late, (struct sockaddr *)&at, sizeof(at)), -1);
    fan_http_answer(server->kept, 200, "text/plain", FAN_LIT("done"));
    peer_await(&peer, NULL);
    assert_non_null(strstr(peer_heard(&peer), "Connection: close\r\n"));
    assert_non_null(strstr(peer_heard(&peer), "done"));
    peer_close(&peer);
    close(late);
}

static void a_server_closes_although_somebody_waits_for_an_answer(void **state)
{
    struct server *server = *state;
    struct peer waiting, idle, sending;

    join(&waiting, server);
    join(&idle, server);
    join(&sending, server);
    peer_say(&waiting, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_say(&sending, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
    while (!server->kept)
        pass(server->loop, 10);
    fan_http_server_close(&server->http);
    assert_null(server->http);
    peer_await(&waiting, NULL);
    peer_await(&idle, NULL);
    peer_await(&sending, NULL);
    peer_close(&waiting);
    peer_close(&idle);
    peer_close(&sending);
}

static void two_servers_share_a_port_only_when_both_want_to(void **state)
{
    struct server first, second;
    struct fan_http_server *third;
    struct fan_why why;
    char address[64];

    (void)state;
    open_server(&first,
            &(struct fan_http_server_options){ .listen = "127.0.0.1:0", .reuse_port = true });
    snprintf(address, sizeof(address), "127.0.0.1:%u", fan_http_server_port(first.http));
    open_server(&second,
            &(struct fan_http_server_options){ .listen = address, .reuse_port = true });
    assert_int_equal(fan_http_server_open(first.loop,
                             &(struct fan_http_server_options){ .listen = address }, on_request,
                             &first, &third, &why),
            FAN_UNAVAILABLE);
    assert_non_null(strstr(why.text, "ss -ltnp"));
    fan_http_server_close(&first.http);
    fan_http_server_close(&second.http);
    fan_loop_free(&first.loop);
    fan_loop_free(&second.loop);
}

static void an_address_that_is_none_is_refused(void **state)
{
    struct server *server = *state;
    struct fan_http_server *http;
    struct fan_why why;

    assert_int_equal(fan_http_server_open(server->loop,
                             &(struct fan_http_server_options){ .listen = "localhost" }, on_request,
                             server, &http, &why),
            FAN_INVALID);
    assert_int_equal(fan_http_server_open(server->loop,
                             &(struct fan_http_server_options){ .listen = "a.b:80" }, on_request,
                             server, &http, &why),
            FAN_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_answered_and_the_connection_stays, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_body_with_a_length_arrives_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chunked_body_arrives_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_in_one_packet_are_answered_in_order, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_asks_first_is_told_to_continue, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(head_gets_the_length_without_the_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_without_a_body_has_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_may_be_answered_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_before_its_answer_harms_nobody, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_whole_url_is_understood_when_it_names_the_host, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(
                a_request_that_can_be_read_in_two_ways_is_refused_and_ends_the_connection, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_head_that_never_ends_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_head_that_is_too_large_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_target_that_is_too_long_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_over_the_cap_is_refused_before_it_was_sent, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_sends_too_much_still_reads_why, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_goes_on_sending_after_the_refusal_is_cut,
                set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_vanishes_inside_its_body_is_forgotten, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_header_with_a_line_break_is_not_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connections_over_the_cap_wait_until_one_is_free, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_leaves_finishes_what_has_begun, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(a_server_closes_although_somebody_waits_for_an_answer,
                set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_servers_share_a_port_only_when_both_want_to, set_up,
                tear_down),
        cmocka_unit_test_setup_teardown(an_address_that_is_none_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The HTTP server under friendly clients, over real sockets. */
#include "tests/unit/broker/runtime/http_echo.h"

#include <stdio.h>

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

static void a_request_may_be_dropped_without_an_answer(void **state)
{
    struct server *server = *state;
    struct peer at_once, later;

    join(&at_once, server);
    peer_say(&at_once, "POST /drop HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na");
    peer_await(&at_once, NULL);
    assert_int_equal(at_once.in.len, 0);
    join(&later, server);
    peer_say(&later, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    while (!server->kept)
        pass(server->loop, 10);
    fan_http_drop(server->kept);
    peer_await(&later, NULL);
    assert_int_equal(later.in.len, 0);
    peer_close(&at_once);
    peer_close(&later);
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
        TEST(a_request_is_answered_and_the_connection_stays),
        TEST(a_body_with_a_length_arrives_whole),
        TEST(a_chunked_body_arrives_whole),
        TEST(requests_in_one_packet_are_answered_in_order),
        TEST(a_client_that_asks_first_is_told_to_continue),
        TEST(head_gets_the_length_without_the_body),
        TEST(an_answer_without_a_body_has_none),
        TEST(a_request_may_be_answered_later),
        TEST(a_request_may_be_dropped_without_an_answer),
        TEST(a_client_that_leaves_before_its_answer_harms_nobody),
        TEST(a_whole_url_is_understood_when_it_names_the_host),
        TEST(a_server_that_leaves_finishes_what_has_begun),
        TEST(a_server_closes_although_somebody_waits_for_an_answer),
        TEST(two_servers_share_a_port_only_when_both_want_to),
        TEST(an_address_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

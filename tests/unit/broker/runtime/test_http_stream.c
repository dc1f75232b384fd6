/* Answers without an end: many readers, slow ones, ones that leave. */
#include "tests/unit/broker/runtime/http_peer.h"

#include <stdio.h>

enum { READERS = 300, ROUNDS = 60, QUEUE = 200 * 1024 };

struct feed {
    struct fan_loop *loop;
    struct fan_http_server *http;
    struct fan_http_stream *streams[READERS];
    size_t opened, closed;
};

static void on_closed(void *context, struct fan_http_stream *stream)
{
    struct feed *feed = context;

    for (size_t i = 0; i < feed->opened; i++) {
        if (feed->streams[i] == stream)
            feed->streams[i] = NULL;
    }
    feed->closed++;
}

static void on_request(void *context, struct fan_http_request *request)
{
    struct feed *feed = context;
    const char *type =
            fan_bytes_eq_text(fan_http_path(request), "/events") ? "text/event-stream" : "text/csv";

    feed->streams[feed->opened++] =
            fan_http_stream_open(request, 200, type, QUEUE, on_closed, feed);
}

static int set_up(void **state)
{
    static struct feed feed;
    struct fan_why why;

    feed = (struct feed){ .loop = fan_loop_new() };
    assert_int_equal(fan_http_server_open(feed.loop,
                             &(struct fan_http_server_options){ .listen = "127.0.0.1:0" },
                             on_request, &feed, &feed.http, &why),
            FAN_OK);
    *state = &feed;
    return 0;
}

static int tear_down(void **state)
{
    struct feed *feed = *state;

    fan_http_server_close(&feed->http);
    fan_loop_free(&feed->loop);
    return 0;
}

static void join(struct peer *peer, struct feed *feed, const char *path)
{
    size_t opened = feed->opened;

    peer_connect(peer, feed->loop, fan_http_server_port(feed->http));
    peer_say(peer, "GET ");
    peer_say(peer, path);
    peer_say(peer, " HTTP/1.1\r\nHost: h\r\n\r\n");
    while (feed->opened == opened)
        pass(feed->loop, 1);
}

static void events_arrive_when_they_happen(void **state)
{
    struct feed *feed = *state;
    struct peer peer;

    join(&peer, feed, "/events");
    assert_true(fan_http_stream_send(feed->streams[0], FAN_LIT("data: 1\n\n")));
    peer_await(&peer, "data: 1\n\n");
    assert_non_null(strstr(peer_heard(&peer), "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(peer_heard(&peer), "X-Accel-Buffering: no\r\n"));
    assert_non_null(strstr(peer_heard(&peer), "Content-Type: text/event-stream\r\n"));
    pass(feed->loop, 20);
    assert_int_equal(fan_http_stream_queued(feed->streams[0]), 0);
    assert_true(fan_http_stream_send(feed->streams[0], FAN_LIT("data: 2\n\n")));
    peer_await(&peer, "data: 2\n\n");
    assert_int_equal(fan_http_server_open_requests(feed->http), 1);
    peer_close(&peer);
}

static void a_stream_that_ends_leaves_the_connection_open(void **state)
{
    struct feed *feed = *state;
    struct peer peer;

    join(&peer, feed, "/report.csv");
    assert_true(fan_http_stream_send(feed->streams[0], FAN_LIT("a,b\r\n")));
    assert_true(fan_http_stream_send(feed->streams[0], FAN_LIT("1,2\r\n")));
    fan_http_stream_end(feed->streams[0]);
    peer_await(&peer, "0\r\n\r\n");
    assert_non_null(strstr(peer_heard(&peer), "a,b\r\n"));
    pass(feed->loop, 10);
    assert_int_equal(feed->closed, 1);
    peer_say(&peer, "GET /report.csv HTTP/1.1\r\nHost: h\r\n\r\n");
    while (feed->opened < 2)
        pass(feed->loop, 1);
    peer_close(&peer);
}

static void a_long_download_arrives_complete(void **state)
{
    struct feed *feed = *state;
    static char block[100 * 1024];
    struct peer peer;
    size_t sent = 0, arrived = 0;

    memset(block, '~', sizeof(block));
    join(&peer, feed, "/report.csv");
    while (sent < 100 * sizeof(block)) {
        if (fan_http_stream_queued(feed->streams[0]) < QUEUE - sizeof(block)) {
            assert_true(fan_http_stream_send(feed->streams[0],
                    (struct fan_bytes){ block, sizeof(block) }));
            sent += sizeof(block);
        }
        pass(feed->loop, 1);
    }
    fan_http_stream_end(feed->streams[0]);
    while (!peer.closed && feed->closed == 0)
        pass(feed->loop, 10);
    pass(feed->loop, 50);
    for (size_t i = 0; i < peer.in.len; i++)
        arrived += peer.in.at[i] == '~';
    assert_int_equal(arrived, sent);
    peer_close(&peer);
}

static void a_reader_that_is_too_slow_is_cut(void **state)
{
    struct feed *feed = *state;
    static char block[16 * 1024];
    struct peer peer;
    bool taken = true;

    join(&peer, feed, "/events");
    fan_loop_unwatch(&peer.watch); /* it reads nothing */
    for (int i = 0; taken && i < 10000; i++) {
        taken = fan_http_stream_send(feed->streams[0], (struct fan_bytes){ block, sizeof(block) });
        assert_true(fan_http_stream_queued(feed->streams[0]) <= QUEUE);
        if (i % 8 == 0)
            pass(feed->loop, 1);
    }
    assert_false(taken);
    assert_false(fan_http_stream_send(feed->streams[0], FAN_LIT("more")));
    pass(feed->loop, 50);
    assert_int_equal(feed->closed, 1);
    assert_int_equal(fan_http_server_open_requests(feed->http), 0);
    peer_close(&peer);
}

static void a_reader_that_leaves_is_noticed_although_nothing_is_sent(void **state)
{
    struct feed *feed = *state;
    struct peer peer;

    join(&peer, feed, "/events");
    assert_true(fan_http_stream_send(feed->streams[0], FAN_LIT("data: 1\n\n")));
    peer_await(&peer, "data: 1\n\n");
    peer_close(&peer);
    pass(feed->loop, 1100);
    assert_int_equal(feed->closed, 1);
    assert_int_equal(fan_http_server_open_requests(feed->http), 0);
}

static void head_of_a_stream_ends_at_once(void **state)
{
    struct feed *feed = *state;
    struct peer peer;

    peer_connect(&peer, feed->loop, fan_http_server_port(feed->http));
    peer_say(&peer, "HEAD /events HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&peer, "\r\n\r\n");
    pass(feed->loop, 20);
    assert_int_equal(feed->closed, 1);
    peer_close(&peer);
}

static void three_hundred_readers_get_every_event(void **state)
{
    struct feed *feed = *state;
    static struct peer peers[READERS];
    char event[64];

    for (size_t i = 0; i < READERS; i++)
        join(&peers[i], feed, "/events");
    for (int round = 0; round < ROUNDS; round++) {
        int len = snprintf(event, sizeof(event), "data: %d;\n\n", round);

        for (size_t i = 0; i < READERS; i++)
            assert_true(fan_http_stream_send(feed->streams[i],
                    (struct fan_bytes){ event, (size_t)len }));
        pass(feed->loop, 1);
    }
    for (size_t i = 0; i < READERS; i++) {
        peer_await(&peers[i], "data: 59;\n\n");
        assert_int_equal(times_in(peer_heard(&peers[i]), "data: "), ROUNDS);
    }
    fan_http_server_close(&feed->http);
    assert_int_equal(feed->closed, READERS);
    for (size_t i = 0; i < READERS; i++)
        peer_close(&peers[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(events_arrive_when_they_happen),
        TEST(a_stream_that_ends_leaves_the_connection_open),
        TEST(a_long_download_arrives_complete),
        TEST(a_reader_that_is_too_slow_is_cut),
        TEST(a_reader_that_leaves_is_noticed_although_nothing_is_sent),
        TEST(head_of_a_stream_ends_at_once),
        TEST(three_hundred_readers_get_every_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

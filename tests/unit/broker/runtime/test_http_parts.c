/* Bodies that are taken in parts: as they arrive, held back, given up. */
#include "tests/unit/broker/runtime/http_peer.h"

struct upload {
    struct fan_loop *loop;
    struct fan_http_server *http;
    struct fan_http_request *request;
    size_t bytes;
    unsigned parts, lasts, vanished, handled;
    size_t stop_at; /* bytes after which it answers 422; 0: never */
    bool pauses;    /* after each part */
};

static bool on_part(void *context, struct fan_http_request *request, struct fan_bytes part,
        bool last)
{
    struct upload *upload = context;

    upload->request = last ? NULL : request;
    upload->bytes += part.len;
    upload->parts++;
    upload->lasts += last;
    upload->vanished += last && !part.at;
    if (upload->stop_at && upload->bytes >= upload->stop_at) {
        fan_http_answer(request, 422, "text/plain", FAN_LIT("enough"));
        return false;
    }
    if (upload->pauses && !last)
        fan_http_pause(request);
    if (last && part.at)
        fan_http_answer(request, 200, "text/plain", FAN_LIT("stored"));
    return true;
}

static bool on_head(void *context, struct fan_http_request *request, void **part_context)
{
    if (fan_bytes_eq_text(fan_http_path(request), "/drop")) {
        fan_http_drop(request);
        return false;
    }
    if (fan_bytes_eq_text(fan_http_path(request), "/denied")) {
        fan_http_answer(request, 401, "text/plain", FAN_LIT("who are you?"));
        return false;
    }
    *part_context = context;
    return fan_bytes_eq_text(fan_http_path(request), "/upload");
}

static void on_request(void *context, struct fan_http_request *request)
{
    struct upload *upload = context;

    upload->handled++;
    fan_http_answer(request, 200, "text/plain", FAN_LIT("whole"));
}

static int set_up(void **state)
{
    static struct upload upload;
    struct fan_why why;

    upload = (struct upload){ .loop = fan_loop_new() };
    assert_int_equal(fan_http_server_open(upload.loop,
                             &(struct fan_http_server_options){ .listen = "127.0.0.1:0",
                                     .body_cap = 1000 },
                             on_request, &upload, &upload.http, &why),
            FAN_OK);
    fan_http_server_parts(upload.http, on_head, on_part);
    *state = &upload;
    return 0;
}

static int tear_down(void **state)
{
    struct upload *upload = *state;

    fan_http_server_close(&upload->http);
    fan_loop_free(&upload->loop);
    return 0;
}

static void join(struct peer *peer, struct upload *upload)
{
    peer_connect(peer, upload->loop, fan_http_server_port(upload->http));
}

static void an_upload_is_handed_on_as_it_arrives_and_has_no_cap(void **state)
{
    struct upload *upload = *state;
    static char body[50000];
    struct peer peer;

    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n");
    peer_send(&peer, body, 20000);
    pass(upload->loop, 50);
    assert_int_equal(upload->bytes, 20000);
    assert_int_equal(upload->lasts, 0);
    peer_send(&peer, body, 30000);
    peer_await(&peer, "stored");
    assert_int_equal(upload->bytes, 50000);
    assert_int_equal(upload->lasts, 1);
    assert_int_equal(upload->handled, 0);
    peer_say(&peer, "GET /else HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&peer, "whole");
    peer_close(&peer);
}

static void an_upload_without_a_body_has_one_empty_part(void **state)
{
    struct upload *upload = *state;
    struct peer peer;

    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    peer_await(&peer, "stored");
    assert_int_equal(upload->parts, 1);
    peer_close(&peer);
}

static void a_paused_upload_waits_with_its_client(void **state)
{
    struct upload *upload = *state;
    static char body[8 * 1024 * 1024];
    struct peer peer;
    size_t sent = 0;

    upload->pauses = true;
    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n");
    for (int i = 0; i < 50; i++) {
        ssize_t n = send(peer.fd, body, sizeof(body) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        pass(upload->loop, 10);
    }
    assert_int_equal(upload->parts, 1);
    assert_true(sent < sizeof(body)); /* the rest had no room on the way */
    upload->pauses = false;
    fan_http_resume(upload->request);
    for (int i = 0; sent < sizeof(body) && i < 2000; i++) {
        ssize_t n = send(peer.fd, body, sizeof(body) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        pass(upload->loop, 1);
    }
    peer_await(&peer, "stored");
    assert_int_equal(upload->bytes, sizeof(body));
    peer_close(&peer);
}

static void an_upload_may_be_paused_after_each_part(void **state)
{
    struct upload *upload = *state;
    static char body[100000];
    struct peer peer;

    upload->pauses = true;
    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    peer_send(&peer, body, sizeof(body));
    for (int i = 0; upload->lasts == 0 && i < 1000; i++) {
        pass(upload->loop, 1);
        if (upload->request)
            fan_http_resume(upload->request);
    }
    peer_await(&peer, "stored");
    assert_int_equal(upload->bytes, sizeof(body));
    peer_close(&peer);
}

static void an_upload_can_be_answered_in_the_middle(void **state)
{
    struct upload *upload = *state;
    static char body[20000];
    struct peer peer;

    upload->stop_at = 10000;
    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    peer_send(&peer, body, sizeof(body));
    peer_await(&peer, NULL);
    assert_non_null(strstr(peer_heard(&peer), "HTTP/1.1 422 "));
    assert_non_null(strstr(peer_heard(&peer), "enough"));
    assert_false(peer.reset);
    peer_send(&peer, body, sizeof(body));
    pass(upload->loop, 50);
    assert_int_equal(upload->vanished, 0);
    peer_close(&peer);
    pass(upload->loop, 50);
    assert_int_equal(fan_http_server_open_requests(upload->http), 0);
}

static void a_paused_upload_can_be_answered(void **state)
{
    struct upload *upload = *state;
    struct peer peer;

    upload->pauses = true;
    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
    pass(upload->loop, 50);
    fan_http_answer(upload->request, 507, "text/plain", FAN_LIT("disk full"));
    peer_await(&peer, NULL);
    assert_non_null(strstr(peer_heard(&peer), "disk full"));
    assert_int_equal(upload->lasts, 0);
    peer_close(&peer);
}

static void who_is_not_let_in_need_not_send_the_body(void **state)
{
    struct upload *upload = *state;
    struct peer peer;

    join(&peer, upload);
    peer_say(&peer, "POST /denied HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc");
    peer_await(&peer, NULL);
    assert_non_null(strstr(peer_heard(&peer), "who are you?"));
    peer_close(&peer);

    join(&peer, upload);
    peer_say(&peer, "GET /denied HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&peer, "who are you?");
    peer_say(&peer, "GET /else HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_await(&peer, "whole"); /* a refusal without a body costs no connection */
    assert_int_equal(upload->parts, 0);
    peer_close(&peer);
}

static void an_upload_can_be_dropped_at_its_head_or_in_the_middle(void **state)
{
    struct upload *upload = *state;
    struct peer peer;

    join(&peer, upload);
    peer_say(&peer, "POST /drop HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
    peer_await(&peer, NULL);
    assert_int_equal(peer.in.len, 0);
    peer_close(&peer);

    upload->pauses = true;
    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
    pass(upload->loop, 50);
    peer_say(&peer, "def");
    fan_http_drop(upload->request);
    peer_await(&peer, NULL);
    assert_int_equal(peer.in.len, 0);
    assert_int_equal(upload->lasts, 0);
    peer_close(&peer);
}

static void a_client_that_vanishes_is_reported_once(void **state)
{
    struct upload *upload = *state;
    struct peer peer;

    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc");
    pass(upload->loop, 50);
    assert_int_equal(upload->bytes, 3);
    peer_close(&peer);
    pass(upload->loop, 50);
    assert_int_equal(upload->vanished, 1);
    assert_int_equal(upload->lasts, 1);
    assert_int_equal(fan_http_server_open_requests(upload->http), 0);
}

static void a_client_that_vanishes_with_its_last_bytes_is_reported_soon(void **state)
{
    struct upload *upload = *state;
    struct peer peer;

    join(&peer, upload);
    peer_say(&peer, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc");
    peer_close(&peer);
    pass(upload->loop, 1500);
    assert_int_equal(upload->bytes, 3);
    assert_int_equal(upload->vanished, 1);
}

static void closing_the_server_reports_uploads_as_vanished(void **state)
{
    struct upload *upload = *state;
    struct peer running, paused;

    join(&running, upload);
    peer_say(&running, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc");
    pass(upload->loop, 50);
    upload->pauses = true;
    join(&paused, upload);
    peer_say(&paused, "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc");
    pass(upload->loop, 50);
    fan_http_server_close(&upload->http);
    assert_int_equal(upload->vanished, 2);
    peer_close(&running);
    peer_close(&paused);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_upload_is_handed_on_as_it_arrives_and_has_no_cap),
        TEST(an_upload_without_a_body_has_one_empty_part),
        TEST(a_paused_upload_waits_with_its_client),
        TEST(an_upload_may_be_paused_after_each_part),
        TEST(an_upload_can_be_answered_in_the_middle),
        TEST(a_paused_upload_can_be_answered),
        TEST(who_is_not_let_in_need_not_send_the_body),
        TEST(an_upload_can_be_dropped_at_its_head_or_in_the_middle),
        TEST(a_client_that_vanishes_is_reported_once),
        TEST(a_client_that_vanishes_with_its_last_bytes_is_reported_soon),
        TEST(closing_the_server_reports_uploads_as_vanished),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* broker/runtime/http_client.c: HTTP, against a server whose paths say how it behaves. */
#include "stub.h"

#include <time.h>

/* ---- the server ---- */

/* Read a whole request into stub->last; false when the client went away. */
static bool read_request(struct stub *stub, int fd, char *into)
{
    size_t len = 0, want = 0;

    while (!want || len < want) {
        ssize_t n = recv(fd, into + len, STUB_REQUEST - 1 - len, 0);
        const char *end, *length;

        if (n <= 0)
            return false;
        len += (size_t)n;
        into[len] = '\0';
        end = strstr(into, "\r\n\r\n");
        if (!end)
            continue;
        length = strcasestr(into, "content-length:");
        want = (size_t)(end - into) + 4 + (length ? strtoul(length + 15, NULL, 10) : 0);
    }
    memcpy(stub->last, into, len + 1);
    stub->requests++;
    return true;
}

static void answer_endless(int fd)
{
    char part[1024];

    memset(part, 'x', sizeof(part));
    stub_say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (send(fd, part, sizeof(part), MSG_NOSIGNAL) > 0)
        ;
}

static void answer_huge_header(int fd)
{
    stub_say(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1000; i++)
        stub_say(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    stub_say(fd, "Content-Length: 0\r\n\r\n");
}

static void answer_later(int fd)
{
    char *date = NULL;
    time_t at = time(NULL) + 90;
    struct tm parts;
    char text[64];

    gmtime_r(&at, &parts);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (asprintf(&date, "HTTP/1.1 503 Busy\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", text) >
            0)
        stub_say(fd, date);
    free(date);
}

/* false: close the connection now */
static bool answer(const char *path, int fd)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nok";
    static const struct {
        const char *path, *answer;
        bool close;
    } answers[] = {
        { "/ok", ok, false },
        { "/last", ok, false }, /* the next request on this connection is not answered */
        { "/hang-up", "", true },
        { "/truncated",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n8\r\nwor",
                true },
        { "/none", "HTTP/1.1 204 No Content\r\n\r\n", false },
        { "/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", false },
        { "/early",
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                false },
        { "/retry-120", "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
                false },
        { "/retry-soon", "HTTP/1.1 429 Slow\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n",
                false },
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (strcmp(path, answers[i].path) == 0) {
            stub_say(fd, answers[i].answer);
            return !answers[i].close;
        }
    if (strcmp(path, "/endless") == 0)
        answer_endless(fd);
    if (strcmp(path, "/huge-header") == 0)
        answer_huge_header(fd);
    if (strcmp(path, "/retry-date") == 0)
        answer_later(fd);
    if (strcmp(path, "/stall") == 0)
        stub_wait(400);
    if (strcmp(path, "/twice") == 0) {
        stub_say(fd, ok);
        stub_wait(50);
        stub_say(fd, "HTTP/1.1 201 Ghost\r\nContent-Length: 5\r\n\r\nghost");
        return true;
    }
    return false;
}

static void serve(struct stub *stub, int fd)
{
    char *request = malloc(STUB_REQUEST), path[64] = "";
    bool last = false;

    while (read_request(stub, fd, request) && !last) {
        sscanf(request, "%*s %63s", path);
        last = strcmp(path, "/last") == 0;
        if (!answer(path, fd))
            break;
    }
    free(request);
}

static int open_world(void **state)
{
    static struct world world;

    world_open(&world, serve, 50);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

/* ---- the calls ---- */

static struct fan_http_call call_of(struct world *world, const char *method, const char *path)
{
    struct fan_http_call call = { .method = fan_bytes_of(method) };

    snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u%s", world->stub->port, path);
    call.url = fan_bytes_of(world->url);
    if (strcmp(method, "POST") == 0)
        call.body = FAN_LIT("hello=world");
    return call;
}

static const struct fan_http_reply *post(struct world *world, const char *path)
{
    struct fan_http_call call = call_of(world, "POST", path);

    return world_call(world, &call);
}

static void a_post_sends_what_it_was_given(void **state)
{
    struct world *world = *state;
    struct fan_bytes headers[] = { FAN_LIT("Content-Type: text/plain"), FAN_LIT("X-Two: 2") };
    struct fan_http_call call = call_of(world, "POST", "/ok");
    const struct fan_http_reply *reply;

    call.headers = headers;
    call.headers_len = 2;
    call.username = FAN_LIT("AC1");
    call.password = FAN_LIT("secret");
    reply = world_call(world, &call);
    assert_int_equal(reply->status, 200);
    assert_true(reply->began && reply->complete);
    assert_string_equal(reply->error, "");
    assert_true(fan_bytes_eq_text(reply->body, "ok"));
    assert_true(fan_bytes_eq_text(fan_http_reply_header(reply, "x-one"), "1"));
    assert_null(fan_http_reply_header(reply, "X-Two").at);
    assert_int_equal(reply->retry_after_ms, -1);
    assert_true(reply->took_us > 0);
    assert_int_equal(world->starts, 1);
    assert_non_null(strstr(world->stub->last, "POST /ok HTTP/1.1\r\n"));
    assert_non_null(strstr(world->stub->last, "Authorization: Basic QUMxOnNlY3JldA==\r\n"));
    assert_non_null(strstr(world->stub->last, "Content-Type: text/plain\r\n"));
    assert_non_null(strstr(world->stub->last, "X-Two: 2\r\n"));
    assert_non_null(strstr(world->stub->last, "Content-Length: 11\r\n"));
    assert_null(strstr(world->stub->last, "Expect"));
    assert_non_null(strstr(world->stub->last, "\r\n\r\nhello=world"));
}

static void nothing_of_a_call_is_left_in_the_next(void **state)
{
    struct world *world = *state;
    struct fan_bytes header = FAN_LIT("X-Two: 2");
    struct fan_http_call first = call_of(world, "PUT", "/ok");

    first.headers = &header;
    first.headers_len = 1;
    first.username = FAN_LIT("AC1");
    first.body = FAN_LIT("put");
    world_call(world, &first);
    assert_non_null(strstr(world->stub->last, "PUT /ok"));
    struct fan_http_call second = call_of(world, "GET", "/ok");
    world_call(world, &second);
    assert_non_null(strstr(world->stub->last, "GET /ok"));
    assert_null(strstr(world->stub->last, "X-Two"));
    assert_null(strstr(world->stub->last, "Authorization"));
    assert_null(strstr(world->stub->last, "Content-Length"));
    struct fan_http_call third = call_of(world, "POST", "/ok");
    third.body = FAN_NO_BYTES;
    world_call(world, &third);
    assert_non_null(strstr(world->stub->last, "POST /ok"));
    assert_non_null(strstr(world->stub->last, "Content-Length: 0"));
    assert_null(strstr(world->stub->last, "Content-Type"));
    assert_int_equal(world->stub->connections, 1);
}

/* The trap: libcurl sends a request again when a kept connection dies before the answer. */
static void a_post_is_sent_once_when_its_connection_dies(void **state)
{
    struct world *world = *state;
    const struct fan_http_reply *reply;

    assert_int_equal(post(world, "/last")->status, 200);
    reply = post(world, "/ok");
    assert_int_equal(reply->status, 0);
    assert_true(reply->began);
    assert_false(reply->complete);
    assert_string_not_equal(reply->error, "");
    assert_int_equal(world->stub->requests, 2);
    assert_int_equal(world->starts, 1);
}

static void a_post_without_body_is_sent_once_too(void **state)
{
    struct world *world = *state;
    struct fan_http_call call;

    post(world, "/last");
    call = call_of(world, "POST", "/ok");
    call.body = FAN_NO_BYTES;
    assert_true(world_call(world, &call)->began);
    assert_false(world->outcome.reply.complete);
    assert_int_equal(world->stub->requests, 2);
}

/* That the trap is there to be reproduced: a GET may, and does, go twice. */
static void a_get_may_be_sent_again(void **state)
{
    struct world *world = *state;
    struct fan_http_call call;

    post(world, "/last");
    call = call_of(world, "GET", "/ok");
    assert_int_equal(world_call(world, &call)->status, 200);
    assert_int_equal(world->stub->requests, 3);
    assert_int_equal(world->starts, 1);
}

/* It would be taken for the answer to the next request on that connection. */
static void an_answer_too_many_is_nobodys(void **state)
{
    struct world *world = *state;

    assert_int_equal(post(world, "/twice")->status, 200);
    fan_loop_after(world->loop, 150, (fan_timer_fn *)fan_loop_stop, world->loop);
    fan_loop_run(world->loop);
    assert_int_equal(post(world, "/none")->status, 204);
    assert_int_equal(world->stub->connections, 2);
}

static void a_refused_connection_is_no_beginning(void **state)
{
    struct world *world = *state;
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, but nobody listens */
    const struct fan_http_reply *reply;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
    reply = world_call(world,
            &(struct fan_http_call){ .method = FAN_LIT("POST"),
                    .url = fan_bytes_of(world->url),
                    .body = FAN_LIT("x") });
    assert_false(reply->began || reply->complete || reply->timed_out);
    assert_int_equal(reply->status, 0);
    assert_int_equal(world->starts, 0);
    close(fd);
}

static void a_hang_up_leaves_it_open_what_happened(void **state)
{
    const struct fan_http_reply *reply = post(*state, "/hang-up");

    assert_true(reply->began);
    assert_false(reply->complete);
    assert_int_equal(reply->status, 0);
}

static void an_answer_that_does_not_come_times_out(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = call_of(world, "POST", "/stall");
    const struct fan_http_reply *reply;

    call.total_ms = 100;
    reply = world_call(world, &call);
    assert_true(reply->timed_out && reply->began);
    assert_false(reply->complete);
    assert_in_range(reply->took_us, 80 * FAN_MS, 380 * FAN_MS);
}

static void an_endless_body_is_cut_off(void **state)
{
    const struct fan_http_reply *reply = post(*state, "/endless");

    assert_int_equal(reply->status, 200);
    assert_false(reply->complete);
    assert_true(reply->began);
    assert_true(reply->body.len <= 4096);
    assert_string_equal(reply->error, "the answer is longer than its cap");
}

static void endless_headers_are_cut_off(void **state)
{
    const struct fan_http_reply *reply = post(*state, "/huge-header");

    assert_false(reply->complete);
    assert_true(reply->headers.len <= 32 * 1024);
    assert_string_equal(reply->error, "the answer's headers are longer than their cap");
}

static void a_truncated_answer_is_not_complete(void **state)
{
    const struct fan_http_reply *reply = post(*state, "/truncated");

    assert_int_equal(reply->status, 200);
    assert_true(reply->began);
    assert_false(reply->complete);
}

static void an_answer_may_have_no_body(void **state)
{
    const struct fan_http_reply *reply = post(*state, "/none");

    assert_int_equal(reply->status, 204);
    assert_true(reply->complete);
    assert_int_equal(reply->body.len, 0);
}

static void a_redirect_is_an_answer(void **state)
{
    struct world *world = *state;

    assert_int_equal(post(world, "/redirect")->status, 302);
    assert_int_equal(world->stub->requests, 1);
}

static void headers_before_the_answers_own_are_forgotten(void **state)
{
    const struct fan_http_reply *reply = post(*state, "/early");

    assert_int_equal(reply->status, 200);
    assert_null(fan_http_reply_header(reply, "Link").at);
    assert_true(fan_bytes_eq_text(fan_http_reply_header(reply, "Content-Length"), "2"));
}

static void retry_after_is_read_in_both_forms(void **state)
{
    struct world *world = *state;

    assert_int_equal(post(world, "/retry-120")->retry_after_ms, 120000);
    assert_int_equal(post(world, "/retry-soon")->retry_after_ms, -1);
    assert_in_range(post(world, "/retry-date")->retry_after_ms, 80000, 90000);
}

static void a_call_may_be_given_up_at_the_last_moment(void **state)
{
    struct world *world = *state;
    const struct fan_http_reply *reply;

    world->refuse = true;
    reply = post(world, "/ok");
    assert_false(reply->began || reply->complete);
    assert_int_equal(world->starts, 1);
    assert_int_equal(world->stub->requests, 0);
}

static void a_call_that_is_late_does_not_begin(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = call_of(world, "POST", "/ok");
    const struct fan_http_reply *reply;

    call.stop_after = fan_clock_elapsed() - 1;
    reply = world_call(world, &call);
    assert_false(reply->began || reply->complete);
    assert_int_equal(world->starts, 0);
    assert_int_equal(world->stub->requests, 0);
}

static void a_call_that_does_not_begin_has_no_status_of_an_earlier_one(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = call_of(world, "POST", "/ok");
    const struct fan_http_reply *reply;

    assert_int_equal(world_call(world, &call)->status, 200);
    call = call_of(world, "POST", "/ok");
    call.stop_after = fan_clock_elapsed() - 1;
    reply = world_call(world, &call);
    assert_false(reply->began || reply->complete);
    assert_int_equal(reply->status, 0);
}

static void ignore(void *context, const struct fan_http_reply *reply)
{
    assert_false(reply->complete);
    *(bool *)context = true;
}

static void a_call_that_waits_too_long_does_not_begin(void **state)
{
    struct world *world = *state;
    struct fan_http_call first, second;
    char url[256];
    bool first_done = false;

    fan_http_client_free(&world->client);
    world->client =
            fan_http_client_new(world->loop, &(struct fan_http_client_options){ .connections = 1 });
    first = call_of(world, "POST", "/stall");
    strcpy(url, world->url);
    first.url = fan_bytes_of(url);
    first.total_ms = 200;
    fan_http_send(world->client, &first, NULL, ignore, &first_done);
    second = call_of(world, "POST", "/ok");
    second.stop_after = fan_clock_elapsed() + 100 * FAN_MS;
    assert_false(world_call(world, &second)->began);
    assert_true(first_done);
    assert_int_equal(world->starts, 0);
    assert_int_equal(world->stub->requests, 1);
}

static void a_line_break_in_a_header_is_refused(void **state)
{
    struct world *world = *state;
    struct fan_bytes header = FAN_LIT("X-Name: a\r\nX-Smuggled: b");
    struct fan_http_call call = call_of(world, "POST", "/ok");

    call.headers = &header;
    call.headers_len = 1;
    assert_false(world_call(world, &call)->began);
    assert_int_equal(world->stub->connections, 0);
}

static void a_tenants_url_does_not_lead_inside(void **state)
{
    struct world *world = *state;
    const struct fan_http_reply *reply;

    fan_http_client_free(&world->client);
    world->client = fan_http_client_new(world->loop,
            &(struct fan_http_client_options){ .connections = 1, .public_only = true });
    reply = post(world, "/ok");
    assert_false(reply->began || reply->complete);
    assert_string_equal(reply->error, "the address is not a public one");
    assert_int_equal(world->stub->connections, 0);
}

/* ---- many calls ---- */

static void count_down(void *context, const struct fan_http_reply *reply)
{
    struct world *world = context;

    assert_int_equal(reply->status, 200);
    if (--world->left == 0)
        fan_loop_stop(world->loop);
}

static void a_thousand_calls_share_fifty_connections(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = call_of(world, "POST", "/ok");

    world->left = 1000;
    for (int i = 0; i < 1000; i++)
        fan_http_send(world->client, &call, NULL, count_down, world);
    assert_int_equal(fan_http_client_busy(world->client), 1000);
    fan_loop_run(world->loop);
    assert_int_equal(world->left, 0);
    assert_int_equal(fan_http_client_busy(world->client), 0);
    assert_int_equal(world->stub->requests, 1000);
    assert_in_range(world->stub->connections, 1, 50);
}

static void send_next(void *context, const struct fan_http_reply *reply)
{
    struct world *world = context;
    struct fan_http_call call = call_of(world, "POST", "/ok");

    assert_int_equal(reply->status, 200);
    if (--world->left == 0)
        fan_loop_stop(world->loop);
    else
        fan_http_send(world->client, &call, NULL, send_next, world);
}

static void an_end_may_be_a_beginning(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = call_of(world, "POST", "/ok");

    world->left = 100;
    fan_http_send(world->client, &call, NULL, send_next, world);
    fan_loop_run(world->loop);
    assert_int_equal(world->left, 0);
    assert_int_equal(world->stub->connections, 1);
}

static void never(void *context, const struct fan_http_reply *reply)
{
    fail_msg("a dropped call was told");
}

static void calls_under_way_are_dropped_with_the_client(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = call_of(world, "POST", "/stall");

    for (int i = 0; i < 60; i++)
        fan_http_send(world->client, &call, NULL, never, world);
    fan_loop_after(world->loop, 50, (fan_timer_fn *)fan_loop_stop, world->loop);
    fan_loop_run(world->loop);
    assert_int_equal(fan_http_client_busy(world->client), 60);
    fan_http_client_free(&world->client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_post_sends_what_it_was_given),
        TEST(nothing_of_a_call_is_left_in_the_next),
        TEST(a_post_is_sent_once_when_its_connection_dies),
        TEST(a_post_without_body_is_sent_once_too),
        TEST(a_get_may_be_sent_again),
        TEST(an_answer_too_many_is_nobodys),
        TEST(a_refused_connection_is_no_beginning),
        TEST(a_hang_up_leaves_it_open_what_happened),
        TEST(an_answer_that_does_not_come_times_out),
        TEST(an_endless_body_is_cut_off),
        TEST(endless_headers_are_cut_off),
        TEST(a_truncated_answer_is_not_complete),
        TEST(an_answer_may_have_no_body),
        TEST(a_redirect_is_an_answer),
        TEST(headers_before_the_answers_own_are_forgotten),
        TEST(retry_after_is_read_in_both_forms),
        TEST(a_call_may_be_given_up_at_the_last_moment),
        TEST(a_call_that_is_late_does_not_begin),
        TEST(a_call_that_does_not_begin_has_no_status_of_an_earlier_one),
        TEST(a_call_that_waits_too_long_does_not_begin),
        TEST(a_line_break_in_a_header_is_refused),
        TEST(a_tenants_url_does_not_lead_inside),
        TEST(a_thousand_calls_share_fifty_connections),
        TEST(an_end_may_be_a_beginning),
        TEST(calls_under_way_are_dropped_with_the_client),
    };

    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}

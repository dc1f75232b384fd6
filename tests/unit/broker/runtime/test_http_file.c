/* Answers that are files: whole, in part, and to clients that leave. */
#include "tests/unit/broker/runtime/http_peer.h"

#include <dirent.h>
#include <stdio.h>

enum { BYTES = 3 * 1024 * 1024 };

struct shelf {
    struct fan_loop *loop;
    struct fan_http_server *http;
    struct fan_http_request *waiting;
    int file;
};

static char byte_at(size_t i)
{
    return (char)('a' + (i ^ i >> 10) % 26);
}

static int open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void give(struct shelf *shelf, struct fan_http_request *request)
{
    bool part = fan_bytes_eq_text(fan_http_path(request), "/part");

    fan_http_add_header(request, "X-Shelf", "1");
    fan_http_answer_file(request, part ? 206 : 200, "text/plain", dup(shelf->file),
            part ? 1024 * 1024 + 7 : 0, part ? 10 : BYTES);
}

static void on_request(void *context, struct fan_http_request *request)
{
    struct shelf *shelf = context;

    if (fan_bytes_eq_text(fan_http_path(request), "/later"))
        shelf->waiting = request;
    else
        give(shelf, request);
}

static int set_up(void **state)
{
    static struct shelf shelf;
    static char bytes[BYTES];
    const struct fan_http_server_options options = { .listen = "127.0.0.1:0" };
    FILE *file = tmpfile();
    struct fan_why why;

    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = byte_at(i);
    assert_int_equal(fwrite(bytes, 1, BYTES, file), BYTES);
    assert_int_equal(fflush(file), 0);
    shelf = (struct shelf){ .loop = fan_loop_new(), .file = dup(fileno(file)) };
    fclose(file);
    assert_int_equal(fan_http_server_open(shelf.loop, &options, on_request, &shelf, &shelf.http,
                             &why),
            FAN_OK);
    *state = &shelf;
    return 0;
}

static int tear_down(void **state)
{
    struct shelf *shelf = *state;

    fan_http_server_close(&shelf->http);
    fan_loop_free(&shelf->loop);
    close(shelf->file);
    return 0;
}

static void ask(struct peer *peer, struct shelf *shelf, const char *what)
{
    peer_connect(peer, shelf->loop, fan_http_server_port(shelf->http));
    peer_say(peer, what);
}

static void a_file_arrives_whole_and_the_connection_stays(void **state)
{
    struct shelf *shelf = *state;
    struct peer peer;

    ask(&peer, shelf, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        const char *body;

        peer_await(&peer, "\r\n\r\n");
        assert_non_null(strstr(peer_heard(&peer), "Content-Length: 3145728\r\n"));
        assert_non_null(strstr(peer_heard(&peer), "X-Shelf: 1\r\n"));
        body = strstr(peer_heard(&peer), "\r\n\r\n") + 4;
        for (size_t head = (size_t)(body - peer.in.at); peer.in.len < head + BYTES;)
            pass(shelf->loop, 10);
        body = strstr(peer_heard(&peer), "\r\n\r\n") + 4;
        for (size_t k = 0; k < BYTES; k++)
            if (body[k] != byte_at(k))
                fail_msg("byte %zu differs", k);
        fan_buffer_clear(&peer.in);
        if (i == 0)
            peer_say(&peer, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    assert_false(peer.closed);
    peer_close(&peer);
}

static void a_part_is_as_long_as_it_was_asked_for(void **state)
{
    struct shelf *shelf = *state;
    struct peer peer;
    const char *body;

    ask(&peer, shelf, "GET /part HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    peer_await(&peer, NULL);
    assert_non_null(strstr(peer_heard(&peer), "HTTP/1.1 206 "));
    body = strstr(peer_heard(&peer), "\r\n\r\n") + 4;
    assert_int_equal(strlen(body), 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(body[i], byte_at(1024 * 1024 + 7 + i));
    peer_close(&peer);
}

static void head_gets_the_length_of_the_file(void **state)
{
    struct shelf *shelf = *state;
    struct peer peer;

    ask(&peer, shelf, "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    peer_await(&peer, NULL);
    assert_non_null(strstr(peer_heard(&peer), "Content-Length: 3145728\r\n"));
    assert_true(fan_bytes_ends(fan_buffer_bytes(&peer.in), FAN_LIT("\r\n\r\n")));
    peer_close(&peer);
}

static void files_are_closed_whatever_the_client_does(void **state)
{
    struct shelf *shelf = *state;
    int before = open_files();
    struct peer peer;

    for (int i = 0; i < 5; i++) { /* in the middle */
        ask(&peer, shelf, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        peer_await(&peer, "\r\n\r\n");
        peer_close(&peer);
    }
    for (int i = 0; i < 5; i++) { /* before the answer */
        shelf->waiting = NULL;
        ask(&peer, shelf, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
        while (!shelf->waiting)
            pass(shelf->loop, 10);
        peer_close(&peer);
        pass(shelf->loop, 20);
        give(shelf, shelf->waiting);
        pass(shelf->loop, 20);
    }
    for (int i = 0; i < 300 && open_files() > before; i++)
        pass(shelf->loop, 20);
    assert_int_equal(open_files(), before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_arrives_whole_and_the_connection_stays),
        TEST(a_part_is_as_long_as_it_was_asked_for),
        TEST(head_gets_the_length_of_the_file),
        TEST(files_are_closed_whatever_the_client_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* broker/runtime/http_easy.c: what of a call is ours to write, and what libcurl writes. */
#include "stub.h"

/* Keep the first part of each request; of its body not more than came with the headers. */
static void serve(struct stub *stub, int fd)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    size_t len = 0;

    while (len < STUB_REQUEST - 1 && !strstr(stub->last, "\r\n\r\n")) {
        ssize_t n = recv(fd, stub->last + len, STUB_REQUEST - 1 - len, 0);
        if (n <= 0)
            return;
        len += (size_t)n;
        stub->last[len] = '\0';
    }
    stub_say(fd, ok);
}

static int open_world(void **state)
{
    static struct world world;

    world_open(&world, serve, 1);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

static struct fan_http_call call_of(struct world *world, const char *path)
{
    snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u%s", world->stub->port, path);
    return (struct fan_http_call){ .method = FAN_LIT("POST"),
        .url = fan_bytes_of(world->url),
        .body = FAN_LIT("hello=world") };
}

/* What the server saw of it. */
static char *sent(struct world *world, const struct fan_http_call *call)
{
    world->stub->last[0] = '\0';
    world_call(world, call);
    return world->stub->last;
}

static void the_target_is_what_follows_the_host(void **state)
{
    static const struct {
        const char *path, *target;
    } rows[] = {
        { "", "/" },
        { "/ok", "/ok" },
        { "/a/../b/./c//", "/a/../b/./c//" },
        { "/a?to=%2B49&x=1?2", "/a?to=%2B49&x=1?2" },
        { "?q", "/?q" },
        { "/a?", "/a?" },
        { "/a#part", "/a" },
        { "/a%20b~\xc3\xa9", "/a%20b~%c3%a9" },
        { "/ok", "/ok" },
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fan_http_call call = call_of(world, rows[i].path);
        char line[128], *seen = sent(world, &call);

        snprintf(line, sizeof(line), "POST %s HTTP/1.1\r\n", rows[i].target);
        seen[strlen(line)] = '\0';
        assert_string_equal(seen, line);
    }
}

static void we_say_who_we_are_unless_the_caller_does(void **state)
{
    struct world *world = *state;
    struct fan_bytes header = FAN_LIT("user-agent: Mine");
    struct fan_http_call call = call_of(world, "/ok");

    assert_non_null(strstr(sent(world, &call), "\r\nUser-Agent: Fanfare\r\n"));
    call.headers = &header;
    call.headers_len = 1;
    assert_non_null(strstr(sent(world, &call), "\r\nuser-agent: Mine\r\n"));
    assert_null(strstr(world->stub->last, "Fanfare"));
}

static void a_long_body_does_not_wait_to_be_asked_for(void **state)
{
    struct world *world = *state;
    struct fan_http_call call = call_of(world, "/ok");
    char *body = calloc(2, 1 << 20);

    assert_null(strstr(sent(world, &call), "Expect"));
    call.body = (struct fan_bytes){ body, 2 << 20 };
    assert_non_null(strstr(sent(world, &call), "\r\nContent-Length: 2097152\r\n"));
    assert_null(strstr(world->stub->last, "Expect"));
    call.body = FAN_LIT("short");
    assert_null(strstr(sent(world, &call), "Expect"));
    free(body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_target_is_what_follows_the_host),
        TEST(we_say_who_we_are_unless_the_caller_does),
        TEST(a_long_body_does_not_wait_to_be_asked_for),
    };

    return cmocka_run_group_tests_name("http_easy", tests, NULL, NULL);
}

/* Requests read without trust. The server's own test sends them over sockets. */
#include "broker/runtime/http_text.h"

#include "broker/runtime/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

static int set_up(void **state)
{
    *state = fan_arena_new();
    return 0;
}

static int tear_down(void **state)
{
    fan_arena_free((struct fan_arena **)state);
    return 0;
}

static void assert_bytes(struct fan_bytes bytes, const char *text)
{
    if (text ? !fan_bytes_eq_text(bytes, text) : bytes.at != NULL)
        fail_msg("\"%.*s\" is not \"%s\"", FAN_BYTES_ARG(bytes), text ? text : "(absent)");
}

/* ---- heads ---- */

/* The status of a head with these headers, "Name: value" each, NULL at the end. */
static int judged(struct fan_http_head *head, const char *method, const char *const *headers)
{
    for (; *headers; headers++) {
        struct fan_bytes name, value = fan_bytes_split(fan_bytes_of(*headers), ':', &name);

        fan_http_head_add(head, name, fan_bytes_trim(value));
    }
    fan_http_head_end(head, fan_bytes_of(method), FAN_NO_BYTES);
    return head->status;
}

static void a_head_says_how_long_its_body_is(void **state)
{
    struct fan_http_head none = { 0 }, sized = { 0 }, chunked = { 0 };

    assert_int_equal(judged(&none, "GET", (const char *[]){ "Host: h", NULL }), 0);
    assert_false(none.has_length || none.chunked);
    assert_int_equal(judged(&sized, "PUT",
                             (const char *[]){ "host: h", "content-length: 0012", NULL }),
            0);
    assert_true(sized.has_length);
    assert_int_equal(sized.length, 12);
    assert_int_equal(judged(&chunked, "PUT",
                             (const char *[]){ "Host: h", "Transfer-Encoding: Chunked", NULL }),
            0);
    assert_true(chunked.chunked);
}

static void a_head_that_can_be_read_in_two_ways_is_refused(void **state)
{
    static const struct {
        int status;
        const char *headers[4];
    } cases[] = {
        { 400, { NULL } },
        { 400, { "Host: a", "Host: a" } },
        { 400, { "Host: a", "Content-Length: 1", "Content-Length: 1" } },
        { 400, { "Host: a", "Content-Length: 1", "Transfer-Encoding: chunked" } },
        { 400, { "Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked" } },
        { 400, { "Host: a", "Transfer-Encoding: identity" } },
        { 400,
                { "Host: a",
                        "Transfer-Encoding: \x0b"
                        "chunked" } },
        { 400, { "Host: a", "Content-Length: -1" } },
        { 400, { "Host: a", "Content-Length: +1" } },
        { 400, { "Host: a", "Content-Length: 1 1" } },
        { 400, { "Host: a", "Content-Length: 9223372036854775808" } },
        { 400, { "Host: a", "Content-Length: " } },
        { 400, { "Host: a", "Content Length: 1" } },
        { 400, { "Host: a", "X: a\rb" } },
        { 400, { "Host: a", "X: a\nb" } },
        { 400, { "Host: a", ": v" } },
        { 417, { "Host: a", "Expect: tea" } },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fan_http_head head = { 0 };

        if (judged(&head, "POST", cases[i].headers) != cases[i].status)
            fail_msg("case %zu: %d %s", i, head.status, head.fault ? head.fault : "");
    }
}

static void http_1_0_needs_no_host_and_has_no_chunks(void **state)
{
    struct fan_http_head plain = { .old = true }, chunked = { .old = true };

    assert_int_equal(judged(&plain, "GET", (const char *[]){ NULL }), 0);
    assert_int_equal(judged(&chunked, "POST",
                             (const char *[]){ "Transfer-Encoding: chunked", NULL }),
            400);
}

static void a_head_has_bounds(void **state)
{
    struct fan_http_head many = { 0 }, large = { 0 };
    static const char value[FAN_HTTP_HEAD_MAX] = "";

    for (int i = 0; i < FAN_HTTP_HEADERS_MAX; i++)
        fan_http_head_add(&many, FAN_LIT("X"), FAN_LIT("y"));
    assert_int_equal(many.status, 0);
    fan_http_head_add(&many, FAN_LIT("X"), FAN_LIT("y"));
    assert_int_equal(many.status, 431);
    fan_http_head_add(&large, FAN_LIT("X"), (struct fan_bytes){ value, sizeof(value) });
    assert_int_equal(large.status, 431);
}

static void a_method_that_nobody_knows_is_refused(void **state)
{
    struct fan_http_head head = { 0 }, lower = { 0 };

    assert_int_equal(judged(&head, "CONNECT", (const char *[]){ "Host: h", NULL }), 501);
    assert_int_equal(judged(&lower, "get", (const char *[]){ "Host: h", NULL }), 501);
}

/* ---- targets ---- */

static void a_target_is_taken_apart(void **state)
{
    static const struct {
        const char *target, *authority, *path, *query;
    } cases[] = {
        { "/", NULL, "/", NULL },
        { "/a/b?c=d?e", NULL, "/a/b", "c=d?e" },
        { "/a?", NULL, "/a", "" },
        { "*", NULL, "*", NULL },
        { "//a/b", NULL, "//a/b", NULL },
        { "http://h:80/a?b", "h:80", "/a", "b" },
        { "HTTPS://h", "h", "/", NULL },
        { "http://h?b", "h", "/", "b" },
    };
    struct fan_http_target out;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(fan_http_target_split(fan_bytes_of(cases[i].target), &out));
        assert_bytes(out.authority, cases[i].authority);
        assert_bytes(out.path, cases[i].path);
        assert_bytes(out.query, cases[i].query);
    }
}

static void a_target_that_is_none_is_refused(void **state)
{
    static const char *const targets[] = { "", "a", "?a", "http://", "http:///a", "ftp://h/",
        "/a b", "/a#b", "/a\tb", "/a\\b", "/a\x7f", "**", "h:443" };
    struct fan_http_target out;

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        if (fan_http_target_split(fan_bytes_of(targets[i]), &out))
            fail_msg("\"%s\" was taken", targets[i]);
    }
}

static void a_path_is_decoded_once(void **state)
{
    struct fan_bytes out;

    assert_true(fan_http_path_decode(FAN_LIT("/a%20b%2Fc+d%2520/caf%c3%A9"), *state, &out));
    assert_bytes(out, "/a b/c+d%20/caf\xc3\xa9");
}

static void a_path_with_a_bad_escape_is_refused(void **state)
{
    static const char *const paths[] = { "/%", "/%a", "/%zz", "/%00", "/%ff", "/%c3", "/%ed%a0%80",
        "/\xff" };
    struct fan_bytes out;

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (fan_http_path_decode(fan_bytes_of(paths[i]), *state, &out))
            fail_msg("\"%s\" was taken", paths[i]);
    }
}

/* ---- forms ---- */

/* All pairs of a form, as "name=value;". */
static const char *pairs(struct fan_bytes form, struct fan_arena *arena)
{
    struct fan_bytes name, value;
    const char *text = "";
    size_t cursor = 0;

    while (fan_form_next(form, &cursor, arena, &name, &value))
        text = fan_arena_printf(arena, "%s%.*s=%.*s;", text, FAN_BYTES_ARG(name),
                FAN_BYTES_ARG(value));
    return text;
}

static void a_form_is_read_as_browsers_write_it(void **state)
{
    static const struct {
        const char *form, *pairs;
    } cases[] = {
        { "", "" },
        { "a=b", "a=b;" },
        { "a=b&c=d", "a=b;c=d;" },
        { "a&b=", "a=;b=;" },
        { "=a", "=a;" },
        { "&&a=b&", "a=b;" },
        { "a=b=c", "a=b=c;" },
        { "a+b=c%2Bd%26e%3D", "a b=c+d&e=;" },
        { "a=%&b=%2&c=%zz", "a=%;b=%2;c=%zz;" },
        { "To=%2B491701234567&Body=Gr%C3%BC%C3%9Fe",
                "To=+491701234567;Body=Gr\xc3\xbc\xc3\x9f"
                "e;" },
        { "a=%00&b=%ff%C3&c=%E2%82x",
                "a=\xef\xbf\xbd;b=\xef\xbf\xbd\xef\xbf\xbd;c=\xef\xbf\xbd\xef\xbf\xbdx;" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(pairs(fan_bytes_of(cases[i].form), *state), cases[i].pairs);
    assert_string_equal(pairs(FAN_NO_BYTES, *state), "");
}

/* ---- addresses ---- */

static void an_address_has_a_host_and_a_port(void **state)
{
    const char *host, *port;

    assert_true(fan_http_listen_split(FAN_LIT("127.0.0.1:8080"), *state, &host, &port));
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(port, "8080");
    assert_true(fan_http_listen_split(FAN_LIT("[::1]:0"), *state, &host, &port));
    assert_string_equal(host, "::1");
    assert_string_equal(port, "0");
}

static void an_address_without_host_or_port_is_refused(void **state)
{
    static const char *const texts[] = { "", ":", ":80", "h", "h:", "h:x", "h:-1", "h:+1",
        "h:65536", "::1:80", "[]:80", "80" };
    const char *host, *port;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (fan_http_listen_split(fan_bytes_of(texts[i]), *state, &host, &port))
            fail_msg("\"%s\" was taken", texts[i]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_head_says_how_long_its_body_is),
        TEST(a_head_that_can_be_read_in_two_ways_is_refused),
        TEST(http_1_0_needs_no_host_and_has_no_chunks),
        TEST(a_head_has_bounds),
        TEST(a_method_that_nobody_knows_is_refused),
        TEST(a_target_is_taken_apart),
        TEST(a_target_that_is_none_is_refused),
        TEST(a_path_is_decoded_once),
        TEST(a_path_with_a_bad_escape_is_refused),
        TEST(a_form_is_read_as_browsers_write_it),
        TEST(an_address_has_a_host_and_a_port),
        TEST(an_address_without_host_or_port_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "broker/runtime/http_patience.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MS = 10000 };

static void each_phase_has_its_end(void **state)
{
    static const struct {
        enum fan_http_phase phase;
        uint64_t bytes;
        int64_t patient_s, impatient_s; /* 0: never */
    } cases[] = {
        { FAN_HTTP_HEAD, 0, 10, 11 },
        { FAN_HTTP_IDLE, 0, 59, 60 },
        { FAN_HTTP_BODY, 0, 10, 11 },
        { FAN_HTTP_BODY, 20 * 1024, 20, 21 },
        { FAN_HTTP_ANSWERING, 0, 60, 61 },
        { FAN_HTTP_ANSWERING, 100 * 1024, 160, 161 },
        { FAN_HTTP_DEAF, 0, 1, 2 },
        { FAN_HTTP_WORKING, 0, 86400, 0 },
        { FAN_HTTP_STREAMING, 0, 86400, 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fan_http_wait wait = { .phase = cases[i].phase,
            .since = 5,
            .bytes = cases[i].bytes };

        if (fan_http_is_too_slow(&wait, 5 + cases[i].patient_s * FAN_SECOND, HEAD_MS))
            fail_msg("case %zu is cut too soon", i);
        if (cases[i].impatient_s &&
                !fan_http_is_too_slow(&wait, 5 + cases[i].impatient_s * FAN_SECOND, HEAD_MS))
            fail_msg("case %zu is not cut", i);
    }
}

static void a_new_phase_starts_to_count_anew(void **state)
{
    struct fan_http_wait wait = { .phase = FAN_HTTP_HEAD, .since = 1, .bytes = 7 };

    fan_http_phase_set(&wait, FAN_HTTP_BODY);
    assert_int_equal(wait.phase, FAN_HTTP_BODY);
    assert_int_equal(wait.bytes, 0);
    assert_false(fan_http_is_too_slow(&wait, fan_clock_elapsed(), HEAD_MS));
}

static void who_hung_up_has_left(void **state)
{
    struct fan_http_wait *list = NULL, *first, *second;
    int ends[2];
    char text[256] = "";

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    first = fan_http_wait_new(&list, ends[0]);
    second = fan_http_wait_new(&list, ends[1]);
    assert_ptr_equal(list, second);
    assert_false(fan_http_has_left(first));
    assert_false(fan_http_has_left(second));
    fan_http_hang_up(second);
    assert_true(fan_http_has_left(first));
    assert_true(recv(ends[0], text, sizeof(text) - 1, 0) > 0);
    assert_non_null(strstr(text, "HTTP/1.1 408 "));
    fan_http_wait_free(&list, &first);
    fan_http_wait_free(&list, &second);
    assert_null(list);
    close(ends[0]);
    close(ends[1]);
}

static void who_left_unread_bytes_behind_has_not_stopped(void **state)
{
    struct fan_http_wait wait = { .phase = FAN_HTTP_BODY };
    int ends[2];
    char byte;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    wait.fd = ends[0];
    assert_int_equal(send(ends[1], "x", 1, 0), 1);
    assert_false(fan_http_has_stopped(&wait));
    close(ends[1]);
    assert_true(fan_http_has_left(&wait));
    assert_false(fan_http_has_stopped(&wait));
    assert_int_equal(recv(ends[0], &byte, 1, 0), 1);
    assert_true(fan_http_has_stopped(&wait));
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_has_its_end),
        cmocka_unit_test(a_new_phase_starts_to_count_anew),
        cmocka_unit_test(who_hung_up_has_left),
        cmocka_unit_test(who_left_unread_bytes_behind_has_not_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

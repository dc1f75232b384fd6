/* broker/runtime/http_reply.c */
#include "broker/runtime/http_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_last_header_of_a_name_is_found(void **state)
{
    struct fan_bytes headers =
            FAN_LIT("HTTP/1.1 200 OK\r\nA: 1\r\nb :2\r\nLong-Name:  x y \r\na: 3\r\n\r\n");

    assert_true(fan_bytes_eq_text(fan_http_header_find(headers, "A"), "3"));
    assert_true(fan_bytes_eq_text(fan_http_header_find(headers, "long-name"), "x y"));
    assert_null(fan_http_header_find(headers, "Long").at);
    assert_null(fan_http_header_find(FAN_NO_BYTES, "A").at);
}

static void retry_after_is_a_wait_of_an_hour_at_most(void **state)
{
    /* 2026-11-20T06:42:14Z */
    const fan_time now = INT64_C(1795156934) * FAN_SECOND;
    static const struct {
        const char *value;
        int64_t wait_ms;
    } cases[] = {
        { "0", 0 },
        { "120", 120000 },
        { "31536000", 3600000 },             /* a year */
        { "99999999999999999999", 3600000 }, /* a number all the same */
        { "-5", -1 },
        { "1.5", -1 },
        { "", -1 },
        { "soon", -1 },
        { "Fri, 20 Nov 2026 06:43:14 GMT", 60000 },
        { "Friday, 20-Nov-26 06:43:14 GMT", 60000 },
        { "Fri Nov 20 06:43:14 2026", 60000 },
        { "Fri, 20 Nov 2026 06:00:00 GMT", 0 }, /* over */
        { "Sat, 20 Nov 2027 06:43:14 GMT", 3600000 },
        { "Fri, 20 Nov 2026 06:43:14 GMT, and more of it", -1 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(fan_http_retry_after(fan_bytes_of(cases[i].value), now), cases[i].wait_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_header_of_a_name_is_found),
        cmocka_unit_test(retry_after_is_a_wait_of_an_hour_at_most),
    };

    return cmocka_run_group_tests_name("http_reply", tests, NULL, NULL);
}

#include "actors/lib/decide/site.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static const struct fan_site home = { FAN_LIT("one"), 1000, 1, 16384, 20000, 777, FAN_LIT("box"),
    5000 };
static const struct fan_site_seen seen = { FAN_LIT("one"), 1, 4000 };

static void the_database_that_was_confirmed_may_send(void **state)
{
    struct fan_site now = home;

    now.position = 4000; /* after a crash: what was written out is there */
    assert_null(fan_site_differs(&home, &now, &seen, false));
    assert_null(fan_site_differs(&home, &now, &(struct fan_site_seen){ .position = 0 }, false));
}

static void every_sort_of_copy_is_told(void **state)
{
    static const struct {
        struct fan_site now;
        const char *says;
    } cases[] = {
        { { FAN_LIT("one"), 1001, 1, 16384, 20000, 777, FAN_LIT("box"), 5000 }, "cluster" },
        { { FAN_LIT("one"), 1000, 1, 16385, 20000, 777, FAN_LIT("box"), 5000 }, "tables" },
        { { FAN_LIT("one"), 1000, 1, 16384, 20001, 777, FAN_LIT("box"), 5000 }, "tables" },
        { { FAN_LIT("one"), 1000, 1, 16384, 20000, 778, FAN_LIT("box"), 5000 }, "files" },
        { { FAN_LIT("one"), 1000, 1, 16384, 20000, 777, FAN_LIT("other"), 5000 }, "machine" },
        { { FAN_LIT("one"), 1000, 2, 16384, 20000, 777, FAN_LIT("box"), 5000 }, "promoted" },
        { { FAN_LIT("two"), 1000, 1, 16384, 20000, 777, FAN_LIT("box"), 5000 }, "state folder" },
        { { FAN_LIT("one"), 1000, 1, 16384, 20000, 777, FAN_LIT("box"), 3999 }, "older" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = fan_site_differs(&home, &cases[i].now, &seen, false);
        assert_non_null(why);
        assert_non_null(strstr(why, cases[i].says));
    }
}

static void what_is_not_known_is_not_compared(void **state)
{
    const struct fan_site little = { .id = FAN_LIT("one"), .position = 5000, .timeline = 1 };

    assert_null(fan_site_differs(&home, &little, &seen, false));
    assert_null(fan_site_differs(&little, &home, &seen, false));
}

static void a_promoted_standby_is_fine_when_it_lacks_nothing(void **state)
{
    struct fan_site now = home;

    now.timeline = 2;
    now.position = 3000; /* another timeline's: says nothing */
    assert_non_null(fan_site_differs(&home, &now, &seen, false));
    assert_null(fan_site_differs(&home, &now, &seen, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_that_was_confirmed_may_send),
        cmocka_unit_test(every_sort_of_copy_is_told),
        cmocka_unit_test(what_is_not_known_is_not_compared),
        cmocka_unit_test(a_promoted_standby_is_fine_when_it_lacks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

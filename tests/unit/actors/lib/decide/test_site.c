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
    assert_non_null(fan_site_differs(&home, &now, &seen, false));
    assert_null(fan_site_differs(&home, &now, &seen, true));
    now.files_at = 778; /* a base backup's, as every standby's are */
    assert_non_null(fan_site_differs(&home, &now, &seen, false));
    assert_null(fan_site_differs(&home, &now, &seen, true));
}

static void what_only_looks_like_a_promoted_standby_is_told(void **state)
{
    static const struct fan_site_seen nothing = { .timeline = 0 };
    static const struct {
        struct fan_site now;
        const struct fan_site_seen *seen;
        const char *says;
    } cases[] = {
        /* last night's backup, recovered as far as it went */
        { { FAN_LIT("one"), 1000, 2, 16384, 20000, 778, FAN_LIT("box"), 3999 }, &seen, "lacks" },
        { { FAN_LIT("one"), 1000, 2, 16384, 20000, 777, FAN_LIT("box"), 3999 }, &seen, "lacks" },
        /* nobody here knows how far the right one had come */
        { { FAN_LIT("one"), 1000, 2, 16384, 20000, 778, FAN_LIT("box"), 5000 }, &nothing, "files" },
        /* copied without having been promoted */
        { { FAN_LIT("one"), 1000, 1, 16384, 20000, 778, FAN_LIT("box"), 5000 }, &seen, "files" },
        { { FAN_LIT("one"), 1001, 2, 16384, 20000, 778, FAN_LIT("box"), 5000 }, &seen, "cluster" },
        { { FAN_LIT("one"), 1000, 2, 16384, 20001, 778, FAN_LIT("box"), 5000 }, &seen, "tables" },
        { { FAN_LIT("one"), 1000, 2, 16384, 20000, 778, FAN_LIT("other"), 5000 }, &seen,
                "machine" },
        { { FAN_LIT("two"), 1000, 2, 16384, 20000, 778, FAN_LIT("box"), 5000 }, &seen, "folder" },
    };
    struct fan_site newer = home;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = fan_site_differs(&home, &cases[i].now, cases[i].seen, true);
        assert_non_null(why);
        assert_non_null(strstr(why, cases[i].says));
    }
    newer.timeline = 2; /* the one that was taken is older than what was confirmed */
    assert_non_null(strstr(fan_site_differs(&newer, &home, &seen, true), "earlier"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_that_was_confirmed_may_send),
        cmocka_unit_test(every_sort_of_copy_is_told),
        cmocka_unit_test(what_is_not_known_is_not_compared),
        cmocka_unit_test(a_promoted_standby_is_fine_when_it_lacks_nothing),
        cmocka_unit_test(what_only_looks_like_a_promoted_standby_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* gateway/route.c, keys.c and progress.c: who is meant, who calls, how fast it goes. */
#include "gateway/keys.h"
#include "gateway/progress.h"
#include "gateway/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_request_finds_its_route_and_ids(void **state)
{
    static const struct {
        const char *method, *path, *operation;
        fan_id id;
    } cases[] = {
        { "GET", "/health", "health", 0 },
        { "GET", "/api/v1/campaigns", "list_campaigns", 0 },
        { "GET", "/api/v1/campaigns/7", "get_campaign", 7 },
        { "POST", "/api/v1/campaigns/9007199254740991/send", "send_campaign", 9007199254740991 },
        { "GET", "/api/v1/imports/3/errors.csv", "get_import_errors", 3 },
        { "POST", "/api/v1/contacts/import", "import_contacts", 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fan_id ids[ROUTE_IDS] = { 0 };
        char allowed[64];
        const struct route *route = route_find(fan_bytes_of(cases[i].method),
                fan_bytes_of(cases[i].path), ids, allowed);

        assert_non_null(route);
        assert_string_equal(route->operation, cases[i].operation);
        assert_int_equal(ids[0], cases[i].id);
    }
}

static void other_paths_and_methods_find_none(void **state)
{
    static const struct {
        const char *method, *path, *allowed;
    } cases[] = {
        { "GET", "/", "" },
        { "GET", "", "" },
        { "GET", "/health/", "" },
        { "get", "/health", "GET" },
        { "PUT", "/api/v1/campaigns/7", "GET, PATCH, DELETE" },
        { "GET", "/api/v1/campaigns/0", "" },
        { "GET", "/api/v1/campaigns/-7", "" },
        { "GET", "/api/v1/campaigns/7x", "" },
        { "GET", "/api/v1/campaigns/9007199254740992", "" },
        { "GET", "/api/v1/campaigns/7/", "" },
        { "GET", "//api/v1/campaigns", "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fan_id ids[ROUTE_IDS];
        char allowed[64];

        assert_null(route_find(fan_bytes_of(cases[i].method), fan_bytes_of(cases[i].path), ids,
                allowed));
        assert_string_equal(allowed, cases[i].allowed);
    }
}

static void an_unknown_role_may_nothing(void **state)
{
    assert_int_equal(route_may_of_role(FAN_LIT("viewer")), MAY_READ);
    assert_int_equal(route_may_of_role(FAN_LIT("god")), 0);
    assert_int_equal(route_may_of_role(FAN_NO_BYTES), 0);
}

static void a_key_is_kept_for_its_time(void **state)
{
    struct keys *keys = keys_new(5000);
    const struct caller caller = { .account = 7, .may = MAY_READ };
    char hash[FAN_KEY_HASH] = "a hash", other[FAN_KEY_HASH] = "a hash of another key";
    struct caller found;

    keys_keep(keys, hash, 100, &caller);
    assert_true(keys_find(keys, hash, 101, &found));
    assert_int_equal(found.account, 7);
    assert_false(keys_find(keys, other, 101, &found));
    assert_false(keys_find(keys, hash, 100 + 5000 * FAN_MS, &found));
    keys_free(&keys);
    assert_null(keys);
}

static void a_key_says_whose_it_is(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes key = fan_api_key_new(42, arena);

    assert_int_equal(fan_api_key_account(key), 42);
    assert_int_equal(fan_api_key_account(FAN_LIT("ffk_42_short")), 0);
    assert_int_equal(fan_api_key_account(FAN_LIT("ffk_-1_aaaaaaaaaaaaaaaaaaaaaaaaaaaa")), 0);
    assert_int_equal(fan_api_key_account(FAN_LIT("xxx_42_aaaaaaaaaaaaaaaaaaaaaaaaaaaa")), 0);
    assert_int_equal(fan_api_key_account(FAN_NO_BYTES), 0);
    fan_arena_free(&arena);
}

static void a_rate_follows_what_happens(void **state)
{
    double rate = 0;

    for (int i = 0; i < 120; i++)
        rate = progress_rate(rate, 25, FAN_SECOND / 4);
    assert_true(rate > 99 && rate < 101);
    for (int i = 0; i < 120; i++)
        rate = progress_rate(rate, 0, FAN_SECOND / 4);
    assert_true(rate < 1);
    assert_true(progress_rate(5, 10, 0) == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_finds_its_route_and_ids),
        cmocka_unit_test(other_paths_and_methods_find_none),
        cmocka_unit_test(an_unknown_role_may_nothing),
        cmocka_unit_test(a_key_is_kept_for_its_time),
        cmocka_unit_test(a_key_says_whose_it_is),
        cmocka_unit_test(a_rate_follows_what_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

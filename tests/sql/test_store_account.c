/* sql/store/account.c: the first account, its key, and requests that are repeated. */
#include "sql/store/account.h"
#include "sql/store/contact.h"
#include "tests/support/pg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the headers above
#include <cmocka.h>

struct world {
    struct fan_arena *arena;
    struct fan_db *gateway;
    struct fan_account_made first, second;
    struct fan_why why;
};

static struct fan_account_made make_account(struct world *world, struct fan_db *owner,
        const char *name)
{
    const struct fan_account_new who = { .name = fan_bytes_of(name),
        .email = FAN_LIT("anna@example.com"),
        .default_country = FAN_LIT("IN") };
    struct fan_account_made made;

    assert_int_equal(fan_account_create_first(owner, &who, world->arena, &made, &world->why),
            FAN_OK);
    return made;
}

static int set_up(void **state)
{
    static struct world world;
    char url[PG_URL], as_gateway[PG_URL];
    struct fan_db *owner;

    pg_migrated_database(url);
    pg_url_as(url, "fan_gateway", as_gateway);
    world.arena = fan_arena_new();
    owner = pg_connect(url, FAN_DB_FREE);
    world.first = make_account(&world, owner, "First");
    world.second = make_account(&world, owner, "Second");
    fan_db_free(&owner);
    world.gateway = pg_connect(as_gateway, FAN_DB_FREE);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    fan_db_free(&world->gateway);
    fan_arena_free(&world->arena);
    return 0;
}

static enum fan_err find(struct world *world, fan_id account, struct fan_bytes key,
        struct fan_api_key *out)
{
    char hash[FAN_KEY_HASH];
    enum fan_err err;

    fan_api_key_hash(key, hash);
    fan_db_account(world->gateway, account);
    err = fan_api_key_find(world->gateway, account, hash, world->arena, out, &world->why);
    fan_db_abort(world->gateway);
    return err;
}

static void an_account_begins_with_an_owner_a_key_and_two_attributes(void **state)
{
    struct world *world = *state;
    struct fan_account account;
    struct fan_texts attributes;
    struct fan_api_key key;

    assert_int_equal(fan_api_key_account(world->first.key), world->first.account);
    assert_int_equal(find(world, world->first.account, world->first.key, &key), FAN_OK);
    assert_int_equal(key.user, world->first.user);
    assert_true(fan_bytes_eq_text(key.role, "owner"));

    fan_db_account(world->gateway, world->first.account);
    assert_int_equal(fan_account_get(world->gateway, world->first.account, world->arena, &account,
                             &world->why),
            FAN_OK);
    assert_true(fan_bytes_eq_text(account.name, "First"));
    assert_true(fan_bytes_eq_text(account.default_country, "IN"));
    assert_int_equal(fan_attributes(world->gateway, world->first.account, world->arena, &attributes,
                             &world->why),
            FAN_OK);
    assert_int_equal(attributes.len, 2);
    fan_db_abort(world->gateway);
}

static void a_key_opens_its_own_account_only(void **state)
{
    struct world *world = *state;
    struct fan_api_key key;

    assert_int_equal(find(world, world->second.account, world->first.key, &key), FAN_DENIED);
    assert_int_equal(find(world, world->first.account, FAN_LIT("ffk_1_guess"), &key), FAN_DENIED);
}

static enum fan_err claim(struct world *world, const char *key, const char *request,
        struct fan_repeat *out)
{
    fan_db_account(world->gateway, world->first.account);
    return fan_repeat_claim(world->gateway, world->first.account, fan_bytes_of(key),
            fan_bytes_of(request), world->arena, out, &world->why);
}

static void a_repeated_request_finds_its_answer(void **state)
{
    struct world *world = *state;
    struct fan_repeat out;

    assert_int_equal(claim(world, "k", "request", &out), FAN_OK);
    assert_false(out.repeated);
    assert_int_equal(fan_repeat_answered(world->gateway, world->first.account, FAN_LIT("k"), 201,
                             FAN_LIT("done"), world->arena, &world->why),
            FAN_OK);
    assert_int_equal(fan_db_commit(world->gateway, &world->why), FAN_OK);

    assert_int_equal(claim(world, "k", "request", &out), FAN_OK);
    assert_true(out.repeated);
    assert_int_equal(out.status, 201);
    assert_true(fan_bytes_eq_text(out.body, "done"));
    fan_db_abort(world->gateway);
    assert_int_equal(claim(world, "k", "another", &out), FAN_DENIED);
    fan_db_abort(world->gateway);
}

static void an_undone_request_leaves_its_key_free(void **state)
{
    struct world *world = *state;
    struct fan_repeat out;

    assert_int_equal(claim(world, "k", "request", &out), FAN_OK);
    fan_db_abort(world->gateway);
    assert_int_equal(claim(world, "k", "request", &out), FAN_OK);
    assert_false(out.repeated);
    fan_db_abort(world->gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_account_begins_with_an_owner_a_key_and_two_attributes,
                set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_opens_its_own_account_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_request_finds_its_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_undone_request_leaves_its_key_free, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

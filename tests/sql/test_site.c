/* The database that people know, and a copy of it. As its owner. */
#include "actors/lib/decide/site.h"
#include "sql/store/control.h"
#include "sql/store/site.h"
#include "tests/support/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static struct world w;

static int make(void **state)
{
    world_open(&w);
    return 0;
}

static int drop(void **state)
{
    world_close(&w);
    return 0;
}

static struct fan_site_look look(void)
{
    struct fan_site_look look;

    assert_int_equal(fan_site_look(w.eye, w.arena, &look, &w.why), FAN_OK);
    return look;
}

static void a_database_knows_itself_again(void **state)
{
    static const struct fan_site_seen nothing = { .timeline = 0 };
    struct fan_site_look first = look(), second;
    struct fan_bytes id;

    assert_null(first.bound.id.at);
    assert_true(first.now.system && first.now.timeline && first.now.database && first.now.tables);
    assert_true(first.now.files_at > 0 && first.now.position > 0 && first.is_local);
    assert_int_equal(fan_site_bind(w.eye, &first.now, w.arena, &id, &w.why), FAN_OK);
    assert_true(id.len > 20);
    second = look();
    assert_true(fan_bytes_eq(second.now.id, id));
    assert_null(fan_site_differs(&second.bound, &second.now, &nothing, false));
    world_exec(&w, "ALTER TABLE ctl RENAME TO old; CREATE TABLE ctl AS SELECT * FROM old");
    second = look(); /* as a restored dump makes them */
    assert_non_null(fan_site_differs(&second.bound, &second.now, &nothing, false));
}

static void what_is_held_is_neither_claimed_nor_opened_until_it_is_confirmed(void **state)
{
    fan_id chunk = world_chunk(&w, 1, 4), other = world_chunk(&w, 11, 4);
    struct fan_claim_taken taken;
    struct fan_site_look found;
    struct fan_bytes id;
    bool held;

    assert_true(world_take(&w, chunk, 0, WORLD_OWNER, &taken));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fan_site_hold(w.eye, FAN_LIT("a copy"), w.arena, &held, &w.why), FAN_OK);
        assert_int_equal(held, i == 0);
    }
    assert_int_equal(world_open_slice(&w, &taken, 0, 4, NULL), -1);
    assert_false(world_take(&w, other, 0, WORLD_OWNER, &taken));
    assert_int_equal(fan_control_confirm(w.eye, FAN_LIT("me"), w.arena, &held, &w.why), FAN_OK);
    assert_int_equal(fan_db_commit(w.eye, &w.why), FAN_OK);
    assert_true(held);
    found = look();
    assert_true(found.confirmed);
    assert_int_equal(fan_site_bind(w.eye, &found.now, w.arena, &id, &w.why), FAN_OK);
    assert_false(look().confirmed);
    assert_true(world_take(&w, other, 0, WORLD_OWNER, &taken));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_database_knows_itself_again, make, drop),
        cmocka_unit_test_setup_teardown(
                what_is_held_is_neither_claimed_nor_opened_until_it_is_confirmed, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

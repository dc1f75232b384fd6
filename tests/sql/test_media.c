/* sql/store/media.c: one row for the same bytes, there before its object and after it. */
#include "tests/support/world.h"

#include "sql/store/media.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static struct world w;
static struct fan_db *gateway;

static int make(void **state)
{
    char url[PG_URL];

    world_open(&w);
    pg_url_as(w.url, "fan_gateway", url);
    gateway = pg_connect(url, FAN_DB_FREE);
    fan_db_account(gateway, 1);
    return 0;
}

static int drop(void **state)
{
    fan_db_free(&gateway);
    world_close(&w);
    return 0;
}

static enum fan_err claim(fan_id account, const char *hash, fan_id *id, int64_t *state)
{
    const struct fan_media_row row = {
        .hash = { hash, 32 },
        .type = FAN_LIT("image/png"),
        .bytes = 100,
        .width = 10,
        .name = FAN_LIT("a.png"),
    };
    enum fan_err err;

    fan_db_account(gateway, account);
    err = fan_media_claim(gateway, account, &row, w.arena, id, state, &w.why);
    assert_int_equal(fan_db_commit(gateway, &w.why), FAN_OK);
    return err;
}

#define OK(call) assert_int_equal(call, FAN_OK)

static void the_same_bytes_are_one_row(void **state)
{
    static const char hash[] = "the same bytes are one row......";
    fan_id id, again;
    int64_t stage;

    OK(claim(1, hash, &id, &stage));
    assert_int_equal(stage, FAN_MEDIA_ARRIVING);
    OK(claim(1, hash, &again, &stage));
    assert_int_equal(again, id);
    OK(fan_media_arrived(gateway, 1, id, w.arena, &w.why));
    OK(fan_db_commit(gateway, &w.why));
    OK(claim(1, hash, &again, &stage));
    assert_int_equal(again, id);
    assert_int_equal(stage, FAN_MEDIA_READY);
}

static void a_row_is_shown_while_its_object_is_there(void **state)
{
    static const char hash[] = "shown while the object is there.";
    struct fan_media_list list;
    struct fan_media_row row;
    int64_t stage, count;
    fan_id id;

    OK(claim(1, hash, &id, &stage));
    assert_int_equal(fan_media_row_get(gateway, 1, id, w.arena, &row, &w.why), FAN_NOT_FOUND);
    assert_int_equal(fan_media_leaving(gateway, 1, id, w.arena, &w.why), FAN_NOT_FOUND);
    OK(fan_media_arrived(gateway, 1, id, w.arena, &w.why));
    OK(fan_media_row_get(gateway, 1, id, w.arena, &row, &w.why));
    assert_memory_equal(row.hash.at, hash, 32);
    assert_int_equal(row.width, 10);
    assert_int_equal(row.height, 0);
    OK(fan_media_page(gateway, 1, FAN_LIT("image/"), (struct fan_page){ 1, 0 }, w.arena, &list,
            &w.why));
    assert_int_equal(list.at[0].id, id);
    OK(fan_media_leaving(gateway, 1, id, w.arena, &w.why));
    OK(fan_media_leaving(gateway, 1, id, w.arena, &w.why));
    OK(fan_db_commit(gateway, &w.why));
    assert_int_equal(claim(1, hash, &id, &stage), FAN_DENIED);
    assert_int_equal(fan_media_arrived(gateway, 1, id, w.arena, &w.why), FAN_NOT_FOUND);
    OK(fan_media_count(gateway, 1, FAN_LIT("audio/"), w.arena, &count, &w.why));
    assert_int_equal(count, 0);
    OK(fan_media_left(gateway, 1, id, w.arena, &w.why));
    OK(fan_media_left(gateway, 1, id, w.arena, &w.why));
    OK(fan_db_commit(gateway, &w.why));
    OK(claim(1, hash, &id, &stage));
    assert_int_equal(stage, FAN_MEDIA_ARRIVING);
}

static void accounts_see_their_own(void **state)
{
    static const char hash[] = "accounts see their own media....";
    struct fan_media_row row;
    int64_t stage;
    fan_id id;

    OK(claim(1, hash, &id, &stage));
    OK(fan_media_arrived(gateway, 1, id, w.arena, &w.why));
    OK(fan_db_commit(gateway, &w.why));
    fan_db_account(gateway, 2);
    assert_int_equal(fan_media_row_get(gateway, 2, id, w.arena, &row, &w.why), FAN_NOT_FOUND);
    assert_int_equal(fan_media_row_get(gateway, 1, id, w.arena, &row, &w.why), FAN_NOT_FOUND);
    OK(fan_db_commit(gateway, &w.why));
    fan_db_account(gateway, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_are_one_row),
        cmocka_unit_test(a_row_is_shown_while_its_object_is_there),
        cmocka_unit_test(accounts_see_their_own),
    };

    return cmocka_run_group_tests(tests, make, drop);
}

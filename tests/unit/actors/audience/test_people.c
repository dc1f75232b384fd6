/* actors/audience/people.c and text_index.c */
#include "actors/audience/people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
// cmocka wants the headers above
#include <cmocka.h>

static struct fan_arena *arena;
static struct people people;

static int setup(void **state)
{
    arena = fan_arena_new();
    people_init(&people, 1, arena);
    return 0;
}

static int teardown(void **state)
{
    fan_arena_free(&arena);
    return 0;
}

static void know(fan_id id, const char *external_id, const char *phone, const char *email)
{
    struct fan_contact_keys one = { id,
        { fan_bytes_of(external_id), fan_bytes_of(phone), fan_bytes_of(email) } };

    people_know(&people, &(struct fan_contact_keys_list){ &one, 1 });
}

struct cells {
    const char *external_id, *phone, *email, *name, *city, *tags;
};

static void take(struct cells cells)
{
    struct row row = { .tags = fan_bytes_of(cells.tags) };

    row.attributes = fan_arena_array(arena, 1, sizeof *row.attributes);
    row.attributes[0] = fan_bytes_of(cells.city);
    row.columns[FAN_COLUMN_EXTERNAL_ID] = fan_bytes_of(cells.external_id);
    row.columns[FAN_COLUMN_PHONE] = fan_bytes_of(cells.phone);
    row.columns[FAN_COLUMN_EMAIL] = fan_bytes_of(cells.email);
    row.columns[FAN_COLUMN_FIRST_NAME] = fan_bytes_of(cells.name);
    people_take(&people, &row);
}

/* Which of those we know, by id, rows were about; new ones count as 0. */
static void assert_touched(const fan_id *ids, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < people.len; i++) {
        if (!people.at[i].touched)
            continue;
        assert_true(at < count);
        assert_int_equal(people.at[i].id, ids[at++]);
    }
    assert_int_equal(at, count);
}

#define ASSERT_TOUCHED(...) \
    assert_touched((const fan_id[]){ __VA_ARGS__ }, \
            sizeof((const fan_id[]){ __VA_ARGS__ }) / sizeof(fan_id))

static void an_external_id_goes_before_a_phone_and_a_phone_before_an_address(void **state)
{
    know(1, "e1", NULL, NULL);
    know(2, NULL, "+1", NULL);
    know(3, NULL, NULL, "a@b.c");
    take((struct cells){ .external_id = "e1", .phone = "+1", .email = "a@b.c" });
    ASSERT_TOUCHED(1);
    people.at[0].touched = false;
    take((struct cells){ .phone = "+1", .email = "a@b.c", .external_id = "e9" });
    assert_false(people.at[2].touched);
    assert_int_equal(people.updated, 2);
}

static void whoever_has_another_external_id_is_somebody_else(void **state)
{
    know(1, "e1", "+1", "a@b.c");
    take((struct cells){ .external_id = "e2", .phone = "+1", .email = "a@b.c" });
    ASSERT_TOUCHED(0);
    assert_int_equal(people.created, 1);
}

static void without_an_external_id_a_row_is_about_whoever_has_the_phone(void **state)
{
    know(1, "e1", "+1", NULL);
    take((struct cells){ .phone = "+1", .email = "new@b.c" });
    ASSERT_TOUCHED(1);
    assert_true(fan_bytes_eq_text(people.at[0].keys[FAN_COLUMN_EMAIL], "new@b.c"));
}

static void the_oldest_of_those_who_share_a_phone_is_meant(void **state)
{
    know(7, NULL, "+1", NULL);
    know(5, NULL, "+1", NULL);
    know(6, NULL, "+1", NULL);
    take((struct cells){ .phone = "+1" });
    ASSERT_TOUCHED(5);
}

static void two_rows_about_one_person_are_one_person_and_the_later_wins(void **state)
{
    take((struct cells){ .phone = "+1", .name = "Ann", .city = "Rome", .tags = "a" });
    take((struct cells){ .phone = "+1", .email = "a@b.c", .name = "Anna", .tags = "b;a" });
    take((struct cells){ .email = "a@b.c", .external_id = "e1" });
    assert_int_equal(people.len, 1);
    assert_int_equal(people.created, 1);
    assert_int_equal(people.updated, 2);
    assert_true(fan_bytes_eq_text(people.at[0].says.columns[FAN_COLUMN_FIRST_NAME], "Anna"));
    assert_true(fan_bytes_eq_text(people.at[0].says.columns[FAN_COLUMN_EXTERNAL_ID], "e1"));
    assert_true(fan_bytes_eq_text(people.at[0].says.attributes[0], "Rome"));
}

static void a_phone_that_was_given_up_finds_nobody(void **state)
{
    know(1, "e1", "+1", NULL);
    take((struct cells){ .external_id = "e1", .phone = "+2" });
    take((struct cells){ .phone = "+1" });
    take((struct cells){ .phone = "+2" });
    ASSERT_TOUCHED(1, 0);
    assert_int_equal(people.updated, 2);
}

static void somebody_who_is_found_by_all_his_keys_is_known_once(void **state)
{
    for (int i = 0; i < 3; i++)
        know(1, "e1", "+1", "a@b.c");
    assert_int_equal(people.len, 1);
}

static void tags_are_told_apart_by_commas_semicolons_and_bars(void **state)
{
    take((struct cells){ .phone = "+1", .tags = " gold, ;|north|gold " });
    take((struct cells){ .phone = "+2", .tags = "north" });
    assert_int_equal(people.tags_len, 2);
    assert_true(fan_bytes_eq_text(people.tag_names[0], "gold"));
    assert_true(fan_bytes_eq_text(people.tag_names[1], "north"));
    assert_int_equal(people.at[1].tags->number, 1);
    assert_null(people.at[1].tags->next);
}

static void thousands_are_found_again(void **state)
{
    char phone[32];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            snprintf(phone, sizeof phone, "+%d", 1000000 + i);
            take((struct cells){ .phone = fan_arena_printf(arena, "%s", phone) });
        }
    }
    assert_int_equal(people.len, 5000);
    assert_int_equal(people.created, 5000);
    assert_int_equal(people.updated, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
                an_external_id_goes_before_a_phone_and_a_phone_before_an_address, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_has_another_external_id_is_somebody_else, setup,
                teardown),
        cmocka_unit_test_setup_teardown(without_an_external_id_a_row_is_about_whoever_has_the_phone,
                setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_of_those_who_share_a_phone_is_meant, setup,
                teardown),
        cmocka_unit_test_setup_teardown(two_rows_about_one_person_are_one_person_and_the_later_wins,
                setup, teardown),
        cmocka_unit_test_setup_teardown(a_phone_that_was_given_up_finds_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(somebody_who_is_found_by_all_his_keys_is_known_once, setup,
                teardown),
        cmocka_unit_test_setup_teardown(tags_are_told_apart_by_commas_semicolons_and_bars, setup,
                teardown),
        cmocka_unit_test_setup_teardown(thousands_are_found_again, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "actors/cli/sample.h"
#include "actors/lib/person/email.h"
#include "actors/lib/person/phone.h"

static struct fan_bytes row(uint32_t number, struct fan_buffer *out)
{
    fan_buffer_clear(out);
    fan_sample_row(number, out);
    return fan_buffer_bytes(out);
}

static void the_same_number_gives_the_same_row(void **state)
{
    struct fan_buffer first, second;

    fan_buffer_init(&first, 4096);
    fan_buffer_init(&second, 4096);
    for (uint32_t i = 0; i < 2000; i++)
        assert_true(fan_bytes_eq(row(i, &first), row(i, &second)));
    assert_true(fan_bytes_eq_text(row(0, &first),
            "C-000001,James,Smith,+12025550100,james.smith.1@example.net,Austin,US,"
            "\"The \"\"Special\"\"\",en,1959-12-24,newsletter\r\n"));
    fan_buffer_fini(&first);
    fan_buffer_fini(&second);
}

/* No operator has these, so tables of operators' ranges do not know them. */
static bool is_for_fiction(const struct fan_sample_country *country)
{
    return strcmp(country->code, "GB") == 0 || strcmp(country->code, "FR") == 0;
}

static void every_countrys_first_and_last_number_is_one(void **state)
{
    for (const struct fan_sample_country *at = fan_sample_countries; at->code; at++) {
        uint32_t numbers[] = { 0, at->phones / 2, at->phones - 1 };

        for (size_t i = 0; i < 3; i++) {
            struct fan_phone phone;
            struct fan_why why;
            char text[40];

            fan_sample_phone(at, numbers[i], text, sizeof(text));
            if (fan_phone_normalise(fan_bytes_of(text), "", &phone, &why))
                fail_msg("%s: %s", at->code, text);
            assert_true(!phone.doubtful || is_for_fiction(at));
        }
    }
}

static void a_form_has_as_many_digits_as_its_numbers_need(void **state)
{
    for (const struct fan_sample_country *at = fan_sample_countries; at->code; at++) {
        uint32_t room = 1;

        for (const char *c = at->phone; *c; c++)
            room *= *c == '#' ? 10 : 1;
        assert_int_equal(room, at->phones);
    }
}

static void every_flaw_is_there_and_most_rows_are_fine(void **state)
{
    uint32_t seen[FAN_SAMPLE_FLAWS] = { 0 };

    for (uint32_t i = 0; i < FAN_SAMPLE_ROWS; i++)
        seen[fan_sample_flaw_of(i)]++;
    for (int flaw = 0; flaw < FAN_SAMPLE_FLAWS; flaw++)
        assert_in_range(seen[flaw], 1, FAN_SAMPLE_ROWS);
    assert_in_range(seen[FAN_SAMPLE_FINE], 10000, FAN_SAMPLE_ROWS);
}

static void all_but_one_sort_of_row_is_utf_8(void **state)
{
    struct fan_buffer out;

    fan_buffer_init(&out, 4096);
    for (uint32_t i = 0; i < FAN_SAMPLE_ROWS; i++)
        assert_int_equal(fan_bytes_utf8(row(i, &out)), fan_sample_flaw_of(i) != FAN_SAMPLE_LATIN_1);
    fan_buffer_fini(&out);
}

static void mail_addresses_are_well_formed(void **state)
{
    struct fan_arena *arena = fan_arena_new();

    for (const struct fan_sample_country *at = fan_sample_countries; at->code; at++) {
        for (int i = 0; i < FAN_SAMPLE_NAMES; i++) {
            struct fan_bytes address,
                    raw = fan_bytes_of(fan_arena_printf(arena, "%s.%s@example.com",
                            at->first[i].ascii, at->last[i].ascii));
            struct fan_why why;

            assert_int_equal(fan_email_normalise(raw, arena, &address, &why), FAN_OK);
        }
    }
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_number_gives_the_same_row),
        cmocka_unit_test(every_countrys_first_and_last_number_is_one),
        cmocka_unit_test(a_form_has_as_many_digits_as_its_numbers_need),
        cmocka_unit_test(every_flaw_is_there_and_most_rows_are_fine),
        cmocka_unit_test(all_but_one_sort_of_row_is_utf_8),
        cmocka_unit_test(mail_addresses_are_well_formed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

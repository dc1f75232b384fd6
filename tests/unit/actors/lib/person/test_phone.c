/* actors/lib/person/phone.c */
#include "actors/lib/person/phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *raw, *country;
    const char *e164; /* NULL: refused */
    bool doubtful;
} cases[] = {
    { "(415) 555-2671", "US", "+14155552671", false },
    { "1-415-555-2671", "US", "+14155552671", false },
    { "415.555.2671 x123", "US", "+14155552671", false },
    { "+1 (415) 555\u20112671", "US", "+14155552671", false },
    { "  +14155552671\r\n", "", "+14155552671", false },
    { "tel:+1-415-555-2671", "", "+14155552671", false },
    { "011 44 20 7946 0958", "US", "+442079460958", false },
    { "020 7946 0958", "GB", "+442079460958", false },
    { "+44 (0)20 7946 0958", "", "+442079460958", false },
    { "07400 123456", "GB", "+447400123456", false },
    { "00442079460958", "DE", "+442079460958", false },
    { "0151 23456789", "DE", "+4915123456789", false },
    { "06 12 34 56 78", "FR", "+33612345678", false },
    { "02 1234 5678", "IT", "+390212345678", false },
    { "312 345 6789", "IT", "+393123456789", false },
    { "8 (912) 345-67-89", "RU", "+79123456789", false },
    { "044 668 18 00", "CH", "+41446681800", false },
    { "11 96123-4567", "BR", "+5511961234567", false },
    { "0 11 15-2345-6789", "AR", "+5491123456789", false },
    { "55 1234 5678", "MX", "+525512345678", false },
    { "+52 1 55 1234 5678", "", "+525512345678", false }, /* the infix 1 is gone since 2019 */
    { "0412 345 678", "AU", "+61412345678", false },
    { "081234 56789", "IN", "+918123456789", false },
    { "+\u0664\u0664\u0662\u0660\u0667\u0669\u0664\u0666\u0660\u0669\u0665\u0668", "",
            "+442079460958", false },
    { "\uff0b\uff11 415 555 2671", "", "+14155552671", false }, /* full width */
    { "1-800-FLOWERS", "US", "+18003569377", false },
    { "+1 415 555 0100", "", "+14155550100", false },
    { "+1 211 555 2671", "", "+12115552671", true }, /* no such area, yet */
    { "555-0100", "US", NULL, false },
    { "911", "US", NULL, false },
    { "+1415555267", "", NULL, false },
    { "+141555526711", "", NULL, false },
    { "+999123456789", "", NULL, false },
    { "4155552671", "", NULL, false }, /* of no country */
    { "4155552671", "XX", NULL, false },
    { "", "US", NULL, false },
    { "n/a", "US", NULL, false },
    { "\xff\xfe", "US", NULL, false },
    { "415-555-2671 or 415-555-2672 or 415-555-2673 or 415-555-2674 or 415-555-2675 or "
      "415-555-2676 or "
      "415-555-2677 or 415-555-2678",
            "US", NULL, false },
};

static void numbers_are_read_as_people_write_them(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fan_phone phone = { "", false };
        struct fan_why why;
        enum fan_err err =
                fan_phone_normalise(fan_bytes_of(cases[i].raw), cases[i].country, &phone, &why);
        const char *got = err ? NULL : phone.e164;

        if (err ? cases[i].e164 != NULL : !cases[i].e164 || strcmp(got, cases[i].e164) != 0)
            fail_msg("%s in %s: %s", cases[i].raw, cases[i].country, err ? why.text : phone.e164);
        if (!err && phone.doubtful != cases[i].doubtful)
            fail_msg("%s is %sdoubtful", cases[i].raw, phone.doubtful ? "" : "not ");
    }
}

static void a_refusal_says_why_and_not_the_number(void **state)
{
    struct fan_phone phone;
    struct fan_why why;

    assert_int_equal(fan_phone_normalise(FAN_LIT("+1415555267"), "", &phone, &why), FAN_INVALID);
    assert_string_equal(why.text, "the number is too short");
    assert_int_equal(fan_phone_normalise(FAN_LIT("555-0100"), "US", &phone, &why), FAN_INVALID);
    assert_string_equal(why.text, "the number lacks its area code");
    assert_int_equal(fan_phone_normalise(FAN_LIT("4155552671"), "", &phone, &why), FAN_INVALID);
    assert_string_equal(why.text, "the number has no known country code");
    assert_int_equal(fan_phone_normalise(FAN_LIT("hello"), "US", &phone, &why), FAN_INVALID);
    assert_string_equal(why.text, "this is not a telephone number");
}

static void countries_have_two_letters(void **state)
{
    assert_true(fan_phone_country("US"));
    assert_true(fan_phone_country("IN"));
    assert_false(fan_phone_country("us"));
    assert_false(fan_phone_country("XX"));
    assert_false(fan_phone_country("ZZ"));
    assert_false(fan_phone_country(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_as_people_write_them),
        cmocka_unit_test(a_refusal_says_why_and_not_the_number),
        cmocka_unit_test(countries_have_two_letters),
    };

    return cmocka_run_group_tests_name("phone", tests, NULL, NULL);
}

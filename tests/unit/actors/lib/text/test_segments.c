/* actors/lib/text/segments.c, against what a provider's own calculator says. */
#include "actors/lib/text/segments.h"

#include "proto/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A text in up to three pieces, each repeated. */
struct piece {
    const char *text;
    int times;
};

static void measure(const struct piece pieces[3], struct fan_sms_size *out)
{
    struct fan_buffer text;

    fan_buffer_init(&text, 64 * 1024);
    for (int i = 0; i < 3; i++)
        for (int n = 0; n < pieces[i].times; n++)
            fan_buffer_add_text(&text, pieces[i].text);
    fan_sms_measure(fan_buffer_bytes(&text), out);
    fan_buffer_fini(&text);
}

static void parts_are_counted_as_providers_do(void **state)
{
    static const struct {
        struct piece pieces[3];
        bool ucs2;
        size_t units, segments, left;
    } cases[] = {
        { { { "", 0 } }, false, 0, 1, 160 },
        { { { "a", 160 } }, false, 160, 1, 0 },
        { { { "a", 161 } }, false, 161, 2, 145 },
        { { { "a", 306 } }, false, 306, 2, 0 },
        { { { "a", 307 } }, false, 307, 3, 152 },
        { { { "a", 459 } }, false, 459, 3, 0 },
        { { { "a", 460 } }, false, 460, 4, 152 },
        { { { "€", 80 } }, false, 160, 1, 0 },
        { { { "€", 81 } }, false, 162, 2, 143 },
        { { { "a", 158 }, { "€", 1 } }, false, 160, 1, 0 },
        { { { "a", 159 }, { "€", 1 } }, false, 161, 2, 145 },
        { { { "a", 153 }, { "€", 1 }, { "a", 151 } }, false, 306, 2, 0 },
        { { { "a", 152 }, { "€", 1 }, { "a", 152 } }, false, 306, 3, 152 },
        { { { "é", 160 } }, false, 160, 1, 0 },
        { { { "Ç", 160 } }, false, 160, 1, 0 },
        { { { "ç", 70 } }, true, 70, 1, 0 },
        { { { "ж", 71 } }, true, 71, 2, 63 },
        { { { "ж", 134 } }, true, 134, 2, 0 },
        { { { "ж", 135 } }, true, 135, 3, 66 },
        { { { "👋", 35 } }, true, 70, 1, 0 },
        { { { "👋", 36 } }, true, 72, 2, 61 },
        { { { "👋", 67 } }, true, 134, 3, 65 },
        { { { "ж", 66 }, { "👋", 1 }, { "ж", 65 } }, true, 133, 2, 0 },
        { { { "ж", 66 }, { "👋", 1 }, { "ж", 66 } }, true, 134, 3, 66 },
        { { { "It’s", 1 } }, true, 4, 1, 66 },
        { { { "[{x}]~^|\\", 1 } }, false, 17, 1, 143 },
        { { { "a\tb", 1 } }, true, 3, 1, 67 },
        { { { "a`b", 1 } }, true, 3, 1, 67 },
        { { { "a\u00a0b", 1 } }, true, 3, 1, 67 },
        { { { "👨‍👩‍👧‍👦", 1 } }, true, 11, 1, 59 },
        { { { "\xff", 1 } }, true, 1, 1, 69 },
        { { { "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà", 1 } }, false,
                65, 1, 95 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fan_sms_size size;

        measure(cases[i].pieces, &size);
        if (size.ucs2 != cases[i].ucs2 || size.units != cases[i].units ||
                size.segments != cases[i].segments || size.left != cases[i].left)
            fail_msg("case %zu: ucs2 %d, units %zu, segments %zu, left %zu", i, size.ucs2,
                    size.units, size.segments, size.left);
    }
}

static void the_characters_that_force_ucs2_are_named_once_each(void **state)
{
    struct fan_sms_size size;

    fan_sms_measure(FAN_LIT("ação — ação 👋"), &size);
    assert_int_equal(size.forcing_len, 4);
    assert_int_equal(size.forcing[0], 0xe7);
    assert_int_equal(size.forcing[1], 0xe3);
    assert_int_equal(size.forcing[2], 0x2014);
    assert_int_equal(size.forcing[3], 0x1f44b);
    fan_sms_measure(FAN_LIT("абвгдежзийклмнопрстуфхцчшщъыьэюя"), &size);
    assert_int_equal(size.forcing_len, FAN_SMS_FORCING);
    fan_sms_measure(FAN_LIT("Hello €"), &size);
    assert_int_equal(size.forcing_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_counted_as_providers_do),
        cmocka_unit_test(the_characters_that_force_ucs2_are_named_once_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

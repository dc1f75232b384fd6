/* actors/lib/person/email.c */
#include "actors/lib/person/email.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TEN "0123456789"
#define LOCAL_64 TEN TEN TEN TEN TEN TEN "1234"
#define LABEL_63 TEN TEN TEN TEN TEN TEN "123"

static const struct {
    const char *raw, *address; /* NULL: refused */
} cases[] = {
    { "ada@example.com", "ada@example.com" },
    { "  Ada.Lovelace+News@Example.COM\r\n", "Ada.Lovelace+News@example.com" },
    { "o'brien_-{x}@sub.example.co.uk", "o'brien_-{x}@sub.example.co.uk" },
    { "jürgen@MÜLLER.example", "jürgen@mÜller.example" }, /* ASCII letters only */
    { "a@xn--mller-kva.example", "a@xn--mller-kva.example" },
    { LOCAL_64 "@" LABEL_63 ".com", LOCAL_64 "@" LABEL_63 ".com" },
    { "", NULL },
    { "   ", NULL },
    { "ada", NULL },
    { "@example.com", NULL },
    { "ada@", NULL },
    { "ada@@example.com", NULL },
    { "a@b@example.com", NULL },
    { "ada@localhost", NULL },
    { "ada@127.0.0.1", NULL },
    { "ada@[127.0.0.1]", NULL },
    { "ada@example..com", NULL },
    { "ada@.example.com", NULL },
    { "ada@example.com.", NULL },
    { "ada@-example.com", NULL },
    { "ada@example-.com", NULL },
    { "ada@exam_ple.com", NULL },
    { ".ada@example.com", NULL },
    { "ada.@example.com", NULL },
    { "a..da@example.com", NULL },
    { "ada lovelace@example.com", NULL },
    { "\"ada lovelace\"@example.com", NULL },
    { "Ada <ada@example.com>", NULL },
    { "ada@example.com,eve@example.com", NULL },
    { "ada@example.com\r\nRCPT TO:<eve@example.com>", NULL },
    { "ada\xff@example.com", NULL },
    { LOCAL_64 "5@example.com", NULL },
    { "ada@" LABEL_63 "4.com", NULL },
    { LOCAL_64 "@" LABEL_63 "." LABEL_63 "." LABEL_63 ".com", NULL },
};

static void addresses_are_trimmed_checked_and_made_comparable(void **state)
{
    struct fan_arena *arena = fan_arena_new();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fan_bytes out = FAN_NO_BYTES;
        struct fan_why why;
        enum fan_err err = fan_email_normalise(fan_bytes_of(cases[i].raw), arena, &out, &why);

        if (err ? cases[i].address != NULL
                : !cases[i].address || !fan_bytes_eq_text(out, cases[i].address))
            fail_msg("%s: %s", cases[i].raw, err ? why.text : out.at);
    }
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_trimmed_checked_and_made_comparable),
    };

    return cmocka_run_group_tests_name("email", tests, NULL, NULL);
}

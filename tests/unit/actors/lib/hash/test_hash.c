/* actors/lib/hash/hash.c */
#include "actors/lib/hash/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_hex(const unsigned char *hash, size_t len, const char *hex)
{
    struct fan_buffer text;

    fan_buffer_init(&text, 256);
    fan_buffer_add_hex(&text, (struct fan_bytes){ (const char *)hash, len });
    assert_true(fan_bytes_eq_text(fan_buffer_bytes(&text), hex));
    fan_buffer_fini(&text);
}

/* FIPS 180-2 appendix B; RFC 2202 and RFC 4231, test case 2 */
static void hashes_are_those_of_the_standards(void **state)
{
    struct fan_bytes key = FAN_LIT("Jefe"), text = FAN_LIT("what do ya want for nothing?");
    unsigned char hash[FAN_SHA256_SIZE];

    fan_sha256(FAN_LIT("abc"), hash);
    assert_hex(hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    fan_hmac_sha1(key, text, hash);
    assert_hex(hash, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    fan_hmac_sha256(key, text, hash);
    assert_hex(hash, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    fan_hmac_sha256(FAN_NO_BYTES, FAN_NO_BYTES, hash);
    assert_hex(hash, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 2202 and RFC 4231, test case 6; and a key of just one block */
static void a_key_may_be_longer_than_a_block(void **state)
{
    struct fan_bytes text = FAN_LIT("Test Using Larger Than Block-Size Key - Hash Key First");
    unsigned char hash[FAN_SHA256_SIZE];
    char key[131];

    memset(key, '\xaa', sizeof key);
    fan_hmac_sha1((struct fan_bytes){ key, 80 }, text, hash);
    assert_hex(hash, 20, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    fan_hmac_sha1((struct fan_bytes){ key, 64 }, text, hash);
    assert_hex(hash, 20, "070a98992c4c1a83474cb780fc564608df3cf503");
    fan_hmac_sha256((struct fan_bytes){ key, 131 }, text, hash);
    assert_hex(hash, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void only_the_same_bytes_are_equal(void **state)
{
    assert_true(fan_constant_eq(FAN_LIT("abc"), FAN_LIT("abc")));
    assert_false(fan_constant_eq(FAN_LIT("abc"), FAN_LIT("abd")));
    assert_false(fan_constant_eq(FAN_LIT("abc"), FAN_LIT("ab")));
    assert_true(fan_constant_eq(FAN_LIT(""), FAN_LIT("")));
    assert_false(fan_constant_eq(FAN_NO_BYTES, FAN_NO_BYTES));
    assert_false(fan_constant_eq(FAN_NO_BYTES, FAN_LIT("")));
}

typedef bool reader(struct fan_bytes text, struct fan_buffer *out);

static void check(reader *read, const char *text, const char *expected)
{
    struct fan_buffer out;

    fan_buffer_init(&out, 256);
    fan_buffer_add_char(&out, '>');
    if (read(fan_bytes_of(text), &out) != (expected != NULL))
        fail_msg("\"%s\" is %s", text, expected ? "fine" : "wrong");
    if (expected) /* what was there stays, also after a failure */
        assert_true(fan_bytes_eq_text((struct fan_bytes){ out.at + 1, out.len - 1 }, expected));
    else
        assert_int_equal(out.len, 1);
    fan_buffer_fini(&out);
}

static void hexadecimal_is_read_in_both_cases(void **state)
{
    check(fan_hex_read, "", "");
    check(fan_hex_read, "414a4A", "AJJ");
    check(fan_hex_read, "414", NULL);
    check(fan_hex_read, "4g", NULL);
    check(fan_hex_read, "4142 ", NULL);
}

/* RFC 4648, section 10 */
static void base64_is_read_in_both_alphabets_padded_or_not(void **state)
{
    check(fan_base64_read, "", "");
    check(fan_base64_read, "Zg==", "f");
    check(fan_base64_read, "Zg", "f");
    check(fan_base64_read, "Zm8=", "fo");
    check(fan_base64_read, "Zm9v", "foo");
    check(fan_base64_read, "Zm9vYmFy", "foobar");
    check(fan_base64_read, "Pj4+Pz8/", ">>>???");
    check(fan_base64_read, "Pj4-Pz8_", ">>>???");
    check(fan_base64_read, "Z", NULL);
    check(fan_base64_read, "Zg=", NULL);
    check(fan_base64_read, "Zg===", NULL);
    check(fan_base64_read, "Zh==", NULL); /* bits behind the last byte */
    check(fan_base64_read, "Zm9v=", NULL);
    check(fan_base64_read, "Zm 9v", NULL);
}

static void base64url_has_neither_plus_nor_slash_nor_padding(void **state)
{
    struct fan_buffer out;

    fan_buffer_init(&out, 64);
    fan_buffer_add_text(&out, "+/=");
    fan_base64url_add(&out, FAN_LIT(">>>???f"));
    assert_true(fan_bytes_eq_text(fan_buffer_bytes(&out), "+/=Pj4-Pz8_Zg"));
    fan_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_standards),
        cmocka_unit_test(a_key_may_be_longer_than_a_block),
        cmocka_unit_test(only_the_same_bytes_are_equal),
        cmocka_unit_test(hexadecimal_is_read_in_both_cases),
        cmocka_unit_test(base64_is_read_in_both_alphabets_padded_or_not),
        cmocka_unit_test(base64url_has_neither_plus_nor_slash_nor_padding),
    };

    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}

/* actors/lib/seal/token.c */
#include "actors/lib/seal/token.h"
#include "folder.h"

#include <ctype.h>

static struct fan_token_key *load(const struct folder *folder)
{
    struct fan_token_key *key = NULL;

    assert_int_equal(fan_token_key_create(folder->keys, NULL), FAN_OK);
    assert_int_equal(fan_token_key_load(folder->keys, &key, NULL), FAN_OK);
    return key;
}

static void a_token_says_which_message_it_is(void **state)
{
    static const fan_id ids[] = { 1, 512, 1234567, (INT64_C(1) << 53) - 1 };
    struct fan_token_key *key = load(*state);
    char text[FAN_TOKEN_TEXT];

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct fan_bytes token = fan_token_write(key, ids[3 - i], ids[i], text);
        fan_id account = 0, message = 0;

        assert_int_equal(strlen(text), token.len);
        assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-"), token.len);
        assert_true(fan_token_read(key, token, &account, &message));
        assert_int_equal(account, ids[3 - i]);
        assert_int_equal(message, ids[i]);
    }
    fan_token_key_free(&key);
}

static void a_mail_server_may_fold_its_case(void **state)
{
    struct fan_token_key *key = load(*state);
    char text[FAN_TOKEN_TEXT];
    struct fan_bytes token = fan_token_write(key, 3, 1234, text);
    fan_id account, message;

    for (char *c = text; *c; c++)
        *c = (char)toupper(*c);
    assert_true(fan_token_read(key, token, &account, &message));
    fan_token_key_free(&key);
}

static void a_token_cannot_be_changed(void **state)
{
    struct fan_token_key *key = load(*state);
    char text[FAN_TOKEN_TEXT];
    struct fan_bytes token = fan_token_write(key, 13, 1234, text);
    fan_id account, message;

    for (size_t i = 0; i < token.len; i++) {
        char was = text[i];
        text[i] = was == '1' ? '2' : '1';
        assert_false(fan_token_read(key, token, &account, &message));
        text[i] = was;
    }
    for (size_t len = 0; len < token.len; len++)
        assert_false(fan_token_read(key, (struct fan_bytes){ text, len }, &account, &message));
    fan_token_key_free(&key);
}

static void what_is_no_token_is_not_read(void **state)
{
    static const char *const texts[] = { "", "-", "--", "1-2", "1-2-", "0-2-aaaaaaaaaaaaaaaa",
        "1-02-aaaaaaaaaaaaaaaa", "-1-2-aaaaaaaaaaaaaaaa", "1--2-aaaaaaaaaaaaaaaa",
        "1-99999999999999999999-aaaaaaaaaaaaaaaa", "a-b-aaaaaaaaaaaaaaaa" };
    struct fan_token_key *key = load(*state);
    fan_id account, message;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(fan_token_read(key, fan_bytes_of(texts[i]), &account, &message));
    assert_false(fan_token_read(key, FAN_NO_BYTES, &account, &message));
    fan_token_key_free(&key);
}

static void another_key_reads_nothing(void **state)
{
    struct folder *folder = *state;
    struct fan_token_key *key = load(folder), *other;
    char text[FAN_TOKEN_TEXT];
    struct fan_bytes token = fan_token_write(key, 3, 4, text);
    fan_id account, message;

    assert_int_equal(unlink(folder_path(folder, "token.key")), 0);
    other = load(folder);
    assert_false(fan_token_read(other, token, &account, &message));
    fan_token_key_free(&key);
    fan_token_key_free(&other);
}

/* ---- links to media ---- */

static void a_link_says_what_it_leads_to(void **state)
{
    struct fan_token_key *key = load(*state);
    struct fan_media_token token = { .account = (INT64_C(1) << 53) - 1,
        .media = (INT64_C(1) << 53) - 1,
        .expires = 32503680000,
        .type = 13 };
    char text[FAN_MEDIA_TOKEN_TEXT];
    struct fan_media_token read = { .type = 0 };
    struct fan_bytes written;

    for (size_t i = 0; i < sizeof(token.hash); i++)
        token.hash[i] = (unsigned char)(i * 37 + 250);
    written = fan_media_token_write(key, &token, text);
    assert_int_equal(strlen(text), written.len);
    assert_true(fan_media_token_read(key, written, &read));
    assert_int_equal(read.account, token.account);
    assert_int_equal(read.media, token.media);
    assert_int_equal(read.expires, token.expires);
    assert_int_equal(read.type, token.type);
    assert_memory_equal(read.hash, token.hash, sizeof(token.hash));
    fan_token_key_free(&key);
}

static void a_link_cannot_be_changed(void **state)
{
    struct fan_token_key *key = load(*state);
    const struct fan_media_token token = { 1, 2, 1800000000, 1, "hash" };
    char text[FAN_MEDIA_TOKEN_TEXT];
    struct fan_bytes written = fan_media_token_write(key, &token, text);
    struct fan_media_token read;

    for (size_t i = 0; i < written.len; i++) {
        char was = text[i];
        text[i] = was == '1' ? '2' : '1';
        assert_false(fan_media_token_read(key, written, &read));
        text[i] = was;
    }
    for (size_t len = 0; len < written.len; len++)
        assert_false(fan_media_token_read(key, (struct fan_bytes){ text, len }, &read));
    assert_false(fan_media_token_read(key, FAN_NO_BYTES, &read));
    memset(text, '.', sizeof(text));
    assert_false(fan_media_token_read(key, (struct fan_bytes){ text, sizeof(text) }, &read));
    fan_token_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(a_token_says_which_message_it_is),
        FOLDER_TEST(a_mail_server_may_fold_its_case),
        FOLDER_TEST(a_token_cannot_be_changed),
        FOLDER_TEST(a_link_says_what_it_leads_to),
        FOLDER_TEST(a_link_cannot_be_changed),
        FOLDER_TEST(what_is_no_token_is_not_read),
        FOLDER_TEST(another_key_reads_nothing),
    };

    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}

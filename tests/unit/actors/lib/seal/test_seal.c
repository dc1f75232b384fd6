/* actors/lib/seal/seal.c */
#include "actors/lib/seal/seal.h"
#include "folder.h"

struct keys {
    struct fan_seal_public public;
    struct fan_seal_secret *secret;
};

static struct keys load(const struct folder *folder)
{
    struct keys keys;

    assert_int_equal(fan_seal_keypair_create(folder->keys, "sender", NULL), FAN_OK);
    assert_int_equal(fan_seal_public_load(folder->keys, "sender", &keys.public, NULL), FAN_OK);
    assert_int_equal(fan_seal_secret_load(folder->keys, "sender", &keys.secret, NULL), FAN_OK);
    return keys;
}

static void what_is_sealed_opens_for_its_channel_only(void **state)
{
    struct keys keys = load(*state);
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes sealed, plain = FAN_LIT("{\"auth_token\":\"12345\"}"), opened;
    struct fan_buffer out;
    struct fan_why why;

    fan_buffer_init(&out, 4096);
    fan_seal(&keys.public, 3, 7, plain, &out);
    sealed = fan_buffer_bytes(&out);
    assert_null(memmem(sealed.at, sealed.len, "12345", 5));
    assert_int_equal(fan_unseal(keys.secret, 3, 7, sealed, arena, &opened, &why), FAN_OK);
    assert_true(fan_bytes_eq(opened, plain));
    assert_int_equal(fan_unseal(keys.secret, 4, 7, sealed, arena, &opened, &why), FAN_DENIED);
    assert_int_equal(fan_unseal(keys.secret, 3, 8, sealed, arena, &opened, &why), FAN_DENIED);
    fan_buffer_fini(&out);
    fan_arena_free(&arena);
    fan_seal_secret_free(&keys.secret);
    assert_null(keys.secret);
}

static void a_damaged_box_does_not_open(void **state)
{
    struct keys keys = load(*state);
    struct fan_arena *arena = fan_arena_new();
    struct fan_bytes opened;
    struct fan_buffer out;

    fan_buffer_init(&out, 4096);
    fan_seal(&keys.public, 1, 1, FAN_NO_BYTES, &out);
    assert_int_equal(fan_unseal(keys.secret, 1, 1, fan_buffer_bytes(&out), arena, &opened, NULL),
            FAN_OK);
    assert_int_equal(opened.len, 0);
    for (size_t i = 0; i < out.len; i++) {
        out.at[i] ^= 1;
        assert_int_equal(fan_unseal(keys.secret, 1, 1, fan_buffer_bytes(&out), arena, &opened,
                                 NULL),
                FAN_DENIED);
        out.at[i] ^= 1;
    }
    for (size_t len = 0; len < out.len; len++)
        assert_int_equal(fan_unseal(keys.secret, 1, 1, (struct fan_bytes){ out.at, len }, arena,
                                 &opened, NULL),
                FAN_DENIED);
    fan_buffer_fini(&out);
    fan_arena_free(&arena);
    fan_seal_secret_free(&keys.secret);
}

static void a_key_that_is_there_stays(void **state)
{
    struct keys first = load(*state), second = load(*state);

    assert_memory_equal(&first.public, &second.public, sizeof(first.public));
    fan_seal_secret_free(&first.secret);
    fan_seal_secret_free(&second.secret);
}

static void the_secret_key_is_its_owners(void **state)
{
    struct folder *folder = *state;
    struct keys keys = load(folder);
    struct fan_seal_secret *secret = NULL;
    struct fan_why why;
    struct stat file;

    assert_int_equal(stat(folder_path(folder, "sender.key"), &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(stat(folder->keys, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0700);
    assert_int_equal(chmod(folder_path(folder, "sender.key"), 0640), 0);
    assert_int_equal(fan_seal_secret_load(folder->keys, "sender", &secret, &why), FAN_DENIED);
    assert_null(secret);
    fan_seal_secret_free(&keys.secret);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_lost_public_key_is_made_again_a_lost_secret_key_is_not(void **state)
{
    struct folder *folder = *state;
    struct keys first = load(folder), second;
    struct fan_why why;

    assert_int_equal(unlink(folder_path(folder, "sender.pub")), 0);
    second = load(folder);
    assert_memory_equal(&first.public, &second.public, sizeof(first.public));
    assert_int_equal(unlink(folder_path(folder, "sender.key")), 0);
    assert_int_equal(fan_seal_keypair_create(folder->keys, "sender", &why), FAN_INVALID);
    fan_seal_secret_free(&first.secret);
    fan_seal_secret_free(&second.secret);
}

static void what_is_no_key_is_refused(void **state)
{
    static const char *const texts[] = { "", "\n", "not a key", "abcd\n",
        "0000000000000000000000000000000000000000000000000000000000000000ff\n",
        "0000000000000000000000000000000000000000000000000000000000000000 x\n" };
    struct folder *folder = *state;
    struct fan_seal_public public;
    struct fan_why why;

    assert_int_equal(fan_seal_public_load(folder->keys, "sender", &public, &why), FAN_NOT_FOUND);
    assert_int_equal(mkdir(folder->keys, 0700), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_file(folder_path(folder, "sender.pub"), texts[i]);
        assert_int_equal(fan_seal_public_load(folder->keys, "sender", &public, &why), FAN_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(what_is_sealed_opens_for_its_channel_only),
        FOLDER_TEST(a_damaged_box_does_not_open),
        FOLDER_TEST(a_key_that_is_there_stays),
        FOLDER_TEST(the_secret_key_is_its_owners),
        FOLDER_TEST(a_lost_public_key_is_made_again_a_lost_secret_key_is_not),
        FOLDER_TEST(what_is_no_key_is_refused),
    };

    return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}

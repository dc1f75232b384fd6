#include "actors/lib/seal/seal.h"

#include "actors/lib/seal/keyfile.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* What stands before the secret inside of the sealed box. */
enum {
    MARK_AT = 0,
    MARK = 4,
    ACCOUNT_AT = 4,
    CHANNEL_AT = 12,
    HEADER = 20, /* bytes; ids are big-endian */
    KEY_NAME = 64,
};

static const char mark[MARK] = "FSL1";

struct fan_seal_secret {
    unsigned char public[crypto_box_PUBLICKEYBYTES];
    unsigned char secret[crypto_box_SECRETKEYBYTES];
};

_Static_assert(FAN_SEAL_KEY_SIZE == crypto_box_PUBLICKEYBYTES, "the header says so");
_Static_assert(FAN_SEAL_KEY_SIZE == crypto_box_SECRETKEYBYTES, "the header says so");

static void begin_sodium(void)
{
    if (sodium_init() < 0)
        fan_die("libsodium cannot start: no source of random numbers");
}

static void file_name(char out[KEY_NAME], const char *reader, const char *ending)
{
    FAN_ASSERT(!strchr(reader, '/') && strlen(reader) < KEY_NAME - 8);
    snprintf(out, KEY_NAME, "%s.%s", reader, ending);
}

enum fan_err fan_seal_keypair_create(const char *dir, const char *reader, struct fan_why *why)
{
    char secret_name[KEY_NAME], public_name[KEY_NAME];
    struct fan_seal_secret pair;
    enum fan_err err;

    begin_sodium();
    file_name(secret_name, reader, "key");
    file_name(public_name, reader, "pub");
    /* The public key can always be told from the secret one, so a pair that was interrupted half
     * way is completed. */
    err = fan_keyfile_read(dir, secret_name, true, pair.secret, sizeof(pair.secret), why);
    if (err == FAN_NOT_FOUND) {
        if (fan_keyfile_there(dir, public_name))
            return fan_fail(why, FAN_INVALID, "%s/%s is there without its secret key", dir,
                    public_name);
        crypto_box_keypair(pair.public, pair.secret);
        err = fan_keyfile_write(dir, secret_name, true, pair.secret, sizeof(pair.secret), why);
        if (err == FAN_CONFLICT) /* another process was faster: its key holds */
            err = fan_keyfile_read(dir, secret_name, true, pair.secret, sizeof(pair.secret), why);
    }
    if (!err && !fan_keyfile_there(dir, public_name)) {
        crypto_scalarmult_base(pair.public, pair.secret);
        err = fan_keyfile_write(dir, public_name, false, pair.public, sizeof(pair.public), why);
    }
    sodium_memzero(&pair, sizeof(pair));
    return err == FAN_CONFLICT ? FAN_OK : err;
}

enum fan_err fan_seal_public_load(const char *dir, const char *reader, struct fan_seal_public *out,
        struct fan_why *why)
{
    char name[KEY_NAME];

    begin_sodium();
    file_name(name, reader, "pub");
    return fan_keyfile_read(dir, name, false, out->key, sizeof(out->key), why);
}

enum fan_err fan_seal_secret_load(const char *dir, const char *reader, struct fan_seal_secret **out,
        struct fan_why *why)
{
    struct fan_seal_secret *secret;
    char name[KEY_NAME];
    enum fan_err err;

    begin_sodium();
    file_name(name, reader, "key");
    secret = sodium_malloc(sizeof(*secret));
    if (!secret)
        fan_die("out of locked memory for a secret key");
    err = fan_keyfile_read(dir, name, true, secret->secret, sizeof(secret->secret), why);
    if (err) {
        sodium_free(secret);
        return err;
    }
    crypto_scalarmult_base(secret->public, secret->secret);
    sodium_mprotect_readonly(secret);
    *out = secret;
    return FAN_OK;
}

void fan_seal_secret_free(struct fan_seal_secret **secret)
{
    sodium_free(*secret);
    *secret = NULL;
}

static void write_id(unsigned char *at, fan_id id)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)((uint64_t)id >> (56 - 8 * i));
}

static void write_header(unsigned char header[HEADER], fan_id account, fan_id channel)
{
    memcpy(header + MARK_AT, mark, MARK);
    write_id(header + ACCOUNT_AT, account);
    write_id(header + CHANNEL_AT, channel);
}

void fan_seal(const struct fan_seal_public *key, fan_id account, fan_id channel,
        struct fan_bytes plain, struct fan_buffer *out)
{
    size_t len = HEADER + plain.len;
    char *to = fan_buffer_reserve(out, len + crypto_box_SEALBYTES);
    unsigned char *inner = sodium_malloc(len);

    if (!inner)
        fan_die("out of locked memory for a secret");
    write_header(inner, account, channel);
    if (plain.len)
        memcpy(inner + HEADER, plain.at, plain.len);
    if (to) {
        FAN_ASSERT(crypto_box_seal((unsigned char *)to, inner, len, key->key) == 0);
        fan_buffer_grew(out, len + crypto_box_SEALBYTES);
    }
    sodium_free(inner);
}

/* What is to be wiped when its arena is reset. */
struct opened {
    size_t len;
    unsigned char bytes[];
};

static void wipe(void *thing)
{
    struct opened *opened = thing;

    sodium_memzero(opened->bytes, opened->len);
}

enum fan_err fan_unseal(const struct fan_seal_secret *secret, fan_id account, fan_id channel,
        struct fan_bytes sealed, struct fan_arena *arena, struct fan_bytes *out,
        struct fan_why *why)
{
    unsigned char header[HEADER];
    struct opened *opened;

    if (sealed.len < HEADER + crypto_box_SEALBYTES)
        return fan_fail(why, FAN_DENIED, "a sealed secret is too short");
    opened = fan_arena_alloc(arena, sizeof(*opened) + sealed.len);
    opened->len = sealed.len - crypto_box_SEALBYTES;
    fan_arena_defer(arena, wipe, opened);
    if (crypto_box_seal_open(opened->bytes, (const unsigned char *)sealed.at, sealed.len,
                secret->public, secret->secret) != 0)
        return fan_fail(why, FAN_DENIED, "a secret is damaged, or was sealed for another key");
    write_header(header, account, channel);
    if (memcmp(header, opened->bytes, HEADER) != 0)
        return fan_fail(why, FAN_DENIED, "a secret was sealed for another channel");
    *out = (struct fan_bytes){ (const char *)opened->bytes + HEADER, opened->len - HEADER };
    return FAN_OK;
}

#include "actors/lib/seal/token.h"

#include "actors/lib/seal/keyfile.h"

#include <sodium.h>
#include <stdio.h>

enum {
    KEY = crypto_generichash_KEYBYTES,
    MAC = 10,      /* bytes of the hash that are told: 80 bits cannot be guessed over a network */
    MAC_TEXT = 16, /* digits of 5 bits */
    ID_TEXT = 16,  /* decimal digits of an id below 2^53 */
    DIGITS = 19,   /* of any 64-bit integer above 0 */
};

_Static_assert(2 * (DIGITS + 1) + MAC_TEXT < FAN_TOKEN_TEXT, "a token of any two ids has room");

static const char file[] = "token.key";

struct fan_token_key {
    unsigned char key[KEY];
};

static void begin_sodium(void)
{
    if (sodium_init() < 0)
        fan_die("libsodium cannot start: no source of random numbers");
}

enum fan_err fan_token_key_create(const char *dir, struct fan_why *why)
{
    unsigned char key[KEY];
    enum fan_err err;

    begin_sodium();
    if (fan_keyfile_there(dir, file))
        return FAN_OK;
    crypto_generichash_keygen(key);
    err = fan_keyfile_write(dir, file, true, key, sizeof(key), why);
    sodium_memzero(key, sizeof(key));
    return err == FAN_CONFLICT ? FAN_OK : err;
}

enum fan_err fan_token_key_load(const char *dir, struct fan_token_key **out, struct fan_why *why)
{
    struct fan_token_key *key;
    enum fan_err err;

    begin_sodium();
    key = sodium_malloc(sizeof(*key));
    if (!key)
        fan_die("out of locked memory for a key");
    err = fan_keyfile_read(dir, file, true, key->key, sizeof(key->key), why);
    if (err) {
        sodium_free(key);
        return err;
    }
    sodium_mprotect_readonly(key);
    *out = key;
    return FAN_OK;
}

void fan_token_key_free(struct fan_token_key **key)
{
    sodium_free(*key);
    *key = NULL;
}

/* The MAC of the ids as they stand in the token. */
static void write_mac(const struct fan_token_key *key, struct fan_bytes ids, char out[MAC_TEXT])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648 base32 */
    unsigned char hash[crypto_generichash_BYTES];
    uint64_t bits = 0;
    int n = 0;

    crypto_generichash(hash, sizeof(hash), (const unsigned char *)ids.at, ids.len, key->key,
            sizeof(key->key));
    for (int i = 0, held = 0; i < MAC; i++) {
        bits = bits << 8 | hash[i];
        for (held += 8; held >= 5; held -= 5)
            out[n++] = digits[bits >> (held - 5) & 31];
    }
    sodium_memzero(hash, sizeof(hash));
}

static char *write_id(fan_id id, char *to)
{
    char digits[DIGITS];
    size_t n = 0;

    FAN_ASSERT(id > 0);
    for (; id > 0; id /= 10)
        digits[n++] = (char)('0' + id % 10);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

struct fan_bytes fan_token_write(const struct fan_token_key *key, fan_id account, fan_id message,
        char out[FAN_TOKEN_TEXT])
{
    char *end = write_id(account, out);
    size_t len;

    *end++ = '-';
    end = write_id(message, end);
    *end++ = '-';
    len = (size_t)(end - out);
    write_mac(key, (struct fan_bytes){ out, len }, end);
    end[MAC_TEXT] = '\0';
    return (struct fan_bytes){ out, len + MAC_TEXT };
}

static bool read_id(struct fan_bytes text, fan_id *out)
{
    return text.len > 0 && text.len <= ID_TEXT && text.at[0] > '0' && fan_bytes_i64(text, out);
}

bool fan_token_read(const struct fan_token_key *key, struct fan_bytes token, fan_id *account,
        fan_id *message)
{
    struct fan_bytes rest, first, second;
    char given[MAC_TEXT], right[MAC_TEXT];
    fan_id account_id, message_id;

    rest = fan_bytes_split(token, '-', &first);
    rest = fan_bytes_split(rest, '-', &second);
    if (rest.len != MAC_TEXT || !read_id(first, &account_id) || !read_id(second, &message_id))
        return false;
    for (int i = 0; i < MAC_TEXT; i++)
        given[i] = rest.at[i] >= 'A' && rest.at[i] <= 'Z' ? (char)(rest.at[i] | 0x20) : rest.at[i];
    write_mac(key, (struct fan_bytes){ token.at, token.len - MAC_TEXT }, right);
    if (sodium_memcmp(given, right, MAC_TEXT) != 0)
        return false;
    *account = account_id;
    *message = message_id;
    return true;
}

/* ---- links to media ---- */

enum {
    MEDIA_MAC = 16,
    MEDIA_MAC_TEXT = 22,
    MEDIA_HASH_TEXT = 43,
    MEDIA_PARTS = 5, /* before the MAC */
    BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
};

/* The first byte keeps these MACs apart from those of messages. */
static void write_media_mac(const struct fan_token_key *key, struct fan_bytes text,
        char out[MEDIA_MAC_TEXT + 1])
{
    unsigned char mac[MEDIA_MAC];
    crypto_generichash_state state;

    crypto_generichash_init(&state, key->key, sizeof(key->key), sizeof(mac));
    crypto_generichash_update(&state, (const unsigned char *)"media:", 6);
    crypto_generichash_update(&state, (const unsigned char *)text.at, text.len);
    crypto_generichash_final(&state, mac, sizeof(mac));
    sodium_bin2base64(out, MEDIA_MAC_TEXT + 1, mac, sizeof(mac), BASE64);
}

struct fan_bytes fan_media_token_write(const struct fan_token_key *key,
        const struct fan_media_token *token, char out[FAN_MEDIA_TOKEN_TEXT])
{
    char hash[MEDIA_HASH_TEXT + 1], mac[MEDIA_MAC_TEXT + 1];
    int len;

    sodium_bin2base64(hash, sizeof(hash), token->hash, sizeof(token->hash), BASE64);
    len = snprintf(out, FAN_MEDIA_TOKEN_TEXT, "%lld.%lld.%lld.%u.%s", (long long)token->account,
            (long long)token->media, (long long)token->expires, token->type, hash);
    write_media_mac(key, (struct fan_bytes){ out, (size_t)len }, mac);
    len += snprintf(out + len, FAN_MEDIA_TOKEN_TEXT - (size_t)len, ".%s", mac);
    return (struct fan_bytes){ out, (size_t)len };
}

bool fan_media_token_read(const struct fan_token_key *key, struct fan_bytes text,
        struct fan_media_token *out)
{
    size_t signed_len = text.len - MEDIA_MAC_TEXT - 1, hash_len = 0;
    struct fan_bytes rest = text, part[MEDIA_PARTS];
    char right[MEDIA_MAC_TEXT + 1];
    int64_t type;

    if (text.len >= FAN_MEDIA_TOKEN_TEXT || text.len <= MEDIA_MAC_TEXT + MEDIA_HASH_TEXT ||
            text.at[signed_len] != '.')
        return false;
    write_media_mac(key, (struct fan_bytes){ text.at, signed_len }, right);
    if (sodium_memcmp(right, text.at + signed_len + 1, MEDIA_MAC_TEXT) != 0)
        return false;
    for (int i = 0; i < MEDIA_PARTS; i++)
        rest = fan_bytes_split(rest, '.', &part[i]);
    if (!read_id(part[0], &out->account) || !read_id(part[1], &out->media) ||
            !fan_bytes_i64(part[2], &out->expires) || !fan_bytes_i64(part[3], &type) || type < 1 ||
            type > INT32_MAX)
        return false;
    out->type = (uint32_t)type;
    return sodium_base642bin(out->hash, sizeof(out->hash), part[4].at, part[4].len, NULL, &hash_len,
                   NULL, BASE64) == 0 &&
            hash_len == sizeof(out->hash);
}

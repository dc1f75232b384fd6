#define OPENSSL_API_COMPAT 0x10100000L /* that of SHA1_Init and its like */

#include "actors/lib/hash/hash.h"

#include "proto/err.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

void fan_sha256(struct fan_bytes text, unsigned char out[FAN_SHA256_SIZE])
{
    FAN_ASSERT(EVP_Digest(text.at, text.len, out, NULL, EVP_sha256(), NULL) == 1);
}

/* ---- HMAC ---- */

/* RFC 2104 over OpenSSL's plain functions: through its EVP each call fetches, allocates and wipes,
 * 12,000 instructions around a hash of 4,000. */
enum { BLOCK = 64 /* bytes, of both hashes */ };

union state {
    SHA_CTX sha1;
    SHA256_CTX sha256;
};

static void begin(union state *state, size_t size)
{
    FAN_ASSERT((size == FAN_SHA1_SIZE ? SHA1_Init(&state->sha1) : SHA256_Init(&state->sha256)) ==
            1);
}

static void add(union state *state, size_t size, const void *at, size_t len)
{
    FAN_ASSERT((size == FAN_SHA1_SIZE ? SHA1_Update(&state->sha1, at, len)
                                      : SHA256_Update(&state->sha256, at, len)) == 1);
}

static void end(union state *state, size_t size, unsigned char *out)
{
    FAN_ASSERT((size == FAN_SHA1_SIZE ? SHA1_Final(out, &state->sha1)
                                      : SHA256_Final(out, &state->sha256)) == 1);
}

static void hash_behind(const unsigned char *key, unsigned char pad, const void *at, size_t len,
        size_t size, unsigned char *out)
{
    unsigned char block[BLOCK];
    union state state;

    for (size_t i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    begin(&state, size);
    add(&state, size, block, BLOCK);
    if (len)
        add(&state, size, at, len);
    end(&state, size, out);
    OPENSSL_cleanse(block, sizeof block);
}

static void hmac(struct fan_bytes key, struct fan_bytes text, size_t size, unsigned char *out)
{
    unsigned char block[BLOCK] = { 0 }, inner[FAN_SHA256_SIZE];
    union state state;

    if (key.len > BLOCK) {
        begin(&state, size);
        add(&state, size, key.at, key.len);
        end(&state, size, block);
    } else if (key.len) {
        memcpy(block, key.at, key.len);
    }
    hash_behind(block, 0x36, text.at, text.len, size, inner);
    hash_behind(block, 0x5c, inner, size, size, out);
    OPENSSL_cleanse(block, sizeof block);
}

void fan_hmac_sha1(struct fan_bytes key, struct fan_bytes text, unsigned char out[FAN_SHA1_SIZE])
{
    hmac(key, text, FAN_SHA1_SIZE, out);
}

void fan_hmac_sha256(struct fan_bytes key, struct fan_bytes text,
        unsigned char out[FAN_SHA256_SIZE])
{
    hmac(key, text, FAN_SHA256_SIZE, out);
}

bool fan_constant_eq(struct fan_bytes a, struct fan_bytes b)
{
    if (!a.at || !b.at || a.len != b.len)
        return false;
    return CRYPTO_memcmp(a.at, b.at, a.len) == 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool fan_hex_read(struct fan_bytes text, struct fan_buffer *out)
{
    char *to = fan_buffer_reserve(out, text.len / 2);

    if (text.len % 2 || !to)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.at[i]), low = hex_digit(text.at[i + 1]);

        if (high < 0 || low < 0)
            return false;
        to[i / 2] = (char)(high << 4 | low);
    }
    fan_buffer_grew(out, text.len / 2);
    return true;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* The text without its padding; absent when there is too much or too little of it. */
static struct fan_bytes unpadded(struct fan_bytes text)
{
    size_t len = text.len;

    while (len > 0 && text.len - len < 2 && text.at[len - 1] == '=')
        len--;
    if (len % 4 == 1 || (len != text.len && text.len % 4 != 0))
        return FAN_NO_BYTES;
    return (struct fan_bytes){ text.at ? text.at : "", len };
}

bool fan_base64_read(struct fan_bytes text, struct fan_buffer *out)
{
    struct fan_bytes digits = unpadded(text);
    size_t len = digits.len / 4 * 3 + digits.len % 4 * 3 / 4, n = 0;
    char *to = digits.at ? fan_buffer_reserve(out, len) : NULL;
    uint32_t bits = 0;

    if (!to)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = base64_digit(digits.at[i]);

        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            to[n++] = (char)(bits >> (6 - i % 4 * 2));
    }
    if (digits.len % 4 && bits & ((1u << digits.len % 4 * 6 % 8) - 1))
        return false; /* two texts must not mean the same bytes */
    fan_buffer_grew(out, len);
    return true;
}

void fan_base64url_add(struct fan_buffer *out, struct fan_bytes bytes)
{
    size_t before = out->len;

    fan_buffer_add_base64(out, bytes);
    if (out->overflowed)
        return;
    while (out->len > before && out->at[out->len - 1] == '=')
        out->len--;
    for (size_t i = before; i < out->len; i++)
        out->at[i] = out->at[i] == '+' ? '-' : out->at[i] == '/' ? '_' : out->at[i];
}

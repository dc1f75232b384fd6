#include "actors/lib/media/sign.h"

#include "proto/buffer.h"
#include "proto/err.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

enum { TEXT_CAP = 64 * 1024, HASH = crypto_auth_hmacsha256_BYTES };

static struct fan_buffer *buffer_new(struct fan_arena *arena)
{
    struct fan_buffer *buffer = fan_arena_alloc(arena, sizeof *buffer);

    fan_buffer_init(buffer, TEXT_CAP);
    return buffer;
}

/* What was written, in the arena. */
static struct fan_bytes finish(struct fan_buffer *buffer, struct fan_arena *arena)
{
    struct fan_bytes text;

    FAN_ASSERT(!buffer->overflowed);
    text = fan_bytes_dup(fan_buffer_bytes(buffer), arena);
    fan_buffer_fini(buffer);
    return text;
}

void fan_sign_date(fan_time at, char out[FAN_SIGN_DATE])
{
    time_t seconds = at / FAN_SECOND;
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(out, FAN_SIGN_DATE, "%Y%m%dT%H%M%SZ", &parts);
}

/* ---- the canonical form ---- */

struct fan_bytes fan_sign_path(struct fan_bytes path, struct fan_arena *arena)
{
    struct fan_buffer *out = buffer_new(arena);
    struct fan_bytes segment;

    while (path.at) {
        path = fan_bytes_split(path, '/', &segment);
        fan_buffer_add_percent(out, segment);
        if (path.at)
            fan_buffer_add_char(out, '/');
    }
    return finish(out, arena);
}

static struct fan_bytes percent(struct fan_bytes text, struct fan_arena *arena)
{
    struct fan_buffer *out = buffer_new(arena);

    fan_buffer_add_percent(out, text);
    return finish(out, arena);
}

static int compare_texts(struct fan_bytes a, struct fan_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct fan_sign_pair *first = a, *second = b;
    int order = compare_texts(first->name, second->name);

    return order ? order : compare_texts(first->value, second->value);
}

/* Encoded, and then in order: the order of what is encoded counts. */
static struct fan_bytes query_text(struct fan_sign_pairs query, struct fan_arena *arena)
{
    struct fan_sign_pair *pairs = fan_arena_array(arena, query.len + 1, sizeof *pairs);
    struct fan_buffer *out = buffer_new(arena);

    for (size_t i = 0; i < query.len; i++)
        pairs[i] = (struct fan_sign_pair){ percent(query.at[i].name, arena),
            percent(query.at[i].value, arena) };
    qsort(pairs, query.len, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < query.len; i++)
        fan_buffer_printf(out, "%s%.*s=%.*s", i ? "&" : "", FAN_BYTES_ARG(pairs[i].name),
                FAN_BYTES_ARG(pairs[i].value));
    return finish(out, arena);
}

static struct fan_bytes lower(struct fan_bytes text, struct fan_arena *arena)
{
    char *out = fan_arena_alloc(arena, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        out[i] = (char)tolower((unsigned char)text.at[i]);
    return (struct fan_bytes){ out, text.len };
}

/* Without spaces at the ends, and one where there are several. */
static struct fan_bytes collapse(struct fan_bytes text, struct fan_arena *arena)
{
    char *out = fan_arena_alloc(arena, text.len + 1);
    size_t len = 0;

    text = fan_bytes_trim(text);
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != ' ' || text.at[i - 1] != ' ')
            out[len++] = text.at[i];
    return (struct fan_bytes){ out, len };
}

/* The request's headers and the host's, in order. */
static struct fan_sign_pairs signed_headers(const struct fan_sign_request *request,
        struct fan_arena *arena)
{
    size_t len = request->headers.len;
    struct fan_sign_pair *pairs = fan_arena_array(arena, len + 1, sizeof *pairs);

    for (size_t i = 0; i < len; i++)
        pairs[i] = (struct fan_sign_pair){ lower(request->headers.at[i].name, arena),
            collapse(request->headers.at[i].value, arena) };
    pairs[len] = (struct fan_sign_pair){ FAN_LIT("host"), lower(request->host, arena) };
    qsort(pairs, len + 1, sizeof *pairs, compare_pairs);
    return (struct fan_sign_pairs){ pairs, len + 1 };
}

static void add_names(struct fan_buffer *out, struct fan_sign_pairs headers, const char *between)
{
    for (size_t i = 0; i < headers.len; i++)
        fan_buffer_printf(out, "%s%.*s", i ? between : "", FAN_BYTES_ARG(headers.at[i].name));
}

struct fan_bytes fan_sign_canonical(const struct fan_sign_request *request, struct fan_arena *arena)
{
    struct fan_sign_pairs headers = signed_headers(request, arena);
    struct fan_buffer *out = buffer_new(arena);

    fan_buffer_printf(out, "%.*s\n%.*s\n%.*s\n", FAN_BYTES_ARG(request->method),
            FAN_BYTES_ARG(fan_sign_path(request->path, arena)),
            FAN_BYTES_ARG(query_text(request->query, arena)));
    for (size_t i = 0; i < headers.len; i++)
        fan_buffer_printf(out, "%.*s:%.*s\n", FAN_BYTES_ARG(headers.at[i].name),
                FAN_BYTES_ARG(headers.at[i].value));
    fan_buffer_add_char(out, '\n');
    add_names(out, headers, ";");
    fan_buffer_printf(out, "\n%.*s", FAN_BYTES_ARG(request->payload));
    return finish(out, arena);
}

/* ---- the signature ---- */

static void hmac(const unsigned char *key, size_t key_len, struct fan_bytes text,
        unsigned char out[HASH])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.at, text.len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

static void signing_key(const struct fan_sign_key *key, struct fan_bytes day,
        unsigned char out[HASH])
{
    static const unsigned char prefix[] = { 'A', 'W', 'S', '4' };
    size_t len = key->secret.len + sizeof prefix;
    unsigned char *first = malloc(len);

    if (!first)
        fan_die("out of memory: a signature");
    memcpy(first, prefix, sizeof prefix);
    if (key->secret.len)
        memcpy(first + sizeof prefix, key->secret.at, key->secret.len);
    hmac(first, len, day, out);
    sodium_memzero(first, len);
    free(first);
    hmac(out, HASH, key->region, out);
    hmac(out, HASH, FAN_LIT("s3"), out);
    hmac(out, HASH, FAN_LIT("aws4_request"), out);
}

static void add_hash(struct fan_buffer *out, struct fan_bytes text)
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)text.at, text.len);
    fan_buffer_add_hex(out, (struct fan_bytes){ (const char *)hash, sizeof hash });
}

static struct fan_bytes scope_of(const struct fan_sign_key *key, const char *date,
        struct fan_arena *arena)
{
    return fan_bytes_of(fan_arena_printf(arena, "%.8s/%.*s/s3/aws4_request", date,
            FAN_BYTES_ARG(key->region)));
}

static void add_signature(struct fan_buffer *out, const struct fan_sign_key *key,
        const struct fan_sign_request *request, const char *date, struct fan_arena *arena)
{
    struct fan_buffer *text = buffer_new(arena);
    unsigned char mac[HASH];

    fan_buffer_printf(text, "AWS4-HMAC-SHA256\n%s\n%.*s\n", date,
            FAN_BYTES_ARG(scope_of(key, date, arena)));
    add_hash(text, fan_sign_canonical(request, arena));
    signing_key(key, (struct fan_bytes){ date, 8 }, mac);
    hmac(mac, HASH, fan_buffer_bytes(text), mac);
    fan_buffer_add_hex(out, (struct fan_bytes){ (const char *)mac, HASH });
    sodium_memzero(mac, HASH);
    fan_buffer_fini(text);
}

struct fan_bytes fan_sign_header(const struct fan_sign_key *key,
        const struct fan_sign_request *request, fan_time at, struct fan_arena *arena)
{
    size_t len = request->headers.len;
    struct fan_sign_pair *pairs = fan_arena_array(arena, len + 2, sizeof *pairs);
    struct fan_sign_request whole = *request;
    struct fan_buffer *out = buffer_new(arena);
    char date[FAN_SIGN_DATE];

    fan_sign_date(at, date);
    if (len)
        memcpy(pairs, request->headers.at, len * sizeof *pairs);
    pairs[len] = (struct fan_sign_pair){ FAN_LIT("x-amz-content-sha256"), request->payload };
    pairs[len + 1] = (struct fan_sign_pair){ FAN_LIT("x-amz-date"), fan_bytes_of(date) };
    whole.headers = (struct fan_sign_pairs){ pairs, len + 2 };
    fan_buffer_printf(out,
            "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=", FAN_BYTES_ARG(key->id),
            FAN_BYTES_ARG(scope_of(key, date, arena)));
    add_names(out, signed_headers(&whole, arena), ";");
    fan_buffer_add_text(out, ", Signature=");
    add_signature(out, key, &whole, date, arena);
    return finish(out, arena);
}

struct fan_bytes fan_sign_query(const struct fan_sign_key *key,
        const struct fan_sign_request *request, fan_time at, uint32_t expires_s,
        struct fan_arena *arena)
{
    enum { OURS = 5 };
    size_t len = request->query.len;
    struct fan_sign_pair *pairs = fan_arena_array(arena, len + OURS, sizeof *pairs);
    struct fan_sign_request whole = *request;
    struct fan_buffer *out = buffer_new(arena), *names = buffer_new(arena);
    char date[FAN_SIGN_DATE];

    fan_sign_date(at, date);
    add_names(names, signed_headers(request, arena), ";");
    if (len)
        memcpy(pairs, request->query.at, len * sizeof *pairs);
    pairs[len] = (struct fan_sign_pair){ FAN_LIT("X-Amz-Algorithm"), FAN_LIT("AWS4-HMAC-SHA256") };
    pairs[len + 1] = (struct fan_sign_pair){ FAN_LIT("X-Amz-Credential"),
        fan_bytes_of(fan_arena_printf(arena, "%.*s/%.*s", FAN_BYTES_ARG(key->id),
                FAN_BYTES_ARG(scope_of(key, date, arena)))) };
    pairs[len + 2] = (struct fan_sign_pair){ FAN_LIT("X-Amz-Date"), fan_bytes_of(date) };
    pairs[len + 3] = (struct fan_sign_pair){ FAN_LIT("X-Amz-Expires"),
        fan_bytes_of(fan_arena_printf(arena, "%u", expires_s)) };
    pairs[len + 4] = (struct fan_sign_pair){ FAN_LIT("X-Amz-SignedHeaders"), finish(names, arena) };
    whole.query = (struct fan_sign_pairs){ pairs, len + OURS };
    fan_buffer_add_bytes(out, query_text(whole.query, arena));
    fan_buffer_add_text(out, "&X-Amz-Signature=");
    add_signature(out, key, &whole, date, arena);
    return finish(out, arena);
}

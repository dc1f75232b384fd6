#include "actors/lib/driver/twilio_sign.h"

#include "actors/lib/driver/driver.h"
#include "actors/lib/hash/hash.h"

#include <stdlib.h>

static int compare(struct fan_bytes a, struct fan_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_fields(const void *a, const void *b)
{
    const struct fan_form_field *x = a, *y = b;
    int order = compare(x->name, y->name);

    return order ? order : compare(x->value, y->value);
}

/* What follows the URL: name and value of every field, sorted; a value that a name repeats counts
 * once. */
static struct fan_bytes sorted_fields(const struct fan_form *form, struct fan_arena *arena)
{
    struct fan_buffer *text = fan_arena_buffer(arena, FAN_REQUEST_CAP);
    size_t count = form ? form->len : 0;
    struct fan_form_field *sorted = fan_arena_array(arena, count, sizeof *sorted);

    if (count == 0)
        return FAN_NO_BYTES;
    memcpy(sorted, form->at, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_fields);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_fields(&sorted[i - 1], &sorted[i]) == 0)
            continue;
        fan_buffer_add_bytes(text, sorted[i].name);
        fan_buffer_add_bytes(text, sorted[i].value);
    }
    return fan_buffer_bytes(text);
}

static struct fan_bytes sign(struct fan_bytes auth_token, struct fan_bytes url,
        struct fan_bytes fields, struct fan_arena *arena)
{
    struct fan_buffer *signed_text = fan_arena_buffer(arena, FAN_REQUEST_CAP);
    struct fan_buffer *out = fan_arena_buffer(arena, 64);
    unsigned char mac[FAN_SHA1_SIZE];

    fan_buffer_add_bytes(signed_text, url);
    fan_buffer_add_bytes(signed_text, fields);
    fan_hmac_sha1(auth_token, fan_buffer_bytes(signed_text), mac);
    fan_buffer_add_base64(out, (struct fan_bytes){ (const char *)mac, sizeof mac });
    return fan_buffer_bytes(out);
}

struct fan_bytes fan_twilio_sign(struct fan_bytes auth_token, struct fan_bytes url,
        const struct fan_form *form, struct fan_arena *arena)
{
    return sign(auth_token, url, sorted_fields(form, arena), arena);
}

/* A URL in parts, so that each can be written in another way. */
struct url {
    struct fan_bytes scheme;    /* "https" */
    struct fan_bytes authority; /* with user and host, without port */
    struct fan_bytes port;      /* absent: none was written */
    struct fan_bytes path;      /* with its '/' */
    struct fan_bytes query;     /* without '?'; absent: none */
};

static struct url split_url(struct fan_bytes text)
{
    struct url url = { 0 };
    struct fan_bytes rest = fan_bytes_split(text, ':', &url.scheme);
    size_t end = 0, colon;

    if (fan_bytes_starts(rest, FAN_LIT("//")))
        rest.at += 2, rest.len -= 2;
    while (end < rest.len && !strchr("/?", rest.at[end]))
        end++;
    url.authority = (struct fan_bytes){ rest.at, end };
    for (colon = end; colon > 0 && rest.at[colon - 1] >= '0' && rest.at[colon - 1] <= '9';)
        colon--;
    if (colon > 0 && colon < end && rest.at[colon - 1] == ':') {
        url.port = (struct fan_bytes){ rest.at + colon, end - colon };
        url.authority.len = colon - 1;
    }
    if (end < rest.len)
        url.query = fan_bytes_split((struct fan_bytes){ rest.at + end, rest.len - end }, '?',
                &url.path);
    return url;
}

static struct fan_bytes default_port(const struct url *url)
{
    return fan_bytes_eq_text(url->scheme, "http") ? FAN_LIT("80") : FAN_LIT("443");
}

/* Apostrophes as browsers and Twilio write them in queries. */
static struct fan_bytes with_quoted_apostrophes(struct fan_bytes query, struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, FAN_REQUEST_CAP);

    for (size_t i = 0; i < query.len; i++) {
        if (query.at[i] == '\'')
            fan_buffer_add_text(out, "%27");
        else
            fan_buffer_add_char(out, query.at[i]);
    }
    return fan_buffer_bytes(out);
}

/* The query decoded and encoded again, which older senders signed. */
static struct fan_bytes written_anew(struct fan_bytes query, struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, FAN_REQUEST_CAP);
    struct fan_form form;

    if (!fan_form_read(query, arena, &form))
        return query;
    for (size_t i = 0; i < form.len; i++) {
        if (i > 0)
            fan_buffer_add_char(out, '&');
        fan_buffer_add_percent(out, form.at[i].name);
        fan_buffer_add_char(out, '=');
        fan_buffer_add_percent(out, form.at[i].value);
    }
    return fan_buffer_bytes(out);
}

static struct fan_bytes join(const struct url *url, struct fan_bytes port, struct fan_bytes query,
        struct fan_arena *arena)
{
    return fan_bytes_of(fan_arena_printf(arena, "%.*s://%.*s%s%.*s%.*s%s%.*s",
            FAN_BYTES_ARG(url->scheme), FAN_BYTES_ARG(url->authority), port.at ? ":" : "",
            FAN_BYTES_ARG(port), FAN_BYTES_ARG(url->path), query.at ? "?" : "",
            FAN_BYTES_ARG(query)));
}

static struct fan_bytes written(struct fan_bytes query, int way, struct fan_arena *arena)
{
    return way == 0    ? query
            : way == 1 ? with_quoted_apostrophes(query, arena)
                       : written_anew(query, arena);
}

/* Whether one of the ways to write the URL, followed by @fields, has this signature. The way it
 * came is tried first, and none twice. */
static bool any_form_signed(const struct url *url, struct fan_bytes fields,
        struct fan_bytes auth_token, struct fan_bytes signature, struct fan_arena *arena)
{
    struct fan_bytes other = url->port.at ? FAN_NO_BYTES : default_port(url);
    int ways = url->query.at ? 3 : 1;

    for (int way = 0; way < ways; way++) {
        struct fan_bytes query = written(url->query, way, arena);

        if (way > 0 && fan_bytes_eq(query, url->query))
            continue;
        for (int i = 0; i < 2; i++) {
            struct fan_bytes text = join(url, i == 0 ? url->port : other, query, arena);

            if (fan_constant_eq(sign(auth_token, text, fields, arena), signature))
                return true;
        }
    }
    return false;
}

static bool body_has_hash(struct fan_bytes body, struct fan_bytes hex, struct fan_arena *arena)
{
    struct fan_buffer *out = fan_arena_buffer(arena, 2 * FAN_SHA256_SIZE);
    unsigned char hash[FAN_SHA256_SIZE];

    fan_sha256(body, hash);
    fan_buffer_add_hex(out, (struct fan_bytes){ (const char *)hash, sizeof hash });
    return fan_bytes_eq_nocase(fan_buffer_bytes(out), hex);
}

bool fan_twilio_signed(const struct fan_hook *hook, struct fan_bytes auth_token,
        struct fan_bytes signature, struct fan_arena *arena)
{
    struct fan_form form, query;
    struct url url;
    struct fan_bytes text, hash;

    (void)fan_bytes_split(hook->url, '#', &text);
    url = split_url(text);
    if (!fan_form_read(url.query, arena, &query))
        return false;
    hash = fan_form_get(&query, "bodySHA256");
    if (hash.at)
        return body_has_hash(hook->body, hash, arena) &&
                any_form_signed(&url, FAN_NO_BYTES, auth_token, signature, arena);
    if (!fan_bytes_eq_text(hook->method, "POST"))
        return any_form_signed(&url, FAN_NO_BYTES, auth_token, signature, arena);
    return fan_form_read(hook->body, arena, &form) &&
            any_form_signed(&url, sorted_fields(&form, arena), auth_token, signature, arena);
}

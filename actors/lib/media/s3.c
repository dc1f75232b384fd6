/* Objects of a bucket. Every request is signed by us; paths name the bucket, so that the endpoint
 * needs no name of its own for each. */
#include "actors/lib/media/sign.h"
#include "actors/lib/media/store.h"
#include "broker/runtime/clock.h"
#include "broker/runtime/http_client.h"
#include "proto/buffer.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    CONNECTIONS = 8,
    ANSWER_CAP = 128 * 1024 * 1024, /* bytes: more than the largest kind may have */
    TOTAL_MS = 120000,
    HEADERS = 5,
    CODE_MOST = 64,
};

struct s3 {
    struct fan_arena *arena;
    struct fan_http_client *client;
    struct fan_bytes endpoint; /* without a slash at its end */
    struct fan_bytes host;     /* with the port, if it has one */
    struct fan_bytes bucket;
    struct fan_sign_key key;
};

#define EMPTY_HASH FAN_LIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

/* ---- settings ---- */

/* "https://host[:port]", nothing behind it; the host is out. */
static bool read_endpoint(struct fan_bytes url, struct fan_bytes *endpoint, struct fan_bytes *host)
{
    bool https = fan_bytes_starts(url, FAN_LIT("https://"));
    size_t scheme = https ? 8 : 7;

    if (!https && !fan_bytes_starts(url, FAN_LIT("http://")))
        return false;
    if (fan_bytes_ends(url, FAN_LIT("/")))
        url.len--;
    if (url.len <= scheme)
        return false;
    *endpoint = url;
    *host = (struct fan_bytes){ url.at + scheme, url.len - scheme };
    for (size_t i = 0; i < host->len; i++)
        if (!isalnum((unsigned char)host->at[i]) && !strchr(".-:[]", host->at[i]))
            return false;
    return true;
}

static bool is_word(const char *text, const char *others, size_t least, size_t most)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
                !strchr(others, text[i]))
            return false;
    return len >= least && len <= most;
}

enum fan_err media_s3_check(const struct fan_common_settings *common, struct fan_why *why)
{
    struct fan_bytes endpoint, host;

    if (!read_endpoint(fan_bytes_of(common->media_s3_endpoint), &endpoint, &host))
        return fan_fail_field(why, FAN_INVALID, "media_s3_endpoint",
                "media_s3_endpoint is \"%s\": it must be an address without a path, such as "
                "https://s3.eu-central-1.amazonaws.com",
                common->media_s3_endpoint);
    if (!is_word(common->media_s3_bucket, ".-", 3, 63))
        return fan_fail_field(why, FAN_INVALID, "media_s3_bucket",
                "media_s3_bucket is \"%s\": it must have 3 to 63 lower-case letters, digits, dots "
                "and hyphens",
                common->media_s3_bucket);
    if (!is_word(common->media_s3_region, "-", 1, 32))
        return fan_fail_field(why, FAN_INVALID, "media_s3_region",
                "media_s3_region is \"%s\": it must be a name such as us-east-1",
                common->media_s3_region);
    if (!common->media_s3_key[0])
        return fan_fail_field(why, FAN_INVALID, "media_s3_key",
                "media_s3_key is empty: it must be the access key's id");
    if (!common->media_s3_secret[0])
        return fan_fail_field(why, FAN_INVALID, "media_s3_secret",
                "media_s3_secret is empty: it must be the access key's secret");
    return FAN_OK;
}

static struct fan_bytes copy(struct fan_arena *arena, const char *text)
{
    return fan_bytes_dup(fan_bytes_of(text), arena);
}

void media_s3_open(struct fan_media *media, const struct fan_common_settings *common)
{
    const struct fan_http_client_options options = { .connections = CONNECTIONS,
        .answer_cap = ANSWER_CAP };
    struct fan_arena *arena = fan_arena_new();
    struct s3 *s3 = fan_arena_alloc(arena, sizeof *s3);

    *s3 = (struct s3){
        .arena = arena,
        .client = fan_http_client_new(media->loop, &options),
        .bucket = copy(arena, common->media_s3_bucket),
        .key = { copy(arena, common->media_s3_key), copy(arena, common->media_s3_secret),
                copy(arena, common->media_s3_region) },
    };
    FAN_ASSERT(read_endpoint(copy(arena, common->media_s3_endpoint), &s3->endpoint, &s3->host));
    if (asprintf(&media->place, "bucket %s at %.*s", common->media_s3_bucket,
                FAN_BYTES_ARG(s3->endpoint)) < 0)
        fan_die("out of memory: the media store");
    media->s3 = s3;
    media->store = &media_s3;
}

static void close_s3(struct fan_media *media)
{
    struct fan_arena *arena = media->s3->arena;

    fan_http_client_free(&media->s3->client);
    sodium_memzero((void *)(uintptr_t)media->s3->key.secret.at, media->s3->key.secret.len);
    fan_arena_free(&arena);
    media->s3 = NULL;
}

/* ---- requests ---- */

static struct fan_sign_request request_of(const struct s3 *s3, const char *method,
        struct fan_bytes key, struct fan_arena *arena)
{
    return (struct fan_sign_request){
        .method = fan_bytes_of(method),
        .host = s3->host,
        .path = fan_bytes_of(fan_arena_printf(arena, "/%.*s/%.*s", FAN_BYTES_ARG(s3->bucket),
                FAN_BYTES_ARG(key))),
        .payload = EMPTY_HASH,
    };
}

static struct fan_bytes url_of(const struct s3 *s3, const struct fan_sign_request *request,
        struct fan_arena *arena)
{
    return fan_bytes_of(fan_arena_printf(arena, "%.*s%.*s", FAN_BYTES_ARG(s3->endpoint),
            FAN_BYTES_ARG(fan_sign_path(request->path, arena))));
}

struct fan_bytes media_s3_link(const struct fan_media *media, struct fan_bytes key, fan_time now,
        uint32_t expires_s, struct fan_arena *arena)
{
    const struct s3 *s3 = media->s3;
    struct fan_sign_request request = request_of(s3, "GET", key, arena);

    request.payload = FAN_SIGN_UNSIGNED;
    return fan_bytes_of(fan_arena_printf(arena, "%.*s?%.*s",
            FAN_BYTES_ARG(url_of(s3, &request, arena)),
            FAN_BYTES_ARG(fan_sign_query(&s3->key, &request, now, expires_s, arena))));
}

static struct fan_bytes line(struct fan_arena *arena, const char *name, struct fan_bytes value)
{
    return fan_bytes_of(fan_arena_printf(arena, "%s: %.*s", name, FAN_BYTES_ARG(value)));
}

static void send(struct media_job *job, const struct fan_sign_request *request, fan_http_done *done)
{
    const struct s3 *s3 = job->media->s3;
    fan_time now = fan_clock_now();
    struct fan_bytes *headers = fan_arena_array(job->arena, HEADERS, sizeof *headers);
    struct fan_http_call call = { .method = request->method,
        .url = url_of(s3, request, job->arena),
        .headers = headers,
        .body = job->body,
        .total_ms = TOTAL_MS };
    char date[FAN_SIGN_DATE];

    fan_sign_date(now, date);
    headers[call.headers_len++] = line(job->arena, "x-amz-content-sha256", request->payload);
    headers[call.headers_len++] = line(job->arena, "x-amz-date", fan_bytes_of(date));
    headers[call.headers_len++] =
            line(job->arena, "Authorization", fan_sign_header(&s3->key, request, now, job->arena));
    for (size_t i = 0; i < request->headers.len; i++)
        headers[call.headers_len++] =
                line(job->arena, fan_bytes_cstr(request->headers.at[i].name, job->arena),
                        request->headers.at[i].value);
    FAN_ASSERT(call.headers_len <= HEADERS);
    fan_http_send(s3->client, &call, NULL, done, job);
}

/* ---- answers ---- */

/* "SignatureDoesNotMatch" of an XML error; "" when it has none that is a word. */
static const char *code_of(const struct fan_http_reply *reply, struct fan_arena *arena)
{
    const char *begin =
            reply->body.len ? memmem(reply->body.at, reply->body.len, "<Code>", 6) : NULL;
    size_t len = 0, rest;

    if (!begin)
        return "";
    begin += 6;
    rest = reply->body.len - (size_t)(begin - reply->body.at);
    while (len < rest && len < CODE_MOST && isalnum((unsigned char)begin[len]))
        len++;
    return fan_bytes_cstr((struct fan_bytes){ begin, len }, arena);
}

static enum fan_err judge(struct media_job *job, const struct fan_http_reply *reply)
{
    const char *code;

    if (!reply->complete)
        return fan_fail(&job->why, reply->began ? FAN_UNCERTAIN : FAN_UNAVAILABLE,
                "the media storage does not answer: %s", reply->error);
    if (reply->status >= 200 && reply->status < 300)
        return FAN_OK;
    code = code_of(reply, job->arena);
    if (reply->status == 404 && strcmp(code, "NoSuchBucket") != 0)
        return fan_fail(&job->why, FAN_NOT_FOUND, "the object is not in the media storage");
    if (reply->status < 500 && reply->status != 408 && reply->status != 429)
        return fan_fail(&job->why, FAN_DENIED, "the media storage refuses: status %d%s%s",
                reply->status, code[0] ? ", " : "", code);
    return fan_fail(&job->why, FAN_UNAVAILABLE, "the media storage fails: status %d%s%s",
            reply->status, code[0] ? ", " : "", code);
}

static void on_done(void *context, const struct fan_http_reply *reply)
{
    struct media_job *job = context;

    job->err = judge(job, reply);
    media_job_over(job);
}

static void on_removed(void *context, const struct fan_http_reply *reply)
{
    struct media_job *job = context;

    job->err = judge(job, reply);
    if (job->err == FAN_NOT_FOUND)
        job->err = FAN_OK;
    media_job_over(job);
}

static void on_got(void *context, const struct fan_http_reply *reply)
{
    struct media_job *job = context;

    job->err = judge(job, reply);
    if (!job->err && reply->body.len) {
        job->bytes = malloc(reply->body.len);
        if (!job->bytes)
            fan_die("out of memory: an object of %zu bytes", reply->body.len);
        memcpy(job->bytes, reply->body.at, reply->body.len);
        job->len = reply->body.len;
    }
    media_job_over(job);
}

/* ---- operations ---- */

static void unmap(void *context)
{
    struct fan_bytes *body = context;

    munmap((void *)(uintptr_t)body->at, body->len);
}

static void keep(struct media_job *job, struct fan_bytes key)
{
    const struct fan_media_object *object = &job->incoming->object;
    struct fan_sign_request request = request_of(job->media->s3, "PUT", key, job->arena);
    struct fan_sign_pair *type = fan_arena_alloc(job->arena, sizeof *type);
    char *hash = fan_arena_alloc(job->arena, 2 * FAN_MEDIA_HASH + 1);
    void *at = mmap(NULL, (size_t)object->bytes, PROT_READ, MAP_PRIVATE, job->incoming->fd, 0);

    if (at == MAP_FAILED) {
        job->err = media_disk_failed(&job->why, "read");
        media_job_over(job);
        return;
    }
    job->body = (struct fan_bytes){ at, (size_t)object->bytes };
    fan_arena_defer(job->arena, unmap, &job->body);
    sodium_bin2hex(hash, 2 * FAN_MEDIA_HASH + 1, object->hash, FAN_MEDIA_HASH);
    *type = (struct fan_sign_pair){ FAN_LIT("Content-Type"),
        fan_bytes_of(fan_media_rule_of(object->type)->mime) };
    request.headers = (struct fan_sign_pairs){ type, 1 };
    request.payload = fan_bytes_of(hash);
    send(job, &request, on_done);
}

static void get(struct media_job *job, struct fan_bytes key)
{
    struct fan_sign_request request = request_of(job->media->s3, "GET", key, job->arena);

    send(job, &request, on_got);
}

static void exists(struct media_job *job, struct fan_bytes key)
{
    struct fan_sign_request request = request_of(job->media->s3, "HEAD", key, job->arena);

    send(job, &request, on_done);
}

static void remove_object(struct media_job *job, struct fan_bytes key)
{
    struct fan_sign_request request = request_of(job->media->s3, "DELETE", key, job->arena);

    send(job, &request, on_removed);
}

const struct media_store media_s3 = {
    .keep = keep,
    .get = get,
    .exists = exists,
    .remove = remove_object,
    .close = close_s3,
};

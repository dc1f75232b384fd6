/*
 * GET and HEAD /media/<token>/<name>: pictures, sounds and documents for whoever has the link.
 *
 * All that is needed stands in the token, whose MAC is ours: no row is read. A link that is wrong
 * or has expired is answered before anything is looked for, and like one whose object is gone.
 */
#include "actors/ingester/ingester.h"

#include "actors/lib/media/media.h"

#include <unistd.h>

enum { REDIRECT_S = 600, CACHE_MOST_S = 30 * 24 * 3600 };

struct range {
    int64_t first, len;
};

static void nothing(struct fan_http_request *request)
{
    fan_http_add_header(request, "Cache-Control", "no-store");
    fan_http_answer(request, 404, "text/plain; charset=utf-8", FAN_LIT("There is nothing here.\n"));
}

/* What the link says, when it is one of ours and may still be used; @left_s: for how long. */
static bool read_link(const struct ingester *self, struct fan_bytes path,
        struct fan_media_token *token, struct fan_media_object *object, int64_t *left_s)
{
    struct fan_bytes text;

    fan_bytes_split(path, '/', &text);
    if (!fan_media_token_read(self->tokens, text, token) || token->type >= FAN_MEDIA_TYPE_COUNT)
        return false;
    *left_s = token->expires - fan_clock_now() / FAN_SECOND;
    *object = (struct fan_media_object){ .type = (enum fan_media_type)token->type };
    memcpy(object->hash, token->hash, sizeof object->hash);
    return *left_s > 0;
}

/* ---- parts of a file ---- */

static bool read_number(struct fan_bytes text, int64_t *out)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return text.len > 0 && text.len < 18 && fan_bytes_i64(text, out);
}

/*
 * source  RFC 9110, section 14: one range; several, or anything else, are as good as none
 *
 * Returns false when there is no such part of the file.
 */
static bool read_range(struct fan_bytes header, int64_t bytes, struct range *out, bool *found)
{
    struct fan_bytes unit, first, last = fan_bytes_split(header, '=', &unit);
    int64_t from, to = bytes - 1;

    *found = false;
    if (!last.at || !fan_bytes_eq_text(unit, "bytes"))
        return true;
    last = fan_bytes_split(last, '-', &first);
    if (!last.at || (!first.len && !last.len) || (last.len && !read_number(last, &to)) ||
            (first.len && !read_number(first, &from)))
        return true;
    if (!first.len) { /* so many at the end */
        from = to < bytes ? bytes - to : 0;
        to = from < bytes ? bytes - 1 : -1;
    } else if (last.len && to < from) {
        return true;
    }
    if (from >= bytes || to < from)
        return false;
    *found = true;
    *out = (struct range){ from, (to < bytes ? to : bytes - 1) - from + 1 };
    return true;
}

/* ---- the answer ---- */

static const char *etag_of(const struct fan_media_object *object, struct fan_arena *arena)
{
    struct fan_buffer hex;
    const char *tag;

    fan_buffer_init(&hex, 64);
    fan_buffer_add_hex(&hex, (struct fan_bytes){ (const char *)object->hash, 16 });
    tag = fan_arena_printf(arena, "\"%.*s\"", FAN_BYTES_ARG(fan_buffer_bytes(&hex)));
    fan_buffer_fini(&hex);
    return tag;
}

static void add_headers(struct fan_http_request *request, const char *etag, int64_t left_s)
{
    struct fan_arena *arena = fan_http_arena(request);

    fan_http_add_header(request, "ETag", etag);
    fan_http_add_header(request, "Cache-Control",
            fan_arena_printf(arena, "public, max-age=%lld, immutable",
                    (long long)(left_s < CACHE_MOST_S ? left_s : CACHE_MOST_S)));
    fan_http_add_header(request, "X-Content-Type-Options", "nosniff");
    fan_http_add_header(request, "Content-Security-Policy", "default-src 'none'; sandbox");
    fan_http_add_header(request, "Accept-Ranges", "bytes");
}

static void answer_file(struct fan_http_request *request, const struct fan_media_object *object,
        const char *etag, int fd, int64_t bytes)
{
    struct fan_bytes wanted = fan_http_header(request, "Range");
    struct fan_bytes condition = fan_http_header(request, "If-Range");
    struct fan_arena *arena = fan_http_arena(request);
    struct range range = { 0, bytes };
    bool part = false;

    if (condition.at && !fan_bytes_eq_text(condition, etag))
        wanted = FAN_NO_BYTES;
    if (wanted.at && !read_range(wanted, bytes, &range, &part)) {
        close(fd);
        fan_http_add_header(request, "Content-Range",
                fan_arena_printf(arena, "bytes */%lld", (long long)bytes));
        fan_http_answer(request, 416, NULL, FAN_NO_BYTES);
        return;
    }
    if (part)
        fan_http_add_header(request, "Content-Range",
                fan_arena_printf(arena, "bytes %lld-%lld/%lld", (long long)range.first,
                        (long long)(range.first + range.len - 1), (long long)bytes));
    fan_http_answer_file(request, part ? 206 : 200, fan_media_rule_of(object->type)->mime, fd,
            (uint64_t)range.first, (uint64_t)range.len);
}

/* The storage's link ends no later than ours, and is not kept for longer than it works. */
static void redirect(struct ingester *self, struct fan_http_request *request, fan_id account,
        const struct fan_media_object *object, int64_t left_s)
{
    struct fan_arena *arena = fan_http_arena(request);
    uint32_t lasts_s = (uint32_t)(left_s < REDIRECT_S ? left_s : REDIRECT_S);
    struct fan_bytes url =
            fan_media_link(self->media, account, object, fan_clock_now(), lasts_s, arena);

    fan_http_add_header(request, "Location", fan_bytes_cstr(url, arena));
    fan_http_add_header(request, "Cache-Control",
            fan_arena_printf(arena, "private, max-age=%u", lasts_s / 2));
    fan_http_answer(request, 302, NULL, FAN_NO_BYTES);
}

void media_serve(struct ingester *self, struct fan_http_request *request, struct fan_bytes path)
{
    struct fan_media_token token;
    struct fan_media_object object;
    struct fan_why why = { 0 };
    int64_t left_s, bytes;
    const char *etag;
    enum fan_err err;
    int fd;

    if (!read_link(self, path, &token, &object, &left_s)) {
        nothing(request);
        return;
    }
    if (!fan_bytes_eq_text(fan_http_method(request), "GET") &&
            !fan_bytes_eq_text(fan_http_method(request), "HEAD")) {
        fan_http_add_header(request, "Allow", "GET, HEAD");
        fan_http_answer(request, 405, NULL, FAN_NO_BYTES);
        return;
    }
    if (!fan_media_is_folder(self->media)) {
        redirect(self, request, token.account, &object, left_s);
        return;
    }
    err = fan_media_file(self->media, token.account, &object, &fd, &bytes, &why);
    if (err == FAN_NOT_FOUND) {
        nothing(request);
        return;
    }
    if (err) {
        fan_log(NULL, FAN_WARN, "media.unreadable", "%s", why.text);
        fan_http_add_header(request, "Retry-After", "30");
        fan_http_answer(request, 503, NULL, FAN_NO_BYTES);
        return;
    }
    etag = etag_of(&object, fan_http_arena(request));
    add_headers(request, etag, left_s);
    if (fan_bytes_eq_text(fan_http_header(request, "If-None-Match"), etag)) {
        close(fd);
        fan_http_answer(request, 304, NULL, FAN_NO_BYTES);
        return;
    }
    answer_file(request, &object, etag, fd, bytes);
}

#include "actors/imager/imager.h"

#include "actors/lib/hash/hash.h"

#include <stdlib.h>

_Static_assert((int)FAN_MEDIA_PNG == FAN_PICTURE_PNG && (int)FAN_MEDIA_JPEG == FAN_PICTURE_JPEG,
        "formats and media types have the same numbers");

/* ---- coming ---- */

/* Each part with its length before it, so that no two requests look the same. */
static void make_key(struct job *job, struct fan_bytes logo)
{
    const struct fan_picture_order *order = &job->order;
    const struct fan_bytes parts[] = { order->festival, order->theme, order->size, order->language,
        order->greeting, order->name, order->campaign, logo };
    struct fan_buffer text;

    fan_buffer_init(&text, 16 * 1024);
    fan_buffer_printf(&text, "%lld %d ", (long long)job->route.account, (int)order->format);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        fan_buffer_printf(&text, "%zu ", parts[i].len);
        fan_buffer_add_bytes(&text, parts[i]);
    }
    fan_sha256(fan_buffer_bytes(&text), job->key);
    fan_buffer_fini(&text);
}

enum fan_err job_new(const struct fan_image_request *request, const struct fan_route *route,
        struct job **out, struct fan_why *why)
{
    struct fan_arena *arena;
    struct job *job;

    if (request->format != FAN_PICTURE_PNG && request->format != FAN_PICTURE_JPEG)
        return fan_fail_field(why, FAN_INVALID, "format", "is %u; it is 1 (PNG) or 2 (JPEG)",
                request->format);
    if (request->logo.len != 0 && request->logo.len != FAN_MEDIA_HASH)
        return fan_fail_field(why, FAN_INVALID, "logo", "is no hash: it has %zu bytes, not %d",
                request->logo.len, FAN_MEDIA_HASH);
    arena = fan_arena_new();
    job = fan_arena_alloc(arena, sizeof *job);
    *job = (struct job){ .arena = arena,
        .route = *route,
        .asker = request->asker,
        .request = request->request,
        .preview = request->preview,
        .has_logo = request->logo.len > 0,
        .order = { .festival = fan_bytes_dup(request->festival, arena),
                .theme = fan_bytes_dup(request->theme, arena),
                .size = fan_bytes_dup(request->size, arena),
                .language = fan_bytes_dup(request->language, arena),
                .greeting = fan_bytes_dup(request->greeting, arena),
                .name = fan_bytes_dup(request->name, arena),
                .campaign = fan_bytes_dup(request->campaign, arena),
                .format = (enum fan_picture_format)request->format } };
    if (job->has_logo) {
        job->logo.type = FAN_MEDIA_PNG;
        memcpy(job->logo.hash, request->logo.at, FAN_MEDIA_HASH);
    }
    make_key(job, request->logo);
    *out = job;
    return FAN_OK;
}

void job_free(struct job **job)
{
    struct fan_arena *arena = *job ? (*job)->arena : NULL;

    *job = NULL;
    if (arena)
        fan_arena_free(&arena);
}

/* ---- answers ---- */

void job_tell_made(struct fan_actor *actor, const struct job *job, struct fan_bytes picture)
{
    const struct fan_media_object *made = &job->made;
    const struct fan_route route = { .account = job->route.account };
    struct fan_image_ready answer = { .asker = job->asker,
        .request = job->request,
        .type = (uint32_t)made->type,
        .bytes = (uint32_t)made->bytes,
        .width = made->width,
        .height = made->height };

    if (job->preview)
        answer.picture = picture;
    else
        answer.hash = (struct fan_bytes){ (const char *)made->hash, FAN_MEDIA_HASH };
    fan_actor_emit(actor, &fan_schema_image_ready, &route, &answer);
}

static bool is_askers_fault(enum fan_err err)
{
    return err == FAN_INVALID || err == FAN_NOT_FOUND || err == FAN_TOO_LARGE || err == FAN_DENIED;
}

void job_tell_failed(struct fan_actor *actor, uint64_t asker, uint64_t request,
        const struct fan_route *asked, enum fan_err err, const struct fan_why *why)
{
    const struct fan_route route = { .account = asked->account };
    struct fan_image_ready answer = { .asker = asker,
        .request = request,
        .failure = is_askers_fault(err) ? 1 : 2,
        .error = fan_bytes_of(why->text),
        .field = fan_bytes_of(why->field) };

    /* What a child says of its failure is a stranger's word. */
    if (!fan_bytes_utf8(answer.error) || answer.error.len == 0)
        answer.error = FAN_LIT("it failed, and did not say why");
    if (!fan_bytes_utf8(answer.field))
        answer.field = FAN_NO_BYTES;
    fan_actor_emit(actor, &fan_schema_image_ready, &route, &answer);
}

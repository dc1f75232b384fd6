#include "actors/lib/picture/picture.h"

#include "actors/lib/hash/hash.h"
#include "actors/lib/picture/encode.h"
#include "actors/lib/picture/painter.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <stdlib.h>

/* ---- life ---- */

enum fan_err fan_painter_open(const char *folder, struct fan_painter **out, struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    struct fan_painter *painter = fan_arena_alloc(arena, sizeof *painter);
    enum fan_err err = fan_catalogue_load(folder, arena, &painter->catalogue, why);

    painter->arena = arena;
    painter->art = fan_arena_array(arena, painter->catalogue.festivals_len, sizeof(void *));
    for (size_t i = 0; !err && i < painter->catalogue.festivals_len; i++)
        err = fan_art_load(painter->catalogue.festivals[i].motif, &painter->art[i], why);
    if (err)
        fan_painter_close(&painter);
    *out = painter;
    return err;
}

void fan_painter_close(struct fan_painter **painter)
{
    struct fan_arena *arena;

    if (!*painter)
        return;
    arena = (*painter)->arena;
    fan_layers_fini(&(*painter)->layers);
    for (size_t i = 0; i < (*painter)->catalogue.festivals_len; i++)
        fan_art_free(&(*painter)->art[i]);
    fan_arena_free(&arena);
    *painter = NULL;
}

const struct fan_catalogue *fan_painter_catalogue(const struct fan_painter *painter)
{
    return &painter->catalogue;
}

/* ---- what was asked ---- */

static enum fan_err check_text(const char *field, struct fan_bytes text, struct fan_why *why)
{
    if (text.len > FAN_PICTURE_TEXT_MAX)
        return fan_fail_field(why, FAN_TOO_LARGE, field, "%s has %zu bytes; at most %d fit", field,
                text.len, FAN_PICTURE_TEXT_MAX);
    if (!fan_bytes_utf8(text) || (text.at && memchr(text.at, '\0', text.len)))
        return fan_fail_field(why, FAN_INVALID, field, "%s is no UTF-8 text", field);
    return FAN_OK;
}

static enum fan_err understand(const struct fan_painter *painter,
        const struct fan_picture_order *order, struct fan_scene *scene, struct fan_why *why)
{
    enum fan_err err =
            fan_catalogue_festival(&painter->catalogue, order->festival, &scene->festival, why);

    if (!err)
        err = fan_catalogue_theme(&painter->catalogue, order->theme, &scene->theme, why);
    if (err)
        return err;
    scene->layout = fan_layout_find(order->size);
    if (!scene->layout)
        return fan_fail_field(why, FAN_NOT_FOUND, "size",
                "there is no size \"%.20s\"; right is square, whatsapp, story or banner",
                order->size.len ? order->size.at : "");
    scene->art = painter->art[scene->festival - painter->catalogue.festivals];
    err = check_text("greeting", order->greeting, why);
    if (!err)
        err = check_text("name", order->name, why);
    if (!err)
        err = check_text("campaign", order->campaign, why);
    return err;
}

/* The same picture always gets the same stars. */
static void seed(struct fan_scene *scene)
{
    struct fan_bytes texts[] = { scene->festival->id, scene->theme->id };

    scene->dice = (uint64_t)scene->layout->width * 31 + (uint64_t)scene->layout->height;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < texts[i].len; j++)
            scene->dice = (scene->dice ^ (unsigned char)texts[i].at[j]) * 0x100000001b3u;
    }
}

static void key_of(const struct fan_picture_order *order, struct fan_bytes language,
        unsigned char key[FAN_SHA256_SIZE])
{
    struct fan_buffer text;
    struct fan_bytes parts[] = { order->festival, order->theme, order->size, order->campaign,
        order->campaign.len > 0 ? language : FAN_NO_BYTES, order->logo };

    fan_buffer_init(&text, SIZE_MAX);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        fan_buffer_printf(&text, "%zu:", parts[i].len);
        fan_buffer_add_bytes(&text, parts[i]);
    }
    fan_sha256(fan_buffer_bytes(&text), key);
    fan_buffer_fini(&text);
}

/* ---- logo ---- */

static cairo_status_t feed(void *rest, unsigned char *into, unsigned len)
{
    struct fan_bytes *bytes = rest;

    if (bytes->len < len)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(into, bytes->at, len);
    bytes->at += len;
    bytes->len -= len;
    return CAIRO_STATUS_SUCCESS;
}

/* NULL when there is none, or when it cannot be read: a picture without a logo is better than none.
 */
static cairo_surface_t *logo_of(struct fan_bytes png, bool *left_out)
{
    cairo_surface_t *logo = NULL;

    if (png.len == 0)
        return NULL;
    logo = cairo_image_surface_create_from_png_stream(feed, &png);
    *left_out = cairo_surface_status(logo) != CAIRO_STATUS_SUCCESS;
    if (*left_out) {
        cairo_surface_destroy(logo);
        return NULL;
    }
    return logo;
}

/* ---- drawing ---- */

static cairo_surface_t *copy_of(cairo_surface_t *surface)
{
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    cairo_surface_t *copy = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);

    memcpy(cairo_image_surface_get_data(copy), cairo_image_surface_get_data(surface),
            (size_t)cairo_image_surface_get_stride(surface) * (size_t)height);
    cairo_surface_mark_dirty(copy);
    return copy;
}

enum fan_err fan_surface_encode(cairo_surface_t *surface, enum fan_picture_format format,
        struct fan_buffer *out, struct fan_why *why)
{
    struct fan_pixels pixels = { cairo_image_surface_get_data(surface),
        cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface),
        cairo_image_surface_get_stride(surface) };

    if (format == FAN_PICTURE_JPEG)
        return fan_encode_jpeg(pixels, 88, out, why);
    return fan_encode_png(pixels, out, why);
}

static cairo_status_t collect(void *out, const unsigned char *at, unsigned len)
{
    fan_buffer_add(out, at, len);
    return CAIRO_STATUS_SUCCESS;
}

/* One picture on its way. */
struct work {
    struct fan_scene scene;
    struct fan_layer *layer;
    struct fan_layer_words shared;
    struct fan_words words;
};

static enum fan_err draw_svg(struct work *work, struct fan_buffer *out, struct fan_words_note *note,
        struct fan_why *why)
{
    const struct fan_layout *layout = work->scene.layout;
    cairo_surface_t *surface =
            cairo_svg_surface_create_for_stream(collect, out, layout->width, layout->height);

    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    seed(&work->scene);
    work->scene.cr = cairo_create(surface);
    fan_layer_repeat(work->layer, &work->scene, &work->shared);
    *note = fan_draw_words(&work->scene, work->layer, &work->words);
    cairo_destroy(work->scene.cr);
    cairo_surface_finish(surface);
    cairo_surface_destroy(surface);
    if (out->overflowed)
        return fan_fail(why, FAN_TOO_LARGE, "the SVG would be larger than %zu bytes", out->cap);
    return FAN_OK;
}

static struct fan_words_note draw_pixels(struct work *work, cairo_surface_t **out)
{
    struct fan_words_note note;

    *out = copy_of(work->layer->surface);
    work->scene.cr = cairo_create(*out);
    note = fan_draw_words(&work->scene, work->layer, &work->words);
    cairo_destroy(work->scene.cr);
    cairo_surface_flush(*out);
    return note;
}

/* Find or draw the layer, and say which words come upon it. */
static enum fan_err begin(struct fan_painter *painter, const struct fan_picture_order *order,
        struct work *work, struct fan_why *why)
{
    unsigned char key[FAN_SHA256_SIZE];
    const struct fan_greeting *greeting;
    bool left_out = false;
    enum fan_err err = understand(painter, order, &work->scene, why);

    if (err)
        return err;
    greeting = fan_festival_greeting(work->scene.festival, order->language);
    work->words = (struct fan_words){ order->greeting, order->name, order->language };
    if (order->greeting.len == 0)
        work->words.greeting = greeting->text;
    if (order->language.len == 0)
        work->words.language = greeting->language;
    work->shared = (struct fan_layer_words){ order->campaign, work->words.language };
    key_of(order, work->words.language, key);
    work->layer = fan_layers_find(&painter->layers, key);
    if (work->layer && order->format != FAN_PICTURE_SVG)
        return FAN_OK;
    work->scene.logo = logo_of(order->logo, &left_out);
    if (work->layer)
        return FAN_OK;
    seed(&work->scene);
    work->layer = fan_layers_add(&painter->layers, key, &work->scene, &work->shared);
    work->layer->logo_left_out = left_out;
    return FAN_OK;
}

static void end(struct work *work, struct fan_words_note words, struct fan_picture_note *note)
{
    note->width = work->scene.layout->width;
    note->height = work->scene.layout->height;
    note->missing_glyphs = work->layer->missing + words.missing;
    note->shortened = work->layer->shortened || words.shortened;
    note->logo_left_out = work->layer->logo_left_out;
    note->contrast = work->layer->how.contrast;
    if (work->scene.logo)
        cairo_surface_destroy(work->scene.logo);
}

enum fan_err fan_painter_pixels(struct fan_painter *painter, const struct fan_picture_order *order,
        cairo_surface_t **out, struct fan_picture_note *note, struct fan_why *why)
{
    struct work work = { .layer = NULL };
    enum fan_err err = begin(painter, order, &work, why);

    if (!err)
        end(&work, draw_pixels(&work, out), note);
    return err;
}

enum fan_err fan_painter_draw(struct fan_painter *painter, const struct fan_picture_order *order,
        struct fan_buffer *out, struct fan_picture_note *note, struct fan_why *why)
{
    struct work work = { .layer = NULL };
    struct fan_words_note words = { 0 };
    cairo_surface_t *surface = NULL;
    enum fan_err err;

    *note = (struct fan_picture_note){ 0 };
    if (order->format != FAN_PICTURE_SVG) {
        err = fan_painter_pixels(painter, order, &surface, note, why);
        if (!err)
            err = fan_surface_encode(surface, order->format, out, why);
        cairo_surface_destroy(surface);
        return err;
    }
    err = begin(painter, order, &work, why);
    if (err)
        return err;
    err = draw_svg(&work, out, &words, why);
    end(&work, words, note);
    return err;
}

#include "gateway/pictures.h"

#include "actors/lib/hash/hash.h"
#include "actors/lib/media/media.h"
#include "actors/lib/picture/catalogue.h"
#include "actors/lib/picture/layout.h"
#include "actors/lib/picture/picture.h"
#include "actors/lib/picture/place.h"
#include "gateway/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAITING_MAX = 64, ID_MAX = 40 };

/* A call whose picture is being drawn. */
struct waiting {
    struct waiting *next;
    struct pictures *pictures;
    struct call *call;
    uint64_t number;
    struct fan_timer *timer;
};

struct pictures {
    struct gateway *gateway;
    struct fan_arena *arena; /* the catalogue's */
    struct fan_catalogue catalogue;
    bool loaded;
    struct fan_why why; /* when it is not */
    struct waiting *waiting;
    uint32_t count;
    uint64_t numbers; /* drawn so far */
};

struct pictures *pictures_new(struct gateway *gateway)
{
    struct pictures *self = calloc(1, sizeof *self);

    if (!self)
        fan_die("out of memory: pictures");
    self->gateway = gateway;
    self->arena = fan_arena_new();
    self->loaded =
            !fan_catalogue_load(fan_place_of_pictures(gateway->settings->pictures, self->arena),
                    self->arena, &self->catalogue, &self->why);
    if (!self->loaded)
        fan_log(NULL, FAN_ERROR, "catalogue.refused", "%s", self->why.text);
    return self;
}

/* ---- calls that wait ---- */

static struct call *wait_no_more(struct waiting **at)
{
    struct waiting *waiting = *at;
    struct call *call = waiting->call;

    *at = waiting->next;
    waiting->pictures->count--;
    fan_loop_cancel(&waiting->timer);
    free(waiting);
    return call;
}

static struct waiting **place_of(struct pictures *self, uint64_t number)
{
    struct waiting **at = &self->waiting;

    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

void pictures_free(struct pictures **pictures)
{
    if (!*pictures)
        return;
    while ((*pictures)->waiting)
        (void)wait_no_more(&(*pictures)->waiting);
    fan_arena_free(&(*pictures)->arena);
    free(*pictures);
    *pictures = NULL;
}

static void on_late(void *context)
{
    struct waiting *waiting = context;
    struct call *call;

    waiting->timer = NULL;
    call = wait_no_more(place_of(waiting->pictures, waiting->number));
    call_refuse(call, 503, "no picture came within %u ms: fanfare-imager does not run, or is busy",
            call->gateway->settings->picture_wait_ms);
    call_answer(call);
}

static void await(struct call *call)
{
    struct pictures *self = call->gateway->pictures;
    struct waiting *waiting = calloc(1, sizeof *waiting);

    if (!waiting)
        fan_die("out of memory: pictures");
    *waiting = (struct waiting){ .next = self->waiting,
        .pictures = self,
        .call = call,
        .number = call->picture };
    self->waiting = waiting;
    self->count++;
    waiting->timer = fan_loop_after(fan_actor_loop(self->gateway->actor),
            self->gateway->settings->picture_wait_ms, on_late, waiting);
}

/* ---- the answer ---- */

static bool wants_json(const struct call *call)
{
    struct fan_bytes accept = fan_http_header(call->request, "Accept");

    return accept.at && memmem(accept.at, accept.len, "application/json", 16);
}

static void write_picture(struct call *call, const struct fan_image_ready *answer)
{
    const char *type = fan_media_rule_of((enum fan_media_type)answer->type)->mime;
    struct fan_buffer base64;

    if (!wants_json(call)) {
        call->type = type;
        fan_buffer_add_bytes(&call->reply, answer->picture);
        return;
    }
    fan_buffer_init(&base64, FAN_FRAME_MAX * 2);
    fan_buffer_add_base64(&base64, answer->picture);
    fan_json_begin(&call->json, &call->reply);
    fan_json_object_open(&call->json, NULL);
    fan_json_add_text(&call->json, "type", fan_bytes_of(type));
    fan_json_add_i64(&call->json, "width", answer->width);
    fan_json_add_i64(&call->json, "height", answer->height);
    fan_json_add_i64(&call->json, "bytes", (int64_t)answer->picture.len);
    fan_json_add_text(&call->json, "data", fan_buffer_bytes(&base64));
    fan_json_object_close(&call->json);
    fan_buffer_fini(&base64);
}

static void refuse(struct call *call, const struct fan_image_ready *answer)
{
    if (answer->failure == 1 && answer->field.len) {
        call_fault(call, fan_bytes_cstr(answer->field, call->lasting), "", "%.*s",
                FAN_BYTES_ARG(answer->error));
        (void)call_check(call);
    } else if (answer->failure == 1) {
        call_refuse(call, 400, "the picture cannot be drawn: %.*s", FAN_BYTES_ARG(answer->error));
    } else {
        call_refuse(call, 503, "the picture was not drawn: %.*s", FAN_BYTES_ARG(answer->error));
    }
}

void pictures_take(struct pictures *self, const struct fan_image_ready *answer)
{
    struct waiting **at = place_of(self, answer->request);
    struct call *call;

    if (answer->asker != fan_actor_incarnation(self->gateway->actor) || !*at)
        return; /* another gateway's, or too late */
    call = wait_no_more(at);
    if (answer->failure)
        refuse(call, answer);
    else if (!answer->picture.len || answer->type < FAN_MEDIA_PNG || answer->type > FAN_MEDIA_JPEG)
        call_refuse(call, 503, "the imager answered nonsense");
    else
        write_picture(call, answer);
    call_answer(call);
}

/* ---- what is asked for ---- */

static const char *listed(struct call *call, const char *list, struct fan_bytes id)
{
    return fan_arena_printf(call->arena, "%s%s%.*s", list, *list ? ", " : "one of ",
            FAN_BYTES_ARG(id));
}

static const char *festivals_of(struct call *call, const struct fan_catalogue *catalogue)
{
    const char *list = "";

    for (size_t i = 0; i < catalogue->festivals_len; i++)
        list = listed(call, list, catalogue->festivals[i].id);
    return list;
}

static const char *themes_of(struct call *call, const struct fan_catalogue *catalogue)
{
    const char *list = "";

    for (size_t i = 0; i < catalogue->themes_len; i++)
        list = listed(call, list, catalogue->themes[i].id);
    return list;
}

static const char *sizes_of(struct call *call)
{
    const char *list = "";

    for (size_t i = 0; i < fan_layouts_len; i++)
        list = listed(call, list, fan_bytes_of(fan_layouts[i].id));
    return list;
}

static void check_ids(struct body *body, const struct fan_catalogue *catalogue,
        const struct fan_image_request *wanted)
{
    const struct fan_festival *festival;
    const struct fan_theme *theme;
    struct call *call = body->call;

    if (wanted->festival.at && fan_catalogue_festival(catalogue, wanted->festival, &festival, NULL))
        body_fault(body, "festival", festivals_of(call, catalogue), "there is no such festival");
    if (fan_catalogue_theme(catalogue, wanted->theme, &theme, NULL))
        body_fault(body, "theme", themes_of(call, catalogue), "there is no such theme");
    if (!fan_layout_find(wanted->size))
        body_fault(body, "size", sizes_of(call), "there is no such size");
}

static struct fan_bytes read_logo(struct body *body)
{
    struct fan_bytes text = body_text(body, "logo", 200);
    struct fan_buffer hash;
    struct fan_bytes read = FAN_NO_BYTES;

    if (!text.at)
        return read;
    fan_buffer_init(&hash, 200);
    if (text.len == FAN_MEDIA_HASH * 2 && fan_hex_read(text, &hash))
        read = fan_bytes_dup(fan_buffer_bytes(&hash), body->call->arena);
    else
        body_fault(body, "logo", "the hash of a PNG in your media: 64 hexadecimal digits",
                "is no hash");
    fan_buffer_fini(&hash);
    return read;
}

static struct fan_bytes text_or(struct body *body, const char *name, const char *otherwise)
{
    struct fan_bytes text = body_text(body, name, ID_MAX);

    return text.at ? text : fan_bytes_of(otherwise);
}

static void read_wish(struct body *body, struct fan_image_request *out)
{
    static const char *const formats[] = { "png", "jpeg", NULL };
    *out = (struct fan_image_request){ .preview = true,
        .festival = body_needs_text(body, "festival", ID_MAX),
        .theme = text_or(body, "theme", "classic"),
        .size = text_or(body, "size", "square"),
        .language = body_text(body, "language", ID_MAX),
        .greeting = body_text(body, "greeting", FAN_PICTURE_TEXT_MAX),
        .name = body_text(body, "name", FAN_PICTURE_TEXT_MAX),
        .campaign = body_text(body, "campaign", FAN_PICTURE_TEXT_MAX),
        .logo = read_logo(body),
        .format = body_word(body, "format", formats) == 0 ? FAN_PICTURE_PNG : FAN_PICTURE_JPEG };
}

static enum fan_err need_catalogue(struct call *call)
{
    const struct pictures *self = call->gateway->pictures;

    return self->loaded ? FAN_OK
                        : call_refuse(call, 503, "the catalogue of pictures cannot be read: %s",
                                  self->why.text);
}

enum fan_err preview_picture(struct call *call)
{
    struct pictures *self = call->gateway->pictures;
    struct fan_route route = { .account = call->caller.account,
        .lane = FAN_LANE_URGENT,
        .not_after = fan_clock_now() + call->gateway->settings->picture_wait_ms * FAN_MS };
    struct fan_image_request wanted;
    struct body body;
    enum fan_err err = need_catalogue(call);

    if (err)
        return err;
    body_begin(&body, call, call->body, "");
    read_wish(&body, &wanted);
    check_ids(&body, &self->catalogue, &wanted);
    body_end(&body);
    err = call_check(call);
    if (!err && self->count >= WAITING_MAX)
        err = call_refuse(call, 503, "%d previews are being drawn already", WAITING_MAX);
    if (err)
        return err;
    wanted.asker = fan_actor_incarnation(call->gateway->actor);
    wanted.request = call->picture = ++self->numbers;
    call->later = await;
    return fan_emit_image_request(call->turn, &route, &wanted);
}

/* ---- the catalogue ---- */

static void write_festival(struct fan_json_writer *json, const struct fan_festival *festival,
        struct fan_date today)
{
    struct fan_date next = fan_date_next(&festival->date, today);
    char date[16] = "";

    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "id", festival->id);
    fan_json_add_text(json, "name", festival->name);
    fan_json_add_text(json, "culture", festival->culture);
    if (next.year)
        snprintf(date, sizeof date, "%04d-%02d-%02d", next.year % 10000, next.month % 100,
                next.day % 100);
    fan_json_add_text(json, "next_date", next.year ? fan_bytes_of(date) : FAN_NO_BYTES);
    fan_json_add_bool(json, "about", festival->date.about);
    fan_json_object_open(json, "greetings");
    for (size_t i = 0; i < festival->greetings_len; i++) {
        char language[ID_MAX + 1];

        snprintf(language, sizeof language, "%.*s", FAN_BYTES_ARG(festival->greetings[i].language));
        fan_json_add_text(json, language, festival->greetings[i].text);
    }
    fan_json_object_close(json);
    fan_json_object_close(json);
}

static void write_looks(struct fan_json_writer *json, const struct fan_catalogue *catalogue)
{
    fan_json_array_open(json, "themes");
    for (size_t i = 0; i < catalogue->themes_len; i++) {
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "id", catalogue->themes[i].id);
        fan_json_add_text(json, "name", catalogue->themes[i].name);
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
    fan_json_array_open(json, "sizes");
    for (size_t i = 0; i < fan_layouts_len; i++) {
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "id", fan_bytes_of(fan_layouts[i].id));
        fan_json_add_text(json, "name", fan_bytes_of(fan_layouts[i].name));
        fan_json_add_i64(json, "width", fan_layouts[i].width);
        fan_json_add_i64(json, "height", fan_layouts[i].height);
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
}

enum fan_err list_festivals(struct call *call)
{
    const struct fan_catalogue *catalogue = &call->gateway->pictures->catalogue;
    time_t now = (time_t)(fan_clock_now() / FAN_SECOND);
    struct tm day;
    enum fan_err err = need_catalogue(call);

    if (err)
        return err;
    gmtime_r(&now, &day);
    fan_json_object_open(&call->json, NULL);
    fan_json_array_open(&call->json, "data");
    for (size_t i = 0; i < catalogue->festivals_len; i++)
        write_festival(&call->json, &catalogue->festivals[i],
                (struct fan_date){ day.tm_year + 1900, day.tm_mon + 1, day.tm_mday });
    fan_json_array_close(&call->json);
    write_looks(&call->json, catalogue);
    fan_json_object_close(&call->json);
    return FAN_OK;
}

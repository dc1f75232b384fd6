/* Media: listed, shown with a link that anybody may open, and removed. */
#include "gateway/media.h"

#include "actors/lib/seal/token.h"
#include "broker/runtime/clock.h"

enum { DAY_S = 24 * 3600 };

static enum fan_media_type type_of(const struct fan_media_row *row)
{
    return fan_media_type_of(row->type);
}

static struct fan_media_object object_of(const struct fan_media_row *row)
{
    struct fan_media_object object = { .type = type_of(row), .bytes = row->bytes };

    FAN_ASSERT(row->hash.len == FAN_MEDIA_HASH);
    memcpy(object.hash, row->hash.at, FAN_MEDIA_HASH);
    return object;
}

/* ---- answers ---- */

/* The same for a day: clients may compare it. */
static int64_t expiry(const struct gateway *gateway)
{
    int64_t today = fan_clock_now() / FAN_SECOND / DAY_S;

    return (today + 1 + gateway->settings->media_link_days) * DAY_S;
}

static void write_link(struct call *call, const struct fan_media_row *row)
{
    const struct gateway *gateway = call->gateway;
    struct fan_media_token token = { .account = call->caller.account,
        .media = row->id,
        .expires = expiry(gateway),
        .type = type_of(row) };
    struct fan_buffer *name = fan_arena_alloc(call->arena, sizeof *name);
    char text[FAN_MEDIA_TOKEN_TEXT];

    if (!gateway->tokens) {
        fan_json_add_null(&call->json, "url");
        return;
    }
    memcpy(token.hash, row->hash.at, sizeof token.hash);
    fan_media_token_write(gateway->tokens, &token, text);
    fan_buffer_init(name, 1024);
    fan_buffer_add_percent(name, row->name);
    fan_json_add_text(&call->json, "url",
            fan_bytes_of(fan_arena_printf(call->arena, "%s/media/%s/%.*s",
                    gateway->settings->public_url, text, FAN_BYTES_ARG(fan_buffer_bytes(name)))));
    fan_json_add_time(&call->json, "url_expires_at", token.expires * FAN_SECOND);
    fan_buffer_fini(name);
}

static void write_size(struct fan_json_writer *json, const char *name, int64_t size)
{
    if (size)
        fan_json_add_i64(json, name, size);
    else
        fan_json_add_null(json, name);
}

static void write_media(struct call *call, const struct fan_media_row *row)
{
    const struct fan_media_rule *rule = fan_media_rule_of(type_of(row));
    struct fan_json_writer *json = &call->json;
    struct fan_buffer hex;

    fan_buffer_init(&hex, 2 * FAN_MEDIA_HASH);
    fan_buffer_add_hex(&hex, row->hash);
    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "id", row->id);
    fan_json_add_text(json, "name", row->name);
    fan_json_add_text(json, "kind", fan_bytes_of(fan_media_kind_name(rule->kind)));
    fan_json_add_text(json, "type", row->type);
    fan_json_add_i64(json, "bytes", row->bytes);
    write_size(json, "width", row->width);
    write_size(json, "height", row->height);
    fan_json_add_text(json, "sha256", fan_buffer_bytes(&hex));
    write_link(call, row);
    write_size(json, "created_by", row->created_by);
    fan_json_add_time(json, "created_at", row->created_at);
    fan_json_object_close(json);
    fan_buffer_fini(&hex);
}

enum fan_err media_answer(struct call *call, fan_id id)
{
    struct fan_media_row row;
    enum fan_err err =
            fan_media_row_get(call->db, call->caller.account, id, call->arena, &row, call->why);

    if (!err && row.state != FAN_MEDIA_READY)
        err = call_refuse(call, 404, "media %lld is being removed", (long long)id);
    if (!err)
        write_media(call, &row);
    return err;
}

enum fan_err get_media(struct call *call)
{
    return media_answer(call, call->ids[0]);
}

/* "image" becomes "image/": types begin with their kind, but for documents. */
static struct fan_bytes read_kind(struct call *call)
{
    struct fan_bytes kind = fan_http_query(call->request, "kind");

    if (!kind.len)
        return FAN_LIT("");
    if (fan_bytes_eq_text(kind, "document"))
        return FAN_LIT("application/");
    for (int i = 1; i < FAN_MEDIA_KIND_COUNT; i++)
        if (fan_bytes_eq_text(kind, fan_media_kind_name((enum fan_media_kind)i)))
            return fan_bytes_of(fan_arena_printf(call->arena, "%.*s/", FAN_BYTES_ARG(kind)));
    call_fault(call, "kind", "image, audio, video or document", "there is no such kind");
    return FAN_LIT("");
}

enum fan_err list_media(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    struct fan_bytes type = read_kind(call);
    struct fan_media_list list;
    int64_t total;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_media_count(call->db, call->caller.account, type, call->arena, &total, call->why);
    if (!err)
        err = fan_media_page(call->db, call->caller.account, type, part, call->arena, &list,
                call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < list.len; i++)
        write_media(call, &list.at[i]);
    call_close_list(call, page, total);
    return FAN_OK;
}

/* ---- removing ---- */

/*
 * The row says first that the object goes, and is deleted when it is gone: whoever uploads the same
 * bytes meanwhile is refused, and a removal that was cut is completed by the next DELETE.
 */
enum fan_err delete_media(struct call *call)
{
    fan_id account = call->caller.account, id = call->ids[0];
    struct fan_bytes beginning = fan_bytes_of(fan_arena_printf(call->arena, "/media/%lld.%lld.",
            (long long)account, (long long)id));
    int64_t uses = 0;
    enum fan_err err = fan_media_leaving(call->db, account, id, call->arena, call->why);

    if (!err)
        err = fan_media_uses(call->db, account, beginning, call->arena, &uses, call->why);
    if (!err && uses)
        err = call_refuse(call, 409,
                "media %lld is used by %lld campaigns or templates: end, change or archive them "
                "first",
                (long long)id, (long long)uses);
    if (!err)
        call->later = media_remove;
    return err;
}

static enum fan_err load_turn(struct fan_turn *turn, void *context)
{
    struct call *call = context;

    call_enter(call, turn);
    return fan_media_row_get(call->db, call->caller.account, call->ids[0], call->lasting,
            call->media, call->why);
}

static enum fan_err gone_turn(struct fan_turn *turn, void *context)
{
    struct call *call = context;

    call_enter(call, turn);
    call->status = 204;
    return fan_media_left(call->db, call->caller.account, call->ids[0], call->arena, call->why);
}

static void run(struct call *call, enum fan_err (*fn)(struct fan_turn *turn, void *context),
        enum fan_err *err)
{
    const struct fan_route route = { .account = call->caller.account };
    struct fan_why why;

    *err = fan_actor_turn(call->gateway->actor, &route, fn, call, &why);
    if (*err)
        call_failed(call, *err, &why);
}

static void on_removed(void *context, enum fan_err err, const struct fan_why *why)
{
    struct call *call = context;

    if (err)
        call_refuse(call, 503, "%s", why->text);
    else
        run(call, gone_turn, &err);
    call_answer(call);
}

void media_remove(struct call *call)
{
    struct fan_media_object object;
    enum fan_err err;

    call->media = fan_arena_alloc(call->lasting, sizeof *call->media);
    run(call, load_turn, &err);
    if (err) {
        call_answer(call);
        return;
    }
    object = object_of(call->media);
    fan_media_remove(call->gateway->media, call->caller.account, &object, on_removed, call);
}

/*
 * A file on its way in: POST /api/v1/media with the file as the body. It is written to the disk
 * while it comes, so that memory does not grow with it; then its row is made, the object is kept,
 * and the row says that it is there. Repeating the request is harmless at any point.
 */
#include "gateway/media.h"

enum { NAME_MOST = 200 };

struct media_upload {
    struct call *call; /* lives in the request's arena, as this does */
    struct fan_media_incoming *incoming;
    struct fan_media_object object;
    struct fan_bytes name;
    fan_id id;
    int64_t state; /* as its row was found */
    bool begun;    /* something came */
};

/* Do @fn as a turn; when it fails, the client is told. */
static bool turn(struct media_upload *upload,
        enum fan_err (*fn)(struct fan_turn *turn, void *context))
{
    struct call *call = upload->call;
    const struct fan_route route = { .account = call_account(call) };
    struct fan_why why;
    enum fan_err err = fan_actor_turn(call->gateway->actor, &route, fn, upload, &why);

    if (err)
        call_failed(call, err, &why);
    return !err;
}

/* What the store says, as the client is told it. */
static void refuse(struct call *call, enum fan_err err, const struct fan_why *why)
{
    int full = fan_media_is_folder(call->gateway->media) ? 507 : 503;
    int status = err == FAN_TOO_LARGE ? 413 : err == FAN_INVALID ? 415 : full;

    call_refuse(call, status, "%s", why->text);
    if (status == full)
        fan_log(NULL, FAN_ERROR, "media.refused", "%s", why->text);
}

/* ---- beginning ---- */

/* The file's name as a link shows it: the last part of a path, and nothing that is not text. */
static struct fan_bytes read_name(struct call *call)
{
    struct fan_bytes name = fan_http_query(call->request, "name"), part;

    for (struct fan_bytes rest = name; rest.at; name = part)
        rest = fan_bytes_split(rest, '/', &part);
    name = fan_bytes_trim(name);
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.at[i] < ' ' || name.at[i] == '\\' || name.at[i] == 0x7f)
            name.len = 0;
    if (name.len > NAME_MOST || fan_bytes_eq_text(name, "..") || fan_bytes_eq_text(name, "."))
        name.len = 0;
    if (!name.len)
        call_fault(call, "name", "the file's name, such as diwali.png, of up to 200 bytes",
                "it is missing, or no such name");
    return name;
}

static enum fan_err open_turn(struct fan_turn *turn, void *context)
{
    struct media_upload *upload = context;
    struct call *call = upload->call;
    enum fan_err err;

    call_enter(call, turn);
    err = call_recognise(call);
    if (err)
        return err;
    upload->name = fan_bytes_dup(read_name(call), call->lasting);
    return call_check(call);
}

static void drop(void *context)
{
    struct media_upload *upload = context;

    fan_media_drop(&upload->incoming);
}

static bool begin(struct media_upload *upload)
{
    struct call *call = upload->call;
    struct fan_why why;
    enum fan_err err;
    int64_t length = 0, cap = fan_media_cap(FAN_MEDIA_DOCUMENT);

    fan_bytes_i64(fan_http_header(call->request, "Content-Length"), &length);
    if (length > cap) {
        call_refuse(call, 413, "a file may have %lld MiB", (long long)(cap >> 20));
        return false;
    }
    if (!turn(upload, open_turn))
        return false;
    err = fan_media_begin(call->gateway->media, &upload->incoming, &why);
    if (err)
        refuse(call, err, &why);
    return !err;
}

bool media_head(void *context, struct fan_http_request *request, void **part_context)
{
    struct media_upload *upload;
    struct call *call;

    if (!fan_bytes_eq_text(fan_http_method(request), "POST") ||
            !fan_bytes_eq_text(fan_http_path(request), "/api/v1/media") ||
            !(call = call_begin(context, request)))
        return false;
    upload = fan_arena_alloc(call->lasting, sizeof *upload);
    *upload = (struct media_upload){ .call = call };
    fan_arena_defer(call->lasting, drop, upload);
    if (begin(upload)) {
        *part_context = upload;
        return true;
    }
    call_answer(call);
    return false;
}

/* ---- the end ---- */

/* One account must not fill everybody's disk. */
static enum fan_err check_quota(struct call *call, const struct fan_media_row *row)
{
    int64_t mib = call->gateway->settings->media_account_mib, others;
    enum fan_err err = fan_media_others(call->db, call->caller.account, row->hash, call->arena,
            &others, call->why);

    if (!err && others + row->bytes > mib << 20)
        err = call_refuse(call, 507,
                "the account has %lld MiB of media and may have %lld: remove some first",
                (long long)(others >> 20), (long long)mib);
    return err;
}

static enum fan_err claim_turn(struct fan_turn *turn, void *context)
{
    struct media_upload *upload = context;
    struct call *call = upload->call;
    const struct fan_media_row row = {
        .hash = { (const char *)upload->object.hash, FAN_MEDIA_HASH },
        .type = fan_bytes_of(fan_media_rule_of(upload->object.type)->mime),
        .bytes = upload->object.bytes,
        .width = upload->object.width,
        .height = upload->object.height,
        .name = upload->name,
        .created_by = call->caller.user,
    };
    enum fan_err err;

    call_enter(call, turn);
    err = check_quota(call, &row);
    if (err)
        return err;
    err = fan_media_claim(call->db, call->caller.account, &row, call->arena, &upload->id,
            &upload->state, call->why);
    return err == FAN_DENIED ? call_refuse(call, 409, "%s", call->why->text) : err;
}

static enum fan_err arrived_turn(struct fan_turn *turn, void *context)
{
    struct media_upload *upload = context;
    struct call *call = upload->call;
    enum fan_err err;

    call_enter(call, turn);
    err = fan_media_arrived(call->db, call->caller.account, upload->id, call->arena, call->why);
    if (err == FAN_NOT_FOUND)
        return call_refuse(call, 409, "somebody removed the same file meanwhile; send it again");
    call->status = upload->state == FAN_MEDIA_READY ? 200 : 201;
    call_locate(call, "media", upload->id);
    return err ? err : media_answer(call, upload->id);
}

static void on_kept(void *context, enum fan_err err, const struct fan_why *why)
{
    struct media_upload *upload = context;

    if (err)
        refuse(upload->call, FAN_UNAVAILABLE, why);
    else
        turn(upload, arrived_turn);
    call_answer(upload->call);
}

/* Its object is put even if the row says that it is there: that repairs one that was lost. */
static bool end(struct media_upload *upload)
{
    struct call *call = upload->call;
    struct fan_why why;
    enum fan_err err = fan_media_end(upload->incoming, &upload->object, &why);

    if (err)
        refuse(call, err, &why);
    if (err || !turn(upload, claim_turn))
        return false;
    fan_media_keep(&upload->incoming, call->caller.account, on_kept, upload);
    return true;
}

bool media_part(void *part_context, struct fan_http_request *request, struct fan_bytes part,
        bool last)
{
    struct media_upload *upload = part_context;
    struct call *call = upload->call;
    struct fan_why why;
    enum fan_err err;

    (void)request;
    if (!part.at) { /* the client is gone; the file goes with the request */
        fan_buffer_fini(&call->reply);
        return false;
    }
    upload->begun |= part.len > 0;
    if (last && !upload->begun) {
        call_refuse(call, 400, "needs a file as its body");
        call_answer(call);
        return false;
    }
    err = fan_media_add(upload->incoming, part, &why);
    if (err)
        refuse(call, err, &why);
    if (err || (last && !end(upload))) {
        fan_media_drop(&upload->incoming); /* before the client knows */
        call_answer(call);
        return false;
    }
    return true;
}

/* The route's handler: media_head takes every request before it gets there. */
enum fan_err create_media(struct call *call)
{
    return call_refuse(call, 400, "needs a file as its body");
}

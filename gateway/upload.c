#include "gateway/upload.h"

#include "gateway/import_json.h"
#include "gateway/upload_inside.h"

#include <stdlib.h>

/* ---- turns ---- */

static enum fan_err open_turn(struct fan_turn *turn, void *context)
{
    struct upload *upload = context;
    struct call *call = upload->call;
    enum fan_err err;

    call_enter(call, turn);
    err = call_recognise(call);
    return err ? err : upload_read_query(upload);
}

/* Do @fn as a turn; when it fails, the client is told and the upload is over. */
static bool turn(struct upload *upload, enum fan_err (*fn)(struct fan_turn *turn, void *context))
{
    struct call *call = upload->call;
    const struct fan_route route = { .account = call_account(call) };
    struct fan_why why;
    enum fan_err err = fan_actor_turn(call->gateway->actor, &route, fn, upload, &why);

    if (err)
        call_failed(call, err, &why);
    return !err;
}

/* ---- blocks ---- */

static enum fan_err tell_changed(struct upload *upload, fan_id import, enum fan_import_state state)
{
    const struct fan_import_changed changed = { .import = import, .state = (uint32_t)state + 1 };
    const struct fan_import_request request = { .import = import };
    enum fan_err err = call_tell(upload->call, 0, &fan_schema_import_changed, &changed);

    if (err || state == FAN_IMPORT_FAILED)
        return err;
    return call_ask(upload->call, 0, &fan_schema_import_request, &request);
}

static enum fan_err block_turn(struct fan_turn *turn, void *context)
{
    struct upload *upload = context;
    struct call *call = upload->call;
    fan_id account = call->caller.account, import = upload->import;
    const struct fan_import_block block = {
        .seq = upload->blocks,
        .first_line = (int64_t)upload->block->line,
        .body = upload->block->bytes,
    };
    enum fan_err err = FAN_OK;

    call_enter(call, turn);
    if (!import)
        err = upload_begin_import(upload, &import);
    if (!err)
        err = fan_import_add_block(call->db, account, import, &block, call->arena, call->why);
    if (!err)
        err = fan_import_received(call->db, account, import, block.seq + 1, upload->bytes, false,
                call->arena, call->why);
    if (!err)
        err = tell_changed(upload, import, FAN_IMPORT_RECEIVING);
    upload->making = import;
    return err;
}

static bool keep_block(void *context, const struct fan_csv_block *block)
{
    struct upload *upload = context;
    bool kept;

    upload->block = block;
    kept = turn(upload, block_turn);
    upload->block = NULL;
    if (!kept)
        return false;
    upload->import = upload->making; /* only now: the turn may have been repeated */
    upload->blocks++;
    return true;
}

/* ---- beginning ---- */

static bool too_large(const struct upload *upload, int64_t bytes)
{
    return bytes > (int64_t)upload->call->gateway->settings->upload_mib * 1024 * 1024;
}

static void upload_free(struct upload **upload)
{
    fan_csv_splitter_free(&(*upload)->splitter);
    free(*upload);
    *upload = NULL;
}

static bool is_upload(struct fan_http_request *request)
{
    return fan_bytes_eq_text(fan_http_method(request), "POST") &&
            fan_bytes_eq_text(fan_http_path(request), "/api/v1/contacts/import");
}

bool upload_head(void *context, struct fan_http_request *request, void **part_context)
{
    struct upload *upload;
    struct call *call;
    int64_t length = 0;

    if (!is_upload(request) || !(call = call_begin(context, request)))
        return false;
    upload = calloc(1, sizeof *upload);
    if (!upload)
        fan_die("out of memory: an upload");
    upload->call = call;
    fan_bytes_i64(fan_http_header(request, "Content-Length"), &length);
    if (too_large(upload, length))
        call_refuse(call, 413, "a file may have %u MiB", call->gateway->settings->upload_mib);
    else if (turn(upload, open_turn)) {
        upload->splitter = fan_csv_splitter_new(0, keep_block, upload);
        *part_context = upload;
        return true;
    }
    call_answer(call);
    upload_free(&upload);
    return false;
}

/* ---- the end ---- */

static enum fan_err end_turn(struct fan_turn *turn, void *context)
{
    struct upload *upload = context;
    struct call *call = upload->call;
    enum fan_err err;

    call_enter(call, turn);
    err = fan_import_received(call->db, call->caller.account, upload->import, upload->blocks,
            upload->bytes, true, call->arena, call->why);
    if (!err)
        err = tell_changed(upload, upload->import, FAN_IMPORT_RUNNING);
    call->status = 202;
    call_locate(call, "imports", upload->import);
    return err ? err : import_answer(call, upload->import);
}

static enum fan_err fail_turn(struct fan_turn *turn, void *context)
{
    struct upload *upload = context;
    struct call *call = upload->call;
    struct problem problem = call->problem; /* what the client is told stays */
    struct fan_bytes reason;
    enum fan_err err;

    call_enter(call, turn);
    call->problem = problem;
    reason = fan_bytes_of(problem.status
                    ? problem.detail
                    : fan_arena_printf(call->arena, "the upload was cut after %lld bytes",
                              (long long)upload->bytes));
    err = fan_import_fail(call->db, call->caller.account, upload->import, reason, call->arena,
            call->why);
    return err ? err : tell_changed(upload, upload->import, FAN_IMPORT_FAILED);
}

/* End it with the problem that is set, or without an answer when the client is gone. */
static void give_up(struct upload *upload, bool client_is_gone)
{
    struct call *call = upload->call;

    if (upload->import)
        turn(upload, fail_turn);
    if (client_is_gone)
        fan_buffer_fini(&call->reply);
    else
        call_answer(call);
    upload_free(&upload);
}

static bool take(struct upload *upload, struct fan_bytes part, bool last)
{
    struct call *call = upload->call;
    struct fan_why why = { .err = FAN_OK };
    enum fan_err err;

    upload->bytes += (int64_t)part.len;
    if (too_large(upload, upload->bytes)) {
        call_refuse(call, 413, "a file may have %u MiB", call->gateway->settings->upload_mib);
        return false;
    }
    err = part.len ? fan_csv_split(upload->splitter, part, &why) : FAN_OK;
    if (!err && last)
        err = fan_csv_split_end(upload->splitter, &why);
    if (err && !call->problem.status)
        call_refuse(call, err == FAN_TOO_LARGE ? 413 : 400, "the file cannot be read: %s",
                why.text);
    else if (!err && last && !upload->import)
        err = call_refuse(call, 400, "the file has a header and no rows");
    return !err;
}

bool upload_part(void *part_context, struct fan_http_request *request, struct fan_bytes part,
        bool last)
{
    struct upload *upload = part_context;

    (void)request;
    if (!part.at || !take(upload, part, last)) {
        give_up(upload, !part.at);
        return false;
    }
    if (!last)
        return true;
    if (!turn(upload, end_turn)) {
        give_up(upload, false);
        return false;
    }
    call_answer(upload->call);
    upload_free(&upload);
    return true;
}

/* Only reached when the body is not taken in parts: without a body. */
enum fan_err import_contacts(struct call *call)
{
    return call_refuse(call, 400, "needs a CSV file as its body");
}

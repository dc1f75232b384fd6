#include "gateway/upload.h"

#include "gateway/call.h"
#include "gateway/import_json.h"
#include "gateway/mapping.h"

#include "actors/lib/person/csv.h"
#include "actors/lib/person/phone.h"
#include "sql/store/campaign.h"
#include "sql/store/contact.h"
#include "sql/store/tag.h"

#include <stdlib.h>

enum { TAGS_MAX = 100, WISHES_MAX = 64 * 1024 };

struct upload {
    struct call *call; /* lives in the request's arena, like all texts here */
    struct fan_csv_splitter *splitter;
    struct fan_bytes file_name, source, default_country;
    struct fan_texts tag_names;
    const struct fan_json *wishes;
    fan_id campaign;
    fan_id import; /* 0: the header has not come yet */
    int32_t blocks;
    int64_t bytes;
    /* the block that a turn is about */
    const struct fan_csv_block *block;
};

/* ---- what the request says besides its body ---- */

static bool says_csv(struct fan_bytes type)
{
    struct fan_bytes name;

    fan_bytes_split(type, ';', &name);
    name = fan_bytes_trim(name);
    return fan_bytes_eq_nocase(name, FAN_LIT("text/csv")) ||
            fan_bytes_eq_nocase(name, FAN_LIT("application/csv"));
}

static void read_tags(struct call *call, struct fan_texts *out)
{
    struct fan_bytes rest = fan_http_query(call->request, "tags"), name;
    struct fan_bytes *names = fan_arena_array(call->lasting, TAGS_MAX, sizeof *names);

    *out = (struct fan_texts){ .at = names };
    while (rest.at && rest.len) {
        rest = fan_bytes_split(rest, ',', &name);
        name = fan_bytes_trim(name);
        if (name.len > 200 || (name.len && out->len == TAGS_MAX)) {
            call_fault(call, "tags", "up to 100 names of up to 200 bytes, between commas",
                    "too many or too long");
            return;
        }
        if (name.len)
            names[out->len++] = name;
    }
}

static void read_country(struct call *call, struct fan_bytes *out)
{
    struct fan_bytes text = fan_http_query(call->request, "default_country");
    const char *country = fan_bytes_cstr(text, call->lasting);

    if (text.len && !fan_phone_country(country))
        call_fault(call, "default_country", "two capital letters, such as IN",
                "there is no such country");
    *out = text;
}

static void read_wishes(struct call *call, const struct fan_json **out)
{
    struct fan_bytes text = fan_http_query(call->request, "mapping");
    struct fan_why why;

    *out = NULL;
    if (!text.len)
        return;
    if (text.len > WISHES_MAX || fan_json_parse(text, call->lasting, out, &why) ||
            fan_json_type(*out) != FAN_JSON_OBJECT)
        call_fault(call, "mapping", "a JSON object such as {\"Mobile\": \"phone\"}",
                "not such an object");
}

static void read_query(struct upload *upload)
{
    static const char *const known[] = { "filename", "source", "default_country", "tags",
        "campaign_id", "mapping" };
    struct call *call = upload->call;
    struct fan_bytes name, value;
    size_t cursor = 0;

    while (fan_http_query_next(call->request, &cursor, &name, &value)) {
        bool found = false;

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found = found || fan_bytes_eq_text(name, known[i]);
        if (!found)
            call_fault(call, fan_bytes_cstr(name, call->lasting),
                    "one of filename, source, default_country, tags, campaign_id, mapping",
                    "there is no such parameter");
    }
    upload->file_name = fan_http_query(call->request, "filename");
    upload->source = fan_http_query(call->request, "source");
    upload->campaign = call_query_i64(call, "campaign_id", 1, FAN_ID_MAX, 0);
    read_country(call, &upload->default_country);
    read_tags(call, &upload->tag_names);
    read_wishes(call, &upload->wishes);
}

/* ---- beginning ---- */

static enum fan_err check_campaign(struct upload *upload)
{
    struct call *call = upload->call;
    struct fan_campaign campaign;
    enum fan_err err;

    if (!upload->campaign)
        return FAN_OK;
    err = fan_campaign_get(call->db, call->caller.account, upload->campaign, call->arena, &campaign,
            call->why);
    if (!err && campaign.state != FAN_CAMPAIGN_DRAFT && campaign.state != FAN_CAMPAIGN_SCHEDULED)
        err = call_refuse(call, 409, "the campaign is %s: its audience can no longer grow",
                fan_campaign_state_name((int)campaign.state));
    return err;
}

static enum fan_err open_turn(struct fan_turn *turn, void *context)
{
    struct upload *upload = context;
    struct call *call = upload->call;
    enum fan_err err;

    call_enter(call, turn);
    err = call_recognise(call);
    if (!err && !says_csv(fan_http_header(call->request, "Content-Type")))
        err = call_refuse(call, 415, "the body must be text/csv");
    if (err)
        return err;
    read_query(upload);
    err = call_check(call);
    return err ? err : check_campaign(upload);
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

static bool too_large(const struct upload *upload, int64_t bytes)
{
    return bytes > (int64_t)upload->call->gateway->settings->upload_mib * 1024 * 1024;
}

static bool keep_block(void *context, const struct fan_csv_block *block);

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

/* ---- the header ---- */

struct header {
    struct fan_arena *arena;
    struct fan_texts columns;
    const char *error;
};

static bool keep_header(void *context, const struct fan_csv_record *record)
{
    struct header *header = context;
    struct fan_bytes *columns = fan_arena_array(header->arena, record->count, sizeof *columns);

    for (size_t i = 0; i < record->count; i++)
        columns[i] = fan_bytes_dup(fan_bytes_trim(record->fields[i]), header->arena);
    header->columns = (struct fan_texts){ .at = columns, .len = record->count };
    header->error =
            record->error ? fan_bytes_cstr(fan_bytes_of(record->error), header->arena) : NULL;
    return true;
}

static enum fan_err read_header(struct upload *upload, struct header *header)
{
    struct fan_csv *csv = fan_csv_new(upload->block->delimiter, keep_header, header);
    enum fan_err err = fan_csv_feed(csv, upload->block->header, upload->call->why);

    if (!err)
        err = fan_csv_end(csv, upload->call->why);
    fan_csv_free(&csv);
    if (err || header->error || header->columns.len == 0)
        return call_refuse(upload->call, 400, "the header cannot be read: %s",
                err                     ? upload->call->why->text
                        : header->error ? header->error
                                        : "it is empty");
    return FAN_OK;
}

/* People who come for a campaign get a tag of its own, which its audience then has. */
static enum fan_err feed_campaign(struct upload *upload, struct fan_ids *tags)
{
    struct call *call = upload->call;
    fan_id account = call->caller.account;
    fan_id *all = fan_arena_array(call->arena, tags->len + 1, sizeof *all);
    struct fan_bytes name = fan_bytes_of(fan_arena_printf(call->arena, "campaign:%lld",
            (long long)upload->campaign));
    struct fan_ids own;
    enum fan_err err;

    if (!upload->campaign)
        return FAN_OK;
    err = fan_tags_ensure(call->db, account, (struct fan_texts){ .at = &name, .len = 1 },
            call->arena, &own, call->why);
    if (err)
        return err;
    if (tags->len)
        memcpy(all, tags->at, tags->len * sizeof *all);
    all[tags->len] = own.at[0];
    *tags = (struct fan_ids){ .at = all, .len = tags->len + 1 };
    return fan_campaign_feed(call->db, account, upload->campaign, own.at[0], call->arena,
            call->why);
}

static enum fan_err default_country(struct upload *upload, struct fan_bytes *out)
{
    struct call *call = upload->call;
    struct fan_account account;
    enum fan_err err;

    *out = upload->default_country;
    if (out->len)
        return FAN_OK;
    err = fan_account_get(call->db, call->caller.account, call->arena, &account, call->why);
    if (!err)
        *out = account.default_country;
    return err;
}

static enum fan_err insert_import(struct upload *upload, const struct mapping *mapping,
        struct fan_ids tags, fan_id *id)
{
    struct call *call = upload->call;
    struct fan_import import = {
        .file_name = upload->file_name,
        .source = upload->source.len ? upload->source : FAN_LIT("import"),
        .delimiter = { .at = &upload->block->delimiter, .len = 1 },
        .header = mapping->header,
        .mapping = mapping->fields,
        .tags = tags,
        .campaign = upload->campaign,
    };
    enum fan_err err = default_country(upload, &import.default_country);

    if (err)
        return err;
    return fan_import_insert(call->db, call->caller.account, &import, call->arena, id, call->why);
}

static enum fan_err begin_import(struct upload *upload, fan_id *id)
{
    struct call *call = upload->call;
    fan_id account = call->caller.account;
    struct header header = { .arena = call->arena };
    struct fan_ids tags = { .len = 0 };
    struct mapping mapping;
    enum fan_err err = read_header(upload, &header);

    if (err)
        return err;
    if (mapping_make(header.columns, upload->wishes, call->arena, &mapping, call->why)) {
        call_fault(call, call->why->field, "", "%s", call->why->text);
        return call_check(call);
    }
    if (mapping.attributes.len)
        err = fan_attributes_declare(call->db, account, mapping.attributes, call->arena, call->why);
    if (!err && upload->tag_names.len)
        err = fan_tags_ensure(call->db, account, upload->tag_names, call->arena, &tags, call->why);
    if (!err)
        err = feed_campaign(upload, &tags);
    return err ? err : insert_import(upload, &mapping, tags, id);
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
        err = begin_import(upload, &import);
    if (!err)
        err = fan_import_add_block(call->db, account, import, &block, call->arena, call->why);
    if (!err)
        err = fan_import_received(call->db, account, import, block.seq + 1, upload->bytes, false,
                call->arena, call->why);
    if (!err)
        err = tell_changed(upload, import, FAN_IMPORT_RECEIVING);
    if (!err)
        upload->import = import;
    return err;
}

static bool keep_block(void *context, const struct fan_csv_block *block)
{
    struct upload *upload = context;
    bool kept;

    upload->block = block;
    kept = turn(upload, block_turn);
    upload->block = NULL;
    upload->blocks += kept;
    return kept;
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

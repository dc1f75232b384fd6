/* Templates: made, listed, renamed, and given versions, which never change. */
#include "gateway/templates.h"

#include "gateway/content.h"

enum { TAGS_MAX = 50 };

/* ---- answers ---- */

static void write_version(struct call *call, const struct fan_template_version *version,
        const char *number)
{
    struct fan_json_writer *json = &call->json;

    fan_json_add_i64(json, number, version->number);
    fan_json_add_text(json, "note", version->note);
    if (version->author)
        fan_json_add_i64(json, "author_id", version->author);
    else
        fan_json_add_null(json, "author_id");
}

static void write_template(struct call *call, const struct fan_template_row *row)
{
    struct fan_json_writer *json = &call->json;

    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "id", row->id);
    fan_json_add_text(json, "name", row->name);
    fan_json_add_text(json, "kind", fan_bytes_of(fan_kind_name((int)row->kind)));
    fan_json_add_text(json, "description", row->description);
    fan_json_add_text(json, "category", row->category);
    fan_json_array_open(json, "tags");
    for (size_t i = 0; i < row->tags.len; i++)
        fan_json_add_text(json, NULL, row->tags.at[i]);
    fan_json_array_close(json);
    fan_json_add_bool(json, "archived", row->archived);
    fan_json_add_i64(json, "latest_version", row->latest);
    fan_json_add_time(json, "created_at", row->created_at);
    fan_json_add_time(json, "updated_at", row->updated_at);
    if (row->version.content.at) {
        write_version(call, &row->version, "version");
        fan_json_add_time(json, "version_created_at", row->version.created_at);
        fan_json_object_open(json, "content");
        content_write(call, row->version.content);
        fan_json_object_close(json);
    }
    fan_json_object_close(json);
}

static enum fan_err answer_with(struct call *call, fan_id id, int64_t version)
{
    struct fan_template_row row;
    enum fan_err err = fan_template_get(call->db, call->caller.account, id, version, call->arena,
            &row, call->why);

    if (!err)
        write_template(call, &row);
    return err;
}

enum fan_err get_template(struct call *call)
{
    int64_t version = call_query_i64(call, "version", 1, INT32_MAX, 0);
    enum fan_err err = call_check(call);

    return err ? err : answer_with(call, call->ids[0], version);
}

/* ---- lists ---- */

struct fan_template_filter template_filter(struct call *call)
{
    struct fan_bytes kind = fan_http_query(call->request, "kind");
    struct fan_bytes archived = fan_http_query(call->request, "archived");
    struct fan_bytes tag = fan_http_query(call->request, "tag");
    struct fan_bytes category = fan_http_query(call->request, "category");
    struct fan_bytes search = fan_bytes_trim(fan_http_query(call->request, "search"));
    struct fan_template_filter filter = {
        .kind = kind.len ? fan_kind_of(kind) : 0,
        .archived = fan_bytes_eq_text(archived, "true"),
        .tag = tag.len ? tag : FAN_NO_BYTES,
        .category = category.len ? category : FAN_NO_BYTES,
        .search = search.len ? search : FAN_NO_BYTES,
    };

    if (filter.kind < 0)
        call_fault(call, "kind", "sms, whatsapp, email, …", "there is no such kind of channel");
    if (archived.len && !filter.archived && !fan_bytes_eq_text(archived, "false"))
        call_fault(call, "archived", "true or false", "neither");
    return filter;
}

enum fan_err list_templates(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    struct fan_template_filter filter = template_filter(call);
    struct fan_template_list list;
    int64_t total;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_template_count(call->db, call->caller.account, &filter, call->arena, &total,
                call->why);
    if (!err)
        err = fan_template_page(call->db, call->caller.account, &filter, part, call->arena, &list,
                call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < list.len; i++)
        write_template(call, &list.at[i]);
    call_close_list(call, page, total);
    return FAN_OK;
}

enum fan_err list_template_versions(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    const struct fan_template_version *versions;
    struct fan_template_row row;
    size_t len = 0;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_template_get(call->db, call->caller.account, call->ids[0], 0, call->arena, &row,
                call->why);
    if (!err)
        err = fan_template_versions(call->db, call->caller.account, call->ids[0], part, call->arena,
                &versions, &len, call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < len; i++) {
        fan_json_object_open(&call->json, NULL);
        write_version(call, &versions[i], "number");
        fan_json_add_time(&call->json, "created_at", versions[i].created_at);
        fan_json_object_close(&call->json);
    }
    call_close_list(call, page, row.latest);
    return FAN_OK;
}

/* ---- writing ---- */

/* What may be changed at any time. */
static void read_naming(struct body *body, struct fan_template_row *row)
{
    struct fan_bytes name = body_text(body, "name", 200);

    if (fan_bytes_trim(name).len)
        row->name = fan_bytes_trim(name);
    else if (name.at)
        body_fault(body, "name", "a text", "empty");
    if (body_has(body, "description"))
        row->description = body_text(body, "description", 4000);
    if (body_has(body, "category"))
        row->category = body_text(body, "category", 100);
    if (!body_texts(body, "tags", TAGS_MAX, &row->tags) && body_has(body, "tags"))
        row->tags = (struct fan_texts){ .len = 0 };
}

/* The content and the note of a new version. */
static void read_version(struct body *body, struct fan_template_version *version)
{
    const struct fan_json *content = body_value(body, "content");
    struct body inner;

    version->note = body_text(body, "note", 1000);
    version->author = body->call->caller.user;
    if (fan_json_type(content) != FAN_JSON_OBJECT) {
        body_fault(body, "content", "{\"message\": \"Hello {first_name}\"}",
                content ? "not an object" : "missing");
        return;
    }
    body_begin(&inner, body->call, content, "content.");
    version->content = content_read(&inner, FAN_NO_BYTES);
    body_end(&inner);
}

enum fan_err template_check(struct call *call, const struct fan_template_row *row)
{
    struct fan_text_fields fields;
    enum fan_err err;

    if (!row->kind || !row->version.content.at)
        return call_check(call);
    err = content_fields(call, &fields);
    if (err)
        return err;
    content_check(call, row->kind, row->version.content, &fields, "content.");
    return call_check(call);
}

enum fan_err create_template(struct call *call)
{
    struct fan_template_row row = { .id = 0 };
    struct fan_bytes kind;
    struct body body;
    enum fan_err err;

    body_begin(&body, call, call->body, "");
    if (!body_value(&body, "name"))
        body_fault(&body, "name", "a text", "missing");
    read_naming(&body, &row);
    kind = body_needs_text(&body, "kind", 20);
    if (kind.at && fan_kind_of(kind) <= 0)
        body_fault(&body, "kind", "sms, whatsapp, email, …", "there is no such kind of channel");
    else if (kind.at)
        row.kind = (enum fan_kind)fan_kind_of(kind);
    read_version(&body, &row.version);
    body_end(&body);
    err = template_check(call, &row);
    if (!err)
        err = fan_template_insert(call->db, call->caller.account, &row, call->arena, &row.id,
                call->why);
    if (err)
        return err;
    call->status = 201;
    call_locate(call, "templates", row.id);
    return answer_with(call, row.id, 0);
}

enum fan_err update_template(struct call *call)
{
    struct fan_template_row row;
    struct body body;
    enum fan_err err = fan_template_hold(call->db, call->caller.account, call->ids[0], call->arena,
            &row, call->why);

    if (err)
        return err;
    body_begin(&body, call, call->body, "");
    read_naming(&body, &row);
    row.archived = body_bool(&body, "archived", row.archived);
    if (body_has(&body, "content"))
        body_fault(&body, "content", "POST …/versions", "a version never changes; add one");
    body_end(&body);
    err = call_check(call);
    if (!err)
        err = fan_template_update(call->db, call->caller.account, &row, call->arena, call->why);
    return err ? err : answer_with(call, row.id, 0);
}

enum fan_err create_template_version(struct call *call)
{
    struct fan_template_row row;
    struct body body;
    int64_t number;
    enum fan_err err = fan_template_hold(call->db, call->caller.account, call->ids[0], call->arena,
            &row, call->why);

    if (err)
        return err;
    if (row.archived)
        return call_refuse(call, 409, "the template is archived");
    row.version = (struct fan_template_version){ .number = 0 };
    body_begin(&body, call, call->body, "");
    read_version(&body, &row.version);
    body_end(&body);
    err = template_check(call, &row);
    if (!err)
        err = fan_template_add_version(call->db, call->caller.account, row.id, &row.version,
                call->arena, &number, call->why);
    if (err)
        return err;
    call->status = 201;
    call_locate(call, "templates", row.id);
    return answer_with(call, row.id, number);
}

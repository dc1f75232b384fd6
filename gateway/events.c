/* The event log, page by page, and the stream of progress. */
#include "gateway/call.h"

#include "proto/message.h"
#include "proto/words.h"
#include "sql/store/report.h"

#include <stdio.h>

enum { LIMIT = 100, LIMIT_MAX = 1000 };

/* ---- a body of any schema as JSON ---- */

static void write_record(struct fan_json_writer *json, const char *name,
        const struct fan_schema *schema, const void *record);

static void write_list(struct fan_json_writer *json, const struct fan_field *field, const void *at)
{
    const struct fan_list *list = at;

    fan_json_array_open(json, field->name);
    for (size_t i = 0; i < list->len; i++)
        write_record(json, NULL, field->record, (const char *)list->at + i * field->record->size);
    fan_json_array_close(json);
}

static void write_ids(struct fan_json_writer *json, const char *name, const struct fan_ids *ids)
{
    fan_json_array_open(json, name);
    for (size_t i = 0; i < ids->len; i++)
        fan_json_add_i64(json, NULL, ids->at[i]);
    fan_json_array_close(json);
}

/* On the wire a state is its number plus one, as 0 means "not said"; here it is its word. */
static bool write_state(struct fan_json_writer *json, const struct fan_schema *schema,
        const struct fan_field *field, const void *at)
{
    static const struct {
        const struct fan_schema *schema;
        const char *(*word)(int state);
    } words[] = {
        { &fan_schema_run_changed, fan_run_state_name },
        { &fan_schema_campaign_changed, fan_campaign_state_name },
        { &fan_schema_import_changed, fan_import_state_name },
    };
    uint32_t state;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].schema != schema || strcmp(field->name, "state") != 0)
            continue;
        state = *(const uint32_t *)at;
        fan_json_add_text(json, "status",
                state ? fan_bytes_of(words[i].word((int)state - 1)) : FAN_NO_BYTES);
        return true;
    }
    return false;
}

static void write_field(struct fan_json_writer *json, const struct fan_field *field, const void *at)
{
    switch ((enum fan_field_type)field->type) {
    case FAN_TYPE_id:
    case FAN_TYPE_i64:
        fan_json_add_i64(json, field->name, *(const int64_t *)at);
        break;
    case FAN_TYPE_u32:
        fan_json_add_i64(json, field->name, *(const uint32_t *)at);
        break;
    case FAN_TYPE_u64: /* incarnations: below 2^63 */
        fan_json_add_i64(json, field->name, (int64_t) * (const uint64_t *)at);
        break;
    case FAN_TYPE_bool:
        fan_json_add_bool(json, field->name, *(const bool *)at);
        break;
    case FAN_TYPE_time:
        fan_json_add_time(json, field->name, *(const fan_time *)at);
        break;
    case FAN_TYPE_text:
        fan_json_add_text(json, field->name, *(const struct fan_bytes *)at);
        break;
    case FAN_TYPE_ids:
        write_ids(json, field->name, at);
        break;
    case FAN_TYPE_list:
        write_list(json, field, at);
        break;
    case FAN_TYPE_bin:
        break; /* none in a fact */
    }
}

static void write_record(struct fan_json_writer *json, const char *name,
        const struct fan_schema *schema, const void *record)
{
    const struct fan_field *fields = schema->fields();

    fan_json_object_open(json, name);
    for (size_t i = 0; i < schema->count; i++) {
        const void *at = (const char *)record + fields[i].offset;

        if (!write_state(json, schema, &fields[i], at))
            write_field(json, &fields[i], at);
    }
    fan_json_object_close(json);
}

/* An event that this build does not know, or cannot read, has no body here. */
static void write_body(struct call *call, const struct fan_report_event *event,
        const struct fan_schema *schema)
{
    void *message = schema ? fan_arena_alloc(call->arena, schema->size) : NULL;

    if (schema && !fan_decode(schema, event->body, call->arena, message, NULL))
        write_record(&call->json, "body", schema, message);
    else
        fan_json_add_null(&call->json, "body");
}

/* ---- the log ---- */

static void add_id(struct fan_json_writer *json, const char *name, fan_id id)
{
    if (id)
        fan_json_add_i64(json, name, id);
    else
        fan_json_add_null(json, name);
}

static const char *cursor_text(struct call *call, struct fan_event_place place)
{
    return fan_arena_printf(call->arena, "%lld.%lld", (long long)place.xid, (long long)place.id);
}

static void write_event(struct call *call, const struct fan_report_event *event)
{
    const struct fan_schema *schema = fan_schema_of(event->type);
    struct fan_json_writer *json = &call->json;

    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "id", event->place.id);
    fan_json_add_text(json, "cursor", fan_bytes_of(cursor_text(call, event->place)));
    fan_json_add_text(json, "type", fan_bytes_of(schema ? schema->name : NULL));
    fan_json_add_time(json, "at", event->at);
    add_id(json, "run_id", event->run);
    add_id(json, "chunk_id", event->chunk);
    write_body(call, event, schema);
    fan_json_object_close(json);
}

static struct fan_event_place read_cursor(struct call *call)
{
    struct fan_bytes text = fan_http_query(call->request, "after"), xid, id;
    struct fan_event_place place = { .xid = 0 };

    if (!text.len)
        return place;
    id = fan_bytes_split(text, '.', &xid);
    if (!fan_bytes_i64(xid, &place.xid) || !fan_bytes_i64(id, &place.id))
        call_fault(call, "after", "the \"next\" of the page before", "not a cursor");
    return place;
}

enum fan_err list_events(struct call *call)
{
    struct fan_event_place place = read_cursor(call);
    int64_t limit = call_query_i64(call, "limit", 1, LIMIT_MAX, LIMIT);
    struct fan_report_events list;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_report_events_after(call->db, call->caller.account, place, limit, call->arena,
                &list, call->why);
    if (err)
        return err;
    if (list.len)
        place = list.at[list.len - 1].place;
    fan_json_object_open(&call->json, NULL);
    fan_json_array_open(&call->json, "data");
    for (size_t i = 0; i < list.len; i++)
        write_event(call, &list.at[i]);
    fan_json_array_close(&call->json);
    fan_json_add_text(&call->json, "next", fan_bytes_of(cursor_text(call, place)));
    fan_json_object_close(&call->json);
    return FAN_OK;
}

enum fan_err stream_events(struct call *call)
{
    call->opens_stream = true;
    return FAN_OK;
}

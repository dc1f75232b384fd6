/* What handlers have in common: lists, query parameters, places, and what they tell others. */
#include "gateway/call.h"
#include "sql/store/event.h"

#include <stdio.h>

void call_locate(struct call *call, const char *collection, fan_id id)
{
    snprintf(call->location, sizeof call->location, "/api/v1/%s/%lld", collection, (long long)id);
}

/* ---- lists ---- */

int64_t call_query_i64(struct call *call, const char *name, int64_t least, int64_t most,
        int64_t otherwise)
{
    struct fan_bytes text = fan_http_query(call->request, name);
    int64_t value;

    if (!text.at)
        return otherwise;
    if (fan_bytes_i64(text, &value) && value >= least && value <= most)
        return value;
    call_fault(call, name,
            fan_arena_printf(call->arena, "%lld to %lld", (long long)least, (long long)most),
            "not a number within bounds");
    return otherwise;
}

struct call_page call_read_page(struct call *call)
{
    return (struct call_page){
        .page = call_query_i64(call, "page", 1, 1000000, 1),
        .page_size =
                call_query_i64(call, "page_size", 1, call->gateway->settings->page_size_max, 20),
    };
}

void call_open_list(struct call *call)
{
    fan_json_object_open(&call->json, NULL);
    fan_json_array_open(&call->json, "data");
}

void call_close_list(struct call *call, struct call_page page, int64_t total)
{
    struct fan_json_writer *json = &call->json;

    fan_json_array_close(json);
    fan_json_object_open(json, "pagination");
    fan_json_add_i64(json, "page", page.page);
    fan_json_add_i64(json, "page_size", page.page_size);
    fan_json_add_i64(json, "total_count", total);
    fan_json_add_i64(json, "total_pages", (total + page.page_size - 1) / page.page_size);
    fan_json_object_close(json);
    fan_json_object_close(json);
}

/* ---- telling others ---- */

enum fan_err call_ask(struct call *call, fan_id run, const struct fan_schema *schema,
        const void *message)
{
    const struct fan_route route = { .account = call->caller.account, .run = run };

    return fan_emit(call->turn, schema, &route, message);
}

enum fan_err call_tell(struct call *call, fan_id run, const struct fan_schema *schema,
        const void *message)
{
    enum fan_err err = fan_event_insert(call->db, call->caller.account, run, 0, schema, message,
            call->arena, call->why);

    return err ? err : call_ask(call, run, schema, message);
}

/* What operators' tools ask: health, metrics, and the description of the API. */
#include "gateway/call.h"

#include "gateway/openapi.h"
#include "sql/store/control.h"

enum fan_err health(struct call *call)
{
    fan_time up = fan_clock_elapsed() - call->gateway->started;
    struct fan_control control = { 0 };
    enum fan_err err = fan_control_get(call->db, call->arena, &control, call->why);

    if (err)
        fan_db_abort(call->db); /* what is left of the turn is the answer */
    fan_json_object_open(&call->json, NULL);
    fan_json_add_bool(&call->json, "ok", !err);
    if (err)
        fan_json_add_text(&call->json, "error", FAN_LIT("Database unreachable"));
    else
        fan_json_add_text(&call->json, "sending", fan_bytes_of(fan_control_word(&control)));
    fan_json_add_time(&call->json, "timestamp", fan_clock_now());
    fan_json_add_real(&call->json, "uptime", (double)up / FAN_SECOND);
    fan_json_object_close(&call->json);
    call->status = err ? 503 : 200;
    return FAN_OK;
}

enum fan_err metrics(struct call *call)
{
    call->type = "text/plain; version=0.0.4; charset=utf-8";
    fan_metrics_print(fan_actor_metrics(call->gateway->actor), &call->reply);
    return FAN_OK;
}

enum fan_err openapi(struct call *call)
{
    fan_buffer_add_text(&call->reply, fan_openapi);
    return FAN_OK;
}

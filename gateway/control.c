/* The whole installation: the kill switch, and confirming a database that was copied or restored.
 * Only owners of the operator's account may touch them. */
#include "gateway/body.h"

#include "sql/store/control.h"

enum { REASON_MOST = 400 };

static enum fan_err answer(struct call *call)
{
    struct fan_control control;
    enum fan_err err = fan_control_get(call->db, call->arena, &control, call->why);

    if (err)
        return err;
    fan_json_object_open(&call->json, NULL);
    fan_json_add_text(&call->json, "sending", fan_bytes_of(fan_control_word(&control)));
    fan_json_add_bool(&call->json, "send_enabled", control.send_enabled);
    fan_json_add_text(&call->json, "reason", control.stop_reason);
    fan_json_add_text(&call->json, "hold_reason", control.hold_reason);
    fan_json_add_time(&call->json, "changed_at", control.changed_at);
    fan_json_add_text(&call->json, "changed_by", control.changed_by);
    fan_json_object_close(&call->json);
    return FAN_OK;
}

enum fan_err get_control(struct call *call)
{
    return answer(call);
}

static struct fan_bytes who(struct call *call)
{
    return fan_bytes_of(fan_arena_printf(call->arena, "user %lld of account %lld",
            (long long)call->caller.user, (long long)call->caller.account));
}

enum fan_err set_control(struct call *call)
{
    static const struct fan_control_changed stop = {};
    const struct fan_route all = { .account = 0 };
    struct fan_bytes reason;
    struct body body;
    bool enabled;
    enum fan_err err;

    body_begin(&body, call, call->body, "");
    enabled = body_bool(&body, "send_enabled", true);
    if (!body_value(&body, "send_enabled"))
        body_fault(&body, "send_enabled", "true or false", "missing");
    reason = body_text(&body, "reason", REASON_MOST);
    if (!enabled && !body_value(&body, "reason"))
        body_fault(&body, "reason", "a text that people will read", "missing");
    body_end(&body);
    err = call_check(call);
    if (!err)
        err = fan_control_set(call->db, enabled, reason, who(call), call->arena, call->why);
    if (!err && !enabled)
        err = fan_emit_control_changed(call->turn, &all, &stop);
    if (!err)
        fan_log(call->turn, FAN_WARN, enabled ? "sending.resumed" : "sending.stopped", "%.*s",
                FAN_BYTES_ARG(reason));
    return err ? err : answer(call);
}

enum fan_err confirm_control(struct call *call)
{
    bool held;
    enum fan_err err = fan_control_confirm(call->db, who(call), call->arena, &held, call->why);

    if (!err && held)
        fan_log(call->turn, FAN_WARN, "database.confirmed", "it may send");
    return err ? err : answer(call);
}

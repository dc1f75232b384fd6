#include "gateway/repeat.h"

#include <sodium.h>

enum { HASH = 32, KEY_MAX = 200 };

static struct fan_bytes key_of(const struct call *call)
{
    if (!fan_bytes_eq_text(fan_http_method(call->request), "POST") ||
            call->route->may == MAY_ANYBODY || call->route->handler == preview_picture)
        return FAN_NO_BYTES; /* a picture comes after the turn, and nothing is kept of it */
    return fan_http_header(call->request, "Idempotency-Key");
}

/* Over target and body: the same key for anything else is a mistake. */
static struct fan_bytes hash_of(struct call *call)
{
    struct fan_bytes target = fan_http_target(call->request), body = fan_http_body(call->request);
    crypto_generichash_state state;
    unsigned char *hash = fan_arena_alloc(call->arena, HASH);

    crypto_generichash_init(&state, NULL, 0, HASH);
    crypto_generichash_update(&state, (const unsigned char *)target.at, target.len);
    crypto_generichash_update(&state, (const unsigned char *)"\0", 1);
    if (body.len)
        crypto_generichash_update(&state, (const unsigned char *)body.at, body.len);
    crypto_generichash_final(&state, hash, HASH);
    return (struct fan_bytes){ .at = (const char *)hash, .len = HASH };
}

enum fan_err repeat_begin(struct call *call, bool *repeated)
{
    struct fan_bytes key = key_of(call);
    struct fan_repeat first;
    enum fan_err err;

    *repeated = false;
    if (!key.at)
        return FAN_OK;
    if (key.len == 0 || key.len > KEY_MAX || !fan_bytes_utf8(key))
        return call_refuse(call, 400, "an Idempotency-Key has 1 to %d characters", KEY_MAX);
    err = fan_repeat_claim(call->db, call->caller.account, key, hash_of(call), call->arena, &first,
            call->why);
    if (err == FAN_DENIED)
        return call_refuse(call, 422, "this Idempotency-Key was used for another request");
    if (err || !first.repeated)
        return err;
    *repeated = true;
    call->status = first.status;
    fan_buffer_add_bytes(&call->reply, first.body);
    fan_http_add_header(call->request, "Idempotent-Replayed", "true");
    return FAN_OK;
}

enum fan_err repeat_end(struct call *call)
{
    struct fan_bytes key = key_of(call);

    if (!key.at)
        return FAN_OK;
    return fan_repeat_answered(call->db, call->caller.account, key, call->status,
            fan_buffer_bytes(&call->reply), call->arena, call->why);
}

#include "gateway/call.h"

#include "gateway/live.h"
#include "gateway/repeat.h"
#include "proto/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPLY_MAX = 16 * 1024 * 1024 };

/* ---- refusing ---- */

enum fan_err call_refuse(struct call *call, int status, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    call->problem.status = status;
    call->problem.detail = fan_bytes_cstr(fan_bytes_of(text), call->lasting);
    return FAN_DENIED;
}

void call_fault(struct call *call, const char *field, const char *expected, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    problem_fault(&call->problem, fan_bytes_cstr(fan_bytes_of(field), call->lasting),
            fan_bytes_cstr(fan_bytes_of(text), call->lasting),
            fan_bytes_cstr(fan_bytes_of(expected), call->lasting));
}

enum fan_err call_check(struct call *call)
{
    size_t count = call->problem.faults_len;

    if (count == 0)
        return FAN_OK;
    return call_refuse(call, 400, "%zu field%s not right: see errors", count,
            count == 1 ? " is" : "s are");
}

void call_failed(struct call *call, enum fan_err err, const struct fan_why *why)
{
    if (call->problem.status)
        return;
    problem_of(&call->problem, err, why, call->lasting);
    if (call->problem.status >= 500)
        fan_log(NULL, call->problem.status == 500 ? FAN_ERROR : FAN_WARN, "request.failed",
                "%s of request %s is %s: %s", call->route->operation, call->id, fan_err_name(err),
                why->text);
}

/* ---- beginning ---- */

static struct call *call_new(struct gateway *gateway, struct fan_http_request *request)
{
    struct call *call = fan_arena_alloc(fan_http_arena(request), sizeof *call);

    call->gateway = gateway;
    call->request = request;
    call->lasting = fan_http_arena(request);
    call->status = 200;
    call->type = "application/json";
    snprintf(call->id, sizeof call->id, "%012llx-%llx",
            (unsigned long long)(fan_actor_incarnation(gateway->actor) & 0xffffffffffff),
            (unsigned long long)++gateway->request_count);
    fan_buffer_init(&call->reply, REPLY_MAX);
    return call;
}

struct call *call_begin(struct gateway *gateway, struct fan_http_request *request)
{
    struct call *call = call_new(gateway, request);
    char allowed[64];

    call->route = route_find(fan_http_method(request), fan_http_path(request), call->ids, allowed);
    if (call->route)
        return call;
    if (allowed[0]) {
        fan_http_add_header(request, "Allow", allowed);
        call_refuse(call, 405, "this path takes %s", allowed);
    } else {
        call_refuse(call, 404, "there is no such path");
    }
    call_answer(call);
    return NULL;
}

void call_enter(struct call *call, struct fan_turn *turn)
{
    call->turn = turn;
    call->arena = turn->arena;
    call->db = turn->db;
    call->why = &turn->why;
    call->problem = (struct problem){ .status = 0 };
    call->status = 200;
    call->later = NULL;
    call->location[0] = '\0';
    fan_buffer_clear(&call->reply);
    fan_json_begin(&call->json, &call->reply);
}

/* ---- who calls ---- */

static struct fan_bytes key_of(const struct call *call)
{
    struct fan_bytes scheme,
            rest = fan_bytes_split(fan_http_header(call->request, "Authorization"), ' ', &scheme);

    return fan_bytes_eq_nocase(scheme, FAN_LIT("Bearer")) ? fan_bytes_trim(rest) : FAN_NO_BYTES;
}

fan_id call_account(const struct call *call)
{
    return fan_api_key_account(key_of(call));
}

/* Every reason gives the same answer, so that it tells nothing about keys or accounts. */
static enum fan_err not_known(struct call *call)
{
    fan_http_add_header(call->request, "WWW-Authenticate", "Bearer realm=\"Fanfare\"");
    return call_refuse(call, 401,
            "the header Authorization: Bearer <API key> is missing, or nobody has that key");
}

static enum fan_err look_up(struct call *call, const char hash[FAN_KEY_HASH], fan_time now)
{
    struct fan_api_key found;
    fan_id account = call_account(call);
    enum fan_err err = fan_api_key_find(call->db, account, hash, call->arena, &found, call->why);

    if (err == FAN_DENIED)
        return not_known(call);
    if (err)
        return err;
    call->caller = (struct caller){
        .account = account,
        .key = found.key,
        .user = found.user,
        .may = route_may_of_role(found.role),
    };
    if (account != call->gateway->settings->operator_account)
        call->caller.may &= ~MAY_OPERATE;
    keys_keep(call->gateway->keys, hash, now, &call->caller);
    return FAN_OK;
}

enum fan_err call_recognise(struct call *call)
{
    fan_time now = fan_clock_elapsed();
    char hash[FAN_KEY_HASH];
    enum fan_err err = FAN_OK;

    if (call->route->may == MAY_ANYBODY)
        return FAN_OK;
    if (!call_account(call))
        return not_known(call);
    fan_api_key_hash(key_of(call), hash);
    if (!keys_find(call->gateway->keys, hash, now, &call->caller))
        err = look_up(call, hash, now);
    if (!err && (call->caller.may & (int)call->route->may) == 0)
        return call_refuse(call, 403, "this key's user may not do that");
    return err;
}

/* ---- the body ---- */

/* Whether a Content-Type is @wanted, or was left out. */
static bool says(struct fan_bytes type, const char *wanted)
{
    struct fan_bytes name;

    fan_bytes_split(type, ';', &name);
    return !type.at || fan_bytes_eq_nocase(fan_bytes_trim(name), fan_bytes_of(wanted));
}

static enum fan_err parse_body(struct call *call)
{
    struct fan_bytes body = fan_http_body(call->request);

    call->body = NULL;
    if (call->route->body == ROUTE_NO_BODY)
        return body.len ? call_refuse(call, 400, "this request takes no body") : FAN_OK;
    if (call->route->body == ROUTE_CSV)
        return says(fan_http_header(call->request, "Content-Type"), "text/csv")
                ? FAN_OK
                : call_refuse(call, 415, "the body must be text/csv");
    if (body.len == 0)
        return call->route->body == ROUTE_BODY ? call_refuse(call, 400, "needs a JSON body")
                                               : FAN_OK;
    if (!says(fan_http_header(call->request, "Content-Type"), "application/json"))
        return call_refuse(call, 415, "the body must be application/json");
    if (fan_json_parse(body, call->arena, &call->body, call->why))
        return call_refuse(call, 400, "the body cannot be read: %s", call->why->text);
    if (fan_json_type(call->body) != FAN_JSON_OBJECT)
        return call_refuse(call, 400, "the body must be a JSON object");
    return FAN_OK;
}

/* ---- the turn ---- */

static enum fan_err serve_turn(struct fan_turn *turn, void *context)
{
    struct call *call = context;
    enum fan_err err;
    bool repeated = false;

    call_enter(call, turn);
    err = call_recognise(call);
    if (!err)
        err = parse_body(call);
    if (!err)
        err = repeat_begin(call, &repeated);
    if (err || repeated)
        return err;
    err = call->route->handler(call);
    FAN_FAULT("gateway.handled");
    if (!err && call->reply.overflowed)
        err = call_refuse(call, 413, "the answer would be too large; ask for a smaller page");
    if (!err)
        err = repeat_end(call);
    FAN_FAULT("gateway.before_commit");
    return err;
}

void call_serve(void *context, struct fan_http_request *request)
{
    struct gateway *gateway = context;
    struct call *call = call_begin(gateway, request);
    fan_time begun = fan_clock_elapsed();
    struct fan_route route;
    struct fan_why why;
    enum fan_err err;

    if (!call)
        return;
    route = (struct fan_route){ .account = call_account(call) };
    err = fan_actor_turn(gateway->actor, &route, serve_turn, call, &why);
    FAN_FAULT("gateway.committed");
    if (err)
        call_failed(call, err, &why);
    fan_metric_observe(gateway->seconds, (double)(fan_clock_elapsed() - begun) / FAN_SECOND);
    if (!err && call->later)
        call->later(call);
    else if (!err && call->opens_stream)
        live_open(gateway->live, call);
    else
        call_answer(call);
}

/* ---- the answer ---- */

static void add_headers(struct call *call)
{
    fan_http_add_header(call->request, "X-Request-Id", call->id);
    fan_http_add_header(call->request, "Cache-Control", "no-store");
    fan_http_add_header(call->request, "X-Content-Type-Options", "nosniff");
    if (call->location[0] && !call->problem.status)
        fan_http_add_header(call->request, "Location", call->location);
    if (call->problem.status == 503)
        fan_http_add_header(call->request, "Retry-After", "1");
}

void call_answer(struct call *call)
{
    int status = call->problem.status ? call->problem.status : call->status;

    add_headers(call);
    if (call->problem.status) {
        fan_buffer_clear(&call->reply);
        problem_write(&call->problem, call->id, &call->reply);
        call->type = PROBLEM_TYPE;
    }
    fan_metric_add(call->gateway->requests[status / 100], 1);
    fan_http_answer(call->request, status, call->reply.len ? call->type : NULL,
            fan_buffer_bytes(&call->reply));
    fan_buffer_fini(&call->reply);
}

#include "broker/runtime/actor_inside.h"
#include "proto/json.h"

enum { PAGE_MAX = 4 * 1024 * 1024, ASKERS = 16 };

static void answer(struct fan_http_request *request, int status, const char *type,
        struct fan_buffer *page)
{
    fan_http_answer(request, status, type, fan_buffer_bytes(page));
}

static void add_database(struct fan_json_writer *json, const struct fan_actor *actor)
{
    if (actor->db)
        fan_json_add_bool(json, "database", fan_db_connected(actor->db));
    else
        fan_json_add_null(json, "database");
}

/* What the role has to say comes without its braces and needs a comma before it. */
static bool add_role(struct fan_actor *actor, struct fan_buffer *page)
{
    struct fan_buffer members;
    bool healthy;

    if (!actor->role->health)
        return true;
    fan_buffer_init(&members, PAGE_MAX);
    healthy = actor->role->health(actor, actor->state, &members);
    if (members.len) {
        fan_buffer_add_char(page, ',');
        fan_buffer_add_bytes(page, fan_buffer_bytes(&members));
    }
    fan_buffer_fini(&members);
    return healthy;
}

/* A database or brokers that are away do not make a process unhealthy: a restart would not bring
 * them back, and each role knows what it can do without them. */
static void answer_health(struct fan_actor *actor, struct fan_http_request *request)
{
    struct fan_buffer page, role;
    struct fan_json_writer json;
    bool ok;

    fan_buffer_init(&page, PAGE_MAX);
    fan_buffer_init(&role, PAGE_MAX);
    ok = add_role(actor, &role) && !actor->draining;
    fan_json_begin(&json, &page);
    fan_json_object_open(&json, NULL);
    fan_json_add_bool(&json, "ok", ok);
    fan_json_add_text(&json, "process", fan_bytes_of(actor->common.name));
    fan_json_add_text(&json, "role", fan_bytes_of(actor->role->name));
    fan_json_add_text(&json, "version", fan_bytes_of(FAN_VERSION));
    fan_json_add_time(&json, "timestamp", fan_clock_now());
    fan_json_add_i64(&json, "uptime", (fan_clock_elapsed() - actor->started) / FAN_SECOND);
    fan_json_add_bool(&json, "draining", actor->draining);
    add_database(&json, actor);
    fan_json_add_i64(&json, "brokers", actor->bus ? fan_bus_brokers(actor->bus) : 0);
    fan_buffer_add_bytes(&page, fan_buffer_bytes(&role));
    fan_json_object_close(&json);
    answer(request, ok ? 200 : 503, "application/json", &page);
    fan_buffer_fini(&role);
    fan_buffer_fini(&page);
}

static void answer_metrics(struct fan_actor *actor, struct fan_http_request *request)
{
    struct fan_buffer page;

    fan_buffer_init(&page, PAGE_MAX);
    fan_metrics_print(actor->metrics, &page);
    answer(request, 200, "text/plain; version=0.0.4", &page);
    fan_buffer_fini(&page);
}

static void on_request(void *context, struct fan_http_request *request)
{
    struct fan_actor *actor = context;
    struct fan_bytes path = fan_http_path(request);
    bool reads = fan_bytes_eq_text(fan_http_method(request), "GET") ||
            fan_bytes_eq_text(fan_http_method(request), "HEAD");

    if (!reads) {
        fan_http_add_header(request, "Allow", "GET, HEAD");
        fan_http_answer(request, 405, NULL, FAN_NO_BYTES);
    } else if (fan_bytes_eq_text(path, "/health")) {
        answer_health(actor, request);
    } else if (fan_bytes_eq_text(path, "/metrics")) {
        answer_metrics(actor, request);
    } else {
        fan_http_answer(request, 404, NULL, FAN_NO_BYTES);
    }
}

enum fan_err fan_status_open(struct fan_actor *actor, struct fan_why *why)
{
    const struct fan_http_server_options options = {
        .listen = actor->common.status_listen,
        .connections = ASKERS,
    };

    if (!*options.listen)
        return FAN_OK;
    return fan_http_server_open(actor->loop, &options, on_request, actor, &actor->status, why);
}

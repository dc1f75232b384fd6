#include "broker/runtime/endpoint.h"

#include <stdio.h>
#include <sys/un.h>

enum {
    WORKER_PORTS = 10, /* where the ports of workers begin, above the base's */
    PORT_MAX = 65535,
    IPC_WORKERS = 100000, /* at one time; a bound, not a need */
};

static const char *const endings[] = {
    [FAN_ENDPOINT_IN] = "in",
    [FAN_ENDPOINT_PUB] = "pub",
    [FAN_ENDPOINT_BUS] = "bus",
};

static const struct fan_bytes ipc = { "ipc://", 6 };
static const struct fan_bytes tcp = { "tcp://", 6 };

static enum fan_err name_ipc(struct fan_bytes base, enum fan_endpoint which, uint32_t worker,
        char out[FAN_ENDPOINT_TEXT], struct fan_why *why)
{
    int len = which == FAN_ENDPOINT_WORKER
            ? snprintf(out, FAN_ENDPOINT_TEXT, "%.*s.w%u", FAN_BYTES_ARG(base), worker)
            : snprintf(out, FAN_ENDPOINT_TEXT, "%.*s.%s", FAN_BYTES_ARG(base), endings[which]);
    size_t path = (size_t)len - ipc.len;

    if (base.len == ipc.len || path >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return fan_fail(why, FAN_INVALID, "the path in %.*s is empty or longer than a socket's",
                FAN_BYTES_ARG(base));
    return FAN_OK;
}

/* Split tcp://host:port; the host keeps its brackets. */
static bool split_tcp(struct fan_bytes base, struct fan_bytes *host, int64_t *port)
{
    size_t colon = base.len;

    while (colon > tcp.len && base.at[colon - 1] != ':')
        colon--;
    if (!fan_bytes_starts(base, tcp) || colon <= tcp.len + 1)
        return false;
    *host = (struct fan_bytes){ base.at + tcp.len, colon - 1 - tcp.len };
    return fan_bytes_i64((struct fan_bytes){ base.at + colon, base.len - colon }, port) &&
            *port > 0 && *port <= PORT_MAX;
}

static enum fan_err name_tcp(struct fan_bytes base, enum fan_endpoint which, uint32_t worker,
        char out[FAN_ENDPOINT_TEXT], struct fan_why *why)
{
    struct fan_bytes host;
    int64_t port;

    if (!split_tcp(base, &host, &port))
        return fan_fail(why, FAN_INVALID, "%.*s is no tcp://host:port", FAN_BYTES_ARG(base));
    port += which == FAN_ENDPOINT_WORKER ? WORKER_PORTS + (int64_t)worker : (int64_t)which;
    if (port > PORT_MAX)
        return fan_fail(why, FAN_INVALID, "the ports above %.*s do not suffice",
                FAN_BYTES_ARG(base));
    if (snprintf(out, FAN_ENDPOINT_TEXT, "tcp://%.*s:%d", FAN_BYTES_ARG(host), (int)port) >=
            FAN_ENDPOINT_TEXT)
        return fan_fail(why, FAN_INVALID, "the host in %.*s is too long", FAN_BYTES_ARG(base));
    return FAN_OK;
}

enum fan_err fan_endpoint_name(struct fan_bytes base, enum fan_endpoint which, uint32_t worker,
        char out[FAN_ENDPOINT_TEXT], struct fan_why *why)
{
    if (base.len < FAN_ENDPOINT_TEXT && fan_bytes_starts(base, ipc))
        return name_ipc(base, which, worker, out, why);
    if (base.len < FAN_ENDPOINT_TEXT && fan_bytes_starts(base, tcp))
        return name_tcp(base, which, worker, out, why);
    return fan_fail(why, FAN_INVALID, "\"%.*s\" is no ipc:// or tcp:// address",
            FAN_BYTES_ARG(base));
}

uint32_t fan_endpoint_workers(struct fan_bytes base)
{
    struct fan_bytes host;
    int64_t port;

    if (!split_tcp(base, &host, &port))
        return IPC_WORKERS;
    return port + WORKER_PORTS < PORT_MAX ? (uint32_t)(PORT_MAX - WORKER_PORTS - port) : 0;
}

static bool is_every_interface(struct fan_bytes host)
{
    return fan_bytes_eq_text(host, "*") || fan_bytes_eq_text(host, "0.0.0.0") ||
            fan_bytes_eq_text(host, "[::]");
}

void fan_endpoint_seen_from(struct fan_bytes base, struct fan_bytes named,
        char out[FAN_ENDPOINT_TEXT])
{
    struct fan_bytes host, own_host;
    int64_t port, own_port;

    if (split_tcp(named, &host, &port) && is_every_interface(host) &&
            split_tcp(base, &own_host, &own_port))
        snprintf(out, FAN_ENDPOINT_TEXT, "tcp://%.*s:%d", FAN_BYTES_ARG(own_host), (int)port);
    else
        snprintf(out, FAN_ENDPOINT_TEXT, "%.*s", FAN_BYTES_ARG(named));
}

#include "actors/cli/fleet.h"

#include "actors/cli/cluster.h"
#include "actors/cli/file.h"
#include "actors/cli/ports.h"
#include "broker/runtime/endpoint.h"
#include "proto/buffer.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum when { ALWAYS, WITH_CLUSTER, WITH_SANDBOX };

/* Waves of starting: what needs the database waits until it is there and up to date. */
enum { FIRST, PREPARING, WORKING };

/* Order of stopping: no new work, then the work, then its carriers, then the truth. */
enum { DOORS_LEAVE, WORKERS_LEAVE, BROKERS_LEAVE, DATABASE_LEAVES };

enum { ARGUMENTS = 6, BROKERS = 2 };

/* A process. In arguments, {name} stands for the value of that name: see value_of. */
struct row {
    const char *name;
    const char *program;
    const char *arguments[ARGUMENTS];
    enum when when;
    struct fan_slot_rules rules;
    bool has_status;
};

#define DOOR \
    { \
        .wave = WORKING, .leave = DOORS_LEAVE, .stop_ms = 3000 \
    }
#define WORKER \
    { \
        .wave = WORKING, .leave = WORKERS_LEAVE, .stop_ms = 5500 \
    }
#define CARRIER \
    { \
        .wave = FIRST, .leave = BROKERS_LEAVE, .stop_ms = 2000 \
    }

static const struct row rows[] = {
    { "postgres", "postgres", { "-D", "{home}/pg" }, WITH_CLUSTER,
            { .gate = true, .wave = FIRST, .leave = DATABASE_LEAVES, .stop_ms = 3500 }, false },
    { "prepare", "fanfare", { "prepare", "--home", "{home}", "--user", "{owner}" }, ALWAYS,
            { .once = true,
                    .gate = true,
                    .wave = PREPARING,
                    .leave = WORKERS_LEAVE,
                    .stop_ms = 2000 },
            false },
    { "broker-1", "fanfare-broker", { "--listen", "{broker-1}" }, ALWAYS, CARRIER, true },
    { "broker-2", "fanfare-broker", { "--listen", "{broker-2}" }, ALWAYS, CARRIER, true },
    { "sandbox", "fanfare-sandbox",
            { "--listen", "{sandbox}", "--smtp-listen", "{smtp}", "--journal",
                    "{home}/sandbox.journal" },
            WITH_SANDBOX, CARRIER, true },
    { "scheduler", "fanfare-scheduler", { NULL }, ALWAYS, WORKER, true },
    { "audience", "fanfare-audience", { NULL }, ALWAYS, WORKER, true },
    { "renderer", "fanfare-renderer", { NULL }, ALWAYS, WORKER, true },
    { "sender-sms", "fanfare-sender", { "--kind", "sms", "--public-url", "{public}" }, ALWAYS,
            WORKER, true },
    { "sender-whatsapp", "fanfare-sender", { "--kind", "whatsapp", "--public-url", "{public}" },
            ALWAYS, WORKER, true },
    { "sender-email", "fanfare-sender", { "--kind", "email", "--public-url", "{public}" }, ALWAYS,
            WORKER, true },
    { "sender-api", "fanfare-sender", { "--kind", "api", "--public-url", "{public}" }, ALWAYS,
            WORKER, true },
    { "analytics", "fanfare-analytics", { NULL }, ALWAYS, WORKER, true },
    { "imager", "fanfare-imager", { NULL }, ALWAYS, WORKER, true },
    { "ingester", "fanfare-ingester", { "--listen", "{ingester}", "--public-url", "{public}" },
            ALWAYS, DOOR, true },
    { "gateway", "fanfare-gateway", { "--listen", "{gateway}", "--public-url", "{public}" }, ALWAYS,
            DOOR, true },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* ---- values in arguments ---- */

static const char *address(const struct fan_fleet_options *options, const char *host, uint32_t port,
        struct fan_arena *arena)
{
    return fan_arena_printf(arena, "%s:%u", host, options->port + port);
}

static const char *broker(const struct fan_fleet_options *options, int number,
        struct fan_arena *arena)
{
    if ((size_t)number <= options->brokers.len)
        return fan_bytes_cstr(options->brokers.at[number - 1], arena);
    return fan_arena_printf(arena, "ipc://%s/broker-%d", options->home->run, number);
}

static const char *value_of(const struct fan_fleet_options *options, struct fan_bytes name,
        struct fan_arena *arena)
{
    if (fan_bytes_eq_text(name, "home"))
        return options->home->path;
    if (fan_bytes_eq_text(name, "owner"))
        return options->home->own_cluster ? "fan_owner" : "";
    if (fan_bytes_eq_text(name, "broker-1"))
        return broker(options, 1, arena);
    if (fan_bytes_eq_text(name, "broker-2"))
        return broker(options, 2, arena);
    if (fan_bytes_eq_text(name, "gateway"))
        return address(options, options->bind, FAN_PORT_GATEWAY, arena);
    if (fan_bytes_eq_text(name, "ingester"))
        return address(options, options->bind, FAN_PORT_INGESTER, arena);
    if (fan_bytes_eq_text(name, "public"))
        return options->public_url;
    if (fan_bytes_eq_text(name, "sandbox"))
        return address(options, "127.0.0.1", FAN_PORT_SANDBOX, arena);
    FAN_ASSERT(fan_bytes_eq_text(name, "smtp"));
    return address(options, "127.0.0.1", FAN_PORT_SANDBOX_SMTP, arena);
}

/* At most one {name}, at the beginning. */
static const char *filled(const struct fan_fleet_options *options, const char *text,
        struct fan_arena *arena)
{
    struct fan_bytes name, rest;

    if (*text != '{')
        return text;
    rest = fan_bytes_split(fan_bytes_of(text + 1), '}', &name);
    return fan_arena_printf(arena, "%s%.*s", value_of(options, name, arena), FAN_BYTES_ARG(rest));
}

/* ---- one process ---- */

static bool is_left_out(const struct fan_fleet_options *options, const struct row *row)
{
    if (row->when == WITH_CLUSTER && !options->home->own_cluster)
        return true;
    if (row->when == WITH_SANDBOX && !options->sandbox)
        return true;
    for (size_t i = 0; i < options->without.len; i++) {
        if (fan_bytes_eq_text(options->without.at[i], row->name))
            return true;
    }
    return false;
}

static enum fan_err find_program(const struct fan_fleet_options *options, const struct row *row,
        struct fan_arena *arena, const char **out, struct fan_why *why)
{
    if (row->when == WITH_CLUSTER)
        return fan_cluster_program(options->home, row->program, arena, out, why);
    *out = fan_program_path(row->program, arena);
    if (access(*out, X_OK) != 0)
        return fan_fail(why, FAN_NOT_FOUND,
                "%s cannot be run: build it, or leave it out with --without %s", *out, row->name);
    return FAN_OK;
}

static const char *const *arguments(const struct fan_fleet_options *options, const struct row *row,
        const char *program, const struct fan_process *process, struct fan_arena *arena)
{
    const char **argv = fan_arena_array(arena, ARGUMENTS + 6, sizeof(*argv));
    size_t len = 0;

    argv[len++] = program;
    for (size_t i = 0; i < ARGUMENTS && row->arguments[i]; i++)
        argv[len++] = filled(options, row->arguments[i], arena);
    if (row->has_status) {
        argv[len++] = "--name";
        argv[len++] = process->name;
        argv[len++] = "--status-listen";
        argv[len++] = process->status;
    }
    return argv;
}

/* ---- what all are told ---- */

static bool is_ours_alone(const char *variable)
{
    static const char *const prefixes[] = { "PG", "NOTIFY_SOCKET=", "WATCHDOG_",
        "FANFARE_STATE_DIR=", "FANFARE_BROKERS=", "FANFARE_DATABASE_URL=", NULL };

    for (const char *const *at = prefixes; *at; at++) {
        if (strncmp(variable, *at, strlen(*at)) == 0)
            return true;
    }
    return false;
}

static const char **environment(const struct fan_fleet_options *options, struct fan_arena *arena)
{
    const struct fan_home *home = options->home;
    size_t count = 0, len = 0;
    const char **env;

    while (environ[count])
        count++;
    env = fan_arena_array(arena, count + 16, sizeof(*env));
    env[len++] = fan_arena_printf(arena, "FANFARE_STATE_DIR=%s", home->state);
    env[len++] = fan_arena_printf(arena, "FANFARE_BROKERS=%s,%s", broker(options, 1, arena),
            broker(options, 2, arena));
    env[len++] = fan_arena_printf(arena, "FANFARE_DATABASE_URL=%s", home->database_url);
    env[len++] = fan_arena_printf(arena, "FANFARE_SUPERVISED=%d", (int)getpid());
    env[len++] = fan_arena_printf(arena, "NOTIFY_SOCKET=%s/notify", home->run);
    if (!getenv("FANFARE_DRAIN_MS"))
        env[len++] = "FANFARE_DRAIN_MS=5000";
    for (size_t i = 0; i < count; i++) {
        if (!is_ours_alone(environ[i]))
            env[len++] = environ[i];
    }
    return env;
}

static const char *const *with_config(const char *const *env, const char *file,
        struct fan_arena *arena)
{
    size_t count = 0;
    const char **more;

    while (env[count])
        count++;
    more = fan_arena_array(arena, count + 2, sizeof(*more));
    memcpy(more + 1, env, count * sizeof(*more));
    more[0] = fan_arena_printf(arena, "FANFARE_CONFIG=%s", file);
    return more;
}

/* ---- the list ---- */

static enum fan_err check_names(const struct fan_fleet_options *options, struct fan_why *why)
{
    for (size_t i = 0; i < options->without.len; i++) {
        size_t k = 0;

        while (k < ROWS && !fan_bytes_eq_text(options->without.at[i], rows[k].name))
            k++;
        if (k == ROWS)
            return fan_fail(why, FAN_INVALID, "there is no process \"%.*s\" to leave out",
                    FAN_BYTES_ARG(options->without.at[i]));
    }
    return FAN_OK;
}

static enum fan_err check_brokers(const struct fan_fleet_options *options, struct fan_why *why)
{
    char endpoint[FAN_ENDPOINT_TEXT];
    enum fan_err err = FAN_OK;

    if (options->brokers.len > BROKERS)
        return fan_fail(why, FAN_INVALID, "%zu brokers were given, but %d are run",
                options->brokers.len, BROKERS);
    for (size_t i = 0; !err && i < options->brokers.len; i++)
        err = fan_endpoint_name(options->brokers.at[i], FAN_ENDPOINT_IN, 0, endpoint, why);
    return err;
}

static void describe(const struct fan_fleet_options *options, const struct row *row,
        const char *const *env, struct fan_arena *arena, struct fan_process *out)
{
    bool server = row->when == WITH_CLUSTER;

    out->rules = row->rules;
    out->rules.restart_ms = options->restart_ms;
    out->stop_signal = server ? SIGINT : SIGTERM; /* SIGINT: PostgreSQL's fast shutdown */
    out->child.env = row->when == WITH_SANDBOX
            ? with_config(env, fan_arena_printf(arena, "%s/sandbox.conf", options->home->path),
                      arena)
            : env;
    out->child.life_lock = fan_arena_printf(arena, "%s/%s.life", options->home->run, out->name);
    /* Its own immediate shutdown takes no checkpoint, which could last for longer than we have. */
    out->child.death_signal = server ? SIGQUIT : SIGTERM;
    out->sweep = server ? fan_cluster_sweep : NULL;
}

/* The process of a row; @number counts those that have a port to tell their health on. */
static enum fan_err add(const struct fan_fleet_options *options, const struct row *row,
        size_t number, const char *const *env, struct fan_arena *arena, struct fan_process *out,
        struct fan_why *why)
{
    const char *program;
    enum fan_err err = find_program(options, row, arena, &program, why);

    if (err)
        return err;
    out->status = row->has_status
            ? address(options, "127.0.0.1", (uint32_t)(FAN_PORT_STATUS + number), arena)
            : "";
    describe(options, row, env, arena, out);
    out->child.argv = arguments(options, row, program, out, arena);
    return FAN_OK;
}

/* The row that another process is asked of; only workers share nothing, not even a port. */
static const struct row *find_worker(struct fan_bytes name)
{
    for (const struct row *row = rows; row < rows + ROWS; row++) {
        if (fan_bytes_eq_text(name, row->name))
            return row->rules.leave == WORKERS_LEAVE && !row->rules.once ? row : NULL;
    }
    return NULL;
}

/* "sender-sms-2", "sender-sms-3", … */
static const char *further_name(const struct fan_texts *asked, size_t index,
        struct fan_arena *arena)
{
    struct fan_bytes name = asked->at[index];
    int number = 2;

    for (size_t i = 0; i < index; i++)
        number += fan_bytes_eq(asked->at[i], name);
    return fan_arena_printf(arena, "%.*s-%d", FAN_BYTES_ARG(name), number);
}

static enum fan_err add_another(const struct fan_fleet_options *options, size_t index,
        const char *const *env, struct fan_arena *arena, struct fan_process *out,
        struct fan_why *why)
{
    const struct row *row = find_worker(options->another.at[index]);

    if (!row)
        return fan_fail(why, FAN_INVALID, "there is no worker \"%.*s\" to start another of",
                FAN_BYTES_ARG(options->another.at[index]));
    if (FAN_PORT_STATUS + ROWS + index >= FAN_PORTS)
        return fan_fail(why, FAN_INVALID, "at most %d processes more than usual can be started",
                (int)(FAN_PORTS - FAN_PORT_STATUS - ROWS));
    out->name = further_name(&options->another, index, arena);
    return add(options, row, ROWS + index, env, arena, out, why);
}

enum fan_err fan_fleet_list(const struct fan_fleet_options *options, struct fan_arena *arena,
        const struct fan_process **out, size_t *count, struct fan_why *why)
{
    struct fan_process *list = fan_arena_array(arena, ROWS + options->another.len, sizeof(*list));
    const char *const *env = environment(options, arena);
    enum fan_err err = check_names(options, why);

    if (!err)
        err = check_brokers(options, why);
    *out = list;
    *count = 0;
    for (const struct row *row = rows; !err && row < rows + ROWS; row++) {
        if (is_left_out(options, row))
            continue;
        list[*count].name = row->name;
        err = add(options, row, (size_t)(row - rows), env, arena, &list[(*count)++], why);
    }
    for (size_t i = 0; !err && i < options->another.len; i++)
        err = add_another(options, i, env, arena, &list[(*count)++], why);
    return err;
}

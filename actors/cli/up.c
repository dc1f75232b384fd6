/*
 * fanfare up — everything on one machine, supervised.
 */
#include "actors/cli/api.h"
#include "actors/cli/cluster.h"
#include "actors/cli/command.h"
#include "actors/cli/file.h"
#include "actors/cli/fleet.h"
#include "actors/cli/ports.h"
#include "actors/cli/sandbox_keys.h"
#include "actors/cli/supervisor.h"
#include "broker/runtime/settings.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ORPHANS_MS = 8000 }; /* processes of a supervisor that was killed end sooner */

struct up_options {
    const char *home;
    const char *bind;
    uint32_t port, restart_ms;
    const char *public_url;
    bool sandbox;
    bool foreground_logs;
    struct fan_texts without;
    struct fan_texts another;
    struct fan_texts broker;
};

static const struct up_options defaults = { .bind = "127.0.0.1",
    .port = 8080,
    .restart_ms = FAN_BACKOFF_MOST_MS };

static const struct fan_option options[] = {
    FAN_OPTION(TEXT, struct up_options, home, "home", "DIR",
            "where data, logs and keys live (FANFARE_HOME)"),
    FAN_OPTION(TEXT, struct up_options, bind, "bind", "ADDRESS",
            "address of the API and of callbacks (127.0.0.1)"),
    FAN_OPTION(NUMBER, struct up_options, port, "port", "NUMBER",
            "of the API (8080); the next thirty are used as well"),
    FAN_OPTION(TEXT, struct up_options, public_url, "public-url", "URL",
            "where providers and recipients reach the port behind the API's"),
    FAN_OPTION(FLAG, struct up_options, sandbox, "sandbox", NULL,
            "also run a simulator of the providers"),
    FAN_OPTION(FLAG, struct up_options, foreground_logs, "foreground-logs", NULL,
            "logs to standard error instead of DIR/log"),
    FAN_OPTION(NUMBER, struct up_options, restart_ms, "restart-ms", "NUMBER",
            "the longest pause before a process that ended is started again (30000)"),
    FAN_OPTION(TEXTS, struct up_options, without, "without", "NAME",
            "do not start this process: it runs elsewhere"),
    FAN_OPTION(TEXTS, struct up_options, another, "another", "NAME",
            "start one more of this worker: renderer, sender-sms, …; may be given again"),
    FAN_OPTION(TEXTS, struct up_options, broker, "broker", "ADDRESS",
            "where a broker listens for workers of other machines too: tcp://10.0.0.1:5550; may be "
            "given twice"),
    FAN_OPTIONS_END,
};

static const char details[] =
        "As root everything runs as the user fanfare. Without FANFARE_DATABASE_URL a private\n"
        "PostgreSQL cluster is made in DIR/pg and run as one of the processes; your own settings\n"
        "for it go into DIR/postgresql.conf. Processes that end are started again. Whatever was\n"
        "killed, `fanfare up` continues with the same data. SIGTERM or Ctrl-C stops everything in\n"
        "order.";

struct up {
    const struct up_options *options;
    struct fan_home home;
    bool first; /* there was no API key yet */
    struct fan_arena *arena;
};

/* How this machine itself reaches what listens on --bind. */
static const char *local_host(const struct up_options *asked)
{
    return strcmp(asked->bind, "0.0.0.0") == 0 ? "127.0.0.1" : asked->bind;
}

static const char *public_url(const struct up *up)
{
    if (up->options->public_url)
        return up->options->public_url;
    return fan_arena_printf(up->arena, "http://%s:%u", local_host(up->options),
            up->options->port + FAN_PORT_INGESTER);
}

static void print_banner(void *context)
{
    const struct up *up = context;
    const char *home = up->home.path;
    const char *key = up->first ? fan_file_text(up->home.api_key_file, up->arena) : NULL;
    const char *url =
            fan_arena_printf(up->arena, "http://%s:%u", local_host(up->options), up->options->port);
    bool is_usual = strcmp(url, FAN_API_URL) == 0;

    printf("\nFanfare is up.\n\n");
    printf("  API      %s\n", url);
    printf("  API key  %s\n", up->home.api_key_file);
    if (key)
        printf("           %s  (shown this once)\n", key);
    printf("  webhooks %s/hooks/…\n", public_url(up));
    if (up->options->sandbox)
        printf("  sandbox  http://127.0.0.1:%u, mail on port %u\n",
                up->options->port + FAN_PORT_SANDBOX, up->options->port + FAN_PORT_SANDBOX_SMTP);
    printf("  logs     %s/log\n", home);
    printf("  status   fanfare status --home %s%s%s\n", home, is_usual ? "" : " --url ",
            is_usual ? "" : url);
    printf("  stop     Ctrl-C, or kill %d\n\n", (int)getpid());
    fflush(stdout);
}

static enum fan_err check_port(uint32_t port, struct fan_why *why)
{
    if (port >= 1 && port <= 65000)
        return FAN_OK;
    return fan_fail(why, FAN_INVALID, "--port is %u, but must be from 1 to 65000", port);
}

/* What no process could read, all of them would refuse, again and again. */
static enum fan_err check_environment(struct fan_arena *arena, struct fan_why *why)
{
    struct fan_common_settings common;

    return fan_settings_read("cli", NULL, NULL, &common, 0, NULL, arena, why);
}

/* Alone in a home that belongs to us. */
static enum fan_err settle(struct up *up, struct fan_why *why)
{
    enum fan_err err = check_port(up->options->port, why);

    if (!err)
        err = check_environment(up->arena, why);
    if (!err)
        err = fan_home_enter(up->options->home, up->arena, &up->home, why);
    if (!err)
        err = fan_home_lock(&up->home, why);
    if (!err && up->options->sandbox)
        err = fan_sandbox_keys_make(&up->home, why);
    if (!err && up->home.own_cluster)
        err = fan_cluster_make(&up->home, why);
    up->first = !err && access(up->home.api_key_file, F_OK) != 0;
    return err;
}

/* Sockets that had to be elsewhere, because the path of home is long, would stay there for ever. */
static void tidy(const struct fan_home *home)
{
    static const char *const env[] = { NULL };
    const char *const argv[] = { "/bin/rm", "-rf", home->run, NULL };
    const struct fan_child child = { .argv = argv, .env = env, .death_signal = SIGKILL };
    struct fan_why why;

    if (strncmp(home->run, home->path, strlen(home->path)) != 0 && fan_child_run(&child, &why))
        fprintf(stderr, "fanfare: %s is left behind: %s\n", home->run, why.text);
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    struct up up = { .options = call->options, .arena = call->arena };
    struct fan_supervisor_options supervisor = { .home = &up.home,
        .ready = print_banner,
        .context = &up,
        .foreground_logs = up.options->foreground_logs };
    enum fan_err err = settle(&up, why);
    const struct fan_fleet_options fleet = { .home = &up.home,
        .bind = up.options->bind,
        .port = up.options->port,
        .restart_ms = up.options->restart_ms,
        .public_url = public_url(&up),
        .sandbox = up.options->sandbox,
        .without = up.options->without,
        .another = up.options->another,
        .brokers = up.options->broker };

    (void)exit_code;
    if (!err)
        err = fan_fleet_list(&fleet, call->arena, &supervisor.processes, &supervisor.count, why);
    if (!err)
        err = fan_ports_await(up.options->port, ORPHANS_MS, why);
    if (err)
        return err;
    fan_supervisor_block_signals();
    err = fan_supervise(&supervisor, why);
    tidy(&up.home);
    return err;
}

const struct fan_command fan_command_up = {
    .name = "up",
    .arguments = "",
    .summary = "start everything on this machine, and keep it running",
    .details = details,
    .table = options,
    .defaults = &defaults,
    .options_size = sizeof(struct up_options),
    .run = run,
};

#include "actors/cli/demo.h"

#include "actors/cli/child.h"
#include "actors/cli/command.h"
#include "actors/cli/ports.h"
#include "actors/cli/sample.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct demo_options {
    const char *home;
    uint32_t port;
    uint32_t contacts;
    bool once, keep;
};

static const struct demo_options defaults = { .contacts = FAN_SAMPLE_ROWS };

static const struct fan_option options[] = {
    FAN_OPTION(FLAG, struct demo_options, once, "once", NULL,
            "stop after the summary; fail when a check does"),
    FAN_OPTION(NUMBER, struct demo_options, contacts, "contacts", "NUMBER",
            "rows of the contact list (12000)"),
    FAN_OPTION(NUMBER, struct demo_options, port, "port", "NUMBER",
            "of the API (8080, or what is free)"),
    FAN_OPTION(TEXT, struct demo_options, home, "home", "DIR",
            "where to live (once: a new folder that is removed)"),
    FAN_OPTION(FLAG, struct demo_options, keep, "keep", NULL, "do not remove that folder"),
    FAN_OPTIONS_END,
};

/* ---- where ---- */

static enum fan_err choose_home(const struct demo_options *asked, struct fan_arena *arena,
        const char **home, struct fan_why *why)
{
    const char *user_home = getenv("HOME");
    char *fresh = fan_arena_printf(arena, "/tmp/fanfare-demo.XXXXXX");

    *home = asked->home;
    if (*home)
        return FAN_OK;
    if (!asked->once && geteuid() == 0)
        *home = "/var/lib/fanfare-demo";
    else if (!asked->once && user_home)
        *home = fan_arena_printf(arena, "%s/.local/share/fanfare-demo", user_home);
    else
        *home = mkdtemp(fresh);
    if (!*home)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot make a folder in /tmp: %s", strerror(errno));
    return FAN_OK;
}

static void remove_home(const struct fan_demo *demo)
{
    static const char *const env[] = { NULL };
    const char *const argv[] = { "/bin/rm", "-rf", demo->home.path, NULL };
    const struct fan_child child = { .argv = argv, .env = env, .death_signal = SIGTERM };
    struct fan_why why;

    if (chdir("/") != 0 || fan_child_run(&child, &why))
        fprintf(stderr, "fanfare demo: %s is left behind\n", demo->home.path);
}

/* ---- the contact list ---- */

static enum fan_err write_list(struct fan_demo *demo, uint32_t rows, const char **path,
        struct fan_why *why)
{
    FILE *file;
    enum fan_err err;

    *path = fan_arena_printf(demo->arena, "%s/sample.csv", demo->home.path);
    file = fopen(*path, "we");
    if (!file)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot write %s: %s", *path, strerror(errno));
    err = fan_sample_write(rows, file, why);
    fclose(file);
    return err;
}

static enum fan_err import_list(struct fan_demo *demo, uint32_t rows, struct fan_why *why)
{
    static const struct fan_bytes tag = FAN_LIT(FAN_DEMO_TAG);
    struct fan_import_request request = { .tags = { &tag, 1 }, .country = "US" };
    enum fan_err err = write_list(demo, rows, &request.file, why);

    if (!err)
        err = fan_import_file(demo->api, &request, &demo->import, why);
    return err;
}

/* ---- what came of it ---- */

static void print_row(const char *name, const struct fan_counts *counts)
{
    const int64_t columns[] = { counts->total, counts->sent, counts->delivered, counts->read,
        counts->undelivered, counts->failed, counts->skipped,
        counts->unknown + counts->unknown_final };

    printf("  %-18s", name);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        printf(" %11lld", (long long)columns[i]);
    putchar('\n');
}

static void print_summary(const struct fan_demo *demo)
{
    struct fan_counts total = fan_demo_total(demo);

    printf("\n  %-18s %11s %11s %11s %11s %11s %11s %11s %11s\n", "", "messages", "sent",
            "delivered", "read", "undelivered", "failed", "skipped", "unknown");
    for (int i = 0; i < FAN_DEMO_CAMPAIGNS; i++)
        print_row(demo->campaigns[i].name, &demo->campaigns[i].counts);
    print_row("all", &total);
    putchar('\n');
}

static void print_details(const struct fan_demo *demo)
{
    printf("  contact list: %lld rows, %lld rejected, %lld warnings\n",
            (long long)demo->import.rows, (long long)demo->import.rejected,
            (long long)demo->import.warnings);
    for (int i = 0; i < FAN_DEMO_CAMPAIGNS; i++) {
        if (demo->campaigns[i].skips && *demo->campaigns[i].skips)
            printf("  %s skipped: %s\n", demo->campaigns[i].name, demo->campaigns[i].skips);
    }
    putchar('\n');
}

static double rate_of(const struct fan_demo *demo, const struct fan_counts *total)
{
    return demo->seconds > 0 ? (double)total->sent / demo->seconds : 0;
}

/* For programs: the last line. Everything accepted counts as sent, whatever became of it then, so
 * that sent, failed, skipped and unknown are all messages. */
static void print_object(const struct fan_demo *demo)
{
    struct fan_counts total = fan_demo_total(demo);
    const struct {
        const char *name;
        int64_t value;
    } members[] = {
        { "contacts", demo->contacts },
        { "campaigns", FAN_DEMO_CAMPAIGNS },
        { "messages", total.total },
        { "sent", total.sent },
        { "delivered", total.delivered },
        { "read", total.read },
        { "failed", total.failed },
        { "skipped", total.skipped },
        { "unknown", total.unknown + total.unknown_final },
    };

    putchar('{');
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        printf("\"%s\":%lld,", members[i].name, (long long)members[i].value);
    printf("\"seconds\":%.1f,\"rate\":%.0f}\n", demo->seconds, rate_of(demo, &total));
    fflush(stdout);
}

/* ---- the order of things ---- */

static enum fan_err play(struct fan_demo *demo, uint32_t rows, bool *holds, struct fan_why *why)
{
    enum fan_err err;

    printf("Starting everything in %s …\n", demo->home.path);
    fflush(stdout);
    err = fan_demo_guess_webhook(demo, why);
    if (!err)
        err = fan_demo_open(demo, why);
    if (!err)
        printf("Fanfare is up at %s\n\n", fan_api_url(demo->api));
    if (!err)
        err = import_list(demo, rows, why);
    if (!err)
        err = fan_demo_make_channels(demo, why);
    demo->journal_from = fan_demo_journal_size(demo);
    if (!err)
        err = fan_demo_launch(demo, why);
    if (!err)
        err = fan_demo_watch(demo, why);
    if (err)
        return err;
    print_summary(demo);
    *holds = fan_demo_check(demo);
    print_details(demo);
    return FAN_OK;
}

static void stay_up(struct fan_demo *demo)
{
    printf("\nFanfare stays up at %s; the API key is in %s\n"
           "What was wrong with rows of the list: %s/api/v1/imports/%lld/errors.csv\n"
           "Stop it with Ctrl-C.\n",
            fan_api_url(demo->api), demo->home.api_key_file, fan_api_url(demo->api),
            (long long)demo->import.id);
    fflush(stdout);
    while (!fan_demo_pause(demo, 1000))
        ;
}

static void block_signals(void)
{
    sigset_t stops;

    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    sigprocmask(SIG_BLOCK, &stops, NULL);
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct demo_options *asked = call->options;
    struct fan_demo demo = { .arena = call->arena };
    const char *path = NULL;
    bool holds = false;
    enum fan_err err = choose_home(asked, call->arena, &path, why);

    if (!err)
        err = fan_home_enter(path, call->arena, &demo.home, why);
    if (!err)
        err = fan_ports_find(asked->port, &demo.port, why);
    if (err)
        return err;
    block_signals();
    err = play(&demo, asked->contacts, &holds, why);
    if (!err)
        print_object(&demo);
    if (!err && !asked->once)
        stay_up(&demo);
    fan_demo_close(&demo);
    if (asked->once && !asked->home && !asked->keep && holds)
        remove_home(&demo);
    *exit_code = holds ? 0 : 1;
    return err;
}

const struct fan_command fan_command_demo = {
    .name = "demo",
    .arguments = "",
    .summary = "send one campaign on each kind of channel, to a sandbox",
    .details = "Starts everything with `fanfare up --sandbox`, imports a sample contact list,\n"
               "launches a campaign by SMS, WhatsApp and e-mail, shows how they come along, and\n"
               "compares every number with the rows and with the sandbox's own journal. The last\n"
               "line of the summary is one JSON object. Then it stays up until Ctrl-C.",
    .table = options,
    .defaults = &defaults,
    .options_size = sizeof(struct demo_options),
    .run = run,
};

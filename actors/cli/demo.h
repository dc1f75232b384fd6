/*
 * demo — one campaign on each kind of channel, from a contact list to the last receipt.
 *
 *   demo.c        the order of things
 *   demo_stage.c  a supervisor of its own, with the sandbox, brought up and taken down
 *   demo_setup.c  channels at the sandbox's providers, and campaigns
 *   demo_watch.c  progress, until nothing moves any more
 *   demo_check.c  whether every number is true: by SQL, and by the sandbox's own journal
 */
#ifndef FAN_CLI_DEMO_H
#define FAN_CLI_DEMO_H

#include "actors/cli/api.h"
#include "actors/cli/import.h"
#include "actors/cli/progress.h"

#include <sys/types.h>

#define FAN_DEMO_TAG "demo"

struct fan_demo_campaign {
    const char *kind;     /* "sms" */
    const char *provider; /* as the sandbox's journal calls it: "twilio" */
    const char *name;
    int64_t channel, id;
    struct fan_counts counts;
    struct fan_pace pace;
    const char *status;
    const char *skips; /* "no_address 412, duplicate 80"; NULL: not known */
};

enum {
    FAN_DEMO_CAMPAIGNS = 3,
    FAN_DEMO_ACCOUNT = 1, /* a demo's home has one */
};

struct fan_demo {
    struct fan_arena *arena;
    struct fan_home home;
    uint32_t port;
    pid_t supervisor;
    struct fan_api *api;
    int64_t contacts; /* with the demo's tag */
    struct fan_import_result import;
    struct fan_demo_campaign campaigns[FAN_DEMO_CAMPAIGNS];
    int64_t journal_from; /* bytes of the journal that are older than the campaigns */
    double seconds;       /* from the first launch to the last final state */
};

/* ---- demo_stage.c ---- */

/** Start everything and wait until it is ready. fails FAN_UNAVAILABLE */
enum fan_err fan_demo_open(struct fan_demo *demo, struct fan_why *why) FAN_MUST_CHECK;

/** Stop everything in order and wait for its end. */
void fan_demo_close(struct fan_demo *demo);

/** Wait so long; true when somebody asked to stop, or everything ended by itself. */
bool fan_demo_pause(struct fan_demo *demo, uint32_t ms);

/** Wait until a process of the fleet, other than number @than, is ready. */
enum fan_err fan_demo_await(struct fan_demo *demo, const char *process, int64_t than,
        struct fan_why *why) FAN_MUST_CHECK;

/** The number of a process of the fleet; 0: it does not run. */
int64_t fan_demo_process(struct fan_demo *demo, const char *process);

/* ---- demo_setup.c ---- */

/** Tell the sandbox where statuses go, before it starts. */
enum fan_err fan_demo_guess_webhook(struct fan_demo *demo, struct fan_why *why) FAN_MUST_CHECK;
/** Make channels, or bring those of an earlier demo up to date. */
enum fan_err fan_demo_make_channels(struct fan_demo *demo, struct fan_why *why) FAN_MUST_CHECK;
/** Make and launch the campaigns. */
enum fan_err fan_demo_launch(struct fan_demo *demo, struct fan_why *why) FAN_MUST_CHECK;

/* ---- demo_watch.c ---- */

/** Show progress until every message has its final state and receipts have come. */
enum fan_err fan_demo_watch(struct fan_demo *demo, struct fan_why *why) FAN_MUST_CHECK;
/** The sum of the campaigns' counters. */
struct fan_counts fan_demo_total(const struct fan_demo *demo);

/* ---- demo_check.c ---- */

/** Compare the statistics with the rows and with the journal; print a line for each check.
 *  true: all hold */
bool fan_demo_check(struct fan_demo *demo);
/** How long the sandbox's journal is. */
int64_t fan_demo_journal_size(const struct fan_demo *demo);

#endif

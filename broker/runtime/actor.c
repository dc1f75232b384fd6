#include "broker/runtime/actor_inside.h"
#include "broker/runtime/socket.h"
#include "proto/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    BUSY_MS = 50,    /* how often a draining role is asked whether work is still in flight */
    LAST_CALL_S = 5, /* for destructors, which may wait for a library */
};

/* ---- the beginning ---- */

static bool has_option(int argc, char **argv, const char *option)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], option) == 0)
            return true;
    }
    return false;
}

static uint64_t draw_random(void)
{
    uint64_t number;

    if (getrandom(&number, sizeof number, 0) != sizeof number)
        fan_die("the kernel gives no random numbers");
    return number;
}

static void actor_init(struct fan_actor *actor, const struct fan_role *role)
{
    *actor = (struct fan_actor){ .role = role, .lasting = fan_arena_new() };
    actor->settings = fan_arena_alloc(actor->lasting, role->settings_size + 1);
    actor->state = fan_arena_alloc(actor->lasting, role->state_size + 1);
    actor->random = draw_random();
    do
        actor->incarnation = draw_random() >> 1; /* fits a bigint, too */
    while (!actor->incarnation);
    for (const struct fan_schema *const *schema = fan_schemas; *schema; schema++)
        actor->meters[fan_dispatch_index((*schema)->number)].name = (*schema)->name;
    actor->call_meter.name = "call";
    actor->started = fan_clock_elapsed();
}

static void open_database(struct fan_actor *actor)
{
    struct fan_why why;

    if (actor->role->no_database)
        return;
    actor->db = fan_actor_new_db(actor, actor->role->db_use);
    if (fan_db_connect(actor->db, &why))
        fan_log(NULL, FAN_WARN, "database.missed", "%s", why.text);
}

static enum fan_err open_bus(struct fan_actor *actor, struct fan_why *why)
{
    const struct fan_role *role = actor->role;
    const struct fan_bus_options options = {
        .brokers = actor->common.brokers,
        .role = role->name,
        .host = actor->common.host,
        .incarnation = actor->incarnation,
        .sequence = &actor->sequence,
        .kind = actor->kind,
        .credit = { [FAN_LANE_URGENT] = role->credit_urgent,
                [FAN_LANE_NORMAL] = role->credit_normal },
        .takes = fan_dispatch_numbers(&role->on, FAN_PIPE, actor->lasting),
        .wants = fan_dispatch_numbers(&role->on, FAN_NEWS, actor->lasting),
        .metrics = actor->metrics,
        .on_frame = fan_actor_on_frame,
        .context = actor,
    };

    return role->no_bus ? FAN_OK : fan_bus_open(actor->loop, &options, &actor->bus, why);
}

static void on_stop(void *context)
{
    fan_actor_stop(context);
}

static enum fan_err open_role(struct fan_actor *actor, struct fan_why *why)
{
    enum fan_err err = FAN_OK;

    if (actor->role->open)
        err = actor->role->open(actor, actor->state, why);
    actor->opened = !err;
    return err;
}

/* The role opens before the bus, so that no frame meets half a state. */
static enum fan_err actor_open(struct fan_actor *actor, struct fan_why *why)
{
    enum fan_err err;

    actor->arena = fan_arena_new();
    fan_buffer_init(&actor->scratch, FAN_FRAME_MAX);
    actor->metrics = fan_metrics_new(actor->common.name);
    actor->loop = fan_loop_new();
    actor->standing = fan_standing_open(actor->loop, on_stop, actor);
    open_database(actor);
    err = open_role(actor, why);
    if (!err)
        err = open_bus(actor, why);
    if (!err)
        err = fan_status_open(actor, why);
    if (!err)
        fan_actor_start_ticks(actor);
    return err;
}

/* ---- the end ---- */

static bool is_busy(struct fan_actor *actor)
{
    return actor->role->busy && actor->role->busy(actor, actor->state);
}

static void on_drain(void *context)
{
    struct fan_actor *actor = context;

    if (is_busy(actor) && fan_clock_elapsed() < actor->drain_until)
        return;
    if (is_busy(actor)) {
        actor->exit_code = FAN_EXIT_HARD;
        fan_log(NULL, FAN_WARN, "drain.ended", "work was still in flight after %u ms",
                actor->common.drain_ms);
    }
    fan_loop_stop(actor->loop);
}

void fan_actor_stop(struct fan_actor *actor)
{
    if (actor->draining)
        return;
    actor->draining = true;
    fan_log(NULL, FAN_INFO, "process.stopping", "no new work is taken");
    fan_standing_stopping(actor->standing);
    if (actor->bus)
        fan_bus_drain(actor->bus);
    if (actor->role->drain && actor->opened)
        actor->role->drain(actor, actor->state);
    actor->drain_until = fan_clock_elapsed() + actor->common.drain_ms * FAN_MS;
    actor->drain_timer = fan_loop_every(actor->loop, BUSY_MS, on_drain, actor);
}

static void actor_close(struct fan_actor *actor)
{
    int linger = actor->draining ? FAN_LINGER_DRAIN : FAN_LINGER_NONE;

    fan_standing_last_call(LAST_CALL_S);
    fan_actor_stop_ticks(actor);
    fan_loop_cancel(&actor->drain_timer);
    if (actor->status)
        fan_http_server_close(&actor->status);
    if (actor->opened && actor->role->close)
        actor->role->close(actor, actor->state);
    fan_bus_close(&actor->bus, linger);
    fan_db_free(&actor->db);
    fan_standing_close(&actor->standing);
    fan_loop_free(&actor->loop);
    fan_metrics_free(&actor->metrics);
    free(actor->outbox.out);
    fan_buffer_fini(&actor->scratch);
    fan_arena_free(&actor->arena);
}

/* ---- the life ---- */

static int live(struct fan_actor *actor)
{
    struct fan_why why = { 0 };
    enum fan_err err;

    FAN_FAULT("process.starting");
    err = actor_open(actor, &why);
    if (err) {
        fan_log(NULL, FAN_ERROR, "process.refused", "%s%s%s", why.field, *why.field ? ": " : "",
                why.text);
        actor->exit_code = err == FAN_INVALID ? FAN_EXIT_USAGE : FAN_EXIT_BROKEN;
    } else {
        fan_log(NULL, FAN_INFO, "process.started", "%s %s, incarnation %llu", actor->role->name,
                FAN_VERSION, (unsigned long long)actor->incarnation);
        fan_standing_ready(actor->standing);
        fan_loop_run(actor->loop);
    }
    actor_close(actor);
    fan_log(NULL, FAN_INFO, "process.stopped", "exit code %d", actor->exit_code);
    return actor->exit_code;
}

static int read_settings_and_live(struct fan_actor *actor, int argc, char **argv)
{
    const struct fan_role *role = actor->role;
    struct fan_why why;

    if (fan_settings_read(role->name, role->settings, actor->settings, &actor->common, argc, argv,
                actor->lasting, &why)) {
        fprintf(stderr, "fanfare-%s: %s\n", role->name, why.text);
        return FAN_EXIT_USAGE;
    }
    if (has_option(argc, argv, "--print-config")) {
        fan_settings_print(role->name, role->settings, actor->settings, &actor->common);
        return 0;
    }
    fan_log_open(actor->common.name, fan_log_level_of(actor->common.log_level));
    return live(actor);
}

int fan_actor_main(const struct fan_role *role, int argc, char **argv)
{
    struct fan_actor actor;
    int exit_code;

    if (has_option(argc, argv, "--help")) {
        fan_settings_help(role->name, role->summary, role->settings);
        return 0;
    }
    if (has_option(argc, argv, "--version")) {
        printf("fanfare-%s %s\n", role->name, FAN_VERSION);
        return 0;
    }
    fan_standing_prepare();
    actor_init(&actor, role);
    exit_code = read_settings_and_live(&actor, argc, argv);
    fan_arena_free(&actor.lasting);
    return exit_code;
}

/* ---- what an actor may ask for ---- */

void *fan_actor_state(struct fan_actor *actor)
{
    return actor->state;
}

const void *fan_actor_settings(const struct fan_actor *actor)
{
    return actor->settings;
}

const struct fan_common_settings *fan_actor_common(const struct fan_actor *actor)
{
    return &actor->common;
}

struct fan_loop *fan_actor_loop(struct fan_actor *actor)
{
    return actor->loop;
}

struct fan_metrics *fan_actor_metrics(struct fan_actor *actor)
{
    return actor->metrics;
}

uint64_t fan_actor_incarnation(const struct fan_actor *actor)
{
    return actor->incarnation;
}

bool fan_actor_draining(const struct fan_actor *actor)
{
    return actor->draining;
}

void fan_actor_serves(struct fan_actor *actor, enum fan_kind kind)
{
    FAN_ASSERT(!actor->bus); /* hello has been said */
    actor->kind = kind;
}

struct fan_db *fan_actor_new_db(struct fan_actor *actor, enum fan_db_use use)
{
    const struct fan_common_settings *common = &actor->common;
    const struct fan_db_options options = {
        .url = common->database_url,
        .user = *common->database_user ? common->database_user : NULL,
        .password = *common->database_password ? common->database_password : NULL,
        .name = common->name,
        .use = use,
    };

    return fan_db_new(&options);
}

void fan_actor_done(struct fan_actor *actor, enum fan_lane lane)
{
    if (actor->bus)
        fan_bus_done(actor->bus, lane);
}

#include "actors/cli/demo.h"

#include "actors/cli/child.h"
#include "actors/cli/file.h"
#include "actors/cli/fleet.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_MS = 100,
    READY_MS = 120 * 1000,
};

/* ---- waiting ---- */

static bool supervisor_lives(struct fan_demo *demo)
{
    if (demo->supervisor && waitpid(demo->supervisor, NULL, WNOHANG) == demo->supervisor)
        demo->supervisor = 0;
    return demo->supervisor != 0;
}

bool fan_demo_pause(struct fan_demo *demo, uint32_t ms)
{
    const struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
    sigset_t stops;
    int signal;

    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    signal = sigtimedwait(&stops, NULL, &wait);
    return signal > 0 || !supervisor_lives(demo);
}

static const struct fan_json *find_process(const struct fan_json *fleet, const char *name)
{
    const struct fan_json *list = fan_json_get(fleet, "processes");

    for (size_t i = 0; i < fan_json_size(list); i++) {
        if (fan_bytes_eq_text(fan_json_get_text(fan_json_at(list, i), "name"), name))
            return fan_json_at(list, i);
    }
    return NULL;
}

/* What our own supervisor wrote down; NULL: nothing yet. */
static const struct fan_json *read_fleet(const struct fan_demo *demo, struct fan_arena *arena)
{
    const char *path = fan_arena_printf(arena, "%s/fleet.json", demo->home.path);
    const char *text = fan_file_text(path, arena);
    const struct fan_json *fleet;
    struct fan_why why;

    if (!text || fan_json_parse(fan_bytes_of(text), arena, &fleet, &why) ||
            fan_json_i64(fan_json_get(fleet, "pid"), 0) != demo->supervisor)
        return NULL;
    return fleet;
}

static bool is_ready(const struct fan_json *process)
{
    struct fan_bytes state = fan_json_get_text(process, "state");

    return fan_bytes_eq_text(state, "ready") || fan_bytes_eq_text(state, "done");
}

static bool all_ready(const struct fan_json *fleet)
{
    const struct fan_json *list = fan_json_get(fleet, "processes");
    bool ready = fan_json_size(list) > 0;

    for (size_t i = 0; i < fan_json_size(list); i++)
        ready = ready && is_ready(fan_json_at(list, i));
    return ready;
}

static bool is_there(struct fan_demo *demo, const char *process, int64_t than)
{
    struct fan_arena *arena = fan_arena_new();
    const struct fan_json *fleet = read_fleet(demo, arena), *found;
    bool there = all_ready(fleet);

    if (process) {
        found = find_process(fleet, process);
        there = is_ready(found) && fan_json_i64(fan_json_get(found, "pid"), 0) != than;
    }
    fan_arena_free(&arena);
    return there;
}

/* process NULL: all of them. */
static enum fan_err await(struct fan_demo *demo, const char *process, int64_t than,
        struct fan_why *why)
{
    for (int waited = 0; waited < READY_MS; waited += LOOK_MS) {
        if (is_there(demo, process, than))
            return FAN_OK;
        if (fan_demo_pause(demo, LOOK_MS))
            return fan_fail(why, FAN_UNAVAILABLE, "stopped before everything was ready");
    }
    return fan_fail(why, FAN_UNAVAILABLE, "%s is not ready after %d s; see %s/log",
            process ? process : "everything", READY_MS / 1000, demo->home.path);
}

enum fan_err fan_demo_await(struct fan_demo *demo, const char *process, int64_t than,
        struct fan_why *why)
{
    return await(demo, process, than, why);
}

int64_t fan_demo_process(struct fan_demo *demo, const char *process)
{
    struct fan_arena *arena = fan_arena_new();
    const struct fan_json *found = find_process(read_fleet(demo, arena), process);
    int64_t pid = fan_json_i64(fan_json_get(found, "pid"), 0);

    fan_arena_free(&arena);
    return pid;
}

/* ---- up and down ---- */

static enum fan_err start(struct fan_demo *demo, struct fan_why *why)
{
    const char *const argv[] = { fan_program_path("fanfare", demo->arena), "up", "--home",
        demo->home.path, "--port", fan_arena_printf(demo->arena, "%u", demo->port), "--sandbox",
        NULL };
    const struct fan_child child = { .argv = argv,
        .env = (const char *const *)environ,
        .death_signal = SIGTERM,
        .quiet = true };

    return fan_child_start(&child, &demo->supervisor, NULL, why);
}

enum fan_err fan_demo_open(struct fan_demo *demo, struct fan_why *why)
{
    const struct fan_api_options api = { .home = demo->home.path,
        .url = fan_arena_printf(demo->arena, "http://127.0.0.1:%u", demo->port) };
    enum fan_err err = start(demo, why);

    if (!err)
        err = await(demo, NULL, 0, why);
    return err ? err : fan_api_open(&api, &demo->api, why);
}

void fan_demo_close(struct fan_demo *demo)
{
    fan_api_close(&demo->api);
    if (!supervisor_lives(demo))
        return;
    kill(demo->supervisor, SIGTERM);
    while (waitpid(demo->supervisor, NULL, 0) < 0 && errno == EINTR)
        ;
    demo->supervisor = 0;
}

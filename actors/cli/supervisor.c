#include "actors/cli/supervisor_inside.h"

#include "actors/cli/guard.h"
#include "actors/cli/notify.h"
#include "broker/runtime/clock.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 100 };

/* ---- deciding ---- */

static void start_what_may(struct fan_supervisor *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (fan_slot_may_start(self->slots, self->count, i, fan_clock_elapsed()))
            fan_member_start(&self->members[i]);
    }
}

static void tell_to_end(struct fan_member *member)
{
    if (member->slot->pid)
        kill(member->slot->pid, member->process->stop_signal);
    fan_slot_stopping(member->slot, fan_clock_elapsed());
    member->of->changed = true;
}

static void make_end(struct fan_member *member)
{
    fan_supervisor_say(member->of, FAN_WARN, "process.killed", "%s did not end in time",
            member->process->name);
    kill(-member->slot->pid, SIGKILL);
    member->slot->killed = true;
}

static void stop_what_may(struct fan_supervisor *self)
{
    for (size_t i = 0; i < self->count; i++) {
        struct fan_slot *slot = &self->slots[i];

        if (fan_slot_may_stop(self->slots, self->count, i))
            tell_to_end(&self->members[i]);
        else if (fan_slot_overdue(slot, fan_clock_elapsed()) && !slot->killed)
            make_end(&self->members[i]);
    }
    if (fan_slots_gone(self->slots, self->count))
        fan_loop_stop(self->loop);
}

static void become_ready(struct fan_supervisor *self)
{
    self->was_ready = true;
    fan_notify_tell("READY=1");
    if (self->options.ready)
        self->options.ready(self->options.context);
}

static void step(void *context);

static void step_again_if_needed(struct fan_supervisor *self, bool settled)
{
    if (settled)
        fan_loop_cancel(&self->tick);
    else if (!self->tick)
        self->tick = fan_loop_every(self->loop, TICK_MS, step, self);
}

/* Called after whatever happened, and again and again while something is to come by itself. */
static void step(void *context)
{
    struct fan_supervisor *self = context;
    bool settled;

    if (self->stopping)
        stop_what_may(self);
    else
        start_what_may(self);
    settled = !self->stopping && fan_slots_ready(self->slots, self->count);
    if (self->changed)
        fan_supervisor_write_down(self);
    if (settled && !self->was_ready)
        become_ready(self);
    step_again_if_needed(self, settled);
}

/* ---- what happened ---- */

static struct fan_member *member_of(struct fan_supervisor *self, pid_t pid)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->slots[i].pid == pid)
            return &self->members[i];
    }
    return NULL; /* the guard, or whoever became ours because its parent died */
}

static void reap(struct fan_supervisor *self)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct fan_member *member = member_of(self, pid);

        if (member)
            fan_member_ended(member, status);
    }
}

static void stop(struct fan_supervisor *self)
{
    if (!self->stopping) {
        self->stopping = true;
        fan_notify_tell("STOPPING=1");
        fan_supervisor_say(self, FAN_INFO, "fleet.stopping", "asked to stop");
        return;
    }
    for (size_t i = 0; i < self->count; i++) { /* asked twice: at once */
        if (self->slots[i].pid)
            kill(-self->slots[i].pid, SIGKILL);
    }
}

static void on_signal(void *context, int fd, int ready)
{
    struct fan_supervisor *self = context;
    struct signalfd_siginfo info;

    (void)ready;
    while (read(fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo != SIGCHLD)
            stop(self);
    }
    reap(self);
    step(self);
}

static void on_notice(void *context, int fd, int ready)
{
    struct fan_supervisor *self = context;
    pid_t from;
    bool says_ready;

    (void)ready;
    while (fan_notify_hear(fd, &from, &says_ready)) {
        struct fan_member *member = says_ready ? member_of(self, from) : NULL;

        if (!member)
            continue;
        fan_slot_ready(member->slot, fan_clock_elapsed());
        self->changed = true;
    }
    step(self);
}

/* ---- the whole ---- */

static sigset_t our_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    return set;
}

void fan_supervisor_block_signals(void)
{
    sigset_t set = our_signals();

    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void make_members(struct fan_supervisor *self, struct fan_arena *arena)
{
    self->members = fan_arena_array(arena, self->count, sizeof(*self->members));
    self->slots = fan_arena_array(arena, self->count, sizeof(*self->slots));
    for (size_t i = 0; i < self->count; i++)
        fan_member_init(&self->members[i], self, i);
}

static enum fan_err start_guard(struct fan_supervisor *self, struct fan_arena *arena,
        struct fan_why *why)
{
    const char **locks = fan_arena_array(arena, self->count, sizeof(*locks));

    for (size_t i = 0; i < self->count; i++)
        locks[i] = self->options.processes[i].child.life_lock;
    return fan_guard_start(locks, self->count, &self->guard, why);
}

static enum fan_err open_ears(struct fan_supervisor *self, struct fan_arena *arena,
        struct fan_why *why)
{
    sigset_t set = our_signals();
    const char *path = fan_arena_printf(arena, "%s/notify", self->options.home->run);
    enum fan_err err = fan_notify_listen(path, &self->notices, why);

    self->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (!err && self->signals < 0)
        err = fan_fail(why, FAN_UNAVAILABLE, "cannot read signals: %s", strerror(errno));
    if (err)
        return err;
    self->loop = fan_loop_new();
    self->signal_watch = fan_loop_watch(self->loop, self->signals, FAN_READABLE, on_signal, self);
    self->notice_watch = fan_loop_watch(self->loop, self->notices, FAN_READABLE, on_notice, self);
    return FAN_OK;
}

static void close_all(struct fan_supervisor *self)
{
    fan_loop_cancel(&self->tick);
    fan_loop_unwatch(&self->signal_watch);
    fan_loop_unwatch(&self->notice_watch);
    for (size_t i = 0; i < self->count; i++)
        fan_member_fini(&self->members[i]);
    fan_loop_free(&self->loop);
    close(self->signals);
    close(self->notices);
}

enum fan_err fan_supervise(const struct fan_supervisor_options *options, struct fan_why *why)
{
    struct fan_supervisor self = { .options = *options, .count = options->count };
    struct fan_arena *arena = fan_arena_new();
    enum fan_err err = start_guard(&self, arena, why);

    if (!err) {
        make_members(&self, arena);
        err = open_ears(&self, arena, why);
    }
    if (!err) {
        fan_log_open("fanfare", FAN_INFO);
        step(&self);
        fan_loop_run(self.loop);
        fan_supervisor_write_down(&self);
        close_all(&self);
        fan_guard_dismiss(&self.guard);
    }
    fan_arena_free(&arena);
    return err;
}

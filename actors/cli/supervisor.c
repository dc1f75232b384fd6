#include "actors/cli/supervisor.h"

#include "actors/cli/file.h"
#include "actors/cli/guard.h"
#include "actors/cli/notify.h"
#include "actors/cli/output.h"
#include "broker/runtime/clock.h"
#include "broker/runtime/log.h"
#include "broker/runtime/loop.h"
#include "proto/json.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 100, PIPE_PART = 64 * 1024 };

/* A process of the fleet, with what it writes. */
struct member {
    struct supervisor *of;
    const struct fan_process *process;
    struct fan_output output;
    int pipe; /* -1: none */
    struct fan_watch *watch;
    bool waited; /* for an earlier one to end, and said so */
};

struct supervisor {
    struct fan_supervisor_options options;
    struct fan_loop *loop;
    struct member *members;
    struct fan_slot *slots; /* slots[i] belongs to members[i] */
    size_t count;
    int signals, notices, guard;
    struct fan_watch *signal_watch, *notice_watch;
    struct fan_timer *tick; /* while something is to be waited for */
    bool was_ready;
    bool stopping;
    bool changed; /* since the fleet was last written down */
};

/* ---- telling people ---- */

static void say(const struct supervisor *self, enum fan_log_level level, const char *event,
        const char *format, ...) FAN_PRINTF(4, 5);

static void say(const struct supervisor *self, enum fan_log_level level, const char *event,
        const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (self->options.foreground_logs)
        fan_log(NULL, level, event, "%s", text);
    else if (level <= FAN_WARN)
        fprintf(stderr, "fanfare: %s\n", text);
}

static void add_member(struct fan_json_writer *json, const struct member *member,
        const struct fan_slot *slot)
{
    fan_json_object_open(json, NULL);
    fan_json_add_text(json, "name", fan_bytes_of(member->process->name));
    fan_json_add_text(json, "state", fan_bytes_of(fan_slot_state_name(slot->state)));
    fan_json_add_i64(json, "pid", slot->pid);
    fan_json_add_i64(json, "restarts", slot->restarts);
    fan_json_add_bool(json, "failing", fan_slot_storm(slot));
    fan_json_add_time(json, "since", fan_clock_now() - (fan_clock_elapsed() - slot->since));
    fan_json_add_text(json, "status", fan_bytes_of(member->process->status));
    fan_json_add_text(json, "said", fan_bytes_of(slot->failures ? member->output.line : ""));
    fan_json_object_close(json);
}

/* For `fanfare status`. */
static void write_down(struct supervisor *self)
{
    struct fan_buffer page;
    struct fan_json_writer json;
    struct fan_arena *arena = fan_arena_new();
    struct fan_why why;

    fan_buffer_init(&page, 256 * 1024);
    fan_json_begin(&json, &page);
    fan_json_object_open(&json, NULL);
    fan_json_add_i64(&json, "pid", getpid());
    fan_json_array_open(&json, "processes");
    for (size_t i = 0; i < self->count; i++)
        add_member(&json, &self->members[i], &self->slots[i]);
    fan_json_array_close(&json);
    fan_json_object_close(&json);
    if (fan_file_replace(fan_arena_printf(arena, "%s/fleet.json", self->options.home->path),
                fan_bytes_cstr(fan_buffer_bytes(&page), arena), 0600, &why))
        say(self, FAN_WARN, "fleet.unwritten", "%s", why.text);
    fan_buffer_fini(&page);
    fan_arena_free(&arena);
    self->changed = false;
}

/* ---- what children write ---- */

static void close_pipe(struct member *member)
{
    if (member->pipe < 0)
        return;
    fan_loop_unwatch(&member->watch);
    close(member->pipe);
    member->pipe = -1;
}

/* Returns whether there may be more. */
static bool take_output(struct member *member)
{
    static char part[PIPE_PART]; /* too large for the stack */
    ssize_t len = read(member->pipe, part, sizeof(part));

    if (len > 0)
        fan_output_add(&member->output, (struct fan_bytes){ part, (size_t)len });
    else if (len == 0 || (errno != EAGAIN && errno != EINTR))
        close_pipe(member);
    return len > 0;
}

static void on_output(void *context, int fd, int ready)
{
    (void)fd;
    (void)ready;
    take_output(context);
}

/* What is still in the pipe of a process that ended. */
static void drain(struct member *member)
{
    while (member->pipe >= 0 && take_output(member))
        ;
}

/* ---- starting ---- */

static uint32_t draw(void)
{
    uint32_t number = 0;

    (void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
    return number;
}

static void note_storm(const struct supervisor *self, size_t i)
{
    if (self->slots[i].failures == FAN_STORM_FAILURES)
        say(self, FAN_ERROR, "process.failing", "%s keeps failing; it last said: %s",
                self->members[i].process->name, self->members[i].output.line);
}

static void start(struct supervisor *self, size_t i)
{
    struct member *member = &self->members[i];
    const struct fan_process *process = member->process;
    struct fan_why why;
    pid_t pid;
    int pipe;
    enum fan_err err;

    if (fan_child_holder(process->child.life_lock)) {
        if (!member->waited)
            say(self, FAN_WARN, "process.waited", "waiting for an earlier %s to end",
                    process->name);
        member->waited = true;
        return;
    }
    member->waited = false;
    if (process->sweep)
        process->sweep(self->options.home);
    err = fan_child_start(&process->child, &pid, &pipe, &why);
    self->changed = true;
    if (err) {
        say(self, FAN_ERROR, "process.refused", "%s: %s", process->name, why.text);
        fan_slot_ended(&self->slots[i], false, fan_clock_elapsed(), draw());
        return;
    }
    close_pipe(member);
    member->pipe = pipe;
    member->watch = fan_loop_watch(self->loop, pipe, FAN_READABLE, on_output, member);
    fan_slot_started(&self->slots[i], pid, fan_clock_elapsed());
    say(self, FAN_INFO, "process.started", "%s is process %d", process->name, (int)pid);
}

/* ---- deciding ---- */

static void start_what_may(struct supervisor *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (fan_slot_may_start(self->slots, self->count, i, fan_clock_elapsed()))
            start(self, i);
    }
}

static void stop_what_may(struct supervisor *self)
{
    fan_time now = fan_clock_elapsed();

    for (size_t i = 0; i < self->count; i++) {
        struct fan_slot *slot = &self->slots[i];

        if (fan_slot_may_stop(self->slots, self->count, i)) {
            if (slot->pid)
                kill(slot->pid, self->members[i].process->stop_signal);
            fan_slot_stopping(slot, now);
            self->changed = true;
        } else if (fan_slot_overdue(slot, now) && !slot->killed) {
            say(self, FAN_WARN, "process.killed", "%s did not end in time",
                    self->members[i].process->name);
            kill(-slot->pid, SIGKILL);
            slot->killed = true;
        }
    }
    if (fan_slots_gone(self->slots, self->count))
        fan_loop_stop(self->loop);
}

static void become_ready(struct supervisor *self)
{
    self->was_ready = true;
    fan_notify_tell("READY=1");
    if (self->options.ready)
        self->options.ready(self->options.context);
}

static void step(void *context);

static void step_again_if_needed(struct supervisor *self, bool settled)
{
    if (settled)
        fan_loop_cancel(&self->tick);
    else if (!self->tick)
        self->tick = fan_loop_every(self->loop, TICK_MS, step, self);
}

/* Called after whatever happened, and again and again while something is to come by itself. */
static void step(void *context)
{
    struct supervisor *self = context;
    bool settled;

    if (self->stopping)
        stop_what_may(self);
    else
        start_what_may(self);
    settled = !self->stopping && fan_slots_ready(self->slots, self->count);
    if (settled && !self->was_ready)
        become_ready(self);
    step_again_if_needed(self, settled);
    if (self->changed)
        write_down(self);
}

/* ---- what happened ---- */

static const char *describe_end(int status, char out[64])
{
    if (WIFSIGNALED(status))
        snprintf(out, 64, "was ended by signal %d (%s)", WTERMSIG(status),
                sigabbrev_np(WTERMSIG(status)));
    else
        snprintf(out, 64, "ended with exit code %d", WEXITSTATUS(status));
    return out;
}

static void member_ended(struct supervisor *self, size_t i, int status)
{
    struct fan_slot *slot = &self->slots[i];
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    char end[64];

    drain(&self->members[i]);
    fan_slot_ended(slot, well, fan_clock_elapsed(), draw());
    self->changed = true;
    if (slot->state != FAN_SLOT_WAITING) {
        say(self, FAN_INFO, "process.ended", "%s %s", self->members[i].process->name,
                describe_end(status, end));
        return;
    }
    if (slot->failures <= FAN_STORM_FAILURES)
        say(self, FAN_WARN, "process.lost", "%s %s; starting it again in %.1f s",
                self->members[i].process->name, describe_end(status, end),
                (double)(slot->not_before - slot->since) / FAN_SECOND);
    note_storm(self, i);
}

static void reap(struct supervisor *self)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < self->count; i++) {
            if (self->slots[i].pid == pid)
                member_ended(self, i, status);
        }
    }
}

static void stop(struct supervisor *self)
{
    if (self->stopping) { /* asked twice: at once */
        for (size_t i = 0; i < self->count; i++) {
            if (self->slots[i].pid)
                kill(-self->slots[i].pid, SIGKILL);
        }
        return;
    }
    self->stopping = true;
    fan_notify_tell("STOPPING=1");
    say(self, FAN_INFO, "fleet.stopping", "asked to stop");
}

static void on_signal(void *context, int fd, int ready)
{
    struct supervisor *self = context;
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
    struct supervisor *self = context;
    pid_t from;
    bool says_ready;

    (void)ready;
    while (fan_notify_hear(fd, &from, &says_ready)) {
        for (size_t i = 0; says_ready && i < self->count; i++) {
            if (self->slots[i].pid != from)
                continue;
            fan_slot_ready(&self->slots[i], fan_clock_elapsed());
            self->changed = true;
        }
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

static void make_members(struct supervisor *self, struct fan_arena *arena)
{
    const struct fan_home *home = self->options.home;
    const char *logs = fan_arena_printf(arena, "%s/log", home->path);

    self->members = fan_arena_array(arena, self->count, sizeof(*self->members));
    self->slots = fan_arena_array(arena, self->count, sizeof(*self->slots));
    for (size_t i = 0; i < self->count; i++) {
        struct member *member = &self->members[i];

        *member = (struct member){ .of = self, .process = &self->options.processes[i], .pipe = -1 };
        fan_output_init(&member->output, self->options.foreground_logs ? NULL : logs,
                member->process->name);
        fan_slot_init(&self->slots[i], member->process->rules);
    }
}

static enum fan_err start_guard(struct supervisor *self, struct fan_arena *arena,
        struct fan_why *why)
{
    const char **locks = fan_arena_array(arena, self->count, sizeof(*locks));

    for (size_t i = 0; i < self->count; i++)
        locks[i] = self->options.processes[i].child.life_lock;
    return fan_guard_start(locks, self->count, &self->guard, why);
}

static enum fan_err open_ears(struct supervisor *self, struct fan_arena *arena, struct fan_why *why)
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

static void close_all(struct supervisor *self)
{
    fan_loop_cancel(&self->tick);
    fan_loop_unwatch(&self->signal_watch);
    fan_loop_unwatch(&self->notice_watch);
    for (size_t i = 0; i < self->count; i++) {
        close_pipe(&self->members[i]);
        fan_output_fini(&self->members[i].output);
    }
    fan_loop_free(&self->loop);
    close(self->signals);
    close(self->notices);
}

enum fan_err fan_supervise(const struct fan_supervisor_options *options, struct fan_why *why)
{
    struct supervisor self = { .options = *options, .count = options->count };
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
        close_all(&self);
        fan_guard_dismiss(&self.guard);
    }
    fan_arena_free(&arena);
    return err;
}

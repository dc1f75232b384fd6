#include "actors/cli/supervisor_inside.h"

#include "broker/runtime/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_PART = 64 * 1024 };

#define PATIENCE (10 * FAN_SECOND) /* with a process that an earlier supervisor left behind */

void fan_member_init(struct fan_member *member, struct fan_supervisor *of, size_t i)
{
    const struct fan_process *process = &of->options.processes[i];
    char logs[512];

    *member =
            (struct fan_member){ .of = of, .process = process, .slot = &of->slots[i], .pipe = -1 };
    snprintf(logs, sizeof(logs), "%s/log", of->options.home->path);
    fan_output_init(&member->output, of->options.foreground_logs ? NULL : logs, process->name);
    fan_slot_init(member->slot, process->rules);
}

/* ---- what it writes ---- */

static void close_pipe(struct fan_member *member)
{
    if (member->pipe < 0)
        return;
    fan_loop_unwatch(&member->watch);
    close(member->pipe);
    member->pipe = -1;
}

void fan_member_fini(struct fan_member *member)
{
    close_pipe(member);
    fan_output_fini(&member->output);
}

/* Returns whether there may be more. */
static bool take_output(struct fan_member *member)
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
static void drain(struct fan_member *member)
{
    while (member->pipe >= 0 && take_output(member))
        ;
}

/* ---- its beginning ---- */

static uint32_t draw(void)
{
    uint32_t number = 0;

    (void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
    return number;
}

/* Two of one kind would write the same files. Whoever a killed supervisor left behind ends soon by
 * itself, or is ended. Returns whether one is still there. */
static bool earlier_one_lives(struct fan_member *member)
{
    fan_time now = fan_clock_elapsed();
    pid_t earlier = fan_child_holder(member->process->child.life_lock);

    if (!earlier) {
        member->waiting_since = 0;
        return false;
    }
    if (!member->waiting_since) {
        member->waiting_since = now;
        fan_supervisor_say(member->of, FAN_WARN, "process.waited",
                "waiting for an earlier %s to end", member->process->name);
    } else if (now - member->waiting_since > PATIENCE && earlier > 1) {
        kill(earlier, SIGKILL);
    }
    return true;
}

void fan_member_start(struct fan_member *member)
{
    const struct fan_process *process = member->process;
    struct fan_why why;
    pid_t pid;
    int pipe;

    if (earlier_one_lives(member))
        return;
    if (process->sweep)
        process->sweep(member->of->options.home);
    member->of->changed = true;
    member->output.complaint[0] = '\0';
    if (fan_child_start(&process->child, &pid, &pipe, &why)) {
        fan_supervisor_say(member->of, FAN_ERROR, "process.refused", "%s: %s", process->name,
                why.text);
        fan_slot_ended(member->slot, false, fan_clock_elapsed(), draw());
        return;
    }
    close_pipe(member);
    member->pipe = pipe;
    member->watch = fan_loop_watch(member->of->loop, pipe, FAN_READABLE, on_output, member);
    fan_slot_started(member->slot, pid, fan_clock_elapsed());
    fan_supervisor_say(member->of, FAN_INFO, "process.started", "%s is process %d", process->name,
            (int)pid);
}

/* ---- its end ---- */

static const char *describe_end(int status, char out[64])
{
    if (WIFSIGNALED(status))
        snprintf(out, 64, "was ended by signal %d (%s)", WTERMSIG(status),
                sigabbrev_np(WTERMSIG(status)));
    else
        snprintf(out, 64, "ended with exit code %d", WEXITSTATUS(status));
    return out;
}

/* Each loss is told until they are too many to be news. */
static void tell_loss(const struct fan_member *member, const char *end)
{
    const struct fan_slot *slot = member->slot;
    const char *said = member->output.complaint;
    double pause = (double)(slot->not_before - slot->since) / FAN_SECOND;

    if (slot->failures < FAN_STORM_FAILURES)
        fan_supervisor_say(member->of, FAN_WARN, "process.lost",
                "%s %s%s%s; starting it again in %.1f s", member->process->name, end,
                *said ? ": " : "", said, pause);
    else if (slot->failures == FAN_STORM_FAILURES)
        fan_supervisor_say(member->of, FAN_ERROR, "process.failing",
                "%s keeps failing, and is tried again every half minute%s%s", member->process->name,
                *said ? ": " : "", said);
}

void fan_member_ended(struct fan_member *member, int status)
{
    struct fan_slot *slot = member->slot;
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    char end[64];

    drain(member);
    fan_slot_ended(slot, well, fan_clock_elapsed(), draw());
    member->of->changed = true;
    describe_end(status, end);
    if (slot->state == FAN_SLOT_WAITING)
        tell_loss(member, end);
    else
        fan_supervisor_say(member->of, FAN_INFO, "process.ended", "%s %s", member->process->name,
                end);
}

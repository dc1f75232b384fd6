#include "broker/runtime/standing.h"

#include "broker/runtime/log.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536 };

struct fan_standing {
    struct fan_loop *loop;
    int signals; /* signalfd */
    struct fan_watch *watch;
    struct fan_timer *watchdog;
    void (*stop)(void *context);
    void *context;
    bool asked; /* to stop */
};

static sigset_t stop_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

/* The kernel tells us of a parent's death only if it dies after we asked. The variable goes, so
 * that it is not taken for a setting, nor for theirs by our own children. */
static void follow_supervisor(void)
{
    const char *supervised = getenv("FANFARE_SUPERVISED");
    long parent = supervised ? strtol(supervised, NULL, 10) : 0;

    if (!supervised)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (parent > 1 ? getppid() != (pid_t)parent : getppid() == 1)
        raise(SIGTERM);
    unsetenv("FANFARE_SUPERVISED");
}

/* libzmq ends the process when it gets no descriptor; ordinary soft limits are for select(), which
 * nobody uses here. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void fan_standing_prepare(void)
{
    sigset_t set = stop_signals();

    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    follow_supervisor();
#ifndef FAN_TEST_BUILD
    prctl(PR_SET_DUMPABLE, 0); /* a core has passwords and people's addresses in it */
#endif
}

static void on_signal(void *context, int fd, int ready)
{
    struct fan_standing *standing = context;
    struct signalfd_siginfo info;

    (void)ready;
    while (read(fd, &info, sizeof info) == sizeof info) {
        if (standing->asked) {
            fan_log(NULL, FAN_WARN, "process.cut", "asked twice to stop");
            _exit(FAN_EXIT_HARD);
        }
        standing->asked = true;
        standing->stop(standing->context);
    }
}

struct fan_standing *fan_standing_open(struct fan_loop *loop, void (*stop)(void *context),
        void *context)
{
    struct fan_standing *standing = calloc(1, sizeof(*standing));
    sigset_t set = stop_signals();

    if (!standing)
        fan_die("out of memory: the signals");
    standing->loop = loop;
    standing->stop = stop;
    standing->context = context;
    standing->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (standing->signals < 0)
        fan_die("no descriptor for signals");
    standing->watch = fan_loop_watch(loop, standing->signals, FAN_READABLE, on_signal, standing);
    return standing;
}

void fan_standing_close(struct fan_standing **standing)
{
    struct fan_standing *old = *standing;

    if (!old)
        return;
    fan_loop_cancel(&old->watchdog);
    fan_loop_unwatch(&old->watch);
    close(old->signals);
    free(old);
    *standing = NULL;
}

static void feed_watchdog(void *context)
{
    (void)context;
    sd_notify(0, "WATCHDOG=1");
}

void fan_standing_ready(struct fan_standing *standing)
{
    uint64_t within_us = 0;

    sd_notify(0, "READY=1");
    if (sd_watchdog_enabled(0, &within_us) > 0 && within_us >= 2000)
        standing->watchdog = fan_loop_every(standing->loop, (uint32_t)(within_us / 2000),
                feed_watchdog, standing);
}

void fan_standing_stopping(struct fan_standing *standing)
{
    (void)standing;
    sd_notify(0, "STOPPING=1");
}

static void cut(int signal)
{
    (void)signal;
    _exit(FAN_EXIT_HARD);
}

void fan_standing_last_call(unsigned seconds)
{
    signal(SIGALRM, cut);
    alarm(seconds);
}

#include "actors/cli/guard.h"

#include "actors/cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { LOOK_MS = 50 };

/* Nothing but the pipe may wake it (a terminal's Ctrl-C goes to the supervisor), and it must hold
 * nothing that others wait for, the supervisor's lock least of all. */
static void stand_apart(int pipe)
{
    int nothing = open("/dev/null", O_RDWR);
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    for (int fd = 0; fd <= 2; fd++)
        dup2(nothing, fd);
    dup2(pipe, 3);
    close_range(4, ~0u, 0);
}

/* Whether somebody still holds what he held when the supervisor died. By now the next supervisor
 * may have started its own. */
static bool lives(const char *lock, pid_t holder)
{
    return holder > 1 && fan_child_holder(lock) == holder;
}

static bool anybody(const char *const *locks, const pid_t *holders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lives(locks[i], holders[i]))
            return true;
    }
    return false;
}

static void watch(int pipe, const char *const *locks, size_t count)
{
    pid_t holders[FAN_GUARD_MAX];
    char word;
    ssize_t len;

    while ((len = read(pipe, &word, 1)) < 0 && errno == EINTR)
        ;
    if (len > 0)
        return; /* dismissed */
    for (size_t i = 0; i < count; i++)
        holders[i] = fan_child_holder(locks[i]);
    for (int ms = 0; ms < FAN_GUARD_MS && anybody(locks, holders, count); ms += LOOK_MS)
        usleep(LOOK_MS * 1000);
    for (size_t i = 0; i < count; i++) {
        if (lives(locks[i], holders[i]))
            kill(holders[i], SIGKILL);
    }
}

enum fan_err fan_guard_start(const char *const *locks, size_t count, int *guard,
        struct fan_why *why)
{
    int ends[2];
    pid_t pid;

    FAN_ASSERT(count <= FAN_GUARD_MAX);
    if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot start the guard: %s", strerror(errno));
    if (pid == 0) {
        stand_apart(ends[0]);
        watch(3, locks, count);
        _exit(0);
    }
    close(ends[0]);
    *guard = ends[1];
    return FAN_OK;
}

void fan_guard_dismiss(int *guard)
{
    (void)!write(*guard, "x", 1);
    close(*guard);
    *guard = -1;
}

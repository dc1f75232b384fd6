#include "actors/cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_RUN = 127 };

/* What the child needs between fork and exec. */
struct birth {
    const struct fan_child *child;
    pid_t parent;
    int life;   /* descriptor of the lock, or -1 */
    int output; /* write end, or -1 */
    int error;  /* where errno goes when exec fails */
};

static void say_errno_and_leave(int to)
{
    int number = errno;

    (void)!write(to, &number, sizeof(number));
    _exit(CANNOT_RUN);
}

/* Into the lock file, which stays open and so locked. */
static void write_pid(int life)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

    fcntl(life, F_SETFD, 0);
    if (ftruncate(life, 0) == 0)
        (void)!write(life, text, (size_t)len);
}

static void become_child(const struct birth *birth)
{
    struct sigaction as_usual = { .sa_handler = SIG_DFL };
    sigset_t none;
    int nothing = open("/dev/null", O_RDWR);

    sigemptyset(&none);
    for (int number = 1; number < SIGRTMIN; number++)
        sigaction(number, &as_usual, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, birth->child->death_signal);
    if (getppid() != birth->parent)
        _exit(0); /* it died before the line above could see it */
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    if (birth->child->quiet)
        dup2(nothing, STDOUT_FILENO);
    if (birth->output >= 0) {
        dup2(birth->output, STDOUT_FILENO);
        dup2(birth->output, STDERR_FILENO);
    }
    if (birth->life >= 0)
        write_pid(birth->life);
    execve(birth->child->argv[0], (char *const *)birth->child->argv,
            (char *const *)birth->child->env);
    say_errno_and_leave(birth->error);
}

static enum fan_err take_life_lock(const char *path, int *out, struct fan_why *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return fan_fail(why, FAN_CONFLICT, "an earlier process has not ended yet");
    }
    *out = fd;
    return FAN_OK;
}

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

/* Fork, and wait until exec either succeeded, which closes the pipe, or said why not. */
static enum fan_err give_birth(struct birth *birth, int error_end, pid_t *pid, struct fan_why *why)
{
    int number = 0;

    *pid = fork();
    if (*pid == 0)
        become_child(birth);
    close(birth->error);
    birth->error = -1;
    if (*pid < 0)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot fork: %s", strerror(errno));
    if (read(error_end, &number, sizeof(number)) <= 0)
        return FAN_OK;
    waitpid(*pid, NULL, 0);
    return fan_fail(why, FAN_UNAVAILABLE, "cannot run %s: %s", birth->child->argv[0],
            strerror(number));
}

enum fan_err fan_child_start(const struct fan_child *child, pid_t *pid, int *output,
        struct fan_why *why)
{
    int fds[4] = { -1, -1, -1, -1 }; /* output and error, read and write ends */
    struct birth birth = { .child = child, .parent = getpid(), .life = -1 };
    enum fan_err err = FAN_OK;

    if (child->life_lock)
        err = take_life_lock(child->life_lock, &birth.life, why);
    if (!err && ((output && pipe2(fds, O_CLOEXEC) != 0) || pipe2(fds + 2, O_CLOEXEC) != 0))
        err = fan_fail(why, FAN_UNAVAILABLE, "cannot make a pipe: %s", strerror(errno));
    if (!err) {
        birth.output = fds[1];
        birth.error = fds[3];
        err = give_birth(&birth, fds[2], pid, why);
        fds[3] = birth.error;
    }
    if (!err && output) {
        fcntl(fds[0], F_SETFL, O_NONBLOCK);
        *output = fds[0];
        fds[0] = -1;
    }
    close_all(fds, 4);
    close_all(&birth.life, 1);
    return err;
}

enum fan_err fan_child_run(const struct fan_child *child, struct fan_why *why)
{
    pid_t pid;
    int status;
    enum fan_err err = fan_child_start(child, &pid, NULL, why);

    if (err)
        return err;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return fan_fail(why, FAN_UNAVAILABLE, "lost %s: %s", child->argv[0], strerror(errno));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fan_fail(why, FAN_UNAVAILABLE, "%s failed", child->argv[0]);
    return FAN_OK;
}

/* The process that wrote its number into an open lock file, if the lock is still held; otherwise 0.
 */
static pid_t holder(int life)
{
    char text[16] = "";

    if (flock(life, LOCK_EX | LOCK_NB) == 0 || pread(life, text, sizeof(text) - 1, 0) <= 0)
        return 0;
    return (pid_t)strtol(text, NULL, 10);
}

pid_t fan_child_holder(const char *life_lock)
{
    int fd = open(life_lock, O_RDWR | O_CLOEXEC);
    pid_t pid = fd >= 0 ? holder(fd) : 0;

    if (fd >= 0)
        close(fd);
    return pid;
}

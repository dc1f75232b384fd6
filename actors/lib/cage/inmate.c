#include "actors/lib/cage/inmate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- starting ---- */

/* Of our environment, only what sanitizers and the C library are told. */
static char **environment_of(char *list[8])
{
    static const char *const kept[] = { "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=" };
    size_t len = 0;

    list[len++] = (char *)"LC_ALL=C.UTF-8";
    list[len++] = (char *)"HOME=/nonexistent";
    for (char **at = environ; *at; at++) {
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
            if (strncmp(*at, kept[i], strlen(kept[i])) == 0 && len < 7)
                list[len++] = *at;
        }
    }
    list[len] = NULL;
    return list;
}

static int spawn(const char *const *argv, int socket, int memory, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    char *environment[8];
    int error;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, FAN_INMATE_SOCKET);
    posix_spawn_file_actions_adddup2(&actions, memory, FAN_INMATE_MEMORY);
    posix_spawn_file_actions_addclosefrom_np(&actions, FAN_INMATE_MEMORY + 1);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = posix_spawn(pid, argv[0], &actions, &attr, (char *const *)argv,
            environment_of(environment));
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* A descriptor above those that the program finds its own at, so that none is overwritten. */
static int lifted(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 16);

    if (fd >= 0)
        close(fd);
    return high;
}

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

enum fan_err fan_inmate_start(const char *const *argv, size_t memory_size, struct fan_inmate *out,
        struct fan_why *why)
{
    int fds[3] = { -1, -1, -1 }; /* ours, its, memory */
    void *memory = MAP_FAILED;
    int error = 0;

    *out = (struct fan_inmate){ .pid = 0, .socket = -1 };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0) {
        fds[1] = lifted(fds[1]);
        fds[2] = lifted(memfd_create("fanfare", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    }
    if (fds[1] >= 0 && fds[2] >= 0 && ftruncate(fds[2], (off_t)memory_size) == 0 &&
            fcntl(fds[2], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[2], 0);
    if (memory == MAP_FAILED)
        error = errno;
    if (!error)
        error = spawn(argv, fds[1], fds[2], &out->pid);
    if (error) {
        if (memory != MAP_FAILED)
            munmap(memory, memory_size);
        close_all(fds, 3);
        out->pid = 0;
        return fan_fail(why, FAN_UNAVAILABLE, "cannot start %s: %s", argv[0], strerror(error));
    }
    close_all(fds + 1, 2);
    out->socket = fds[0];
    out->memory = memory;
    out->memory_size = memory_size;
    return FAN_OK;
}

/* ---- asking ---- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How it ended, after it was killed; whoever was killed by somebody else is said so. */
static enum fan_err bury(struct fan_inmate *inmate, const char *what, struct fan_why *why)
{
    int status = 0;
    pid_t ended = waitpid(inmate->pid, &status, WNOHANG);

    for (int i = 0; ended == 0 && !what && i < 50; i++) { /* its end of the socket is closed */
        poll(NULL, 0, 2);
        ended = waitpid(inmate->pid, &status, WNOHANG);
    }
    if (ended == inmate->pid) {
        inmate->pid = -1;
        if (WIFSIGNALED(status))
            fan_fail(why, FAN_UNAVAILABLE, "the child was killed by signal %d (%s)",
                    WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
            fan_fail(why, FAN_UNAVAILABLE, "the child ended with %d", WEXITSTATUS(status));
    } else {
        fan_fail(why, FAN_UNAVAILABLE, "the child %s", what ? what : "went away");
    }
    fan_inmate_stop(inmate);
    return FAN_UNAVAILABLE;
}

enum fan_err fan_inmate_tell(struct fan_inmate *inmate, struct fan_bytes question,
        struct fan_why *why)
{
    ssize_t sent = send(inmate->socket, question.at, question.len, MSG_NOSIGNAL | MSG_DONTWAIT);

    return sent == (ssize_t)question.len ? FAN_OK : bury(inmate, NULL, why);
}

enum fan_err fan_inmate_hear(struct fan_inmate *inmate, void *answer, size_t answer_size,
        bool *heard, struct fan_why *why)
{
    char extra;
    struct iovec parts[2] = { { answer, answer_size }, { &extra, 1 } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t got = recvmsg(inmate->socket, &message, MSG_DONTWAIT);

    *heard = got == (ssize_t)answer_size;
    if (*heard || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return FAN_OK;
    return bury(inmate, got > 0 ? "answered nonsense" : NULL, why);
}

enum fan_err fan_inmate_late(struct fan_inmate *inmate, struct fan_why *why)
{
    return bury(inmate, "did not answer in time and was killed", why);
}

enum fan_err fan_inmate_ask(struct fan_inmate *inmate, struct fan_bytes question, void *answer,
        size_t answer_size, int deadline_ms, bool *asked, struct fan_why *why)
{
    int64_t end = now_ms() + deadline_ms;
    enum fan_err err = fan_inmate_tell(inmate, question, why);
    bool heard = false;

    *asked = !err;
    while (!err && !heard) {
        struct pollfd wait = { .fd = inmate->socket, .events = POLLIN };
        int64_t left = end - now_ms();
        int ready = left <= 0 ? 0 : poll(&wait, 1, (int)left);

        if (ready > 0)
            err = fan_inmate_hear(inmate, answer, answer_size, &heard, why);
        else if (ready == 0)
            err = fan_inmate_late(inmate, why);
        else if (errno != EINTR)
            err = bury(inmate, "could not be heard", why);
    }
    return err;
}

void fan_inmate_stop(struct fan_inmate *inmate)
{
    if (inmate->pid == 0)
        return;
    if (inmate->pid > 0) {
        kill(inmate->pid, SIGKILL);
        while (waitpid(inmate->pid, NULL, 0) < 0 && errno == EINTR) {}
    }
    close(inmate->socket);
    munmap(inmate->memory, inmate->memory_size);
    *inmate = (struct fan_inmate){ .pid = 0, .socket = -1 };
}

/* ---- inside ---- */

enum fan_err fan_inmate_arrive(unsigned char **memory, size_t *memory_size, struct fan_why *why)
{
    struct stat stat;
    void *at;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fstat(FAN_INMATE_MEMORY, &stat) != 0 || stat.st_size <= 0)
        return fan_fail(why, FAN_INVALID, "fanfare starts this program itself, never by hand");
    at = mmap(NULL, (size_t)stat.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, FAN_INMATE_MEMORY, 0);
    if (at == MAP_FAILED)
        return fan_fail(why, FAN_INVALID, "there is no shared memory: %s", strerror(errno));
    *memory = at;
    *memory_size = (size_t)stat.st_size;
    return FAN_OK;
}

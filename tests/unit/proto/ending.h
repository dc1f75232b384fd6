/*
 * ending — how a process ends that runs a function which must not come back.
 */
#ifndef FAN_TESTS_UNIT_PROTO_ENDING_H
#define FAN_TESTS_UNIT_PROTO_ENDING_H

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct ending {
    int exit_code;  /* -1: it was killed */
    int signal;     /* 0: it was not */
    char text[256]; /* the start of what it wrote to stderr */
};

/** Run @fn in a process of its own. */
static inline struct ending ending_of(void (*fn)(void))
{
    struct ending ending = { 0 };
    int ends[2], status;
    pid_t child;

    if (pipe(ends) != 0)
        abort();
    child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        fn();
        _exit(0);
    }
    close(ends[1]);
    waitpid(child, &status, 0);
    if (read(ends[0], ending.text, sizeof ending.text - 1) < 0)
        abort();
    close(ends[0]);
    ending.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ending.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return ending;
}

#endif

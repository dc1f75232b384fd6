/*
 * crew — brokers and actors as real processes, for tests of what passes between them.
 *
 * The test itself opens no ZeroMQ socket: it starts processes, kills them, and reads what they
 * report through a pipe.
 */
#ifndef FAN_TESTS_CREW_H
#define FAN_TESTS_CREW_H

#include "broker/runtime/actor.h"

#include <sys/types.h>

enum { CREW_MAX = 32, CREW_BROKERS_MAX = 4 };

struct crew_report {
    pid_t pid;
    int what;       /* the test's own word */
    int64_t number; /* its own, too */
    fan_time at;    /* of fan_clock_elapsed */
};

struct crew {
    char folder[64];
    int pipe[2];
    pid_t pids[CREW_MAX]; /* 0: ended */
    size_t len;
    char base[CREW_BROKERS_MAX][96]; /* of the brokers */
    char brokers[CREW_BROKERS_MAX * 96];
};

/** Name @brokers brokers in a new folder; @port: over TCP, the first at this port, the next 100
 * above; 0: over ipc. */
void crew_init(struct crew *crew, int brokers, int port);
/** Kill everybody, remove the folder. */
void crew_fini(struct crew *crew);

/** Start the broker, or an actor with @role that connects to all brokers. @role's name is "test".
 * @more: one more argument pair, "--drain_ms", "100"; or NULL. */
pid_t crew_start_broker(struct crew *crew, int which);
pid_t crew_start(struct crew *crew, const struct fan_role *role, const char *option,
        const char *value);

/** Signal a process; after SIGKILL wait for its end. */
void crew_signal(struct crew *crew, pid_t pid, int signal);
/** Wait for the end: the exit code, or minus the signal; -1000 after @wait_ms. */
int crew_wait(struct crew *crew, pid_t pid, int wait_ms);

/** The next report within @wait_ms; false: none came. */
bool crew_read(struct crew *crew, struct crew_report *out, int wait_ms);
/** Read reports until one says @what (and has @number, unless that is -1); false: none did. */
bool crew_await(struct crew *crew, int what, int64_t number, struct crew_report *out, int wait_ms);

/** Within an actor: report. */
void crew_tell(int what, int64_t number);

#endif

/*
 * inmate — a process in a cage, seen from outside: started, asked, and replaced when it fails.
 *
 * It is a program of this installation, which puts itself into the cage. It is spoken to over a
 * socket, one packet a question and one an answer; large things lie in shared memory. Its answers
 * are a stranger's: whoever asks checks them. One thread.
 */
#ifndef FAN_LIB_CAGE_INMATE_H
#define FAN_LIB_CAGE_INMATE_H

#include "proto/bytes.h"
#include "proto/err.h"

#include <sys/types.h>

enum {
    FAN_INMATE_SOCKET = 3, /* descriptors as the program finds them */
    FAN_INMATE_MEMORY = 4,
    FAN_INMATE_ARGUMENTS = 8,
};

struct fan_inmate {
    pid_t pid; /* 0: none */
    int socket;
    unsigned char *memory; /* [memory_size], shared */
    size_t memory_size;
};

/**
 * Start @argv[0] with @memory_size bytes of shared memory. It dies when we do.
 *
 * fails  FAN_UNAVAILABLE  it cannot be started
 */
enum fan_err fan_inmate_start(const char *const *argv, size_t memory_size, struct fan_inmate *out,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Send @question and wait for the answer, a packet of exactly @answer_size bytes.
 *
 * asked  out: whether it took the question; if not, another may be asked the same
 * fails  FAN_UNAVAILABLE  it died, did not answer in time, or answered in another size: it is
 *                         killed and reaped, and inmate->pid is 0
 */
enum fan_err fan_inmate_ask(struct fan_inmate *inmate, struct fan_bytes question, void *answer,
        size_t answer_size, int deadline_ms, bool *asked, struct fan_why *why) FAN_MUST_CHECK;

/* The same without waiting; whoever has a loop watches inmate->socket. Every failure kills and
 * reaps it, and inmate->pid is 0. */

/** Send @question. fails FAN_UNAVAILABLE: it was not taken; another may be asked the same */
enum fan_err fan_inmate_tell(struct fan_inmate *inmate, struct fan_bytes question,
        struct fan_why *why) FAN_MUST_CHECK;

/** Take an answer, if there is one: @heard. fails FAN_UNAVAILABLE: it died, or answered in another
 * size */
enum fan_err fan_inmate_hear(struct fan_inmate *inmate, void *answer, size_t answer_size,
        bool *heard, struct fan_why *why) FAN_MUST_CHECK;

/** Kill it for its silence. Returns FAN_UNAVAILABLE, and says so. */
enum fan_err fan_inmate_late(struct fan_inmate *inmate, struct fan_why *why);

/** Kill it, reap it, and free what was shared. */
void fan_inmate_stop(struct fan_inmate *inmate);

/* ---- for the program inside ---- */

/** Be killed when the parent dies; map the shared memory. fails FAN_INVALID: not started as an
 * inmate. */
enum fan_err fan_inmate_arrive(unsigned char **memory, size_t *memory_size,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

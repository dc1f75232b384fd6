/*
 * cage — what a process that reads bytes of strangers may still do: compute, and answer.
 *
 * Two steps. fan_cage_files narrows the file system (Landlock), before the process has threads;
 * then it opens what it needs; then fan_cage_close bounds its memory and time and forbids
 * everything but a short list of system calls (seccomp, all threads). What is not on the list kills
 * the process with SIGSYS: no socket, no new process, no program, no tracing, no file written.
 */
#ifndef FAN_LIB_CAGE_CAGE_H
#define FAN_LIB_CAGE_CAGE_H

#include "proto/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fan_cage {
    bool reads;      /* may open files for reading: those of fan_cage_files; and start threads */
    uint64_t memory; /* bytes of address space, beyond what it has now */
    uint32_t cpu_s;  /* seconds of processor time; 0: without end */
};

/**
 * From now on, only what is below one of @readable[count] can be opened, and only for reading.
 * A path that does not exist is left out.
 *
 * locked  out: false where the kernel has no Landlock: then every file that the user may read
 *         can be read
 * fails   FAN_UNAVAILABLE  the kernel refused
 */
enum fan_err fan_cage_files(const char *const *readable, size_t count, bool *locked,
        struct fan_why *why) FAN_MUST_CHECK;

/** fails FAN_UNAVAILABLE: the kernel refused; the process must not go on. */
enum fan_err fan_cage_close(const struct fan_cage *cage, struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * faults — what goes wrong with a request, and what becomes of a message: decided by settings and
 * recipient alone.
 *
 * The same seed, recipient and token always get the same fate, in whatever order requests come.
 * Pure.
 *
 * With patterns on, the last four digits of a number (of an address: what stands before '@') choose
 * a fault: 0429  throttled, the first time 0500  a server error 0999  taken, but the connection is
 * closed instead of an answer
 */
#ifndef FAN_ACTORS_SANDBOX_FAULTS_H
#define FAN_ACTORS_SANDBOX_FAULTS_H

#include "actors/sandbox/backlog.h"
#include "proto/time.h"

enum fan_fault {
    FAN_FAULT_NONE = 0,
    FAN_FAULT_THROTTLED,
    FAN_FAULT_SERVER,
    FAN_FAULT_SILENT,
    FAN_FAULT_REJECTED
};

enum { FAN_FAULT_MEMORY = 4096 /* recipients whose first time is remembered */ };

struct fan_faults {
    uint64_t seed;
    bool patterns;
    uint32_t reject_percent;
    uint32_t throttle; /* messages a second; 0: no bound */
    uint32_t deliver_percent, read_percent, fail_percent;

    fan_time second; /* the one that is counted */
    uint32_t in_second;
    uint64_t seen[FAN_FAULT_MEMORY]; /* hashes of recipients that were throttled once */
};

/** Decide about one request. @now is any clock in microseconds. */
enum fan_fault fan_faults_decide(struct fan_faults *faults, struct fan_bytes to,
        struct fan_bytes token, fan_time now);

/** What becomes of a message that was accepted. @reads: whether its provider reports reading. */
enum fan_fate fan_faults_fate(const struct fan_faults *faults, struct fan_bytes to,
        struct fan_bytes token, bool reads);

/** One of @count choices, always the same one for @serial. */
size_t fan_faults_choice(const struct fan_faults *faults, uint64_t serial, size_t count);

#endif

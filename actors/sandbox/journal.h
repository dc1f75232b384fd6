/*
 * journal — one JSON line for every message that the sandbox was asked to take, written before it
 * is answered.
 *
 * A line is one write(): it survives the death of the process, and several sandboxes may share a
 * file. What tests recount.
 *
 *   {"at":"2026-11-20T06:42:14.123456Z","provider":"twilio","to":"+14155552671",
 *    "token":"1234567.k5Zq0w","verdict":"accepted","id":"SM…","status":201}
 *
 * token is ours, from the callback URL, the opaque data or the Message-ID. A status of 0 is an
 * answer that never left.
 */
#ifndef FAN_ACTORS_SANDBOX_JOURNAL_H
#define FAN_ACTORS_SANDBOX_JOURNAL_H

#include "proto/buffer.h"
#include "proto/err.h"
#include "proto/time.h"

struct fan_sandbox_journal {
    int fd; /* -1: none is kept */
    struct fan_buffer line;
};

struct fan_sandbox_line {
    const char *provider;
    struct fan_bytes to, token;
    const char *verdict; /* accepted, refused, throttled, failed, replayed, busy or reused */
    struct fan_bytes id; /* of the message that was accepted, or the code it was refused with */
    int status;
    struct fan_bytes key; /* absent: none */
};

/** Open @path for appending; "": keep none. fails FAN_UNAVAILABLE: it cannot be written */
enum fan_err fan_sandbox_journal_open(struct fan_sandbox_journal *journal, const char *path,
        struct fan_why *why) FAN_MUST_CHECK;
void fan_sandbox_journal_close(struct fan_sandbox_journal *journal);

/** Append a line; a process whose journal fails has nothing to say and exits. */
void fan_sandbox_journal_write(struct fan_sandbox_journal *journal, fan_time now,
        const struct fan_sandbox_line *line);

#endif

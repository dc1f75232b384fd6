/*
 * supervisor_inside — what the supervisor's files share.
 *
 *   supervisor.c         what happened, what to do, and the whole
 *   supervisor_member.c  one process: started, heard, and its output kept
 *   supervisor_tell.c    telling people, and programs
 */
#ifndef FAN_CLI_SUPERVISOR_INSIDE_H
#define FAN_CLI_SUPERVISOR_INSIDE_H

#include "actors/cli/output.h"
#include "actors/cli/supervisor.h"
#include "broker/runtime/log.h"
#include "broker/runtime/loop.h"

struct fan_supervisor;

/* A process of the fleet, with what it writes. */
struct fan_member {
    struct fan_supervisor *of;
    const struct fan_process *process;
    struct fan_slot *slot;
    struct fan_output output;
    int pipe; /* -1: none */
    struct fan_watch *watch;
    fan_time waiting_since; /* for an earlier process to end; 0: not waiting */
};

struct fan_supervisor {
    struct fan_supervisor_options options;
    struct fan_loop *loop;
    struct fan_member *members;
    struct fan_slot *slots; /* slots[i] belongs to members[i] */
    size_t count;
    int signals, notices, guard;
    struct fan_watch *signal_watch, *notice_watch;
    struct fan_timer *tick; /* while something is to be waited for */
    bool was_ready;
    bool stopping;
    bool changed; /* since the fleet was last written down */
};

/* ---- supervisor_member.c ---- */

void fan_member_init(struct fan_member *member, struct fan_supervisor *of, size_t i);
void fan_member_fini(struct fan_member *member);
/** Start its process, or note that it cannot be; while an earlier one lives, neither. */
void fan_member_start(struct fan_member *member);
/** Its process ended with @status of waitpid. */
void fan_member_ended(struct fan_member *member, int status);

/* ---- supervisor_tell.c ---- */

/** A line for people, or with foreground_logs for the log. */
void fan_supervisor_say(const struct fan_supervisor *self, enum fan_log_level level,
        const char *event, const char *format, ...) FAN_PRINTF(4, 5);
/** Write the fleet's state to home/fleet.json, for `fanfare status`. */
void fan_supervisor_write_down(struct fan_supervisor *self);

#endif

/*
 * fleet — the processes of one machine, as `fanfare up` starts them.
 */
#ifndef FAN_CLI_FLEET_H
#define FAN_CLI_FLEET_H

#include "actors/cli/child.h"
#include "actors/cli/home.h"
#include "actors/cli/supervise.h"

/* Where what listens, counted from the one port that an operator chooses. */
enum {
    FAN_PORT_GATEWAY = 0,
    FAN_PORT_INGESTER = 1,
    FAN_PORT_SANDBOX = 2,
    FAN_PORT_SANDBOX_SMTP = 3,
    FAN_PORT_STATUS = 10, /* and further on: one for each process */
};

struct fan_fleet_options {
    const struct fan_home *home;
    const char *bind; /* address of the gateway and the ingester */
    uint32_t port;
    uint32_t restart_ms;    /* the longest pause before a process that ended is started again */
    const char *public_url; /* where the outside world reaches the ingester */
    bool sandbox;
    struct fan_texts without; /* names of processes that run elsewhere */
    struct fan_texts another; /* names of workers to start one more of; a name may stand often */
    struct fan_texts brokers; /* where they listen, two at most; the rest: at sockets in home */
};

struct fan_process {
    const char *name; /* "sender-sms" */
    struct fan_slot_rules rules;
    struct fan_child child;
    int stop_signal;
    const char *status; /* "127.0.0.1:8090": where its health is told; "": nowhere */
    void (*sweep)(const struct fan_home *home); /* before each start; NULL: nothing */
};

/**
 * List the processes to run.
 *
 * fails  FAN_NOT_FOUND  a program is missing; the text names it
 *        FAN_INVALID    there is no process of a name in @options->without, no worker of one in
 *                       @options->another, there are no ports for so many, or @options->brokers
 *                       are too many or no addresses
 */
enum fan_err fan_fleet_list(const struct fan_fleet_options *options, struct fan_arena *arena,
        const struct fan_process **out, size_t *count, struct fan_why *why) FAN_MUST_CHECK;

#endif

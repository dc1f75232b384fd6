/*
 * smtp — the sandbox's mail relay: SMTP connections on the loop, which take mails and throw them
 * away.
 */
#ifndef FAN_ACTORS_SANDBOX_SMTP_H
#define FAN_ACTORS_SANDBOX_SMTP_H

#include "actors/sandbox/sandbox.h"

struct fan_smtp_sink;

/** fails FAN_INVALID: smtp_listen is not an address; FAN_UNAVAILABLE: it is taken */
enum fan_err fan_smtp_sink_open(struct fan_sandbox *sandbox, struct fan_smtp_sink **out,
        struct fan_why *why) FAN_MUST_CHECK;
/** Accept no more connections. */
void fan_smtp_sink_quiesce(struct fan_smtp_sink *sink);
void fan_smtp_sink_close(struct fan_smtp_sink **sink);

uint16_t fan_smtp_sink_port(const struct fan_smtp_sink *sink);

#endif

/*
 * sandbox_keys — what the simulated providers accept: drawn once for a home, and kept in
 * home/sandbox.conf, which is the sandbox's settings file.
 */
#ifndef FAN_CLI_SANDBOX_KEYS_H
#define FAN_CLI_SANDBOX_KEYS_H

#include "actors/cli/home.h"

/** Draw them, unless they are there. fails FAN_UNAVAILABLE */
enum fan_err fan_sandbox_keys_make(const struct fan_home *home, struct fan_why *why) FAN_MUST_CHECK;

/** Set one, also such as the sandbox has a default for. fails FAN_UNAVAILABLE */
enum fan_err fan_sandbox_key_set(const struct fan_home *home, const char *name, const char *value,
        struct fan_why *why) FAN_MUST_CHECK;

/** One of them: "TWILIO_ACCOUNT_SID"; NULL when there is none. */
const char *fan_sandbox_key(const struct fan_home *home, const char *name, struct fan_arena *arena);

#endif

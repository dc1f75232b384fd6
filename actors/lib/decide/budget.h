/*
 * decide/budget — how many repeated attempts a channel takes, so that an outage does not become a
 * storm.
 *
 * Pure: a bucket of tokens. Each first attempt adds a tenth of one, and each second a whole one, up
 * to a minute's worth; a repeated attempt takes one, and gives it back when it is accepted.
 * What finds none waits. It never fails because of it.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_BUDGET_H
#define FAN_ACTORS_LIB_DECIDE_BUDGET_H

#include "proto/time.h"

#include <stdbool.h>
#include <stdint.h>

struct fan_budget {
    int64_t millis; /* thousandths of a token */
    int64_t share;  /* of them that first attempts of the last minute have brought at most */
    fan_time at;
};

/** Begin, with a minute's worth of what time alone brings. */
void fan_budget_init(struct fan_budget *budget, fan_time now);
/** A first attempt began. */
void fan_budget_first(struct fan_budget *budget, fan_time now);
/** Take a token for a repeated one; false: wait. */
bool fan_budget_take(struct fan_budget *budget, fan_time now);
/** It was accepted: the token comes back. */
void fan_budget_return(struct fan_budget *budget);
/** How long until there is one. */
fan_time fan_budget_wait(const struct fan_budget *budget);

#endif

/*
 * decide/deaths — whether too many messages of a run have died for it to go on.
 *
 * Pure. A death speaks of the run, not of a recipient: processes died of the message, or its tries
 * are used up and nobody said that its address is at fault.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_DEATHS_H
#define FAN_ACTORS_LIB_DECIDE_DEATHS_H

#include <stdbool.h>
#include <stdint.h>

struct fan_deaths_rules {
    int64_t minute;  /* so many within a minute are too many; 0: no number is */
    int64_t percent; /* so many of all recipients; 0: no part is */
    int64_t least;   /* a part of fewer than these is not too many */
};

struct fan_deaths {
    int64_t in_minute, in_all;
    bool resolved; /* all recipients are known: before that, a part says nothing */
    int64_t recipients;
};

/** The fewest deaths that may be too many; 0: none are. */
int64_t fan_deaths_least(const struct fan_deaths_rules *rules);

bool fan_deaths_are_too_many(const struct fan_deaths_rules *rules, const struct fan_deaths *deaths);

#endif

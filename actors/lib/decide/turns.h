/*
 * decide/turns — which run's turn it is, and how much each may have on its way.
 *
 * Pure. Urgent runs come first and have a window of their own. Otherwise accounts are equal, and
 * then the runs of an account: one with a hundred campaigns gets no more than one with a single
 * campaign, and nobody is always last.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_TURNS_H
#define FAN_ACTORS_LIB_DECIDE_TURNS_H

#include "proto/arena.h"
#include "proto/words.h"

struct fan_turns_run {
    fan_id account;
    enum fan_lane lane;
    uint32_t wants; /* chunks that it could have on its way */
    uint32_t share; /* out: how many it may have at most */
    size_t next;    /* out: which run is looked at in this place, by index */
};

/**
 * Decide for one sweep.
 *
 * runs   runs[count], those of an account beside each other
 * sweep  counts sweeps: another account, and another run of each, is first every time
 * all    chunks of all runs of a lane together
 * arena  for the while
 */
void fan_turns_decide(struct fan_turns_run *runs, size_t count, uint64_t sweep, uint32_t all,
        struct fan_arena *arena);

#endif

/*
 * decide/start — whether a scheduled campaign may start by itself now.
 *
 * Pure. Nothing starts silently late: after an outage, a restored database or a clock that was put
 * forward, a person decides.
 */
#ifndef FAN_ACTORS_LIB_DECIDE_START_H
#define FAN_ACTORS_LIB_DECIDE_START_H

#include "proto/time.h"

#include <stdbool.h>

enum fan_start_act {
    FAN_START_GO = 1,
    FAN_START_MISSED, /* its time is too long ago */
    FAN_START_OVER,   /* the campaign's end_date has passed */
};

/* A campaign whose time has come, by one clock. */
struct fan_start {
    fan_time now, scheduled_at;
    fan_time grace;  /* how late it may still start */
    fan_time end_at; /* 0: none */
};

enum fan_start_act fan_start_decide(const struct fan_start *start);

/* The database's clock, watched against one that does not jump. */
struct fan_clock_watch {
    fan_time database, elapsed; /* as they were read last; 0: not yet */
    fan_time held_until;        /* elapsed: nothing is started before */
};

/**
 * Note a reading. A clock that went more than a minute too far forward since the last one holds all
 * starts for a minute, so that a wrong clock does not fire a month of campaigns before somebody
 * sees it.
 *
 * jumped  out: by how far; 0: it did not
 * Returns whether starts are held.
 */
bool fan_clock_watch_read(struct fan_clock_watch *watch, fan_time database, fan_time elapsed,
        fan_time *jumped);

#endif

/*
 * fold — events become counts by run and minute. Pure.
 */
#ifndef FAN_ACTORS_ANALYTICS_FOLD_H
#define FAN_ACTORS_ANALYTICS_FOLD_H

#include "sql/store/analytics.h"

struct folded {
    struct fan_stat_minute *at; /* at[len], in the order of account, run and minute */
    size_t len;
    size_t unread; /* events that are not what their type says */
};

/** Fold @events. Those that count nothing, or belong to no run, are passed over. */
struct folded fold(const struct fan_stat_events *events, struct fan_arena *arena);

#endif

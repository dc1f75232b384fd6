/*
 * stats — a campaign's counters as JSON.
 */
#ifndef FAN_GATEWAY_STATS_H
#define FAN_GATEWAY_STATS_H

#include "proto/json.h"
#include "sql/store/run.h"

/** Write the member "stats". */
void stats_write(struct fan_json_writer *json, const struct fan_run_stats *stats);

/** Messages of which nothing more is expected. */
int64_t stats_settled(const struct fan_run_stats *stats);

#endif

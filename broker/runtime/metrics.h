/*
 * metrics — numbers for Prometheus, kept in the process and printed in its text format.
 */
#ifndef FAN_RUNTIME_METRICS_H
#define FAN_RUNTIME_METRICS_H

#include "proto/buffer.h"

struct fan_metrics;
struct fan_metric; /* one series; good as long as its fan_metrics */

struct fan_metrics *fan_metrics_new(const char *process);
void fan_metrics_free(struct fan_metrics **metrics);

/**
 * Find or make a series. Ask once and keep the pointer.
 *
 * name    "fanfare_messages_total": counters end in _total, durations in _seconds
 * labels  "outcome=\"accepted\",kind=\"sms\"" or "": few values only, never an id or an address
 * help    one sentence
 */
struct fan_metric *fan_metric_counter(struct fan_metrics *metrics, const char *name,
        const char *labels, const char *help);
struct fan_metric *fan_metric_gauge(struct fan_metrics *metrics, const char *name,
        const char *labels, const char *help);
/** Durations in seconds, in buckets from 100 microseconds to 100 seconds. */
struct fan_metric *fan_metric_histogram(struct fan_metrics *metrics, const char *name,
        const char *labels, const char *help);

void fan_metric_add(struct fan_metric *metric, double amount);
void fan_metric_set(struct fan_metric *metric, double value);
void fan_metric_observe(struct fan_metric *metric, double seconds);

/** Print all in the Prometheus text format 0.0.4; process CPU, memory, descriptors and start time
 * are added. */
void fan_metrics_print(struct fan_metrics *metrics, struct fan_buffer *out);

#endif

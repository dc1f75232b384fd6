/*
 * progress — campaigns on their way, as lines for people; pure.
 */
#ifndef FAN_CLI_PROGRESS_H
#define FAN_CLI_PROGRESS_H

#include "proto/buffer.h"
#include "proto/json.h"
#include "proto/time.h"

/* A campaign's counters, as the API tells them. */
struct fan_counts {
    int64_t total, pending, sending, retry, unknown, sent, failed, skipped, cancelled,
            unknown_final, expired, delivered, undelivered, read;
};

/** Read the "stats" of a campaign. */
struct fan_counts fan_counts_read(const struct fan_json *stats);
void fan_counts_add(struct fan_counts *sum, const struct fan_counts *more);
/** Messages whose state is final. */
int64_t fan_counts_settled(const struct fan_counts *counts);

/* A speed over the last few looks, so that it neither jumps nor lags. */
enum { FAN_PACE_LOOKS = 12 };

struct fan_pace {
    fan_time at[FAN_PACE_LOOKS];
    int64_t count[FAN_PACE_LOOKS];
    uint32_t looks;
};

void fan_pace_look(struct fan_pace *pace, fan_time now, int64_t count);
/** A second; 0 while it stands still or is not known. */
double fan_pace_rate(const struct fan_pace *pace);

/** A bar of @width characters: "█████▌    ". */
void fan_bar_add(struct fan_buffer *out, int64_t done, int64_t total, uint32_t width);

/** A number with its thousands set apart: "12,345". */
void fan_number_add(struct fan_buffer *out, int64_t number);

struct fan_progress_line {
    const char *name;
    const char *status; /* "running", … */
    const struct fan_counts *counts;
    const struct fan_pace *pace;
};

/** One line, without its end: name, status, bar, settled of all, what came of them, and the speed:
 *  "Demo by SMS  running  ▕███▏ 8,123/12,000  sent 8,020  delivered 7,900  1,950/s  2 s left" */
void fan_progress_add(struct fan_buffer *out, const struct fan_progress_line *line);

#endif

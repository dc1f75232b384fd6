/*
 * store/health — how a channel is: its breaker and the rate it has learned, shared by all senders.
 *
 * Each fan_health_add_… adds one step to a batch and returns the index of its answer. Whoever comes
 * first does it; what the others wanted then changes nothing. Opening, trying and closing write
 * their event in the same statement.
 */
#ifndef FAN_SQL_STORE_HEALTH_H
#define FAN_SQL_STORE_HEALTH_H

#include "proto/message.h"
#include "proto/words.h"
#include "sql/db.h"

/* A channel's row. */
struct fan_health_row {
    enum fan_health_state state;
    enum fan_health_reason reason;
    uint32_t times;  /* opened in a row */
    int64_t wait_us; /* open: until it may be tried; half open: until somebody else may try */
    uint64_t prober; /* half open: the sender that tries it */
    int64_t interval_us, configured_us; /* between two messages; 0: no limit */
};

int fan_health_add_look(struct fan_batch *batch, fan_id account, fan_id channel);
/** false: the channel is gone. */
bool fan_health_read_look(const struct fan_rows *rows, struct fan_health_row *out);

/* What all three steps of the breaker need. */
struct fan_health_step {
    fan_id account, channel;
    uint64_t sender; /* its incarnation */
    const struct fan_channel_health_changed *news;
};

/** Leave the channel alone for news->wait_ms. */
/** @longer: than the last time in a row */
int fan_health_add_open(struct fan_batch *batch, const struct fan_health_step *step, bool longer);
/** Be the one whose message tries it, for so long. */
int fan_health_add_try(struct fan_batch *batch, const struct fan_health_step *step,
        int64_t wait_us);
int fan_health_add_close(struct fan_batch *batch, const struct fan_health_step *step);
/** Whether the step was ours to do, and is done. */
bool fan_health_read_step(const struct fan_rows *rows);

/** We are too fast: all senders wait so long. @interval_us becomes @cut_us unless it was cut within
 * @every_us, or is another by now. */
int fan_health_add_throttled(struct fan_batch *batch, fan_id account, fan_id channel,
        int64_t wait_us, int64_t interval_us, int64_t cut_us, int64_t every_us);
/** After so long without a throttle, @interval_us becomes @grown_us. */
int fan_health_add_grow(struct fan_batch *batch, fan_id account, fan_id channel,
        int64_t interval_us, int64_t grown_us, int64_t clean_us);
/** The interval that holds now; -1: nothing was changed. */
int64_t fan_health_read_interval(const struct fan_rows *rows);

#endif

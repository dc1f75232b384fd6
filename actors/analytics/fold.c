#include "actors/analytics/fold.h"

#include <stdlib.h>

#define MINUTE (60 * FAN_SECOND)

static enum fan_err decode(const struct fan_schema *schema, const struct fan_stat_event *event,
        struct fan_arena *arena, void *message)
{
    struct fan_why why = { 0 };

    return fan_decode(schema, event->body, arena, message, &why);
}

static bool count_planned(const struct fan_stat_event *event, struct fan_arena *arena,
        uint32_t *counts)
{
    struct fan_chunks_planned planned;

    if (decode(&fan_schema_chunks_planned, event, arena, &planned))
        return false;
    counts[FAN_STAT_PLANNED] = planned.recipients;
    counts[FAN_STAT_SKIPPED] = planned.skipped;
    return true;
}

static bool count_settled(const struct fan_stat_event *event, struct fan_arena *arena,
        uint32_t *counts)
{
    struct fan_messages_settled settled;

    if (decode(&fan_schema_messages_settled, event, arena, &settled))
        return false;
    counts[FAN_STAT_SENT] = settled.sent;
    counts[FAN_STAT_FAILED] = settled.failed;
    counts[FAN_STAT_RETRY] = settled.retry;
    counts[FAN_STAT_UNKNOWN] = settled.unknown;
    counts[FAN_STAT_SKIPPED] = settled.skipped;
    counts[FAN_STAT_CANCELLED] = settled.cancelled;
    return true;
}

static bool count_receipts(const struct fan_stat_event *event, struct fan_arena *arena,
        uint32_t *counts)
{
    struct fan_receipts_applied applied;

    if (decode(&fan_schema_receipts_applied, event, arena, &applied))
        return false;
    counts[FAN_STAT_DELIVERED] = applied.delivered;
    counts[FAN_STAT_READ] = applied.read;
    counts[FAN_STAT_UNDELIVERED] = applied.undelivered;
    counts[FAN_STAT_FLAGGED] = applied.flagged;
    return true;
}

static const struct counter {
    uint32_t type;
    bool (*count)(const struct fan_stat_event *event, struct fan_arena *arena, uint32_t *counts);
} counters[] = {
    { FAN_MSG_chunks_planned, count_planned },
    { FAN_MSG_messages_settled, count_settled },
    { FAN_MSG_receipts_applied, count_receipts },
};

static const struct counter *counter_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        if (counters[i].type == type)
            return &counters[i];
    }
    return NULL;
}

/* In the order of the key that their rows have, so that two readers would lock them alike. */
static int by_minute(const void *a, const void *b)
{
    const struct fan_stat_minute *left = a, *right = b;

    if (left->account != right->account)
        return left->account < right->account ? -1 : 1;
    if (left->campaign != right->campaign)
        return left->campaign < right->campaign ? -1 : 1;
    if (left->run != right->run)
        return left->run < right->run ? -1 : 1;
    return (left->minute > right->minute) - (left->minute < right->minute);
}

static void add_up(struct folded *out)
{
    size_t kept = 0;

    for (size_t i = 1; i < out->len; i++) {
        if (by_minute(&out->at[kept], &out->at[i]) != 0) {
            out->at[++kept] = out->at[i];
            continue;
        }
        for (int what = 0; what < FAN_STAT_COUNT; what++)
            out->at[kept].counts[what] += out->at[i].counts[what];
    }
    out->len = out->len ? kept + 1 : 0;
}

struct folded fold(const struct fan_stat_events *events, struct fan_arena *arena)
{
    struct folded out = { .at = fan_arena_array(arena, events->len, sizeof *out.at) };

    for (size_t i = 0; i < events->len; i++) {
        const struct fan_stat_event *event = &events->at[i];
        const struct counter *counter = counter_of(event->type);
        struct fan_stat_minute minute = {
            .account = event->account,
            .campaign = event->campaign,
            .run = event->run,
            .minute = event->at - event->at % MINUTE,
        };

        if (!counter || !event->campaign)
            continue;
        if (counter->count(event, arena, minute.counts))
            out.at[out.len++] = minute;
        else
            out.unread++;
    }
    if (out.len)
        qsort(out.at, out.len, sizeof *out.at, by_minute);
    add_up(&out);
    return out;
}

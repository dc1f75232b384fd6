#include "gateway/stats.h"

#include "gateway/call.h"
#include "sql/store/contact.h"
#include "sql/store/report.h"

#include <stddef.h>

static const struct {
    const char *name;
    size_t offset;
} counters[] = {
#define COUNTER(name) \
    { \
#name, offsetof(struct fan_run_stats, name) \
    }
    COUNTER(total),
    COUNTER(pending),
    COUNTER(sending),
    COUNTER(sent),
    COUNTER(failed),
    COUNTER(skipped),
    COUNTER(unknown),
    COUNTER(retry),
    COUNTER(cancelled),
    COUNTER(unknown_final),
    COUNTER(expired),
    COUNTER(delivered),
    COUNTER(undelivered),
    COUNTER(read),
    COUNTER(opened),
    COUNTER(clicked),
    COUNTER(replied),
    COUNTER(complained),
    COUNTER(unsubscribed),
#undef COUNTER
};

void stats_write(struct fan_json_writer *json, const struct fan_run_stats *stats)
{
    fan_json_object_open(json, "stats");
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        fan_json_add_i64(json, counters[i].name,
                *(const int64_t *)((const char *)stats + counters[i].offset));
    fan_json_object_close(json);
}

int64_t stats_settled(const struct fan_run_stats *stats)
{
    return stats->sent + stats->failed + stats->skipped + stats->cancelled + stats->unknown_final +
            stats->expired;
}

/* ---- the account's totals ---- */

enum { DAYS = 30 };

static void write_totals(struct fan_json_writer *json, const struct fan_report_totals *totals)
{
    fan_json_object_open(json, "messages");
    fan_json_add_i64(json, "total", totals->total);
    fan_json_add_i64(json, "pending", totals->pending);
    fan_json_add_i64(json, "sent", totals->sent);
    fan_json_add_i64(json, "failed", totals->failed);
    fan_json_add_i64(json, "skipped", totals->skipped);
    fan_json_add_i64(json, "unknown", totals->unknown);
    fan_json_add_i64(json, "retry", totals->retry);
    fan_json_add_i64(json, "delivered", totals->delivered);
    fan_json_add_i64(json, "read", totals->read);
    fan_json_add_i64(json, "undelivered", totals->undelivered);
    fan_json_add_i64(json, "replied", totals->replied);
    fan_json_add_i64(json, "unsubscribed", totals->unsubscribed);
    fan_json_object_close(json);
}

static void write_campaigns(struct fan_json_writer *json, const int64_t *counts)
{
    fan_json_object_open(json, "campaigns");
    for (int state = 0; state < FAN_CAMPAIGN_STATE_COUNT; state++)
        fan_json_add_i64(json, fan_campaign_state_name(state), counts[state]);
    fan_json_object_close(json);
}

static void write_days(struct fan_json_writer *json, struct fan_report_days days)
{
    fan_json_array_open(json, "messages_by_day");
    for (size_t i = 0; i < days.len; i++) {
        fan_json_object_open(json, NULL);
        fan_json_add_text(json, "day", days.at[i].day);
        fan_json_add_i64(json, "sent", days.at[i].sent);
        fan_json_add_i64(json, "failed", days.at[i].failed);
        fan_json_object_close(json);
    }
    fan_json_array_close(json);
}

enum fan_err get_stats(struct call *call)
{
    fan_id account = call->caller.account;
    fan_time since = fan_clock_now() - DAYS * 86400 * FAN_SECOND;
    int64_t contacts = 0, campaigns[FAN_CAMPAIGN_STATE_COUNT];
    const struct fan_contact_filter everybody = { .tag = 0 };
    struct fan_report_totals totals;
    struct fan_report_days days;
    enum fan_err err =
            fan_contact_count(call->db, account, &everybody, call->arena, &contacts, call->why);

    if (!err)
        err = fan_report_campaigns(call->db, account, call->arena, campaigns, call->why);
    if (!err)
        err = fan_report_totals(call->db, account, call->arena, &totals, call->why);
    if (!err)
        err = fan_report_days_since(call->db, account, since, call->arena, &days, call->why);
    if (err)
        return err;
    fan_json_object_open(&call->json, NULL);
    fan_json_add_i64(&call->json, "contacts", contacts);
    fan_json_add_i64(&call->json, "enrolled", contacts);
    fan_json_add_i64(&call->json, "messaged", totals.sent);
    fan_json_add_i64(&call->json, "responded", totals.replied);
    write_campaigns(&call->json, campaigns);
    write_totals(&call->json, &totals);
    write_days(&call->json, days);
    fan_json_object_close(&call->json);
    return FAN_OK;
}

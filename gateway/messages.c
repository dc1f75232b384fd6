/* A campaign's messages and runs. */
#include "gateway/message_json.h"

#include "proto/content.h"
#include "sql/store/campaign.h"
#include "sql/store/run.h"

/* ---- messages ---- */

static const char *state_of(const struct fan_report_message *message)
{
    return message->sending ? "sending" : fan_message_state_name((int)message->state);
}

static void write_flags(struct fan_json_writer *json, int flags)
{
    static const struct {
        int bit;
        const char *name;
    } names[] = {
        { FAN_FLAG_OPENED, "opened" },
        { FAN_FLAG_CLICKED, "clicked" },
        { FAN_FLAG_REPLIED, "replied" },
        { FAN_FLAG_COMPLAINED, "complained" },
        { FAN_FLAG_UNSUBSCRIBED, "unsubscribed" },
        { FAN_FLAG_BOUNCED, "bounced" },
        { FAN_FLAG_WAS_UNKNOWN, "was_unknown" },
    };

    fan_json_array_open(json, "flags");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flags & names[i].bit)
            fan_json_add_text(json, NULL, fan_bytes_of(names[i].name));
    fan_json_array_close(json);
}

static void add_word(struct fan_json_writer *json, const char *name, int number,
        const char *(*word)(int number))
{
    fan_json_add_text(json, name, number ? fan_bytes_of(word(number)) : FAN_NO_BYTES);
}

static void write_content(struct call *call, const struct fan_report_message *message)
{
    if (message->format == FAN_BODY_TEXT || !message->body.at)
        fan_json_add_text(&call->json, "content", message->body);
    else
        fan_json_add_raw(&call->json, "content", message->body);
}

/* The row counts the tries before the one that is pending or was last. */
static int64_t attempts_of(const struct fan_report_message *message)
{
    bool tried = message->outcome != 0 && message->state != FAN_MESSAGE_PENDING;

    return message->attempt + tried;
}

void message_write(struct call *call, const struct fan_report_message *message)
{
    struct fan_json_writer *json = &call->json;

    fan_json_add_i64(json, "id", message->id);
    fan_json_add_i64(json, "contact_id", message->contact);
    fan_json_add_i64(json, "run_id", message->run);
    fan_json_add_i64(json, "channel_id", message->channel);
    if (message->variant)
        fan_json_add_i64(json, "variant", message->variant);
    fan_json_add_text(json, "status", fan_bytes_of(state_of(message)));
    add_word(json, "progress", (int)message->progress, fan_progress_name);
    write_flags(json, message->flags);
    fan_json_add_i64(json, "attempts", attempts_of(message));
    add_word(json, "outcome", message->outcome, fan_outcome_class_name);
    add_word(json, "reason", message->reason, fan_reason_name);
    fan_json_add_text(json, "code", message->code);
    fan_json_add_text(json, "provider_id", message->provider_id);
    fan_json_add_text(json, "address", message->address);
    write_content(call, message);
    fan_json_add_time(json, "sent_at", message->sent_at);
    fan_json_add_time(json, "delivered_at", message->delivered_at);
    fan_json_add_time(json, "read_at", message->read_at);
}

static struct fan_message_filter read_filter(struct call *call)
{
    struct fan_bytes status = fan_http_query(call->request, "status");
    struct fan_message_filter filter = { .campaign = call->ids[0], .state = -1, .sending = -1 };

    if (!status.len)
        return filter;
    if (fan_bytes_eq_text(status, "sending")) {
        filter.state = FAN_MESSAGE_PENDING;
        filter.sending = 1;
        return filter;
    }
    filter.state = fan_message_state_of(status);
    filter.sending = filter.state == FAN_MESSAGE_PENDING ? 0 : -1;
    if (filter.state < 0)
        call_fault(call, "status",
                "pending, sending, retry, unknown, sent, failed, skipped, cancelled, "
                "unknown_final or expired",
                "there is no such status");
    return filter;
}

/* How many messages the filter lets through, from the counters of their chunks. */
static int64_t total_of(const struct fan_message_filter *filter, const struct fan_run_stats *stats)
{
    switch (filter->state) {
    case FAN_MESSAGE_PENDING:
        return filter->sending ? stats->sending : stats->pending;
    case FAN_MESSAGE_RETRY:
        return stats->retry;
    case FAN_MESSAGE_UNKNOWN:
        return stats->unknown;
    case FAN_MESSAGE_SENT:
        return stats->sent;
    case FAN_MESSAGE_FAILED:
        return stats->failed;
    case FAN_MESSAGE_SKIPPED:
        return stats->skipped;
    case FAN_MESSAGE_CANCELLED:
        return stats->cancelled;
    case FAN_MESSAGE_UNKNOWN_FINAL:
        return stats->unknown_final;
    case FAN_MESSAGE_EXPIRED:
        return stats->expired;
    default:
        return stats->total;
    }
}

static enum fan_err check_campaign(struct call *call)
{
    struct fan_campaign campaign;
    enum fan_err err = call_check(call);

    return err ? err
               : fan_campaign_get(call->db, call->caller.account, call->ids[0], call->arena,
                         &campaign, call->why);
}

enum fan_err list_messages(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    struct fan_message_filter filter = read_filter(call);
    struct fan_report_messages list;
    struct fan_run_stats stats;
    enum fan_err err = check_campaign(call);

    if (!err)
        err = fan_run_stats(call->db, call->caller.account, filter.campaign, call->arena, &stats,
                call->why);
    if (!err)
        err = fan_report_message_page(call->db, call->caller.account, &filter, part, call->arena,
                &list, call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < list.len; i++) {
        fan_json_object_open(&call->json, NULL);
        message_write(call, &list.at[i]);
        fan_json_object_close(&call->json);
    }
    call_close_list(call, page, total_of(&filter, &stats));
    return FAN_OK;
}

/* ---- runs ---- */

static void write_run(struct fan_json_writer *json, const struct fan_report_run *run)
{
    fan_json_object_open(json, NULL);
    fan_json_add_i64(json, "id", run->id);
    fan_json_add_text(json, "occurrence", run->occurrence);
    fan_json_add_text(json, "status", fan_bytes_of(fan_run_state_name((int)run->state)));
    fan_json_add_text(json, "channel", fan_bytes_of(fan_kind_name((int)run->kind)));
    fan_json_add_i64(json, "channel_id", run->channel);
    fan_json_add_bool(json, "resolved", run->resolved);
    fan_json_add_time(json, "created_at", run->created_at);
    fan_json_add_time(json, "started_at", run->started_at);
    fan_json_add_time(json, "ended_at", run->ended_at);
    if (run->template) {
        fan_json_add_i64(json, "template_id", run->template);
        fan_json_add_i64(json, "template_version", run->template_version);
    }
    fan_json_object_close(json);
}

enum fan_err list_runs(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    struct fan_report_runs list;
    int64_t total;
    enum fan_err err = check_campaign(call);

    if (!err)
        err = fan_report_run_count(call->db, call->caller.account, call->ids[0], call->arena,
                &total, call->why);
    if (!err)
        err = fan_report_run_page(call->db, call->caller.account, call->ids[0], part, call->arena,
                &list, call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < list.len; i++)
        write_run(&call->json, &list.at[i]);
    call_close_list(call, page, total);
    return FAN_OK;
}

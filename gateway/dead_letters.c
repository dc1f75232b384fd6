/* Dead letters: messages that failed for good, shown with their reasons and tried again when a
 * person says so. */
#include "gateway/body.h"
#include "gateway/message_json.h"

#include "sql/store/campaign.h"
#include "sql/store/dead.h"

enum { CODE_MOST = 512 };

/* ---- the list ---- */

static fan_time read_time(struct call *call, const char *name)
{
    struct fan_bytes text = fan_http_query(call->request, name);
    fan_time at = 0;

    if (text.len && !fan_time_parse(text, &at))
        call_fault(call, name, "an instant like 2026-11-20T09:00:00Z", "not an instant");
    return at;
}

static int read_word(struct call *call, const char *name, int (*number_of)(struct fan_bytes))
{
    struct fan_bytes text = fan_http_query(call->request, name);
    int number = text.len ? number_of(text) : 0;

    if (number < 0)
        call_fault(call, name, "a word as in a message of the list", "there is no such %s", name);
    return number;
}

static bool read_flag(struct call *call, const char *name)
{
    struct fan_bytes text = fan_http_query(call->request, name);
    bool is_true = fan_bytes_eq_text(text, "true");

    if (text.len && !is_true && !fan_bytes_eq_text(text, "false"))
        call_fault(call, name, "true or false", "neither");
    return is_true;
}

static struct fan_dead_filter read_filter(struct call *call)
{
    struct fan_bytes code = fan_http_query(call->request, "code");

    return (struct fan_dead_filter){
        .campaign = call_query_i64(call, "campaign_id", 1, FAN_ID_MAX, 0),
        .unknown = read_flag(call, "include_unknown"),
        .reason = read_word(call, "reason", fan_reason_of),
        .outcome = read_word(call, "class", fan_outcome_class_of),
        .code = code.len ? code : FAN_NO_BYTES,
        .since = read_time(call, "since"),
        .until = read_time(call, "until"),
        .below = call_query_i64(call, "after", 1, FAN_ID_MAX, 0),
    };
}

static void write_next(struct fan_json_writer *json, fan_id next)
{
    if (next)
        fan_json_add_i64(json, "next", next);
    else
        fan_json_add_null(json, "next");
}

static void write_letter(struct call *call, const struct fan_dead_letter *letter)
{
    fan_json_object_open(&call->json, NULL);
    message_write(call, &letter->message);
    fan_json_add_i64(&call->json, "campaign_id", letter->campaign);
    fan_json_add_time(&call->json, "failed_at", letter->failed_at);
    fan_json_object_close(&call->json);
}

enum fan_err list_dead_letters(struct call *call)
{
    struct fan_dead_filter filter = read_filter(call);
    uint32_t limit = (uint32_t)call_query_i64(call, "limit", 1, 100, 20);
    struct fan_dead_letters letters;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_dead_list(call->db, call->caller.account, &filter, limit, call->arena, &letters,
                call->why);
    if (err)
        return err;
    fan_json_object_open(&call->json, NULL);
    fan_json_array_open(&call->json, "data");
    for (size_t i = 0; i < letters.len; i++)
        write_letter(call, &letters.at[i]);
    fan_json_array_close(&call->json);
    write_next(&call->json, letters.next);
    fan_json_object_close(&call->json);
    return FAN_OK;
}

/* ---- trying again ---- */

static int body_number(struct body *body, const char *name, int (*number_of)(struct fan_bytes))
{
    struct fan_bytes text = body_text(body, name, CODE_MOST);
    int number = text.at ? number_of(text) : 0;

    if (number < 0)
        body_fault(body, name, "a word as in a message of the list", "there is no such word");
    return number;
}

static void read_request(struct call *call, struct fan_dead_filter *filter, struct fan_ids *ids)
{
    struct body body;

    body_begin(&body, call, call->body, "");
    *filter = (struct fan_dead_filter){
        .campaign = body_i64(&body, "campaign_id", 1, FAN_ID_MAX, 0),
        .unknown = body_bool(&body, "even_if_it_may_have_been_sent", false),
        .reason = body_number(&body, "reason", fan_reason_of),
        .outcome = body_number(&body, "class", fan_outcome_class_of),
        .code = body_text(&body, "code", CODE_MOST),
        .since = body_time(&body, "since", 0),
        .until = body_time(&body, "until", 0),
        .below = body_i64(&body, "after", 1, FAN_ID_MAX, 0),
    };
    *ids = (struct fan_ids){ .at = NULL };
    if (body_ids(&body, "ids", FAN_DEAD_IDS, ids) && ids->len == 0)
        body_fault(&body, "ids", "at least one message's id", "empty");
    if (!body_has(&body, "ids") && !filter->campaign)
        body_fault(&body, "ids", "messages, or campaign_id: all of one campaign", "missing");
    if (body_has(&body, "ids") && body_has(&body, "campaign_id"))
        body_fault(&body, "campaign_id", "", "not together with ids");
    body_end(&body);
}

/* All of a campaign that takes none would otherwise look like nothing to do. */
static enum fan_err check_campaign(struct call *call, fan_id id)
{
    struct fan_campaign campaign;
    enum fan_err err = id ? fan_campaign_get(call->db, call->caller.account, id, call->arena,
                                    &campaign, call->why)
                          : FAN_OK;

    if (!err && id && campaign.state == FAN_CAMPAIGN_CANCELLED)
        return call_refuse(call, 409, "the campaign is cancelled: nothing of it is sent any more");
    return err;
}

static enum fan_err tell_reopened(struct call *call, const struct fan_dead_requeued *done)
{
    enum fan_err err = FAN_OK;

    for (size_t i = 0; i < done->runs.len && !err; i++) {
        const struct fan_run_changed run = { .campaign = done->campaigns.at[i],
            .state = FAN_RUN_RUNNING + 1 };
        const struct fan_campaign_changed campaign = { .campaign = done->campaigns.at[i],
            .state = FAN_CAMPAIGN_RUNNING + 1 };

        err = call_tell(call, done->runs.at[i], &fan_schema_run_changed, &run);
        if (!err)
            err = call_tell(call, 0, &fan_schema_campaign_changed, &campaign);
    }
    return err;
}

enum fan_err requeue_dead_letters(struct call *call)
{
    struct fan_dead_requeued done;
    struct fan_dead_filter filter;
    struct fan_ids ids;
    enum fan_err err;

    read_request(call, &filter, &ids);
    err = call_check(call);
    if (!err)
        err = check_campaign(call, filter.campaign);
    if (!err)
        err = fan_dead_requeue(call->db, call->caller.account, ids, &filter, call->arena, &done,
                call->why);
    if (!err)
        err = tell_reopened(call, &done);
    if (err)
        return err;
    fan_json_object_open(&call->json, NULL);
    fan_json_add_i64(&call->json, "requeued", done.count);
    write_next(&call->json, done.next);
    fan_json_object_close(&call->json);
    return FAN_OK;
}

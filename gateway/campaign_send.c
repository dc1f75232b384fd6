/*
 * Launching a campaign: its run is a row that can only be there once, so two launches at the same
 * time, a repetition or the scheduler's own meet each other there.
 */
#include "gateway/body.h"

#include "sql/store/campaign.h"
#include "sql/store/contact.h"
#include "sql/store/control.h"
#include "sql/store/run.h"

#include <stdlib.h>

enum { PEOPLE_MAX = 100000 };

static int by_id(const void *a, const void *b)
{
    fan_id x = *(const fan_id *)a, y = *(const fan_id *)b;

    return (x > y) - (x < y);
}

/* Nobody gets two copies because the list names him twice. */
static struct fan_ids without_repeats(struct fan_ids ids, struct fan_arena *arena)
{
    fan_id *sorted = fan_arena_array(arena, ids.len, sizeof *sorted);
    size_t count = 0;

    memcpy(sorted, ids.at, ids.len * sizeof *sorted);
    qsort(sorted, ids.len, sizeof *sorted, by_id);
    for (size_t i = 0; i < ids.len; i++)
        if (i == 0 || sorted[i] != sorted[i - 1])
            sorted[count++] = sorted[i];
    return (struct fan_ids){ .at = sorted, .len = count };
}

/* people: at NULL when the body names none. */
static enum fan_err read_people(struct call *call, struct fan_ids *people)
{
    struct body body;
    fan_id missing = 0;
    enum fan_err err;

    *people = (struct fan_ids){ .at = NULL };
    body_begin(&body, call, call->body, "");
    if (body_ids(&body, "contact_ids", PEOPLE_MAX, people) && people->len == 0)
        body_fault(&body, "contact_ids", "at least one id, or no contact_ids", "empty");
    body_end(&body);
    err = call_check(call);
    if (err || !people->at)
        return err;
    *people = without_repeats(*people, call->arena);
    err = fan_contact_missing(call->db, call->caller.account, *people, call->arena, &missing,
            call->why);
    if (!err && missing)
        err = call_refuse(call, 404, "there is no contact %lld", (long long)missing);
    return err;
}

/* A copy of a database would send again what was sent since. */
static enum fan_err check_control(struct call *call)
{
    struct fan_control control;
    enum fan_err err = fan_control_get(call->db, call->arena, &control, call->why);

    if (!err && control.hold_reason.at)
        return call_refuse(call, 409, "%.*s", FAN_BYTES_ARG(control.hold_reason));
    return err;
}

static enum fan_err check_campaign(struct call *call, const struct fan_campaign *campaign)
{
    if (campaign->state != FAN_CAMPAIGN_DRAFT && campaign->state != FAN_CAMPAIGN_SCHEDULED)
        return FAN_OK; /* fan_run_create knows more */
    if (!campaign->enabled)
        return call_refuse(call, 409, "the campaign is not enabled");
    if (campaign->end_date && campaign->end_date < fan_clock_now())
        return call_refuse(call, 409, "the campaign's end_date has passed");
    return FAN_OK;
}

static enum fan_err make_run(struct call *call, const struct fan_campaign *campaign,
        struct fan_ids people, fan_id *run)
{
    const struct fan_run_new how = {
        .campaign = campaign->id,
        .occurrence = FAN_LIT("once"),
        .contacts = people,
    };
    bool created = false;
    enum fan_err err = fan_run_create(call->db, call->caller.account, &how, call->arena, run,
            &created, call->why);

    if (err == FAN_CONFLICT && call->why->field[0])
        return call_refuse(call, 409, "%s", call->why->text);
    if (!err && !created) {
        err = call_refuse(call, 409, "the campaign is %s: it was launched before",
                fan_campaign_state_name((int)campaign->state));
        call->problem.run = *run;
    }
    return err;
}

/* The rows say it; these only hurry. */
static enum fan_err tell_launched(struct call *call, fan_id campaign, fan_id run)
{
    const struct fan_run_changed run_changed = { .campaign = campaign,
        .state = FAN_RUN_PREPARING + 1 };
    const struct fan_campaign_changed campaign_changed = { .campaign = campaign,
        .state = FAN_CAMPAIGN_PREPARING + 1 };
    const struct fan_resolve_request resolve = { .pages = 0 };
    enum fan_err err = call_tell(call, run, &fan_schema_run_changed, &run_changed);

    if (!err)
        err = call_tell(call, 0, &fan_schema_campaign_changed, &campaign_changed);
    return err ? err : call_ask(call, run, &fan_schema_resolve_request, &resolve);
}

/* Nobody is no audience: the campaign would be used up, while its contacts are perhaps still being
 * imported. One that was launched before is told so by make_run. */
static enum fan_err count_people(struct call *call, const struct fan_campaign *campaign,
        struct fan_ids people, int64_t *count)
{
    enum fan_err err = FAN_OK;

    *count = (int64_t)people.len;
    if (!people.at)
        err = fan_contact_count_tagged(call->db, call->caller.account, campaign->tags, call->arena,
                count, call->why);
    if (!err && *count == 0 &&
            (campaign->state == FAN_CAMPAIGN_DRAFT || campaign->state == FAN_CAMPAIGN_SCHEDULED))
        err = call_refuse(call, 409, "nobody is in the audience yet: is an import still running?");
    return err;
}

enum fan_err send_campaign(struct call *call)
{
    struct fan_campaign campaign;
    struct fan_ids people = { .at = NULL };
    int64_t count = 0;
    fan_id run = 0;
    enum fan_err err = fan_campaign_hold(call->db, call->caller.account, call->ids[0], call->arena,
            &campaign, call->why);

    if (!err)
        err = read_people(call, &people);
    if (!err)
        err = check_control(call);
    if (!err)
        err = check_campaign(call, &campaign);
    if (!err)
        err = count_people(call, &campaign, people, &count);
    if (!err)
        err = make_run(call, &campaign, people, &run);
    if (!err)
        err = tell_launched(call, campaign.id, run);
    if (err)
        return err;
    call->status = 202;
    call_locate(call, "campaigns", campaign.id);
    fan_json_object_open(&call->json, NULL);
    fan_json_add_i64(&call->json, "campaign_id", campaign.id);
    fan_json_add_i64(&call->json, "run_id", run);
    fan_json_add_i64(&call->json, "messages_queued", count);
    fan_json_add_text(&call->json, "status",
            fan_bytes_of(fan_campaign_state_name(FAN_CAMPAIGN_PREPARING)));
    fan_json_object_close(&call->json);
    return FAN_OK;
}

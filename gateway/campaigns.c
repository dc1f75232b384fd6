/* Campaigns: made, listed and changed. campaign_send.c launches them, campaign_control.c stops
 * them. */
#include "gateway/campaign_body.h"
#include "gateway/stats.h"
#include "gateway/variants.h"

static enum fan_err answer_with(struct call *call, fan_id id)
{
    struct fan_campaign campaign;
    struct fan_run_stats stats;
    enum fan_err err =
            fan_campaign_get(call->db, call->caller.account, id, call->arena, &campaign, call->why);

    if (!err)
        err = fan_run_stats(call->db, call->caller.account, id, call->arena, &stats, call->why);
    if (err)
        return err;
    fan_json_object_open(&call->json, NULL);
    campaign_write(call, &campaign);
    stats_write(&call->json, &stats);
    err = variants_write_stats(call, &campaign);
    fan_json_object_close(&call->json);
    return err;
}

enum fan_err get_campaign(struct call *call)
{
    return answer_with(call, call->ids[0]);
}

/* ---- the list ---- */

static struct fan_campaign_filter read_filter(struct call *call)
{
    struct fan_bytes kind = fan_http_query(call->request, "channel");
    struct fan_bytes state = fan_http_query(call->request, "status");
    struct fan_campaign_filter filter = {
        .kind = kind.len ? fan_kind_of(kind) : 0,
        .state = state.len ? fan_campaign_state_of(state) : -1,
    };
    struct fan_bytes archived = fan_http_query(call->request, "archived");

    if (filter.kind < 0)
        call_fault(call, "channel", "sms, whatsapp, email, …", "there is no such kind of channel");
    if (state.len && filter.state < 0)
        call_fault(call, "status",
                "draft, scheduled, preparing, running, paused, completed, failed or cancelled",
                "there is no such status");
    filter.archived = fan_bytes_eq_text(archived, "true");
    if (archived.len && !filter.archived && !fan_bytes_eq_text(archived, "false"))
        call_fault(call, "archived", "true or false", "neither");
    return filter;
}

enum fan_err list_campaigns(struct call *call)
{
    struct call_page page = call_read_page(call);
    struct fan_page part = { .limit = page.page_size, .offset = (page.page - 1) * page.page_size };
    struct fan_campaign_filter filter = read_filter(call);
    struct fan_campaign_list list;
    int64_t total;
    enum fan_err err = call_check(call);

    if (!err)
        err = fan_campaign_count(call->db, call->caller.account, &filter, call->arena, &total,
                call->why);
    if (!err)
        err = fan_campaign_page(call->db, call->caller.account, &filter, part, call->arena, &list,
                call->why);
    if (err)
        return err;
    call_open_list(call);
    for (size_t i = 0; i < list.len; i++) {
        fan_json_object_open(&call->json, NULL);
        campaign_write(call, &list.at[i]);
        fan_json_object_close(&call->json);
    }
    call_close_list(call, page, total);
    return FAN_OK;
}

/* ---- writing ---- */

static enum fan_err tell_changed(struct call *call, const struct fan_campaign *campaign)
{
    const struct fan_campaign_changed changed = {
        .campaign = campaign->id,
        .state = (uint32_t)campaign->state + 1,
    };

    return call_tell(call, 0, &fan_schema_campaign_changed, &changed);
}

enum fan_err create_campaign(struct call *call)
{
    struct fan_campaign campaign = { .enabled = true,
        .lane = FAN_LANE_NORMAL,
        .late_start_grace = -1,
        .unknown_wait = -1 };
    enum fan_err err = campaign_body_read(call, &campaign, true);

    if (!err)
        err = fan_campaign_insert(call->db, call->caller.account, &campaign, call->arena,
                &campaign.id, call->why);
    if (!err)
        err = tell_changed(call, &campaign);
    if (err)
        return err;
    call->status = 201;
    call_locate(call, "campaigns", campaign.id);
    return answer_with(call, campaign.id);
}

/* Hold the campaign against its launch; refuse when that has been. */
static enum fan_err hold_unlaunched(struct call *call, struct fan_campaign *campaign)
{
    enum fan_err err = fan_campaign_hold(call->db, call->caller.account, call->ids[0], call->arena,
            campaign, call->why);

    if (err)
        return err;
    if (campaign->state == FAN_CAMPAIGN_DRAFT || campaign->state == FAN_CAMPAIGN_SCHEDULED)
        return FAN_OK;
    return call_refuse(call, 409, "the campaign is %s: it can no longer be changed",
            fan_campaign_state_name((int)campaign->state));
}

enum fan_err update_campaign(struct call *call)
{
    struct fan_campaign campaign;
    enum fan_err err = hold_unlaunched(call, &campaign);

    if (!err)
        err = campaign_body_read(call, &campaign, false);
    if (!err)
        err = fan_campaign_update(call->db, call->caller.account, &campaign, call->arena,
                call->why);
    if (!err)
        err = tell_changed(call, &campaign);
    return err ? err : answer_with(call, campaign.id);
}

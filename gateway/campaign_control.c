/*
 * Pausing, resuming and cancelling campaigns, and deleting them. The run's row says it, and every
 * opening of messages asks that row; the news only hurry.
 */
#include "gateway/campaign_body.h"

#include "sql/store/run.h"

/* ---- telling ---- */

static enum fan_err tell_run(struct call *call, const struct fan_run_controlled *done)
{
    const struct fan_run_changed run_changed = { .campaign = call->ids[0],
        .state = (uint32_t)done->state + 1 };
    const struct fan_control_changed stop = {};
    bool stopped = done->state == FAN_RUN_PAUSED || done->state == FAN_RUN_CANCELLED;
    enum fan_err err = call_tell(call, done->run, &fan_schema_run_changed, &run_changed);

    return err || !stopped ? err : call_ask(call, done->run, &fan_schema_control_changed, &stop);
}

static enum fan_err tell(struct call *call, const struct fan_run_controlled *done)
{
    const struct fan_campaign_changed campaign_changed = { .campaign = call->ids[0],
        .state = (uint32_t)done->campaign + 1 };
    enum fan_err err = call_tell(call, 0, &fan_schema_campaign_changed, &campaign_changed);

    return err || !done->run ? err : tell_run(call, done);
}

/* ---- doing ---- */

static enum fan_err control(struct call *call, enum fan_run_act act)
{
    struct fan_run_controlled done;
    enum fan_err err = fan_run_control(call->db, call->caller.account, call->ids[0], act,
            call->arena, &done, call->why);

    if (err == FAN_CONFLICT && call->why->field[0])
        return call_refuse(call, 409, "%s", call->why->text);
    return err || !done.changed ? err : tell(call, &done);
}

static enum fan_err control_and_answer(struct call *call, enum fan_run_act act)
{
    enum fan_err err = control(call, act);

    return err ? err : get_campaign(call);
}

enum fan_err pause_campaign(struct call *call)
{
    return control_and_answer(call, FAN_RUN_PAUSE);
}

enum fan_err resume_campaign(struct call *call)
{
    return control_and_answer(call, FAN_RUN_RESUME);
}

enum fan_err cancel_campaign(struct call *call)
{
    return control_and_answer(call, FAN_RUN_CANCEL);
}

/* What never ran goes. Anything else is stopped, and kept out of sight: its messages are part of
 * their recipients' history. */
enum fan_err delete_campaign(struct call *call)
{
    struct fan_campaign campaign;
    bool deleted = false;
    enum fan_err err = fan_campaign_hold(call->db, call->caller.account, call->ids[0], call->arena,
            &campaign, call->why);

    if (!err)
        err = fan_campaign_delete(call->db, call->caller.account, campaign.id, call->arena,
                &deleted, call->why);
    if (!err && !deleted && campaign.state >= FAN_CAMPAIGN_PREPARING &&
            campaign.state <= FAN_CAMPAIGN_PAUSED)
        err = control(call, FAN_RUN_CANCEL);
    if (!err && !deleted)
        err = fan_campaign_archive(call->db, call->caller.account, campaign.id, call->arena,
                call->why);
    if (!err)
        call->status = 204;
    return err;
}

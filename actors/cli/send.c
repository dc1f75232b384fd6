/*
 * fanfare send — launch a campaign.
 */
#include "actors/cli/api.h"
#include "actors/cli/command.h"

#include <stdio.h>

struct send_options {
    struct fan_api_options api;
};

static const struct fan_option options[] = {
    FAN_API_OPTIONS(struct send_options, api),
    FAN_OPTIONS_END,
};

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct send_options *asked = call->options;
    const struct fan_json *answer;
    struct fan_api *api = NULL;
    int64_t campaign;
    enum fan_err err;

    (void)exit_code;
    if (!fan_bytes_i64(call->arguments.at[0], &campaign) || campaign < 1)
        return fan_fail(why, FAN_INVALID, "\"%.*s\" is not a campaign's number",
                FAN_BYTES_ARG(call->arguments.at[0]));
    err = fan_api_open(&asked->api, &api, why);
    if (!err)
        err = fan_api_post(api,
                fan_arena_printf(call->arena, "/api/v1/campaigns/%lld/send", (long long)campaign),
                NULL, call->arena, &answer, why);
    if (!err)
        printf("campaign %lld is on its way: %lld messages, run %lld\n", (long long)campaign,
                (long long)fan_json_i64(fan_json_get(answer, "messages_queued"), 0),
                (long long)fan_json_i64(fan_json_get(answer, "run_id"), 0));
    fan_api_close(&api);
    return err;
}

const struct fan_command fan_command_send = {
    .name = "send",
    .arguments = "CAMPAIGN",
    .summary = "launch a campaign",
    .details = "`fanfare status` shows how it comes along.",
    .table = options,
    .options_size = sizeof(struct send_options),
    .least = 1,
    .most = 1,
    .run = run,
};

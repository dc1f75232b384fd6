/*
 * fanfare status — which processes run and how they are, and how far campaigns have come.
 */
#include "actors/cli/api.h"
#include "actors/cli/child.h"
#include "actors/cli/command.h"
#include "actors/cli/file.h"
#include "actors/cli/progress.h"

#include <stdio.h>

enum { LINE = 4096, HEALTH_MS = 2000 };

struct status_options {
    struct fan_api_options api;
};

static const struct fan_option options[] = {
    FAN_API_OPTIONS(struct status_options, api),
    FAN_OPTIONS_END,
};

/* ---- processes ---- */

/* "healthy", or what its health endpoint complains of. */
static const char *health(struct fan_api *api, const char *address, struct fan_arena *arena)
{
    const struct fan_api_call call = { .method = "GET",
        .total_ms = HEALTH_MS,
        .path = fan_arena_printf(arena, "http://%s/health", address) };
    const struct fan_json *answer, *member;
    struct fan_why why;
    enum fan_err err;

    if (!*address)
        return "";
    err = fan_api_send(api, &call, arena, &answer, &why);
    if (err && !answer)
        return "does not answer";
    if (err)
        return "not healthy";
    member = fan_json_get(answer, "database");
    return fan_json_type(member) == FAN_JSON_BOOL && !fan_json_bool(member, true)
            ? "without database"
            : "healthy";
}

/* Whether it is as it should be. */
static bool print_process(struct fan_api *api, const struct fan_json *process,
        struct fan_arena *arena)
{
    const char *state = fan_bytes_cstr(fan_json_get_text(process, "state"), arena);
    bool failing = fan_json_bool(fan_json_get(process, "failing"), false);
    bool ready = strcmp(state, "ready") == 0;
    const char *found = ready
            ? health(api, fan_bytes_cstr(fan_json_get_text(process, "status"), arena), arena)
            : "";

    printf("  %-16.*s %-9s %-16s", FAN_BYTES_ARG(fan_json_get_text(process, "name")), state, found);
    if (fan_json_i64(fan_json_get(process, "pid"), 0))
        printf(" process %lld", (long long)fan_json_i64(fan_json_get(process, "pid"), 0));
    if (fan_json_i64(fan_json_get(process, "restarts"), 0))
        printf(", started again %lld times",
                (long long)fan_json_i64(fan_json_get(process, "restarts"), 0));
    if (failing)
        printf("; keeps failing: %.*s", FAN_BYTES_ARG(fan_json_get_text(process, "said")));
    putchar('\n');
    return strcmp(state, "done") == 0 || (ready && (!*found || strcmp(found, "healthy") == 0));
}

/* What the supervisor of this home wrote down; on other machines there is nothing. */
static bool print_processes(struct fan_api *api, const char *asked, struct fan_arena *arena)
{
    const struct fan_json *fleet = NULL, *list;
    struct fan_home home;
    struct fan_why why;
    const char *text = NULL;
    bool well = true;

    if (!fan_home_find(asked, arena, &home, &why))
        text = fan_file_text(fan_arena_printf(arena, "%s/fleet.json", home.path), arena);
    if (!text || fan_json_parse(fan_bytes_of(text), arena, &fleet, &why))
        return true;
    list = fan_json_get(fleet, "processes");
    well = fan_child_holder(fan_arena_printf(arena, "%s/lock", home.path)) != 0;
    printf("Processes of %s%s\n", home.path, well ? "" : " (`fanfare up` does not run)");
    for (size_t i = 0; i < fan_json_size(list); i++)
        well = print_process(api, fan_json_at(list, i), arena) && well;
    putchar('\n');
    return well;
}

/* ---- campaigns ---- */

static enum fan_err print_campaign(struct fan_api *api, int64_t id, struct fan_arena *arena,
        struct fan_why *why)
{
    const struct fan_json *campaign;
    struct fan_bytes reason;
    struct fan_buffer line;
    enum fan_err err =
            fan_api_get(api, fan_arena_printf(arena, "/api/v1/campaigns/%lld", (long long)id),
                    arena, &campaign, why);

    if (err)
        return err;
    struct fan_counts counts = fan_counts_read(fan_json_get(campaign, "stats"));
    const struct fan_progress_line progress = {
        .name = fan_bytes_cstr(fan_json_get_text(campaign, "name"), arena),
        .status = fan_bytes_cstr(fan_json_get_text(campaign, "status"), arena),
        .counts = &counts,
    };
    fan_buffer_init(&line, LINE);
    fan_progress_add(&line, &progress);
    printf("  %4lld  %.*s\n", (long long)id, FAN_BYTES_ARG(fan_buffer_bytes(&line)));
    fan_buffer_fini(&line);
    reason = fan_json_get_text(campaign, "hold_reason");
    if (reason.at)
        printf("        %.*s\n", FAN_BYTES_ARG(reason));
    return FAN_OK;
}

static enum fan_err print_campaigns(struct fan_api *api, struct fan_arena *arena,
        struct fan_why *why)
{
    const struct fan_json *answer, *list;
    enum fan_err err = fan_api_get(api, "/api/v1/campaigns?page_size=20", arena, &answer, why);

    if (err)
        return err;
    list = fan_json_get(answer, "data");
    puts(fan_json_size(list) ? "Campaigns, newest first" : "There are no campaigns yet.");
    for (size_t i = 0; !err && i < fan_json_size(list); i++)
        err = print_campaign(api, fan_json_i64(fan_json_get(fan_json_at(list, i), "id"), 0), arena,
                why);
    return err;
}

/* ---- the whole ---- */

/* Nothing is said while everything may be sent. */
static enum fan_err print_control(struct fan_api *api, struct fan_arena *arena, struct fan_why *why)
{
    const struct fan_json *now;
    struct fan_bytes reason;
    enum fan_err err = fan_api_get(api, "/api/v1/control", arena, &now, why);

    if (err)
        return err;
    reason = fan_json_get_text(now, "hold_reason");
    if (reason.at)
        printf("Nothing is sent until `fanfare control confirm`: %.*s\n\n", FAN_BYTES_ARG(reason));
    reason = fan_json_get_text(now, "reason");
    if (reason.at)
        printf("Sending is stopped by %.*s: %.*s\n\n",
                FAN_BYTES_ARG(fan_json_get_text(now, "changed_by")), FAN_BYTES_ARG(reason));
    return FAN_OK;
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct status_options *asked = call->options;
    struct fan_api *api = NULL;
    enum fan_err err = fan_api_open(&asked->api, &api, why);

    if (!err && !print_processes(api, asked->api.home, call->arena))
        *exit_code = 1;
    if (!err)
        err = print_control(api, call->arena, why);
    if (!err)
        err = print_campaigns(api, call->arena, why);
    fan_api_close(&api);
    return err;
}

const struct fan_command fan_command_status = {
    .name = "status",
    .arguments = "",
    .summary = "show how processes and campaigns are",
    .details = "Ends with 1 when a process is not ready or the API does not answer.",
    .table = options,
    .options_size = sizeof(struct status_options),
    .run = run,
};

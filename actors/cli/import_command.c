/*
 * fanfare import — bring a contact list in.
 */
#include "actors/cli/command.h"
#include "actors/cli/import.h"

#include <stdio.h>

struct import_options {
    struct fan_api_options api;
    struct fan_texts tags, map;
    const char *country;
    uint32_t campaign;
};

static const struct fan_option options[] = {
    FAN_OPTION(TEXTS, struct import_options, tags, "tag", "NAME",
            "tag every row; may be given several times"),
    FAN_OPTION(TEXT, struct import_options, country, "country", "CODE",
            "where phones without country code belong: US"),
    FAN_OPTION(NUMBER, struct import_options, campaign, "campaign", "NUMBER",
            "the campaign whose audience it feeds"),
    FAN_OPTION(TEXTS, struct import_options, map, "map", "HEADER=FIELD",
            "where a column goes; \"\" leaves it out"),
    FAN_API_OPTIONS(struct import_options, api),
    FAN_OPTIONS_END,
};

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct import_options *asked = call->options;
    const struct fan_import_request request = {
        .file = fan_bytes_cstr(call->arguments.at[0], call->arena),
        .tags = asked->tags,
        .country = asked->country,
        .campaign = asked->campaign,
        .map = asked->map,
    };
    struct fan_import_result made = { 0 };
    struct fan_api *api = NULL;
    enum fan_err err = fan_api_open(&asked->api, &api, why);

    (void)exit_code;
    if (!err)
        err = fan_import_file(api, &request, &made, why);
    if (!err)
        printf("%lld rows: %lld new, %lld updated, %lld rejected, %lld warnings\n",
                (long long)made.rows, (long long)made.created, (long long)made.updated,
                (long long)made.rejected, (long long)made.warnings);
    if (!err && made.rejected + made.warnings)
        printf("what was wrong with them: %s/api/v1/imports/%lld/errors.csv\n", fan_api_url(api),
                (long long)made.id);
    fan_api_close(&api);
    return err;
}

const struct fan_command fan_command_import = {
    .name = "import",
    .arguments = "FILE",
    .summary = "bring a contact list (CSV) in",
    .details = "Columns are recognised by their headers; others become attributes of the contact.\n"
               "A row meets a contact by external id, then phone, then e-mail address.",
    .table = options,
    .options_size = sizeof(struct import_options),
    .least = 1,
    .most = 1,
    .run = run,
};

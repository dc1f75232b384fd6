/*
 * fanfare sample — a contact list to try an import with.
 */
#include "actors/cli/command.h"
#include "actors/cli/sample.h"

#include <errno.h>
#include <stdio.h>

struct sample_options {
    uint32_t contacts;
};

static const struct sample_options defaults = { .contacts = FAN_SAMPLE_ROWS };

static const struct fan_option options[] = {
    FAN_OPTION(NUMBER, struct sample_options, contacts, "contacts", "NUMBER", "rows (12000)"),
    FAN_OPTIONS_END,
};

enum fan_err fan_sample_write(uint32_t rows, FILE *to, struct fan_why *why)
{
    struct fan_buffer line;

    fan_buffer_init(&line, 64 * 1024);
    fan_sample_header(&line);
    for (uint32_t row = 0; row <= rows; row++) {
        fwrite(line.at, 1, line.len, to);
        fan_buffer_clear(&line);
        fan_sample_row(row, &line);
    }
    fan_buffer_fini(&line);
    if (fflush(to) != 0 || ferror(to))
        return fan_fail(why, FAN_UNAVAILABLE, "cannot write the list: %s", strerror(errno));
    return FAN_OK;
}

static enum fan_err run(const struct fan_call *call, int *exit_code, struct fan_why *why)
{
    const struct sample_options *asked = call->options;

    (void)exit_code;
    return fan_sample_write(asked->contacts, stdout, why);
}

const struct fan_command fan_command_sample = {
    .name = "sample",
    .arguments = "",
    .summary = "print a contact list to try an import with",
    .details = "Always the same: people of many countries and scripts, with mistakes in the list.",
    .table = options,
    .defaults = &defaults,
    .options_size = sizeof(struct sample_options),
    .run = run,
};

/*
 * import — a contact list sent to the API, and followed until it is taken in.
 */
#ifndef FAN_CLI_IMPORT_H
#define FAN_CLI_IMPORT_H

#include "actors/cli/api.h"

struct fan_import_request {
    const char *file;
    struct fan_texts tags; /* for every row */
    const char *country;   /* of phones without country code: "US"; NULL: the account's */
    uint32_t campaign;     /* that it feeds; 0: none */
    struct fan_texts map;  /* "Header=field" */
};

struct fan_import_result {
    int64_t id, rows, created, updated, rejected, warnings;
};

/**
 * Send a file, show a line of progress, and wait until it is taken in.
 *
 * The file is read as it is sent, whatever its size. It must not shrink meanwhile.
 *
 * fails  FAN_INVALID  there is no such file, a wish is no "Header=field", or the import failed
 *        otherwise as fan_api_send
 */
enum fan_err fan_import_file(struct fan_api *api, const struct fan_import_request *request,
        struct fan_import_result *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

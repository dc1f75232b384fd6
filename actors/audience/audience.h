/*
 * audience — what its files share.
 */
#ifndef FAN_ACTORS_AUDIENCE_AUDIENCE_H
#define FAN_ACTORS_AUDIENCE_AUDIENCE_H

#include "broker/runtime/actor.h"

struct audience_settings {
    uint32_t page;    /* people a page */
    uint32_t turn_ms; /* how long one request may keep others waiting */
};

/** Write the next chunks of the route's run. */
enum fan_err on_resolve_request(struct fan_turn *turn, const struct fan_resolve_request *req);

/** Take in the next blocks of an import. */
enum fan_err on_import_request(struct fan_turn *turn, const struct fan_import_request *req);

#endif

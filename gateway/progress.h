/*
 * progress — what is on its way in an account, as texts of server-sent events.
 */
#ifndef FAN_GATEWAY_PROGRESS_H
#define FAN_GATEWAY_PROGRESS_H

#include "broker/runtime/actor.h"

struct progress_item {
    struct progress_item *next;
    bool is_import;
    fan_id id;              /* of the campaign or import */
    bool seen;              /* by the look that is under way */
    bool changed;           /* by the latest look */
    int64_t settled;        /* messages, when the rate was last reckoned */
    fan_time settled_at;    /* of fan_clock_elapsed; 0: never */
    double rate;            /* messages a second, smoothed */
    struct fan_buffer text; /* the event, with its empty line */
};

struct progress {
    struct progress_item *items;
};

/** Read the rows and write anew what changed. */
enum fan_err progress_look(struct progress *progress, struct fan_turn *turn,
        fan_id account) FAN_MUST_CHECK;

void progress_fini(struct progress *progress);

/** Messages a second after one more reckoning: @rate until now, @count messages in @took us. */
double progress_rate(double rate, int64_t count, fan_time took);

#endif

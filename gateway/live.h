/*
 * live — progress as server-sent events: campaign.progress and import.progress.
 *
 * News on the bus only wake it; what it shows is read from rows, at most four times a second while
 * something changes and every two seconds anyway. A client first gets the present state, so a
 * connection that was lost is resumed by opening it again.
 */
#ifndef FAN_GATEWAY_LIVE_H
#define FAN_GATEWAY_LIVE_H

#include "gateway/call.h"

struct live *live_new(struct gateway *gateway);
void live_free(struct live **live);

/** Answer the call with a stream. */
void live_open(struct live *live, struct call *call);

/** Something of this account changed. */
void live_wake(struct live *live, fan_id account);

/** Look at the rows of whoever is watched, and tell the watchers. In a turn of its own. */
enum fan_err live_look(struct live *live, struct fan_turn *turn);

/** Keep the connections open: a comment to every client that got nothing for a while. */
void live_beat(struct live *live);

/** End all streams. */
void live_end(struct live *live);

#endif

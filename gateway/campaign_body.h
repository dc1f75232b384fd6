/*
 * campaign_body — a campaign as a client writes it, checked whole.
 */
#ifndef FAN_GATEWAY_CAMPAIGN_BODY_H
#define FAN_GATEWAY_CAMPAIGN_BODY_H

#include "gateway/body.h"

#include "sql/store/campaign.h"

/**
 * Read the call's body over @campaign: fields that the body does not have stay as they are.
 *
 * campaign  zeroed but for `enabled` and `unknown_wait` when it is a new one
 * is_new    what a campaign needs must be in the body
 * fails     FAN_DENIED, with the problem set: all faults, the template's among them
 */
enum fan_err campaign_body_read(struct call *call, struct fan_campaign *campaign, bool is_new);

/** Write a campaign's members into the open object. */
void campaign_write(struct call *call, const struct fan_campaign *campaign);

#endif

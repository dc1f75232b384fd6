/*
 * templates — what the files about templates share.
 */
#ifndef FAN_GATEWAY_TEMPLATES_H
#define FAN_GATEWAY_TEMPLATES_H

#include "gateway/call.h"
#include "sql/store/campaign.h"
#include "sql/store/template.h"

/** Note what is wrong with the row's content, and refuse when anything is wrong so far. */
enum fan_err template_check(struct call *call, const struct fan_template_row *row);

/** Read the query's filter; notes faults. */
struct fan_template_filter template_filter(struct call *call);

/** What a campaign would send now: its own content, or its template's. */
enum fan_err campaign_content(struct call *call, const struct fan_campaign *campaign,
        struct fan_bytes *out);

#endif

/*
 * preview — a content written for one person without sending it, and what is to be said about it.
 */
#ifndef FAN_GATEWAY_PREVIEW_H
#define FAN_GATEWAY_PREVIEW_H

#include "gateway/body.h"

#include "actors/lib/text/values.h"
#include "sql/store/campaign.h"

/**
 * Read the rest of the body (contact_id, data, language), which ends here, and answer with the
 * content as that person would get it.
 *
 * Members may stand in the open answer before; the caller opens and closes it.
 */
enum fan_err preview_write(struct body *body, const struct fan_text_occasion *occasion,
        struct fan_bytes content);

/** What a campaign's recipients have in common, but for the run, which there is not yet. */
enum fan_err preview_occasion(struct call *call, const struct fan_campaign *campaign,
        struct fan_text_occasion *out);

/** What the preview says about a kind's written parts: sizes and warnings. @text_cap 0: none */
void preview_write_sizes(struct call *call, enum fan_kind kind, const struct fan_content *content,
        uint32_t text_cap);

#endif

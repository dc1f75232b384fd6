/*
 * variants — a campaign's content in several variants, as clients write it.
 */
#ifndef FAN_GATEWAY_VARIANTS_H
#define FAN_GATEWAY_VARIANTS_H

#include "gateway/body.h"

#include "sql/store/campaign.h"

/** Whether a stored content has variants. */
bool variants_stored(struct call *call, struct fan_bytes content);

/**
 * Read "variants", of a body that has it, into the campaign's content.
 *
 * A variant with a template takes its version now: the content is copied.
 */
enum fan_err variants_read(struct body *body, struct fan_campaign *campaign);

/** Write a stored content's variants as a member of the open object; nothing when it has none. */
void variants_write(struct call *call, struct fan_bytes content);

/** Write what became of each as a member of the open object; nothing when there are none. */
enum fan_err variants_write_stats(struct call *call, const struct fan_campaign *campaign);

#endif

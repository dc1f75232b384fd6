#include "proto/words.h"

/* table[number]; a number without a word is NULL. */

#define SIZE(table) (sizeof table / sizeof *table)

/* Does not compile when an enumeration grew without its words. */
#define COMPLETE(table, size) _Static_assert(SIZE(table) == (size), #table " lacks a word")

static const char *const kinds[] = {
    [FAN_KIND_SMS] = "sms",
    [FAN_KIND_WHATSAPP] = "whatsapp",
    [FAN_KIND_EMAIL] = "email",
    [FAN_KIND_VOICEMAIL] = "voicemail",
    [FAN_KIND_API] = "api",
    [FAN_KIND_PUSH] = "push",
    [FAN_KIND_CHAT] = "chat",
};
COMPLETE(kinds, FAN_KIND_COUNT);

static const char *const lanes[] = {
    [FAN_LANE_URGENT] = "urgent",
    [FAN_LANE_NORMAL] = "normal",
};
COMPLETE(lanes, FAN_LANE_COUNT);

static const char *const message_states[] = {
    [FAN_MESSAGE_PENDING] = "pending",
    [FAN_MESSAGE_RETRY] = "retry",
    [FAN_MESSAGE_UNKNOWN] = "unknown",
    [FAN_MESSAGE_SENT] = "sent",
    [FAN_MESSAGE_FAILED] = "failed",
    [FAN_MESSAGE_SKIPPED] = "skipped",
    [FAN_MESSAGE_CANCELLED] = "cancelled",
    [FAN_MESSAGE_UNKNOWN_FINAL] = "unknown_final",
    [FAN_MESSAGE_EXPIRED] = "expired",
};
COMPLETE(message_states, FAN_MESSAGE_STATE_COUNT);

static const char *const progresses[] = {
    [FAN_PROGRESS_NONE] = "none",
    [FAN_PROGRESS_UNDELIVERED] = "undelivered",
    [FAN_PROGRESS_DELIVERED] = "delivered",
    [FAN_PROGRESS_READ] = "read",
};
COMPLETE(progresses, FAN_PROGRESS_READ + 1);

static const char *const chunk_states[] = {
    [FAN_CHUNK_PLANNED] = "planned",
    [FAN_CHUNK_RENDERED] = "rendered",
    [FAN_CHUNK_CLAIMED] = "claimed",
    [FAN_CHUNK_DONE] = "done",
};
COMPLETE(chunk_states, FAN_CHUNK_DONE + 1);

static const char *const run_states[] = {
    [FAN_RUN_PREPARING] = "preparing",
    [FAN_RUN_RUNNING] = "running",
    [FAN_RUN_PAUSED] = "paused",
    [FAN_RUN_COMPLETED] = "completed",
    [FAN_RUN_FAILED] = "failed",
    [FAN_RUN_CANCELLED] = "cancelled",
};
COMPLETE(run_states, FAN_RUN_STATE_COUNT);

static const char *const campaign_states[] = {
    [FAN_CAMPAIGN_DRAFT] = "draft",
    [FAN_CAMPAIGN_SCHEDULED] = "scheduled",
    [FAN_CAMPAIGN_PREPARING] = "preparing",
    [FAN_CAMPAIGN_RUNNING] = "running",
    [FAN_CAMPAIGN_PAUSED] = "paused",
    [FAN_CAMPAIGN_COMPLETED] = "completed",
    [FAN_CAMPAIGN_FAILED] = "failed",
    [FAN_CAMPAIGN_CANCELLED] = "cancelled",
};
COMPLETE(campaign_states, FAN_CAMPAIGN_STATE_COUNT);

static const char *const outcome_classes[] = {
    [FAN_ACCEPTED] = "accepted",
    [FAN_RETRY_LATER] = "retry_later",
    [FAN_AMBIGUOUS] = "ambiguous",
    [FAN_RECIPIENT_PERMANENT] = "recipient_permanent",
    [FAN_RECIPIENT_DEFERRED] = "recipient_deferred",
    [FAN_CONTENT_PERMANENT] = "content_permanent",
    [FAN_CHANNEL_PAUSE] = "channel_pause",
};
COMPLETE(outcome_classes, FAN_OUTCOME_CLASS_COUNT);

static const char *const reasons[] = {
    [FAN_REASON_NO_ADDRESS] = "no_address",
    [FAN_REASON_SUPPRESSED] = "suppressed",
    [FAN_REASON_DUPLICATE] = "duplicate",
    [FAN_REASON_BLANK] = "blank",
    [FAN_REASON_TOO_LONG] = "too_long",
    [FAN_REASON_TEMPLATE] = "template",
    [FAN_REASON_TRIES_USED_UP] = "tries_used_up",
    [FAN_REASON_PROVIDER] = "provider",
    [FAN_REASON_CHANNEL] = "channel",
    [FAN_REASON_CANCELLED] = "cancelled",
    [FAN_REASON_EXPIRED] = "expired",
    [FAN_REASON_POISON] = "poison",
};
COMPLETE(reasons, FAN_REASON_COUNT);

static const char *const import_states[] = {
    [FAN_IMPORT_RECEIVING] = "receiving",
    [FAN_IMPORT_RUNNING] = "running",
    [FAN_IMPORT_COMPLETED] = "completed",
    [FAN_IMPORT_FAILED] = "failed",
};
COMPLETE(import_states, FAN_IMPORT_STATE_COUNT);

static const char *const health_states[] = {
    [FAN_HEALTH_CLOSED] = "closed",
    [FAN_HEALTH_OPEN] = "open",
    [FAN_HEALTH_HALF_OPEN] = "half_open",
};
COMPLETE(health_states, FAN_HEALTH_STATE_COUNT);

static const char *const health_reasons[] = {
    [FAN_HEALTH_FAILING] = "failing",
    [FAN_HEALTH_REFUSED] = "refused",
    [FAN_HEALTH_ERRORS] = "errors",
};
COMPLETE(health_reasons, FAN_HEALTH_REASON_COUNT);

static const char *const retry_presets[] = {
    [FAN_RETRY_FAST] = "fast",
    [FAN_RETRY_PATIENT] = "patient",
};
COMPLETE(retry_presets, FAN_RETRY_PRESET_COUNT);

static const char *word(const char *const *table, size_t size, int number)
{
    return number >= 0 && (size_t)number < size && table[number] ? table[number] : "unknown";
}

static int number(const char *const *table, size_t size, struct fan_bytes name)
{
    for (size_t i = 0; i < size; i++) {
        if (table[i] && fan_bytes_eq_text(name, table[i]))
            return (int)i;
    }
    return -1;
}

const char *fan_kind_name(int kind)
{
    return word(kinds, SIZE(kinds), kind);
}

const char *fan_lane_name(int lane)
{
    return word(lanes, SIZE(lanes), lane);
}

const char *fan_message_state_name(int state)
{
    return word(message_states, SIZE(message_states), state);
}

const char *fan_progress_name(int progress)
{
    return word(progresses, SIZE(progresses), progress);
}

const char *fan_chunk_state_name(int state)
{
    return word(chunk_states, SIZE(chunk_states), state);
}

const char *fan_run_state_name(int state)
{
    return word(run_states, SIZE(run_states), state);
}

const char *fan_campaign_state_name(int state)
{
    return word(campaign_states, SIZE(campaign_states), state);
}

const char *fan_outcome_class_name(int outcome)
{
    return word(outcome_classes, SIZE(outcome_classes), outcome);
}

const char *fan_reason_name(int reason)
{
    return word(reasons, SIZE(reasons), reason);
}

const char *fan_import_state_name(int state)
{
    return word(import_states, SIZE(import_states), state);
}

const char *fan_retry_preset_name(int preset)
{
    return word(retry_presets, SIZE(retry_presets), preset);
}

const char *fan_health_state_name(int state)
{
    return word(health_states, SIZE(health_states), state);
}

const char *fan_health_reason_name(int reason)
{
    return word(health_reasons, SIZE(health_reasons), reason);
}

int fan_kind_of(struct fan_bytes name)
{
    return number(kinds, SIZE(kinds), name);
}

int fan_message_state_of(struct fan_bytes name)
{
    return number(message_states, SIZE(message_states), name);
}

int fan_campaign_state_of(struct fan_bytes name)
{
    return number(campaign_states, SIZE(campaign_states), name);
}

int fan_outcome_class_of(struct fan_bytes name)
{
    return number(outcome_classes, SIZE(outcome_classes), name);
}

int fan_reason_of(struct fan_bytes name)
{
    return number(reasons, SIZE(reasons), name);
}

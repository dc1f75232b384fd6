/*
 * words — the enumerations that frames, rows, JSON and code share.
 *
 * Numbers are stored in rows and sent in frames: they are for ever. 0 means "not said".
 */
#ifndef FAN_PROTO_WORDS_H
#define FAN_PROTO_WORDS_H

#include "proto/bytes.h"

/* What a channel speaks. */
enum fan_kind {
    FAN_KIND_SMS = 1,
    FAN_KIND_WHATSAPP,
    FAN_KIND_EMAIL,
    FAN_KIND_VOICEMAIL,
    FAN_KIND_API,
    FAN_KIND_PUSH,
    FAN_KIND_CHAT,
    FAN_KIND_COUNT,
};

/* How soon a chunk is served. */
enum fan_lane { FAN_LANE_URGENT = 1, FAN_LANE_NORMAL, FAN_LANE_COUNT };

/* A message's state; see docs/lifecycle.md. */
enum fan_message_state {
    FAN_MESSAGE_PENDING = 0,
    FAN_MESSAGE_RETRY,
    FAN_MESSAGE_UNKNOWN,
    FAN_MESSAGE_SENT,
    FAN_MESSAGE_FAILED,
    FAN_MESSAGE_SKIPPED,
    FAN_MESSAGE_CANCELLED,
    FAN_MESSAGE_UNKNOWN_FINAL,
    FAN_MESSAGE_EXPIRED,
    FAN_MESSAGE_STATE_COUNT,
};

/* How far the provider says a sent message came; only grows. */
enum fan_progress {
    FAN_PROGRESS_NONE = 0,
    FAN_PROGRESS_UNDELIVERED,
    FAN_PROGRESS_DELIVERED,
    FAN_PROGRESS_READ
};

/* What also happened to a message; bits, only added. */
enum fan_flag {
    FAN_FLAG_OPENED = 1,
    FAN_FLAG_CLICKED = 2,
    FAN_FLAG_REPLIED = 4,
    FAN_FLAG_COMPLAINED = 8,
    FAN_FLAG_UNSUBSCRIBED = 16,
    FAN_FLAG_BOUNCED = 32,
    FAN_FLAG_WAS_UNKNOWN = 64, /* an attempt ended unknown: an earlier copy may have arrived */
};

enum fan_chunk_state {
    FAN_CHUNK_PLANNED = 0,
    FAN_CHUNK_RENDERED,
    FAN_CHUNK_CLAIMED,
    FAN_CHUNK_DONE
};

enum fan_run_state {
    FAN_RUN_PREPARING = 0,
    FAN_RUN_RUNNING,
    FAN_RUN_PAUSED,
    FAN_RUN_COMPLETED,
    FAN_RUN_FAILED,
    FAN_RUN_CANCELLED,
    FAN_RUN_STATE_COUNT,
};

enum fan_campaign_state {
    FAN_CAMPAIGN_DRAFT = 0,
    FAN_CAMPAIGN_SCHEDULED,
    FAN_CAMPAIGN_PREPARING,
    FAN_CAMPAIGN_RUNNING,
    FAN_CAMPAIGN_PAUSED,
    FAN_CAMPAIGN_COMPLETED,
    FAN_CAMPAIGN_FAILED,
    FAN_CAMPAIGN_CANCELLED,
    FAN_CAMPAIGN_STATE_COUNT,
};

/* What became of one attempt to send (providers map every answer to exactly one). */
enum fan_outcome_class {
    FAN_ACCEPTED = 1,
    FAN_RETRY_LATER,
    FAN_AMBIGUOUS,
    FAN_RECIPIENT_PERMANENT,
    FAN_RECIPIENT_DEFERRED,
    FAN_CONTENT_PERMANENT,
    FAN_CHANNEL_PAUSE,
    FAN_OUTCOME_CLASS_COUNT,
};

/* Why a message was skipped or failed, where the provider gave no code of its own. */
enum fan_reason {
    FAN_REASON_NO_ADDRESS = 1,
    FAN_REASON_SUPPRESSED,
    FAN_REASON_DUPLICATE,
    FAN_REASON_BLANK,
    FAN_REASON_TOO_LONG,
    FAN_REASON_TEMPLATE,
    FAN_REASON_TRIES_USED_UP,
    FAN_REASON_PROVIDER,
    FAN_REASON_CHANNEL,
    FAN_REASON_CANCELLED,
    FAN_REASON_EXPIRED,
    FAN_REASON_POISON, /* processes died of it */
    FAN_REASON_COUNT,
};

/* A channel's breaker, as its row says; see actors/lib/decide/breaker.h. */
enum fan_health_state {
    FAN_HEALTH_CLOSED = 0, /* it works */
    FAN_HEALTH_OPEN,       /* it is left alone */
    FAN_HEALTH_HALF_OPEN,  /* one message tries it */
    FAN_HEALTH_STATE_COUNT,
};

/* Why a channel was opened. */
enum fan_health_reason {
    FAN_HEALTH_FINE = 0,
    FAN_HEALTH_FAILING, /* one call after the other met nobody, or an error of the provider's */
    FAN_HEALTH_REFUSED, /* the provider refuses its login or its right to send */
    FAN_HEALTH_ERRORS,  /* most calls of the last seconds did */
    FAN_HEALTH_REASON_COUNT,
};

/* How a campaign's messages are tried again; see actors/lib/decide/retry.h. */
enum fan_retry_preset {
    FAN_RETRY_BY_KIND = 0, /* not said: as the kind of channel does */
    FAN_RETRY_FAST,
    FAN_RETRY_PATIENT,
    FAN_RETRY_PRESET_COUNT,
};

enum fan_import_state {
    FAN_IMPORT_RECEIVING = 0,
    FAN_IMPORT_RUNNING,
    FAN_IMPORT_COMPLETED,
    FAN_IMPORT_FAILED,
    FAN_IMPORT_STATE_COUNT,
};

/** The word for a number ("sms", "urgent", …), or "unknown" for a number without one. */
const char *fan_kind_name(int kind);
const char *fan_lane_name(int lane);
const char *fan_message_state_name(int state);
const char *fan_progress_name(int progress);
const char *fan_chunk_state_name(int state);
const char *fan_run_state_name(int state);
const char *fan_campaign_state_name(int state);
const char *fan_outcome_class_name(int outcome);
const char *fan_reason_name(int reason);
const char *fan_import_state_name(int state);
const char *fan_retry_preset_name(int preset);
const char *fan_health_state_name(int state);
const char *fan_health_reason_name(int reason);

/** The number for a word, or -1. */
int fan_kind_of(struct fan_bytes name);
int fan_message_state_of(struct fan_bytes name);
int fan_campaign_state_of(struct fan_bytes name);
int fan_outcome_class_of(struct fan_bytes name);
int fan_reason_of(struct fan_bytes name);

#endif

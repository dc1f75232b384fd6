/*
 * decide/evidence — what the outcome of a message is worth when the claim under which it was opened
 * is over.
 *
 * Pure. The database believes "accepted" of any message, and everything else only of an unknown of
 * that very claim (chunk_evidence).
 */
#ifndef FAN_ACTORS_LIB_DECIDE_EVIDENCE_H
#define FAN_ACTORS_LIB_DECIDE_EVIDENCE_H

#include "proto/words.h"

/**
 * The word to be said: sent, failed or retry; FAN_MESSAGE_PENDING: none, an unknown stays one.
 *
 * Who was skipped was never started: he is tried again, and skipped in good order.
 */
enum fan_message_state fan_evidence_of(enum fan_message_state outcome);

#endif

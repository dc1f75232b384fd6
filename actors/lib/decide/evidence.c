#include "actors/lib/decide/evidence.h"

enum fan_message_state fan_evidence_of(enum fan_message_state outcome)
{
    switch (outcome) {
    case FAN_MESSAGE_SENT:
    case FAN_MESSAGE_FAILED:
    case FAN_MESSAGE_RETRY:
        return outcome;
    case FAN_MESSAGE_SKIPPED:
        return FAN_MESSAGE_RETRY;
    default:
        return FAN_MESSAGE_PENDING;
    }
}

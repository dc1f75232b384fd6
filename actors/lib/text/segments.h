/*
 * segments — in how many parts an SMS goes out, and why.
 *
 * A text of GSM-7 characters alone has 160 septets in one part or 153 in each of several, any other
 * 70 UTF-16 units or 67. Neither an escape pair nor a surrogate pair is cut. National shift tables,
 * which hardly any provider sends, are not counted on.
 *
 * source  3GPP TS 23.038, 6.1.2 and 6.2.1; TS 23.040, 9.2.3.24.1
 */
#ifndef FAN_ACTORS_LIB_TEXT_SEGMENTS_H
#define FAN_ACTORS_LIB_TEXT_SEGMENTS_H

#include "proto/bytes.h"

enum { FAN_SMS_FORCING = 16 };

struct fan_sms_size {
    bool ucs2;       /* false: GSM-7 */
    size_t units;    /* septets, or UTF-16 units */
    size_t segments; /* at least 1 */
    size_t left;     /* units that still fit into the last one */
    /* The first different characters that are not in GSM-7. */
    uint32_t forcing[FAN_SMS_FORCING];
    size_t forcing_len;
};

/** @text is UTF-8; a byte that is not counts as U+FFFD. */
void fan_sms_measure(struct fan_bytes text, struct fan_sms_size *out);

#endif

/*
 * twilio_sign — the signature in X-Twilio-Signature: base64(HMAC-SHA1(auth token, URL and sorted
 * form)).
 *
 * source  twilio.com/docs/usage/security#validating-requests; the vectors are in
 * tests/golden/providers/sms_twilio
 */
#ifndef FAN_ACTORS_LIB_DRIVER_TWILIO_SIGN_H
#define FAN_ACTORS_LIB_DRIVER_TWILIO_SIGN_H

#include "actors/lib/driver/form.h"
#include "actors/providers/provider.h"

/** Sign @url, as it is requested and without fragment, and @form (NULL: a GET or a JSON body); in
 * @arena. */
struct fan_bytes fan_twilio_sign(struct fan_bytes auth_token, struct fan_bytes url,
        const struct fan_form *form, struct fan_arena *arena);

/**
 * Whether @signature is @auth_token's over this hook, in constant time for each form of the URL.
 *
 * Twilio and what stands between us disagree on how a URL is written, so each way is tried: with
 * and without port, with apostrophes as %27, and with the query written anew. A URL with bodySHA256
 * is signed alone; the body must have that hash.
 */
bool fan_twilio_signed(const struct fan_hook *hook, struct fan_bytes auth_token,
        struct fan_bytes signature, struct fan_arena *arena);

#endif

/*
 * email — mail addresses as people write them, made comparable.
 *
 * The domain is lower-cased; the local part, whose case only its own server may judge, stays.
 * Domains and local parts beyond ASCII stay as they are. What no server would take is refused,
 * quoted local parts and bracketed hosts among it.
 *
 * source  RFC 5321 4.1.2 and 4.5.3.1, RFC 6531
 */
#ifndef FAN_ACTORS_LIB_PERSON_EMAIL_H
#define FAN_ACTORS_LIB_PERSON_EMAIL_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/err.h"

/**
 * Trim, check and lower-case the domain.
 *
 * out    in @arena
 * fails  FAN_INVALID  the text says what is wrong
 */
enum fan_err fan_email_normalise(struct fan_bytes raw, struct fan_arena *arena,
        struct fan_bytes *out, struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * hash — SHA-2, HMAC and comparing in constant time, for signatures that others define. Pure.
 */
#ifndef FAN_ACTORS_LIB_HASH_HASH_H
#define FAN_ACTORS_LIB_HASH_HASH_H

#include "proto/buffer.h"
#include "proto/bytes.h"

enum { FAN_SHA1_SIZE = 20, FAN_SHA256_SIZE = 32 };

void fan_sha256(struct fan_bytes text, unsigned char out[FAN_SHA256_SIZE]);

/** source  RFC 2104, FIPS 180-4. SHA-1 is there for a provider that signs with nothing better. */
void fan_hmac_sha1(struct fan_bytes key, struct fan_bytes text, unsigned char out[FAN_SHA1_SIZE]);
void fan_hmac_sha256(struct fan_bytes key, struct fan_bytes text,
        unsigned char out[FAN_SHA256_SIZE]);

/** Whether both are the same, in a time that depends on their lengths only. Absent equals nothing.
 */
bool fan_constant_eq(struct fan_bytes a, struct fan_bytes b);

/**
 * Decode hexadecimal, or base64 in its plain or its URL alphabet, with or without padding; add it
 * to @out.
 *
 * Returns false, with @out as it was, when there is anything else in @text.
 */
bool fan_hex_read(struct fan_bytes text, struct fan_buffer *out);
bool fan_base64_read(struct fan_bytes text, struct fan_buffer *out);

/** Add @bytes in base64 with the URL alphabet, without padding. */
void fan_base64url_add(struct fan_buffer *out, struct fan_bytes bytes);

#endif

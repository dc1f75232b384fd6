/*
 * seal — secrets that one kind of process writes and only another can read.
 *
 * Whoever has a reader's public key can seal; only the reader's secret key opens. A sealed text
 * says for which account and channel it was written, and opens for no other: one that was copied to
 * another row is refused. Nothing here logs or returns a secret in an error.
 *
 * Keys are files: <dir>/<reader>.key, readable by its owner only, and <dir>/<reader>.pub.
 */
#ifndef FAN_ACTORS_LIB_SEAL_SEAL_H
#define FAN_ACTORS_LIB_SEAL_SEAL_H

#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/bytes.h"
#include "proto/err.h"

enum { FAN_SEAL_KEY_SIZE = 32 };

struct fan_seal_public {
    unsigned char key[FAN_SEAL_KEY_SIZE];
};

struct fan_seal_secret; /* in memory that is neither swapped nor dumped */

/**
 * Make a reader's key pair, unless it is there already.
 *
 * dir     where keys are kept; made, for its owner only, when it is missing
 * reader  "sender", "ingester"
 * fails   FAN_UNAVAILABLE  a file cannot be written
 *         FAN_INVALID      one of the two files is there without the other
 */
enum fan_err fan_seal_keypair_create(const char *dir, const char *reader,
        struct fan_why *why) FAN_MUST_CHECK;

/**
 * Read a key.
 *
 * out    of the secret: free it with fan_seal_secret_free
 * fails  FAN_NOT_FOUND  there is no such file
 *        FAN_INVALID    it is no key
 *        FAN_DENIED     others than its owner may read the secret key
 */
enum fan_err fan_seal_public_load(const char *dir, const char *reader, struct fan_seal_public *out,
        struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_seal_secret_load(const char *dir, const char *reader, struct fan_seal_secret **out,
        struct fan_why *why) FAN_MUST_CHECK;
void fan_seal_secret_free(struct fan_seal_secret **secret);

/** Seal @plain for the holder of the secret key, for this channel only; add it to @out. */
void fan_seal(const struct fan_seal_public *key, fan_id account, fan_id channel,
        struct fan_bytes plain, struct fan_buffer *out);

/**
 * Open what fan_seal wrote.
 *
 * out    in @arena, wiped when the arena is reset
 * fails  FAN_DENIED  not sealed for this key, account and channel, or damaged
 */
enum fan_err fan_unseal(const struct fan_seal_secret *secret, fan_id account, fan_id channel,
        struct fan_bytes sealed, struct fan_arena *arena, struct fan_bytes *out,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * keyfile — a key as a line of hexadecimal digits in a file of its own.
 */
#ifndef FAN_ACTORS_LIB_SEAL_KEYFILE_H
#define FAN_ACTORS_LIB_SEAL_KEYFILE_H

#include "proto/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { FAN_KEYFILE_MOST = 64 }; /* bytes a key may have */

/** Whether <dir>/<name> is there. */
bool fan_keyfile_there(const char *dir, const char *name);

/**
 * Write key[len] to <dir>/<name>, whole and on the disk or not at all; make @dir when it is
 * missing.
 *
 * secret  readable by its owner only
 * fails   FAN_CONFLICT     there is such a file; it stays as it is
 *         FAN_UNAVAILABLE  it cannot be written; the text says why
 */
enum fan_err fan_keyfile_write(const char *dir, const char *name, bool secret,
        const unsigned char *key, size_t len, struct fan_why *why) FAN_MUST_CHECK;

/** Read key[len]; fails like fan_seal_secret_load. */
enum fan_err fan_keyfile_read(const char *dir, const char *name, bool secret, unsigned char *key,
        size_t len, struct fan_why *why) FAN_MUST_CHECK;

#endif

/*
 * token — a message's id that strangers may carry but not make up.
 *
 * "<account>-<message>-<mac>": lower-case letters, digits and '-', so that it may stand in a URL, a
 * header, JSON and the local part of a mail address; upper case is read, too, for mail servers that
 * fold it. Senders write tokens, the ingester reads them; both load <dir>/token.key.
 */
#ifndef FAN_ACTORS_LIB_SEAL_TOKEN_H
#define FAN_ACTORS_LIB_SEAL_TOKEN_H

#include "proto/bytes.h"
#include "proto/err.h"

enum { FAN_TOKEN_TEXT = 64 }; /* room for any token with its NUL; most have about 30 bytes */

struct fan_token_key;

/** Make the key unless it is there already. fails FAN_UNAVAILABLE  the file cannot be written */
enum fan_err fan_token_key_create(const char *dir, struct fan_why *why) FAN_MUST_CHECK;

/** Load the key; fails like fan_seal_secret_load. */
enum fan_err fan_token_key_load(const char *dir, struct fan_token_key **out,
        struct fan_why *why) FAN_MUST_CHECK;
void fan_token_key_free(struct fan_token_key **key);

/** Write a message's token into @out, with a NUL. */
struct fan_bytes fan_token_write(const struct fan_token_key *key, fan_id account, fan_id message,
        char out[FAN_TOKEN_TEXT]);

/** Read a token; false when it is none of ours. */
bool fan_token_read(const struct fan_token_key *key, struct fan_bytes token, fan_id *account,
        fan_id *message);

/* ---- links to media ---- */

/* What a link says: enough to serve the object without asking anybody. */
struct fan_media_token {
    fan_id account, media;
    int64_t expires; /* seconds since the epoch */
    uint32_t type;   /* enum fan_media_type */
    unsigned char hash[32];
};

enum { FAN_MEDIA_TOKEN_TEXT = 160 };

/** Write "<account>.<media>.<expires>.<type>.<hash>.<mac>" into @out, with a NUL; all of it may
 * stand in a URL. */
struct fan_bytes fan_media_token_write(const struct fan_token_key *key,
        const struct fan_media_token *token, char out[FAN_MEDIA_TOKEN_TEXT]);

/** Read one; false when it is none of ours. Whether it has expired is for the caller to see. */
bool fan_media_token_read(const struct fan_token_key *key, struct fan_bytes text,
        struct fan_media_token *out);

#endif

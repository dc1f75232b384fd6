/*
 * store/account — accounts, their API keys, and what repeated requests were answered with.
 *
 * All fail as fan_db_run does; only further failures are named.
 */
#ifndef FAN_SQL_STORE_ACCOUNT_H
#define FAN_SQL_STORE_ACCOUNT_H

#include "sql/db.h"

struct fan_account {
    struct fan_bytes name;
    struct fan_bytes default_country; /* "" or two letters */
    struct fan_bytes fallbacks;       /* JSON: field -> word for a missing value */
};

/** fails FAN_NOT_FOUND */
enum fan_err fan_account_get(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_account *out, struct fan_why *why) FAN_MUST_CHECK;

struct fan_account_new {
    struct fan_bytes name;
    struct fan_bytes email;           /* of its first user, who owns it */
    struct fan_bytes default_country; /* may be "" */
};

struct fan_account_made {
    fan_id account;
    fan_id user;
    struct fan_bytes key; /* an API key: shown now and never again */
};

/**
 * Make an account with its first user and API key, and the attributes every account begins with.
 *
 * db   logged in as the owner of the schema; commits
 * out  its key lives in @arena
 */
enum fan_err fan_account_create_first(struct fan_db *db, const struct fan_account_new *who,
        struct fan_arena *arena, struct fan_account_made *out, struct fan_why *why) FAN_MUST_CHECK;

/* ---- API keys: ffk_<account>_<secret> ---- */

enum { FAN_KEY_HASH = 32 }; /* bytes of BLAKE2b over the whole key */

/** Write a new key for @account. */
struct fan_bytes fan_api_key_new(fan_id account, struct fan_arena *arena);

/** The account that @key says it belongs to; 0: it has not the form of a key. */
fan_id fan_api_key_account(struct fan_bytes key);

void fan_api_key_hash(struct fan_bytes key, char out[FAN_KEY_HASH]);

struct fan_api_key {
    fan_id key;
    fan_id user;
    struct fan_bytes role; /* of the user: owner, admin, manager, agent, viewer */
};

/** Find a key that may be used now, and note its use once a minute. fails FAN_DENIED: no such key
 */
enum fan_err fan_api_key_find(struct fan_db *db, fan_id account, const char hash[FAN_KEY_HASH],
        struct fan_arena *arena, struct fan_api_key *out, struct fan_why *why) FAN_MUST_CHECK;

/* ---- repeated requests ---- */

struct fan_repeat {
    bool repeated; /* the key was used before, for the same request */
    int status;    /* what it was answered with */
    struct fan_bytes body;
};

/**
 * Take @key for a request; the answer is stored in the same transaction with fan_repeat_answered.
 *
 * Waits while another request with this key is under way. Keys are forgotten after a day.
 *
 * hash   of the request: the same key for another request is refused
 * fails  FAN_DENIED  the key was used for another request
 */
enum fan_err fan_repeat_claim(struct fan_db *db, fan_id account, struct fan_bytes key,
        struct fan_bytes hash, struct fan_arena *arena, struct fan_repeat *out,
        struct fan_why *why) FAN_MUST_CHECK;

enum fan_err fan_repeat_answered(struct fan_db *db, fan_id account, struct fan_bytes key,
        int status, struct fan_bytes body, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

#endif

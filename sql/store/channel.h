/*
 * store/channel — configured ways of sending.
 *
 * The gateway writes sealed secrets and never reads them; a sender and the ingester read only what
 * was sealed for them. All fail as fan_db_run does; only further failures are named.
 */
#ifndef FAN_SQL_STORE_CHANNEL_H
#define FAN_SQL_STORE_CHANNEL_H

#include "proto/words.h"
#include "sql/db.h"
#include "sql/store/page.h"

struct fan_channel {
    fan_id id;
    enum fan_kind kind;
    struct fan_bytes provider, name;
    struct fan_bytes settings;     /* a JSON object: plain settings by field */
    struct fan_texts secret_names; /* which secrets are set */
    double rate;                   /* messages a second; 0: no limit of ours */
    int64_t connections;           /* calls at once; 0: the provider's default */
    bool enabled, is_default;
    fan_time created_at, updated_at;
    enum fan_health_state health; /* read only, as what follows */
    enum fan_health_reason health_reason;
    fan_time health_until; /* open: left alone until then */
    fan_time interval;     /* between two messages, as it was learned; 0: no limit */
};

struct fan_channel_list {
    struct fan_channel *at; /* at[len] */
    size_t len;
};

/** fails FAN_NOT_FOUND */
enum fan_err fan_channel_get(struct fan_db *db, fan_id account, fan_id channel,
        struct fan_arena *arena, struct fan_channel *out, struct fan_why *why) FAN_MUST_CHECK;

/** A page of channels, newest first, and how many there are. kind 0: of any kind */
enum fan_err fan_channel_page(struct fan_db *db, fan_id account, int kind, struct fan_page page,
        struct fan_arena *arena, struct fan_channel_list *out, struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_channel_count(struct fan_db *db, fan_id account, int kind, struct fan_arena *arena,
        int64_t *out, struct fan_why *why) FAN_MUST_CHECK;

/** The channel of a kind that is meant when none is named; 0: there is none that is enabled. */
enum fan_err fan_channel_preferred(struct fan_db *db, fan_id account, enum fan_kind kind,
        struct fan_arena *arena, fan_id *out, struct fan_why *why) FAN_MUST_CHECK;

/**
 * Make a channel and its send slots. Its secrets follow: they are sealed for its id.
 *
 * fails  FAN_INVALID  the name is another channel's (field "channel_account_id_name_key")
 */
enum fan_err fan_channel_insert(struct fan_db *db, fan_id account,
        const struct fan_channel *channel, struct fan_arena *arena, fan_id *id,
        struct fan_why *why) FAN_MUST_CHECK;

/** Write name, settings, rate, connections and the switches of channel->id. fails FAN_NOT_FOUND */
enum fan_err fan_channel_update(struct fan_db *db, fan_id account,
        const struct fan_channel *channel, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/* Secrets on their way in: a JSON object for each reader, sealed for it; absent: none for it. */
struct fan_channel_secrets {
    struct fan_bytes for_sender, for_ingester;
    struct fan_texts names;
};

/** Put all secrets anew; those of before are gone. */
enum fan_err fan_channel_seal(struct fan_db *db, fan_id account, fan_id channel,
        const struct fan_channel_secrets *secrets, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/* What a sender or the ingester works with. */
struct fan_channel_login {
    enum fan_kind kind;
    struct fan_bytes provider;
    struct fan_bytes settings; /* a JSON object */
    struct fan_bytes sealed;   /* the secrets for this reader; absent: none */
    double rate;               /* the sender's */
    int64_t connections;
    bool enabled;
};

/** fails FAN_NOT_FOUND */
enum fan_err fan_channel_for_sender(struct fan_db *db, fan_id account, fan_id channel,
        struct fan_arena *arena, struct fan_channel_login *out, struct fan_why *why) FAN_MUST_CHECK;
enum fan_err fan_channel_for_ingester(struct fan_db *db, fan_id account, fan_id channel,
        struct fan_arena *arena, struct fan_channel_login *out, struct fan_why *why) FAN_MUST_CHECK;

/* The ingester's as a pipelined transaction. */
void fan_channel_add_for_ingester(struct fan_batch *batch, fan_id account, fan_id channel);
/** false: there is no such channel. Texts are borrowed from @rows. */
bool fan_channel_read_login(const struct fan_rows *rows, struct fan_channel_login *out);

#endif

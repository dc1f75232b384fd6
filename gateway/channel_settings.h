/*
 * channel_settings — the fields of a channel, checked against its provider's table and parted into
 * what all may read and what is sealed.
 */
#ifndef FAN_GATEWAY_CHANNEL_SETTINGS_H
#define FAN_GATEWAY_CHANNEL_SETTINGS_H

#include "gateway/body.h"

#include "actors/providers/provider.h"
#include "sql/store/channel.h"

enum { CHANNEL_FIELDS = 64 };

struct channel_settings {
    const struct fan_provider *provider;
    struct fan_bytes values[CHANNEL_FIELDS]; /* by the provider's table; absent: not set */
    bool kept[CHANNEL_FIELDS];               /* a secret that was set before and stays as it is */
    bool has_new_secrets;
};

/**
 * Read the body's "settings" and check them; notes faults.
 *
 * before  the channel as it stands, whose settings stay where the body has none; NULL: none
 */
void channel_settings_read(struct body *body, const struct fan_provider *provider,
        const struct fan_channel *before, struct channel_settings *out);

/** The plain settings as a JSON object. */
struct fan_bytes channel_settings_plain(const struct channel_settings *settings,
        struct fan_arena *arena);

/**
 * Seal the secrets for their readers.
 *
 * fails  FAN_UNAVAILABLE  a reader's public key is not there
 */
enum fan_err channel_settings_seal(const struct channel_settings *settings, struct call *call,
        fan_id channel, struct fan_channel_secrets *out);

#endif

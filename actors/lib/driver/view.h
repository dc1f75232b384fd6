/*
 * driver/view — a channel's row as drivers see it: plain settings and the secrets that the reader
 * may know.
 */
#ifndef FAN_ACTORS_LIB_DRIVER_VIEW_H
#define FAN_ACTORS_LIB_DRIVER_VIEW_H

#include "actors/providers/provider.h"

/**
 * Build a view.
 *
 * settings  a JSON object of texts: the row's plain settings
 * secrets   a JSON object of texts, unsealed; absent: none
 * hook_url  the channel's public callback URL; absent: none
 * arena     where everything is copied to
 * fails     FAN_INVALID  settings or secrets are not a JSON object
 */
enum fan_err fan_channel_view_build(fan_id account, fan_id channel, struct fan_bytes settings,
        struct fan_bytes secrets, struct fan_bytes hook_url, struct fan_arena *arena,
        struct fan_channel_view *out, struct fan_why *why) FAN_MUST_CHECK;

/** The public callback URL of a channel: <public_url>/hooks/<account>/<channel>. */
struct fan_bytes fan_channel_hook_url(const char *public_url, fan_id account, fan_id channel,
        struct fan_arena *arena);

#endif

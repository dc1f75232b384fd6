/*
 * settings_names — which FANFARE_ names there are. Private to settings*.c.
 */
#ifndef FAN_RUNTIME_SETTINGS_NAMES_H
#define FAN_RUNTIME_SETTINGS_NAMES_H

#include "broker/runtime/settings.h"

/* The settings of struct fan_common_settings. */
extern const struct fan_setting fan_common_table[];

/** The setting called @name (snake_case), or NULL; @table may be NULL. */
const struct fan_setting *fan_setting_find(const struct fan_setting *table, struct fan_bytes name);

/** "FANFARE_RENDERER_CACHED_TEMPLATES"; @role NULL: "FANFARE_CACHED_TEMPLATES". */
const char *fan_setting_env(const char *role, const char *name, struct fan_arena *arena);

/** Whether the process of @role may find @env_name: its own, everybody's, or another one's. */
bool fan_setting_is_known(const char *role, const struct fan_setting *own_table,
        struct fan_bytes env_name, struct fan_arena *arena);

/** The default as text, "{role}" and "{host}" put in; NULL: there is none. */
const char *fan_setting_default(const struct fan_setting *setting, const char *role,
        struct fan_arena *arena);

#endif

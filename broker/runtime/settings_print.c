#include "broker/runtime/settings.h"
#include "broker/runtime/settings_names.h"

#include <stdio.h>

static void help_one(const char *role, const struct fan_setting *setting, bool is_common,
        struct fan_arena *arena)
{
    const char *otherwise = fan_setting_default(setting, role, arena);

    printf("  --%s, %s\n      %s", setting->name,
            fan_setting_env(is_common ? NULL : role, setting->name, arena), setting->doc);
    if (setting->type == FAN_SETTING_U32)
        printf("; %u to %u", setting->least, setting->most);
    if (setting->type == FAN_SETTING_BOOL)
        printf("; true or false");
    if (setting->type == FAN_SETTING_WORD)
        printf("; %s", setting->words);
    if (!otherwise)
        printf("; must be set\n");
    else
        printf("; default %s\n", *otherwise ? otherwise : "empty");
}

void fan_settings_help(const char *role, const char *summary, const struct fan_setting *own_table)
{
    struct fan_arena *arena = fan_arena_new();

    printf("fanfare-%s: %s\n\n", role, summary);
    printf("usage: fanfare-%s [--name value]… [--help] [--version] [--print-config]\n\n", role);
    printf("A setting is an option, a variable, or a line NAME=value of the file that\n"
           "FANFARE_CONFIG names. NAME_FILE names a file that holds the value.\n");
    if (own_table && own_table->type != FAN_SETTING_END)
        printf("\nIts own:\n");
    for (const struct fan_setting *row = own_table; row && row->type != FAN_SETTING_END; row++)
        help_one(role, row, false, arena);
    printf("\nOf every process (%s for this role alone):\n", fan_setting_env(role, "…", arena));
    for (const struct fan_setting *row = fan_common_table; row->type != FAN_SETTING_END; row++)
        help_one(role, row, true, arena);
    fan_arena_free(&arena);
}

static void print_one(const char *env_name, const struct fan_setting *setting, const void *values)
{
    const void *at = (const char *)values + setting->offset;

    switch (setting->type) {
    case FAN_SETTING_U32:
        printf("%s=%u\n", env_name, *(const uint32_t *)at);
        break;
    case FAN_SETTING_BOOL:
        printf("%s=%s\n", env_name, *(const bool *)at ? "true" : "false");
        break;
    case FAN_SETTING_SECRET:
        printf("# %s is %s\n", env_name, **(const char *const *)at ? "set" : "empty");
        break;
    default:
        printf("%s=%s\n", env_name, *(const char *const *)at);
        break;
    }
}

void fan_settings_print(const char *role, const struct fan_setting *own_table, const void *own,
        const struct fan_common_settings *common)
{
    struct fan_arena *arena = fan_arena_new();

    for (const struct fan_setting *row = own_table; row && row->type != FAN_SETTING_END; row++)
        print_one(fan_setting_env(role, row->name, arena), row, own);
    for (const struct fan_setting *row = fan_common_table; row->type != FAN_SETTING_END; row++)
        print_one(fan_setting_env(NULL, row->name, arena), row, common);
    fan_arena_free(&arena);
}

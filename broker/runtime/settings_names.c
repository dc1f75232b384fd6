#include "broker/runtime/settings_names.h"

#include "proto/buffer.h"

#include <ctype.h>
#include <unistd.h>

#define PREFIX "FANFARE_"

const struct fan_setting fan_common_table[] = {
    FAN_SET_TEXT(struct fan_common_settings, name, "{role}",
            "this process among its like, in logs and metrics"),
    FAN_SET_TEXT(struct fan_common_settings, brokers, "ipc:///run/fanfare/broker",
            "where brokers listen; several are separated by commas"),
    FAN_SET_TEXT(struct fan_common_settings, database_url, "postgresql:///fanfare",
            "the database, as a libpq URL"),
    FAN_SET_TEXT(struct fan_common_settings, database_user, "fan_{role}",
            "login role; empty: as the URL says"),
    FAN_SET_SECRET(struct fan_common_settings, database_password, "", "of the login role"),
    FAN_SET_TEXT(struct fan_common_settings, state_dir, "/var/lib/fanfare",
            "folder of journals, spools and keys"),
    FAN_SET_TEXT(struct fan_common_settings, media_dir, "",
            "folder of pictures and other files; empty: media below state_dir"),
    FAN_SET_TEXT(struct fan_common_settings, media_s3_endpoint, "",
            "object storage that keeps them instead, \"https://s3.eu-central-1.amazonaws.com\""),
    FAN_SET_TEXT(struct fan_common_settings, media_s3_bucket, "", "its bucket"),
    FAN_SET_TEXT(struct fan_common_settings, media_s3_region, "us-east-1", "its region"),
    FAN_SET_TEXT(struct fan_common_settings, media_s3_key, "", "id of the access key"),
    FAN_SET_SECRET(struct fan_common_settings, media_s3_secret, "", "of the access key"),
    FAN_SET_TEXT(struct fan_common_settings, status_listen, "",
            "where GET /health and /metrics listen, \"127.0.0.1:9101\"; empty: off"),
    FAN_SET_WORD(struct fan_common_settings, log_level, "info", "error|warn|info|debug",
            "the least important lines that are written"),
    FAN_SET_TEXT(struct fan_common_settings, host, "{host}",
            "this machine, as other processes see it"),
    FAN_SET_U32(struct fan_common_settings, drain_ms, "25000", 0, 3600000,
            "how long SIGTERM waits for work in flight"),
    FAN_SET_END,
};

/* The one list of processes: FANFARE_<ROLE>_… of another process is for that one to check. */
static const char *const roles[] = { "broker", "gateway", "ingester", "scheduler", "audience",
    "renderer", "imager", "painter", "sender", "courier", "journey", "planner", "analytics", "cli",
    "sandbox", "test", NULL };

/* Names that are no setting of a process. */
static const char *const others[] = { "config", "home", "pictures", "prefix", "url", "api_key",
    NULL };

const struct fan_setting *fan_setting_find(const struct fan_setting *table, struct fan_bytes name)
{
    for (; table && table->type != FAN_SETTING_END; table++) {
        if (fan_bytes_eq_text(name, table->name))
            return table;
    }
    return NULL;
}

const char *fan_setting_env(const char *role, const char *name, struct fan_arena *arena)
{
    char *env = fan_arena_printf(arena, PREFIX "%s%s%s", role ? role : "", role ? "_" : "", name);

    for (char *at = env; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return env;
}

/* The name as a table has it, without FANFARE_; absent when it is not all upper case. */
static struct fan_bytes as_in_table(struct fan_bytes env_name, struct fan_arena *arena)
{
    char *name = fan_bytes_cstr(env_name, arena) + strlen(PREFIX);

    for (char *at = name; *at; at++) {
        if (islower((unsigned char)*at))
            return FAN_NO_BYTES;
        *at = (char)tolower((unsigned char)*at);
    }
    return fan_bytes_of(name);
}

/* What follows "<word>_", or absent. */
static struct fan_bytes behind(struct fan_bytes name, const char *word)
{
    size_t len = strlen(word);

    if (!fan_bytes_starts(name, fan_bytes_of(word)) || name.len <= len + 1 || name.at[len] != '_')
        return FAN_NO_BYTES;
    return (struct fan_bytes){ name.at + len + 1, name.len - len - 1 };
}

static bool is_known(const char *role, const struct fan_setting *own_table, struct fan_bytes name)
{
    struct fan_bytes own = behind(name, role);

    if (own.at)
        return fan_setting_find(own_table, own) || fan_setting_find(fan_common_table, own);
    for (const char *const *other = others; *other; other++) {
        if (fan_bytes_eq_text(name, *other))
            return true;
    }
    for (const char *const *other = roles; *other; other++) {
        if (behind(name, *other).at)
            return true;
    }
    return fan_setting_find(fan_common_table, name);
}

bool fan_setting_is_known(const char *role, const struct fan_setting *own_table,
        struct fan_bytes env_name, struct fan_arena *arena)
{
    struct fan_bytes name;

    FAN_ASSERT(fan_bytes_starts(env_name, FAN_LIT(PREFIX)));
    name = as_in_table(env_name, arena);
    if (!name.at)
        return false;
    if (is_known(role, own_table, name))
        return true;
    if (!fan_bytes_ends(name, FAN_LIT("_file")))
        return false;
    name.len -= strlen("_file");
    return is_known(role, own_table, name);
}

static void add_host(struct fan_buffer *out)
{
    char host[256] = "";

    fan_buffer_add_text(out, gethostname(host, sizeof(host) - 1) == 0 ? host : "localhost");
}

const char *fan_setting_default(const struct fan_setting *setting, const char *role,
        struct fan_arena *arena)
{
    struct fan_buffer out;
    const char *text;

    if (!setting->otherwise)
        return NULL;
    fan_buffer_init(&out, 4096);
    for (const char *at = setting->otherwise; *at; at++) {
        if (strncmp(at, "{role}", 6) == 0) {
            fan_buffer_add_text(&out, role);
            at += 5;
        } else if (strncmp(at, "{host}", 6) == 0) {
            add_host(&out);
            at += 5;
        } else {
            fan_buffer_add_char(&out, *at);
        }
    }
    text = fan_bytes_cstr(fan_buffer_bytes(&out), arena);
    fan_buffer_fini(&out);
    return text;
}

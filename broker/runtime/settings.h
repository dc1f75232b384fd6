/*
 * settings — what an operator can set, as one table a process.
 *
 * A value comes from the command line (--name value), else the environment (FANFARE_<ROLE>_<NAME>;
 * for settings that every process has also FANFARE_<NAME>), else the file that FANFARE_CONFIG names
 * (the same NAME=value lines), else the default. FANFARE_…_FILE reads the value from a file, for
 * secrets. A FANFARE_ name that no process knows stops the boot, as does a value out of bounds: the
 * message names the setting, the value and what would be right.
 */
#ifndef FAN_RUNTIME_SETTINGS_H
#define FAN_RUNTIME_SETTINGS_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/err.h"

#include <stddef.h>

enum fan_setting_type {
    FAN_SETTING_END,
    FAN_SETTING_U32,
    FAN_SETTING_BOOL,
    FAN_SETTING_TEXT,
    FAN_SETTING_SECRET,
    FAN_SETTING_WORD, /* a text that is one of a few words */
};

struct fan_setting {
    enum fan_setting_type type;
    const char *name; /* snake_case */
    size_t offset;
    const char *otherwise; /* default, as one would write it; NULL: must be set. "{role}" and
                              "{host}" stand for the process's role and the machine's name */
    uint32_t least, most;  /* U32 */
    const char *doc;
    const char *words; /* WORD: "error|warn|info|debug" */
};

/* U32: uint32_t. BOOL: bool. TEXT, SECRET and WORD: const char * (TEXT: "" when empty); a SECRET is
 * never printed. */
/* clang-format off */
#define FAN_SET_U32(type, member, otherwise, least, most, doc) \
    {FAN_SETTING_U32, #member, offsetof(type, member), otherwise, least, most, doc, NULL}
#define FAN_SET_BOOL(type, member, otherwise, doc) \
    {FAN_SETTING_BOOL, #member, offsetof(type, member), otherwise, 0, 0, doc, NULL}
#define FAN_SET_TEXT(type, member, otherwise, doc) \
    {FAN_SETTING_TEXT, #member, offsetof(type, member), otherwise, 0, 0, doc, NULL}
#define FAN_SET_SECRET(type, member, otherwise, doc) \
    {FAN_SETTING_SECRET, #member, offsetof(type, member), otherwise, 0, 0, doc, NULL}
#define FAN_SET_WORD(type, member, otherwise, words, doc) \
    {FAN_SETTING_WORD, #member, offsetof(type, member), otherwise, 0, 0, doc, words}
#define FAN_SET_END {.type = FAN_SETTING_END}
/* clang-format on */

/* What every process has. */
struct fan_common_settings {
    const char *name; /* of this process among its like; in logs and metrics. Default: the role */
    const char *brokers; /* comma-separated: where brokers listen, "ipc:///run/fanfare/broker-1" */
    const char *database_url;      /* libpq URL */
    const char *database_user;     /* login role; default fan_<role> */
    const char *database_password; /* SECRET */
    const char *state_dir;         /* journals, spools, keys */
    const char *media_dir;         /* pictures and other files; "": below state_dir */
    const char *media_s3_endpoint; /* or an object storage instead of the folder; "": none */
    const char *media_s3_bucket;
    const char *media_s3_region;
    const char *media_s3_key;
    const char *media_s3_secret; /* SECRET */
    const char *status_listen;   /* "127.0.0.1:9101": GET /health and /metrics; "": off */
    const char *log_level;       /* error, warn, info, debug */
    const char *host;            /* this machine's name in hello frames; default gethostname */
    uint32_t drain_ms;           /* how long SIGTERM waits for work in flight */
};

/**
 * Read settings into @common and @own (two structs laid out as their tables say).
 *
 * Texts live in @arena. The options --help, --version and --print-config are passed over: they are
 * the caller's.
 *
 * own_table  NULL: none of its own
 * fails  FAN_INVALID  why->field is the setting
 */
enum fan_err fan_settings_read(const char *role, const struct fan_setting *own_table, void *own,
        struct fan_common_settings *common, int argc, char **argv, struct fan_arena *arena,
        struct fan_why *why) FAN_MUST_CHECK;

/** Print every setting with its meaning, bounds, default and environment name (--help), or its
 * value (--print-config). */
void fan_settings_help(const char *role, const char *summary, const struct fan_setting *own_table);
void fan_settings_print(const char *role, const struct fan_setting *own_table, const void *own,
        const struct fan_common_settings *common);

#endif

#include "actors/cli/sandbox_keys.h"

#include "actors/cli/file.h"
#include "proto/buffer.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define PREFIX "FANFARE_SANDBOX_"

enum { SECRET = 16 }; /* bytes drawn for each */

/* A fixed part, and random hexadecimal digits behind it. */
static const struct {
    const char *name;
    const char *fixed;
    bool drawn;
} keys[] = {
    { "TWILIO_ACCOUNT_SID", "AC", true },
    { "TWILIO_AUTH_TOKEN", "", true },
    { "META_ACCESS_TOKEN", "EAAsandbox", true },
    { "META_APP_SECRET", "", true },
    { "META_PHONE_NUMBER_ID", "106540352242922", false },
    { "API_TOKEN", "", true },
    { "SMTP_USERNAME", "fanfare", false },
    { "SMTP_PASSWORD", "", true },
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static const char *path_of(const struct fan_home *home, struct fan_arena *arena)
{
    return fan_arena_printf(arena, "%s/sandbox.conf", home->path);
}

static enum fan_err draw(struct fan_buffer *out, struct fan_why *why)
{
    for (size_t i = 0; i < KEYS; i++) {
        char random[SECRET];

        if (getrandom(random, sizeof(random), 0) != sizeof(random))
            return fan_fail(why, FAN_UNAVAILABLE, "no random numbers: %s", strerror(errno));
        fan_buffer_printf(out, PREFIX "%s=%s", keys[i].name, keys[i].fixed);
        if (keys[i].drawn)
            fan_buffer_add_hex(out, (struct fan_bytes){ random, sizeof(random) });
        fan_buffer_add_char(out, '\n');
    }
    return FAN_OK;
}

enum fan_err fan_sandbox_keys_make(const struct fan_home *home, struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    const char *path = path_of(home, arena);
    struct fan_buffer text;
    enum fan_err err = FAN_OK;

    fan_buffer_init(&text, 4096);
    if (access(path, F_OK) != 0) {
        err = draw(&text, why);
        if (!err)
            err = fan_file_replace(path, fan_bytes_cstr(fan_buffer_bytes(&text), arena), 0600, why);
    }
    fan_buffer_fini(&text);
    fan_arena_free(&arena);
    return err;
}

const char *fan_sandbox_key(const struct fan_home *home, const char *name, struct fan_arena *arena)
{
    struct fan_bytes rest = fan_bytes_of(fan_file_text(path_of(home, arena), arena)), line, key;
    const char *wanted = fan_arena_printf(arena, PREFIX "%s", name);

    while (rest.at) {
        rest = fan_bytes_split(rest, '\n', &line);
        struct fan_bytes value = fan_bytes_split(line, '=', &key);
        if (fan_bytes_eq_text(key, wanted))
            return fan_bytes_cstr(value, arena);
    }
    return NULL;
}

enum fan_err fan_sandbox_key_set(const struct fan_home *home, const char *name, const char *value,
        struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    const char *path = path_of(home, arena), *wanted = fan_arena_printf(arena, PREFIX "%s", name);
    struct fan_bytes rest = fan_bytes_of(fan_file_text(path, arena)), line, key;
    const char *text = fan_arena_printf(arena, "%s=%s\n", wanted, value);
    enum fan_err err;

    while (rest.at) {
        rest = fan_bytes_split(rest, '\n', &line);
        fan_bytes_split(line, '=', &key);
        if (line.len && !fan_bytes_eq_text(key, wanted))
            text = fan_arena_printf(arena, "%s%.*s\n", text, FAN_BYTES_ARG(line));
    }
    err = fan_file_replace(path, text, 0600, why);
    fan_arena_free(&arena);
    return err;
}

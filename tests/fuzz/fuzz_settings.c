/*
 * A file of settings: whatever stands in it, the process starts with values within their bounds, or
 * it says which setting is at fault.
 */
#include "broker/runtime/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

struct own {
    uint32_t number;
    bool truth;
    const char *text, *word, *secret;
};

static const struct fan_setting table[] = {
    FAN_SET_U32(struct own, number, "5", 1, 100, "a number"),
    FAN_SET_BOOL(struct own, truth, "no", "a truth"),
    FAN_SET_TEXT(struct own, text, "", "a text"),
    FAN_SET_WORD(struct own, word, "one", "one|two", "a word"),
    FAN_SET_SECRET(struct own, secret, "", "a secret"),
    FAN_SET_END,
};

static char path[64];

static void drop(void)
{
    unlink(path);
}

static void make_path(void)
{
    snprintf(path, sizeof path, "%s/fanfare-fuzz-settings-%d",
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    setenv("FANFARE_CONFIG", path, 1);
    atexit(drop);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    char program[] = "test", *argv[] = { program, NULL };
    struct fan_common_settings common;
    struct fan_arena *arena;
    struct fan_why why = { 0 };
    struct own own;
    int fd;

    if (!path[0])
        make_path();
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FAN_ASSERT(write(fd, at, len) == (ssize_t)len);
    close(fd);
    arena = fan_arena_new();
    if (fan_settings_read("test", table, &own, &common, 1, argv, arena, &why)) {
        FAN_ASSERT(why.field[0] && why.text[0]);
    } else {
        FAN_ASSERT(own.number >= 1 && own.number <= 100 && own.text && own.secret);
        FAN_ASSERT(strcmp(own.word, "one") == 0 || strcmp(own.word, "two") == 0);
        FAN_ASSERT(common.brokers && common.drain_ms <= 3600000);
    }
    fan_arena_free(&arena);
    return 0;
}

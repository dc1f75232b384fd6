/*
 * folder — a folder for keys that is gone after the test.
 */
#ifndef FAN_TEST_FOLDER_H
#define FAN_TEST_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char top[64];
    char keys[80]; /* not there yet */
};

static inline int folder_open(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    strcpy(folder->top, "/tmp/fan-test-XXXXXX");
    assert_non_null(mkdtemp(folder->top));
    snprintf(folder->keys, sizeof(folder->keys), "%s/keys", folder->top);
    *state = folder;
    return 0;
}

static inline int folder_close(void **state)
{
    static const char *const names[] = { "sender.key", "sender.pub", "token.key" };
    struct folder *folder = *state;
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder->keys, names[i]);
        unlink(path);
    }
    rmdir(folder->keys);
    assert_int_equal(rmdir(folder->top), 0); /* nothing else was left */
    free(folder);
    return 0;
}

static inline const char *folder_path(const struct folder *folder, const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder->keys, name);
    return path;
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_open, folder_close)

#endif

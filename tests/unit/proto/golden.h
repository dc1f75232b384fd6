/*
 * golden — files that a test compares with what the code says now, or writes anew.
 *
 * FAN_REGENERATE=1 in the environment writes them; look at the difference before you commit it.
 */
#ifndef FAN_TESTS_UNIT_PROTO_GOLDEN_H
#define FAN_TESTS_UNIT_PROTO_GOLDEN_H

#include "proto/buffer.h"

#include <stdio.h>
#include <stdlib.h>

/* @path is relative to the tree's root. */
static inline FILE *golden_open(const char *path, const char *mode)
{
    const char *root = getenv("FAN_SOURCE");
    char whole[512];

    snprintf(whole, sizeof whole, "%s/%s", root ? root : ".", path);
    return fopen(whole, mode);
}

static inline void golden_write(const char *path, struct fan_bytes text)
{
    FILE *file = golden_open(path, "w");

    if (!file || fwrite(text.at, 1, text.len, file) != text.len || fclose(file) != 0)
        abort();
}

/** Read a whole file; false when there is none. */
static inline bool golden_read(const char *path, struct fan_buffer *out)
{
    FILE *file = golden_open(path, "r");
    char part[4096];
    size_t len;

    if (!file)
        return false;
    while ((len = fread(part, 1, sizeof part, file)) > 0)
        fan_buffer_add(out, part, len);
    fclose(file);
    return true;
}

/** Whether the file at @path holds @text; says so when it does not. */
static inline bool golden_holds(const char *path, struct fan_bytes text)
{
    struct fan_buffer now;
    bool same;

    if (getenv("FAN_REGENERATE"))
        golden_write(path, text);
    fan_buffer_init(&now, 16 << 20);
    same = golden_read(path, &now) && fan_bytes_eq(fan_buffer_bytes(&now), text);
    fan_buffer_fini(&now);
    if (!same)
        fprintf(stderr, "%s is stale: run this test with FAN_REGENERATE=1\n", path);
    return same;
}

#endif

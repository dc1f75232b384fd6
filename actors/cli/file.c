#include "actors/cli/file.h"

#include "actors/lib/picture/place.h"
#include "proto/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SMALL_FILE = 64 * 1024 }; /* bytes */

const char *fan_file_text(const char *path, struct fan_arena *arena)
{
    char *text;
    ssize_t len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    text = fan_arena_alloc(arena, SMALL_FILE);
    len = read(fd, text, SMALL_FILE - 1);
    close(fd);
    if (len < 0)
        return NULL;
    return fan_bytes_cstr(fan_bytes_trim((struct fan_bytes){ text, (size_t)len }), arena);
}

enum fan_err fan_file_replace(const char *path, const char *text, unsigned mode,
        struct fan_why *why)
{
    char next[PATH_MAX];
    size_t len = strlen(text);
    bool written;
    int fd;

    snprintf(next, sizeof(next), "%s.next", path);
    fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    written = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    if (!written || rename(next, path) != 0)
        return fan_fail(why, FAN_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
    return FAN_OK;
}

const char *fan_program_path(const char *name, struct fan_arena *arena)
{
    return fan_place_beside(name, arena);
}

#include "actors/lib/seal/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT = 2 * FAN_KEYFILE_MOST + 2 }; /* digits, line end, NUL */

static void path_of(char out[PATH_MAX], const char *dir, const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

bool fan_keyfile_there(const char *dir, const char *name)
{
    char path[PATH_MAX];

    path_of(path, dir, name);
    return access(path, F_OK) == 0;
}

/* 0, or the errno of what failed. */
static int write_new(const char *path, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    ssize_t len = (ssize_t)strlen(text);
    int failed = 0;

    if (fd < 0)
        return errno;
    if (write(fd, text, (size_t)len) != len || fsync(fd) != 0)
        failed = errno ? errno : ENOSPC;
    close(fd);
    return failed;
}

static void sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

enum fan_err fan_keyfile_write(const char *dir, const char *name, bool secret,
        const unsigned char *key, size_t len, struct fan_why *why)
{
    char path[PATH_MAX], draft[PATH_MAX], text[TEXT];
    enum fan_err err = FAN_OK;
    int failed;

    FAN_ASSERT(len <= FAN_KEYFILE_MOST);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return fan_fail(why, FAN_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    path_of(path, dir, name);
    snprintf(draft, sizeof(draft), "%s/.%s.%ld", dir, name, (long)getpid());
    unlink(draft); /* of a process that had our number */
    sodium_bin2hex(text, sizeof(text), key, len);
    text[2 * len] = '\n';
    text[2 * len + 1] = '\0';
    failed = write_new(draft, secret ? 0600 : 0644, text);
    /* A link, unlike a rename, never takes the place of a key that was made meanwhile. */
    if (!failed && link(draft, path) != 0)
        failed = errno;
    if (failed)
        err = fan_fail(why, failed == EEXIST ? FAN_CONFLICT : FAN_UNAVAILABLE, "%s: %s", path,
                strerror(failed));
    unlink(draft);
    sync_folder(dir);
    sodium_memzero(text, sizeof(text));
    return err;
}

static enum fan_err check_owner(int fd, const char *path, struct fan_why *why)
{
    struct stat file;

    if (fstat(fd, &file) != 0)
        return fan_fail(why, FAN_INVALID, "%s: %s", path, strerror(errno));
    if (file.st_mode & 077)
        return fan_fail(why, FAN_DENIED, "others may read %s: chmod 600 it", path);
    return FAN_OK;
}

enum fan_err fan_keyfile_read(const char *dir, const char *name, bool secret, unsigned char *key,
        size_t len, struct fan_why *why)
{
    char path[PATH_MAX], text[TEXT];
    enum fan_err err = FAN_OK;
    size_t decoded = 0;
    ssize_t got = -1;
    int fd;

    path_of(path, dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fan_fail(why, errno == ENOENT ? FAN_NOT_FOUND : FAN_DENIED, "%s: %s", path,
                strerror(errno));
    if (secret)
        err = check_owner(fd, path, why);
    if (!err)
        got = read(fd, text, sizeof(text));
    close(fd);
    if (!err &&
            (got <= 0 || sodium_hex2bin(key, len, text, (size_t)got, "\r\n", &decoded, NULL) ||
                    decoded != len))
        err = fan_fail(why, FAN_INVALID, "%s is not a key of %zu bytes", path, len);
    sodium_memzero(text, sizeof(text));
    return err;
}

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

static bool write_new(const char *path, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    size_t len = strlen(text);
    bool written;

    if (fd < 0)
        return false;
    written = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    return close(fd) == 0 && written;
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
    char path[PATH_MAX], draft[PATH_MAX], own[NAME_MAX + 1], text[TEXT];
    enum fan_err err = FAN_OK;

    FAN_ASSERT(len <= FAN_KEYFILE_MOST);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return fan_fail(why, FAN_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    snprintf(own, sizeof(own), ".%s.%ld", name, (long)getpid());
    path_of(path, dir, name);
    path_of(draft, dir, own);
    sodium_bin2hex(text, sizeof(text), key, len);
    strcat(text, "\n");
    /* A link, unlike a rename, never takes the place of a key that another process made meanwhile.
     */
    if (!write_new(draft, secret ? 0600 : 0644, text) || link(draft, path) != 0)
        err = fan_fail(why, errno == EEXIST ? FAN_CONFLICT : FAN_UNAVAILABLE, "%s: %s", path,
                strerror(errno));
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

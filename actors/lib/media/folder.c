/*
 * Objects as files: <dir>/<account>/<ab>/<cd>/<hash>.<ending>, and <dir>/incoming/ for those that
 * are not whole yet. A file gets its name only when all of it is on the disk, by one rename: a
 * process that is killed leaves at most something in incoming/, which the next one removes.
 */
#include "actors/lib/media/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LEFTOVER_S = 3600 /* without a byte: nobody writes it any more */, READ_MOST = 1 << 30 };

static const char *path_of(const struct fan_media *media, struct fan_bytes key,
        struct fan_arena *arena)
{
    return fan_arena_printf(arena, "%s/%.*s", media->dir, FAN_BYTES_ARG(key));
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return done;
}

/* Make the folders that lead to the file @path, from its @from-th byte on; what is made is on the
 * disk before anything is put there. */
static bool make_folders(char *path, size_t from)
{
    for (char *at = strchr(path + from, '/'); at; at = strchr(at + 1, '/')) {
        bool made;

        *at = '\0';
        made = mkdir(path, 0750) == 0;
        if (!made && errno != EEXIST)
            return false;
        *at = '/';
        if (made) {
            char *parent = at - 1;

            while (*parent != '/')
                parent--;
            *parent = '\0';
            made = sync_folder(parent == path ? "/" : path);
            *parent = '/';
            if (!made)
                return false;
        }
    }
    return true;
}

static void remove_leftovers(const char *folder, struct fan_arena *arena)
{
    DIR *dir = opendir(folder);
    time_t now = time(NULL);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        struct stat state;

        if (entry->d_name[0] == '.' ||
                fstatat(dirfd(dir), entry->d_name, &state, AT_SYMLINK_NOFOLLOW) != 0 ||
                !S_ISREG(state.st_mode) || now - state.st_mtime < LEFTOVER_S)
            continue;
        unlink(fan_arena_printf(arena, "%s/%s", folder, entry->d_name));
    }
    if (dir)
        closedir(dir);
}

enum fan_err media_folder_open(struct fan_media *media, struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    char *incoming = fan_arena_printf(arena, "%s/incoming/", media->dir);
    enum fan_err err = FAN_OK;

    if (!make_folders(incoming, 1))
        err = media_disk_failed(why, "make folders");
    else if (access(incoming, W_OK | X_OK) != 0)
        err = media_disk_failed(why, "write");
    else
        remove_leftovers(incoming, arena);
    fan_arena_free(&arena);
    return err;
}

enum fan_err media_folder_probe(const struct fan_media *media, struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    char *path = fan_arena_printf(arena, "%s", media->dir);
    enum fan_err err = FAN_OK;

    while (access(path, F_OK) != 0 && errno == ENOENT && strrchr(path, '/') > path)
        *strrchr(path, '/') = '\0';
    if (access(path, W_OK | X_OK) != 0)
        err = fan_fail(why, FAN_UNAVAILABLE, "%s cannot be written: %s", path, strerror(errno));
    fan_arena_free(&arena);
    return err;
}

/* ---- operations ---- */

static enum fan_err put(struct media_job *job, struct fan_bytes key)
{
    struct fan_media *media = job->media;
    char *path = fan_arena_printf(job->arena, "%s/%.*s", media->dir, FAN_BYTES_ARG(key));

    if (!make_folders(path, strlen(media->dir) + 1))
        return media_disk_failed(&job->why, "make folders");
    if (rename(media_incoming_path(job->incoming, job->arena), path) != 0)
        return media_disk_failed(&job->why, "rename a file");
    *strrchr(path, '/') = '\0';
    if (!sync_folder(path))
        return media_disk_failed(&job->why, "write a folder");
    return FAN_OK;
}

static void keep(struct media_job *job, struct fan_bytes key)
{
    job->err = put(job, key);
    media_job_over(job);
}

static enum fan_err open_file(const struct fan_media *media, struct fan_bytes key,
        struct fan_arena *arena, int *fd, int64_t *bytes, struct fan_why *why)
{
    struct stat state;

    *fd = open(path_of(media, key, arena), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0 && errno == ENOENT)
        return fan_fail(why, FAN_NOT_FOUND, "the file is not in the media store");
    if (*fd < 0)
        return media_disk_failed(why, "open a file");
    if (fstat(*fd, &state) != 0 || !S_ISREG(state.st_mode)) {
        close(*fd);
        return fan_fail(why, FAN_UNAVAILABLE, "what stands in the media folder is no file");
    }
    *bytes = state.st_size;
    return FAN_OK;
}

static enum fan_err read_file(struct media_job *job, int fd, int64_t bytes)
{
    if (bytes > READ_MOST)
        return fan_fail(&job->why, FAN_TOO_LARGE, "a file in the media folder is too large");
    job->bytes = malloc((size_t)bytes + 1);
    if (!job->bytes)
        fan_die("out of memory: a file of %lld bytes", (long long)bytes);
    while (job->len < (size_t)bytes) {
        ssize_t n = read(fd, job->bytes + job->len, (size_t)bytes - job->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return media_disk_failed(&job->why, "read");
        if (n == 0)
            return fan_fail(&job->why, FAN_UNAVAILABLE, "a file in the media folder was cut");
        job->len += (size_t)n;
    }
    return FAN_OK;
}

static void get(struct media_job *job, struct fan_bytes key)
{
    int64_t bytes = 0;
    int fd = -1;

    job->err = open_file(job->media, key, job->arena, &fd, &bytes, &job->why);
    if (!job->err) {
        job->err = read_file(job, fd, bytes);
        close(fd);
    }
    media_job_over(job);
}

static void exists(struct media_job *job, struct fan_bytes key)
{
    int64_t bytes = 0;
    int fd = -1;

    job->err = open_file(job->media, key, job->arena, &fd, &bytes, &job->why);
    if (!job->err)
        close(fd);
    media_job_over(job);
}

static void remove_object(struct media_job *job, struct fan_bytes key)
{
    if (unlink(path_of(job->media, key, job->arena)) != 0 && errno != ENOENT)
        job->err = media_disk_failed(&job->why, "remove a file");
    media_job_over(job);
}

enum fan_err fan_media_file(const struct fan_media *media, fan_id account,
        const struct fan_media_object *object, int *fd, int64_t *bytes, struct fan_why *why)
{
    struct fan_arena *arena = fan_arena_new();
    char key[FAN_MEDIA_KEY];
    enum fan_err err = open_file(media, fan_media_key(account, object, key), arena, fd, bytes, why);

    fan_arena_free(&arena);
    return err;
}

const struct media_store media_folder = {
    .keep = keep,
    .get = get,
    .exists = exists,
    .remove = remove_object,
};

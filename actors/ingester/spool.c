#include "actors/ingester/spool.h"

#include "actors/ingester/spool_sync.h"
#include "broker/runtime/clock.h"
#include "broker/runtime/log.h"
#include "proto/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH = 512,
    FREE_PERCENT = 5, /* of the disk that is left to others */
    LOOK_MS = 1000,   /* how often the disk is asked for its room */
    NAME_DIGITS = 16,
};

struct waiter {
    struct waiter *next;
    uint64_t ticket;
    spool_done *done;
    void *context;
};

struct spool {
    struct fan_loop *loop;
    char dir[PATH];
    uint64_t cap, segment_size;
    int dir_fd, lock_fd;
    struct spool_sync *sync;
    bool soon; /* a sync will be asked for when this callback has returned */

    int fd; /* of the segment that is written; -1: the next append begins one */
    uint64_t ticket;
    struct waiter *waiters, **waiters_end; /* by ticket */
    struct fan_buffer scratch;
    fan_time looked_at;
    bool disk_full;
    atomic_uint_fast64_t bytes;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t grew;
    struct spool_place end;
    bool woken;
};

static void name_of(uint64_t segment, char out[32])
{
    snprintf(out, 32, "%0*" PRIx64 ".seg", NAME_DIGITS, segment);
}

/* ---- the folder ---- */

static enum fan_err fail_disk(struct fan_why *why, const char *what)
{
    return fan_fail(why, FAN_UNAVAILABLE, "the spool: %s: %s", what, strerror(errno));
}

/* Make the folder and those above it. */
static enum fan_err make_folders(const char *dir, struct fan_why *why)
{
    char path[PATH];

    if ((size_t)snprintf(path, sizeof path, "%s", dir) >= sizeof path)
        return fan_fail(why, FAN_INVALID, "the spool's path is too long");
    for (char *slash = path + 1; *slash; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return fail_disk(why, path);
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail_disk(why, path);
    return FAN_OK;
}

static enum fan_err lock_folder(struct spool *self, struct fan_why *why)
{
    self->dir_fd = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->dir_fd < 0)
        return fail_disk(why, self->dir);
    self->lock_fd = openat(self->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0)
        return fail_disk(why, "lock");
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fan_fail(why, FAN_CONFLICT, "another process uses the spool %s; name one of them",
                self->dir);
    return FAN_OK;
}

static bool segment_of(const char *name, uint64_t *out)
{
    char *end;

    if (strlen(name) != NAME_DIGITS + 4 || strcmp(name + NAME_DIGITS, ".seg") != 0)
        return false;
    *out = strtoull(name, &end, 16);
    return end == name + NAME_DIGITS;
}

bool spool_first_segment(const struct spool *self, uint64_t from, uint64_t *out)
{
    DIR *dir = opendir(self->dir);
    struct dirent *entry;
    uint64_t segment;
    bool found = false;

    while (dir && (entry = readdir(dir))) {
        if (!segment_of(entry->d_name, &segment) || segment < from || (found && segment >= *out))
            continue;
        *out = segment;
        found = true;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* Count what is there and find the number of the segment to come. */
static uint64_t survey(struct spool *self)
{
    uint64_t segment = 0, next = 1;
    struct stat st;
    char name[32];

    while (spool_first_segment(self, segment, &segment)) {
        name_of(segment, name);
        if (fstatat(self->dir_fd, name, &st, 0) == 0)
            self->bytes += (uint64_t)st.st_size;
        next = ++segment;
    }
    return next;
}

int spool_open_segment(const struct spool *self, uint64_t segment)
{
    char name[32];

    name_of(segment, name);
    return openat(self->dir_fd, name, O_RDWR | O_CLOEXEC);
}

void spool_drop_segment(struct spool *self, uint64_t segment)
{
    struct stat st = { 0 };
    char name[32];

    name_of(segment, name);
    if (fstatat(self->dir_fd, name, &st, 0) == 0 && unlinkat(self->dir_fd, name, 0) == 0)
        self->bytes -= (uint64_t)st.st_size;
}

/* ---- the end, as the reader sees it ---- */

static void move_end(struct spool *self, struct spool_place end)
{
    pthread_mutex_lock(&self->mutex);
    self->end = end;
    pthread_cond_signal(&self->grew);
    pthread_mutex_unlock(&self->mutex);
}

struct spool_place spool_end(struct spool *self)
{
    struct spool_place end;

    pthread_mutex_lock(&self->mutex);
    end = self->end;
    pthread_mutex_unlock(&self->mutex);
    return end;
}

void spool_begin_behind(struct spool *self, struct spool_place place)
{
    if (place.segment > self->end.segment)
        move_end(self, (struct spool_place){ place.segment, UINT64_MAX });
}

/* Whether there is more behind a place. A last segment that is not ours has been read when its
 * reader waits: only a new one can bring more. */
static bool is_more(struct spool_place end, struct spool_place place)
{
    if (end.segment == place.segment && end.offset == UINT64_MAX)
        return false;
    return end.segment > place.segment ||
            (end.segment == place.segment && end.offset > place.offset);
}

void spool_wait(struct spool *self, struct spool_place place, uint32_t wait_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&self->mutex);
    while (!self->woken && !is_more(self->end, place)) {
        if (pthread_cond_timedwait(&self->grew, &self->mutex, &until) != 0)
            break;
    }
    pthread_mutex_unlock(&self->mutex);
}

void spool_wake(struct spool *self)
{
    pthread_mutex_lock(&self->mutex);
    self->woken = true;
    pthread_cond_broadcast(&self->grew);
    pthread_mutex_unlock(&self->mutex);
}

uint64_t spool_bytes(const struct spool *self)
{
    return self->bytes;
}

const char *spool_dir(const struct spool *self)
{
    return self->dir;
}

/* ---- appending ---- */

static bool write_whole(int fd, struct fan_bytes bytes, uint64_t offset)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.at, bytes.len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes.at += n;
        bytes.len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/* What is written stays readable; it is brought to the disk, and the next append begins anew. */
static void retire_segment(struct spool *self)
{
    if (self->fd >= 0)
        spool_sync_ask(self->sync, self->fd, true, self->ticket);
    self->fd = -1;
}

static enum fan_err begin_segment(struct spool *self, struct fan_why *why)
{
    struct spool_place end = { self->end.segment + 1, SPOOL_SEGMENT_HEAD };
    char name[32], head[SPOOL_SEGMENT_HEAD];

    name_of(end.segment, name);
    spool_head_write(head);
    self->fd = openat(self->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (self->fd < 0)
        return fail_disk(why, name);
    if (!write_whole(self->fd, (struct fan_bytes){ head, sizeof head }, 0)) {
        close(self->fd);
        self->fd = -1;
        unlinkat(self->dir_fd, name, 0);
        return fail_disk(why, name);
    }
    self->bytes += SPOOL_SEGMENT_HEAD;
    spool_sync_ask(self->sync, self->dir_fd, false, self->ticket); /* its name, too */
    move_end(self, end);
    return FAN_OK;
}

/* The database must not lose its disk to us, should it share it. */
static bool is_disk_full(struct spool *self)
{
    struct statvfs disk;

    if (fan_clock_elapsed() - self->looked_at < LOOK_MS * FAN_MS && self->looked_at)
        return self->disk_full;
    self->looked_at = fan_clock_elapsed();
    self->disk_full = fstatvfs(self->dir_fd, &disk) == 0 &&
            disk.f_bavail < disk.f_blocks / 100 * FREE_PERCENT;
    return self->disk_full;
}

static enum fan_err make_room(struct spool *self, size_t len, struct fan_why *why)
{
    if (self->bytes + len > self->cap)
        return fan_fail(why, FAN_UNAVAILABLE, "the spool is full");
    if (is_disk_full(self))
        return fan_fail(why, FAN_UNAVAILABLE, "less than %d %% of the disk is free", FREE_PERCENT);
    if (self->fd >= 0 && self->end.offset + len > self->segment_size)
        retire_segment(self);
    return self->fd >= 0 ? FAN_OK : begin_segment(self, why);
}

/* Once for everything that is appended in this callback. */
static void ask_sync(void *context)
{
    struct spool *self = context;

    self->soon = false;
    if (self->fd >= 0)
        spool_sync_ask(self->sync, self->fd, false, self->ticket);
}

static void wait_for(struct spool *self, spool_done *done, void *context)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);

    if (!waiter)
        fan_die("out of memory: the spool");
    *waiter = (struct waiter){ NULL, ++self->ticket, done, context };
    *self->waiters_end = waiter;
    self->waiters_end = &waiter->next;
    if (!self->soon)
        fan_loop_soon(self->loop, ask_sync, self);
    self->soon = true;
}

static void on_synced(void *context, uint64_t ticket, bool safe)
{
    struct spool *self = context;
    struct waiter *waiter;

    /* After a failure the kernel may have forgotten what it could not write: that file is closed,
     * and whoever waits is told to bring it again. */
    if (!safe) {
        fan_log(NULL, FAN_ERROR, "spool.failed", "the disk did not take the spool's records");
        retire_segment(self);
    }
    while ((waiter = self->waiters) && waiter->ticket <= ticket) {
        self->waiters = waiter->next;
        if (!self->waiters)
            self->waiters_end = &self->waiters;
        FAN_FAULT("ingester.before_answer");
        waiter->done(waiter->context, safe);
        FAN_FAULT("ingester.answered");
        free(waiter);
    }
}

enum fan_err spool_append(struct spool *self, const struct spool_record *record, spool_done *done,
        void *context, struct fan_why *why)
{
    struct fan_bytes bytes;
    enum fan_err err;

    fan_buffer_clear(&self->scratch);
    spool_record_write(record, &self->scratch);
    if (self->scratch.overflowed)
        return fan_fail(why, FAN_TOO_LARGE, "it does not fit into the spool");
    err = make_room(self, self->scratch.len, why);
    if (err)
        return err;
    bytes = fan_buffer_bytes(&self->scratch);
    FAN_FAULT("ingester.before_append");
    if (FAN_FAULTY("ingester.append") || !write_whole(self->fd, bytes, self->end.offset)) {
        err = fail_disk(why, "write");
        retire_segment(self); /* whose half a record nobody writes behind */
        return err;
    }
    FAN_FAULT("ingester.appended");
    self->bytes += bytes.len;
    move_end(self, (struct spool_place){ self->end.segment, self->end.offset + bytes.len });
    wait_for(self, done, context);
    return FAN_OK;
}

/* ---- its life ---- */

static void free_spool(struct spool *self)
{
    spool_sync_free(&self->sync);
    if (self->fd >= 0)
        close(self->fd);
    if (self->lock_fd >= 0)
        close(self->lock_fd);
    if (self->dir_fd >= 0)
        close(self->dir_fd);
    while (self->waiters) {
        struct waiter *next = self->waiters->next;

        free(self->waiters);
        self->waiters = next;
    }
    fan_buffer_fini(&self->scratch);
    pthread_cond_destroy(&self->grew);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static void init_waiting(struct spool *self)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->grew, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&self->mutex, NULL);
}

enum fan_err spool_open(struct fan_loop *loop, const struct spool_options *options,
        struct spool **out, struct fan_why *why)
{
    struct spool *self = calloc(1, sizeof *self);
    enum fan_err err;

    if (!self)
        fan_die("out of memory: the spool");
    self->loop = loop;
    self->cap = options->cap;
    self->segment_size = options->segment;
    self->dir_fd = self->lock_fd = self->fd = -1;
    self->waiters_end = &self->waiters;
    fan_buffer_init(&self->scratch, SPOOL_RECORD_MAX + SPOOL_RECORD_HEAD);
    init_waiting(self);
    err = make_folders(options->dir, why);
    snprintf(self->dir, sizeof self->dir, "%s", options->dir);
    if (!err)
        err = lock_folder(self, why);
    if (err) {
        free_spool(self);
        return err;
    }
    self->end.segment = survey(self) - 1;
    self->end.offset = UINT64_MAX; /* of a segment that is not ours: it is as long as it is */
    self->sync = spool_sync_new(loop, on_synced, self);
    *out = self;
    return FAN_OK;
}

void spool_close(struct spool **spool)
{
    if (!*spool)
        return;
    if ((*spool)->soon)
        ask_sync(*spool);
    free_spool(*spool);
    *spool = NULL;
}

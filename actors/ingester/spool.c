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
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH = 512,
    FULL_PERCENT = 95,        /* of the cap, where taking ends */
    LOOK_MS = 1000,           /* how often the disk is asked for its room */
    GATHERED_MOST = 64,       /* records that do not wait for more before they wait for the disk */
    BATCH_MOST = 1024 * 1024, /* bytes of small records that are written at once */
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
    struct spool_options options;
    struct spool_sync *sync;
    struct fan_timer *later; /* on which consider() will be called, when not soon */
    uint64_t salt;           /* of the segment that is written */
    struct fan_buffer batch; /* its records that are still to be written, at the end */
    uint64_t ticket, asked;  /* of the last append, and the last whose sync was asked for */
    fan_time synced_at;      /* elapsed */
    struct waiter *waiters, **waiters_end; /* by ticket */
    fan_time looked_at, told; /* elapsed: when the disk was asked for its room, and complained of */
    atomic_uint_fast64_t bytes;

    pthread_mutex_t mutex; /* guards what follows, up to @woken */
    pthread_cond_t grew;
    struct spool_place end, applied;
    bool woken;

    bool soon; /* consider() will be called when this callback has returned */
    bool syncing, disk_full;
    int dir_fd, lock_fd;
    int fd; /* of the segment that is written; -1: the next append begins one */
    char dir[PATH];
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

void spool_put_segment_aside(struct spool *self, uint64_t segment)
{
    struct stat st = { 0 };
    char name[32], aside[64];

    name_of(segment, name);
    snprintf(aside, sizeof aside, "bad/%s", name);
    if (mkdirat(self->dir_fd, "bad", 0700) != 0 && errno != EEXIST)
        return;
    if (fstatat(self->dir_fd, name, &st, 0) == 0 &&
            renameat(self->dir_fd, name, self->dir_fd, aside) == 0)
        self->bytes -= (uint64_t)st.st_size;
    fan_log(NULL, FAN_ERROR, "segment.refused", "spool segment %s cannot be read; it is kept in %s",
            name, aside);
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

void spool_note_applied(struct spool *self, struct spool_place place)
{
    pthread_mutex_lock(&self->mutex);
    self->applied = place;
    pthread_mutex_unlock(&self->mutex);
}

uint64_t spool_bytes(const struct spool *self)
{
    return self->bytes;
}

uint64_t spool_waiting(struct spool *self)
{
    uint64_t waiting = self->bytes;

    pthread_mutex_lock(&self->mutex);
    if (self->end.segment == self->applied.segment && self->end.offset != UINT64_MAX)
        waiting = self->end.offset - self->applied.offset;
    pthread_mutex_unlock(&self->mutex);
    return waiting;
}

const char *spool_dir(const struct spool *self)
{
    return self->dir;
}

/* ---- the segment that is written ---- */

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

static void ask_sync(struct spool *self, int fd, bool close_it)
{
    spool_sync_ask(self->sync, fd, close_it, self->ticket);
    self->asked = self->ticket;
    self->syncing = true;
}

/* What is written stays readable; it is brought to the disk, and the next append begins anew. */
static void retire_segment(struct spool *self)
{
    if (self->fd >= 0)
        ask_sync(self, self->fd, true);
    self->fd = -1;
}

/* The disk did not take something. Of a file whose sync failed nobody knows what the next one
 * leaves out: it is given up, and whoever waits is told to come again. */
static void give_up(struct spool *self, const char *what)
{
    struct waiter *waiter;

    if (!self->told || fan_clock_elapsed() - self->told >= FAN_SECOND) {
        self->told = fan_clock_elapsed();
        fan_log(NULL, FAN_ERROR, "spool.failed", "the disk did not take the spool's records: %s",
                what);
    }
    fan_buffer_clear(&self->batch);
    retire_segment(self);
    while ((waiter = self->waiters)) {
        self->waiters = waiter->next;
        waiter->done(waiter->context, false);
        free(waiter);
    }
    self->waiters_end = &self->waiters;
}

/* Take back what was written of a batch: nobody is to count on it, and others may need the room. */
static void cut_segment(struct spool *self)
{
    struct stat st;

    if (ftruncate(self->fd, (off_t)self->end.offset) == 0)
        return;
    if (fstat(self->fd, &st) == 0 && (uint64_t)st.st_size > self->end.offset)
        self->bytes += (uint64_t)st.st_size - self->end.offset;
}

/* Write what was gathered. false: whoever waited for anything was told that it failed */
static bool write_batch(struct spool *self)
{
    struct fan_bytes bytes = fan_buffer_bytes(&self->batch);
    const char *what;

    if (bytes.len == 0)
        return true;
    if (FAN_FAULTY("ingester.append") || !write_whole(self->fd, bytes, self->end.offset)) {
        what = strerror(errno);
        cut_segment(self);
        give_up(self, what);
        return false;
    }
    self->bytes += bytes.len;
    move_end(self, (struct spool_place){ self->end.segment, self->end.offset + bytes.len });
    fan_buffer_clear(&self->batch);
    FAN_FAULT("ingester.appended");
    return true;
}

static enum fan_err begin_segment(struct spool *self, struct fan_why *why)
{
    struct spool_place end = { self->end.segment + 1, SPOOL_SEGMENT_HEAD };
    char name[32], head[SPOOL_SEGMENT_HEAD];

    if (getrandom(&self->salt, sizeof self->salt, 0) != (ssize_t)sizeof self->salt)
        return fail_disk(why, "random numbers");
    name_of(end.segment, name);
    spool_head_write(self->salt, head);
    self->fd = openat(self->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (self->fd < 0)
        return fail_disk(why, name);
    if (!write_whole(self->fd, (struct fan_bytes){ head, sizeof head }, 0)) {
        enum fan_err err = fail_disk(why, name);

        close(self->fd);
        self->fd = -1;
        unlinkat(self->dir_fd, name, 0);
        return err;
    }
    self->bytes += SPOOL_SEGMENT_HEAD;
    ask_sync(self, self->dir_fd, false); /* its name, too */
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
            disk.f_bavail < (double)disk.f_blocks / 100 * self->options.free_percent;
    return self->disk_full;
}

/* Let @len more bytes follow what was gathered, in this segment or a new one. */
static enum fan_err make_room(struct spool *self, size_t len, struct fan_why *why)
{
    uint64_t gathered = self->batch.len;
    bool segment_full;

    if (self->bytes + gathered + len > self->options.cap / 100 * FULL_PERCENT)
        return fan_fail(why, FAN_UNAVAILABLE, "the spool is full");
    if (is_disk_full(self))
        return fan_fail(why, FAN_UNAVAILABLE, "less than %u %% of the disk is free",
                self->options.free_percent);
    segment_full = self->end.offset + gathered + len > self->options.segment;
    if ((segment_full || gathered + len > BATCH_MOST) && !write_batch(self))
        return fan_fail(why, FAN_UNAVAILABLE, "the disk does not take the spool's records");
    if (segment_full)
        retire_segment(self);
    return self->fd >= 0 ? FAN_OK : begin_segment(self, why);
}

/* ---- appending ---- */

static void consider(void *context);

static void on_later(void *context)
{
    struct spool *self = context;

    self->later = NULL;
    consider(self);
}

static void sync_batch(struct spool *self)
{
    fan_loop_cancel(&self->later);
    if (write_batch(self) && self->fd >= 0)
        ask_sync(self, self->fd, false);
}

/*
 * Bring to the disk what was gathered, unless this was just done and more may come: each wait for
 * the disk costs the same, however many share it.
 */
static void consider(void *context)
{
    struct spool *self = context;
    uint64_t gathered = self->ticket - self->asked;
    fan_time wait = self->synced_at + self->options.sync_ms * FAN_MS - fan_clock_elapsed();

    self->soon = false;
    if (self->syncing || gathered == 0)
        return;
    if (wait <= 0 || gathered >= GATHERED_MOST)
        sync_batch(self);
    else if (!self->later)
        self->later = fan_loop_after(self->loop, (uint32_t)((wait + FAN_MS - 1) / FAN_MS), on_later,
                self);
}

static void wait_for(struct spool *self, spool_done *done, void *context)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);

    if (!waiter)
        fan_die("out of memory: the spool");
    *waiter = (struct waiter){ NULL, ++self->ticket, done, context };
    *self->waiters_end = waiter;
    self->waiters_end = &waiter->next;
    if (self->soon || self->syncing)
        return;
    self->soon = true;
    fan_loop_soon(self->loop, consider, self);
}

static void on_synced(void *context, uint64_t ticket, bool safe)
{
    struct spool *self = context;
    struct waiter *waiter;

    if (ticket >= self->asked) {
        self->syncing = false;
        self->synced_at = fan_clock_elapsed();
    }
    if (!safe)
        give_up(self, "it cannot be brought there");
    while ((waiter = self->waiters) && waiter->ticket <= ticket) {
        self->waiters = waiter->next;
        if (!self->waiters)
            self->waiters_end = &self->waiters;
        FAN_FAULT("ingester.before_answer");
        waiter->done(waiter->context, true);
        FAN_FAULT("ingester.answered");
        free(waiter);
    }
    consider(self);
}

enum fan_err spool_append(struct spool *self, const struct spool_record *record, spool_done *done,
        void *context, struct fan_why *why)
{
    size_t len = spool_record_size(record);
    enum fan_err err;

    if (len > SPOOL_RECORD_HEAD + SPOOL_RECORD_MAX)
        return fan_fail(why, FAN_TOO_LARGE, "it does not fit into the spool");
    err = make_room(self, len, why);
    if (err)
        return err;
    FAN_FAULT("ingester.before_append");
    spool_record_write(record, self->salt, &self->batch);
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
    fan_buffer_fini(&self->batch);
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
    self->options = *options;
    self->dir_fd = self->lock_fd = self->fd = -1;
    self->waiters_end = &self->waiters;
    fan_buffer_init(&self->batch, SPOOL_RECORD_HEAD + SPOOL_RECORD_MAX + BATCH_MOST);
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
    sync_batch(*spool);
    free_spool(*spool);
    *spool = NULL;
}

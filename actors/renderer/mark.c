#include "actors/renderer/mark.h"

#include "broker/runtime/clock.h"
#include "sql/store/chunk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "FANMARK1"
#define SUFFIX ".mark"

enum { PAGE = 4096 };

/* The file. */
struct page {
    char magic[8];
    char boot[FAN_BOOT_ID];
    uint64_t owner;
    int64_t account, chunk;
    uint32_t writing; /* position plus one; 0: none */
};

struct mark {
    char path[512];
    int fd;
    struct page *page;
};

static enum fan_err refuse(struct fan_why *why, const char *path, const char *what)
{
    return fan_fail(why, FAN_UNAVAILABLE, "the mark %s cannot be %s: %s", path, what,
            strerror(errno));
}

static enum fan_err prepare(struct mark *self, const char *young, uint64_t owner,
        struct fan_why *why)
{
    int full;

    self->fd = open(young, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (self->fd < 0)
        return refuse(why, self->path, "made");
    if (flock(self->fd, LOCK_EX | LOCK_NB))
        return refuse(why, self->path, "locked");
    full = posix_fallocate(self->fd, 0, PAGE); /* room now, so that no store can fail later */
    if (full) {
        errno = full;
        return refuse(why, self->path, "given room");
    }
    self->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
    if (self->page == MAP_FAILED) {
        self->page = NULL;
        return refuse(why, self->path, "mapped");
    }
    fan_boot_id(self->page->boot);
    self->page->owner = owner;
    memcpy(self->page->magic, MAGIC, sizeof self->page->magic);
    return rename(young, self->path) ? refuse(why, self->path, "named") : FAN_OK;
}

enum fan_err mark_create(const char *dir, uint64_t owner, struct mark **out, struct fan_why *why)
{
    struct mark *self = calloc(1, sizeof *self);
    char young[sizeof self->path + 4]; /* nobody looks for a dead renderer's under this name */
    enum fan_err err;

    if (!self)
        fan_die("out of memory: a mark");
    self->fd = -1;
    snprintf(self->path, sizeof self->path, "%s/renderer-%016llx" SUFFIX, dir,
            (unsigned long long)owner);
    snprintf(young, sizeof young, "%s.new", self->path);
    if (mkdir(dir, 0700) && errno != EEXIST)
        err = refuse(why, dir, "made");
    else
        err = prepare(self, young, owner, why);
    if (err) {
        unlink(young);
        mark_remove(&self);
    }
    *out = self;
    return err;
}

void mark_remove(struct mark **mark)
{
    struct mark *self = *mark;

    if (!self)
        return;
    if (self->page)
        munmap(self->page, PAGE);
    if (self->fd >= 0) {
        unlink(self->path);
        close(self->fd);
    }
    free(self);
    *mark = NULL;
}

/* Each store stands before what comes next: a reader of the dead process's file sees them so. */
static void store(struct mark *mark, uint32_t writing)
{
    mark->page->writing = writing;
    atomic_signal_fence(memory_order_seq_cst);
}

void mark_chunk(struct mark *mark, fan_id account, fan_id chunk)
{
    if (!mark)
        return;
    store(mark, 0);
    mark->page->account = account;
    mark->page->chunk = chunk;
}

void mark_writing(struct mark *mark, uint32_t position)
{
    if (mark)
        store(mark, position + 1);
}

void mark_written(struct mark *mark)
{
    if (mark)
        store(mark, 0);
}

/* ---- what the dead left ---- */

/* What the file says; a file that is none of ours says nothing. */
static void read_left(struct mark_left *left)
{
    char boot[FAN_BOOT_ID];
    struct page page;

    left->position = -1;
    if (pread(left->fd, &page, sizeof page, 0) != (ssize_t)sizeof page ||
            memcmp(page.magic, MAGIC, sizeof page.magic) != 0)
        return;
    fan_boot_id(boot);
    if (!boot[0] || memcmp(page.boot, boot, sizeof boot) != 0)
        return;
    left->owner = page.owner;
    left->account = page.account;
    left->chunk = page.chunk;
    if (page.writing > 0 && page.writing <= FAN_CHUNK_MAX)
        left->position = (int)page.writing - 1;
}

static bool try_file(const char *dir, const char *name, const struct mark *ours,
        struct mark_left *out)
{
    size_t len = strlen(name);

    if (len < sizeof SUFFIX || strcmp(name + len + 1 - sizeof SUFFIX, SUFFIX) != 0)
        return false;
    *out = (struct mark_left){ .fd = -1 };
    snprintf(out->path, sizeof out->path, "%s/%s", dir, name);
    if (ours && strcmp(out->path, ours->path) == 0)
        return false;
    out->fd = open(out->path, O_RDONLY | O_CLOEXEC);
    if (out->fd < 0)
        return false;
    if (flock(out->fd, LOCK_EX | LOCK_NB)) { /* its writer lives */
        close(out->fd);
        return false;
    }
    read_left(out);
    return true;
}

bool mark_find_left(const char *dir, const struct mark *ours, struct mark_left *out)
{
    DIR *list = opendir(dir);
    const struct dirent *entry;
    bool found = false;

    if (!list)
        return false;
    while (!found && (entry = readdir(list)))
        found = try_file(dir, entry->d_name, ours, out);
    closedir(list);
    return found;
}

void mark_left_close(struct mark_left *left, bool done)
{
    if (done)
        unlink(left->path);
    close(left->fd);
}

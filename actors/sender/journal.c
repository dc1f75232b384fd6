#include "actors/sender/journal.h"

#include "actors/lib/decide/evidence.h"
#include "broker/runtime/clock.h"
#include "broker/runtime/log.h"
#include "proto/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "FANJRNL4"

/* What a journal costs is measured against a build that keeps none (tests/bench/guarantees.py). It
 * is no setting, because nobody may run it: what such a sender has under way when it dies is known
 * to nobody. */
#ifdef FAN_BENCH_UNSAFE
enum { KEPT = 0 };
#else
enum { KEPT = 1 };
#endif

/* The first page. */
struct head {
    char magic[8];
    char boot[FAN_BOOT_ID]; /* the kernel's boot id */
    uint64_t owner;
    uint32_t slots;
    uint32_t slot_size;
};

enum { HEAD_SIZE = 4096, SLOTS_MOST = 4096 };

struct journal {
    char path[512];
    int fd;
    size_t size;
    struct head *head;
    struct journal_slot *slots;
    uint32_t slots_len;
    int zero;                     /* /dev/zero: what takes the place of a page that is gone */
    volatile sig_atomic_t broken; /* a page of it is not the file's any more */
    bool disowned;                /* the file says so */
};

/* A signal's handler can be handed nothing: so the journal of this process stands here. */
static struct journal *volatile guarded;

/* The disk under a page is gone. Memory takes its place, so that this process goes on; what is
 * stored there dies with it, so from now on nothing may be started (journal_is_broken). */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    struct journal *self = guarded;
    char *at = info->si_addr, *page;

    (void)context;
    if (self && at >= (char *)self->head && at < (char *)self->head + self->size) {
        page = at - (uintptr_t)at % HEAD_SIZE;
        page = mmap(page, HEAD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, self->zero,
                0);
        if (page != MAP_FAILED) {
            self->broken = 1;
            return;
        }
    }
    signal(number, SIG_DFL); /* not ours: the same access ends the process */
}

static void guard(struct journal *self)
{
    struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

    self->zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
    guarded = self;
    sigaction(SIGBUS, &action, NULL);
}

static size_t size_for(uint32_t slots)
{
    return HEAD_SIZE + (size_t)slots * sizeof(struct journal_slot);
}

static enum fan_err refuse(struct fan_why *why, const char *path, const char *what)
{
    return fan_fail(why, FAN_UNAVAILABLE, "the journal %s cannot be %s: %s", path, what,
            strerror(errno));
}

static enum fan_err prepare(struct journal *self, const char *young, uint64_t owner,
        struct fan_why *why)
{
    int full;

    self->fd = open(young, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (self->fd < 0)
        return refuse(why, self->path, "made");
    if (flock(self->fd, LOCK_EX | LOCK_NB))
        return refuse(why, self->path, "locked");
    full = posix_fallocate(self->fd, 0,
            (off_t)self->size); /* room now, so that no store can fail later */
    if (full) {
        errno = full;
        return refuse(why, self->path, "given room");
    }
    self->head = mmap(NULL, self->size, PROT_READ | PROT_WRITE, KEPT ? MAP_SHARED : MAP_PRIVATE,
            self->fd, 0);
    if (self->head == MAP_FAILED) {
        self->head = NULL;
        return refuse(why, self->path, "mapped");
    }
    self->slots = (struct journal_slot *)((char *)self->head + HEAD_SIZE);
    guard(self);
    fan_boot_id(self->head->boot);
    self->head->owner = owner;
    self->head->slots = self->slots_len;
    self->head->slot_size = sizeof(struct journal_slot);
    atomic_thread_fence(memory_order_release);
    memcpy(self->head->magic, MAGIC, sizeof self->head->magic);
    if (self->broken) {
        errno = EIO;
        return refuse(why, self->path, "written");
    }
    return rename(young, self->path) ? refuse(why, self->path, "named") : FAN_OK;
}

enum fan_err journal_create(const char *dir, uint64_t owner, uint32_t slots, struct journal **out,
        struct fan_why *why)
{
    struct journal *self = calloc(1, sizeof *self);
    char young[sizeof self->path + 4]; /* nobody looks for a dead writer's file under this name */
    enum fan_err err;

    if (!self)
        fan_die("out of memory: a journal");
    self->fd = self->zero = -1;
    self->slots_len = slots;
    self->size = size_for(slots);
    snprintf(self->path, sizeof self->path, "%s/sender-%016llx.journal", dir,
            (unsigned long long)owner);
    if (mkdir(dir, 0700) && errno != EEXIST) {
        err = refuse(why, dir, "made");
        free(self);
        return err;
    }
    snprintf(young, sizeof young, "%s.new", self->path);
    err = prepare(self, young, owner, why);
    if (err) {
        unlink(young); /* on a full disk it would take the room that it lacks */
        journal_remove(&self);
    }
    *out = self;
    return err;
}

void journal_remove(struct journal **journal)
{
    struct journal *self = *journal;

    if (!self)
        return;
    if (guarded == self)
        guarded = NULL;
    if (self->zero >= 0)
        close(self->zero);
    if (self->head)
        munmap(self->head, self->size);
    if (self->fd >= 0) {
        unlink(self->path);
        close(self->fd);
    }
    free(self);
    *journal = NULL;
}

/* A page that is missing in the file looks like one on which nothing was begun. As under another
 * boot, only answers count from now on. */
static void disown(struct journal *self)
{
    self->disowned = true;
    self->head->boot[0] = '\0';
}

bool journal_is_broken(struct journal *journal)
{
    if (journal->broken && !journal->disowned)
        disown(journal);
    return journal->broken != 0;
}

/* Nothing is begun to be written for it: pages on their way to the disk are waited for, those of
 * the first page only, and errors are told of the whole file. */
void journal_look(struct journal *journal)
{
    if (FAN_FAULTY("sender.journal_look") ||
            (sync_file_range(journal->fd, 0, HEAD_SIZE, SYNC_FILE_RANGE_WAIT_BEFORE) &&
                    (errno == EIO || errno == ENOSPC)))
        journal->broken = 1;
}

struct journal_slot *journal_take(struct journal *journal)
{
    for (uint32_t i = 0; i < journal->slots_len; i++) {
        struct journal_slot *slot = &journal->slots[i];
        if (slot->used)
            continue;
        memset(slot, 0, KEPT ? sizeof *slot : offsetof(struct journal_slot, records));
        return slot;
    }
    return NULL;
}

void journal_release(struct journal_slot *slot)
{
    slot->used = 0;
}

void journal_begin(struct journal_slot *slot)
{
    if (!KEPT)
        return;
    atomic_thread_fence(memory_order_release);
    slot->used = 1;
}

void journal_writing(struct journal_slot *slot, uint32_t position)
{
    if (!KEPT)
        return;
    slot->writing = position + 1;
    atomic_thread_fence(memory_order_release);
}

/* Stores must reach the page in the order in which they were made: a reader of the dead process's
 * file sees them so. */
void journal_started(struct journal_slot *slot, uint32_t position)
{
    if (!KEPT)
        return;
    atomic_thread_fence(memory_order_release);
    slot->begun = position + 1;
    slot->records[position].word = JOURNAL_STARTED;
    atomic_thread_fence(memory_order_seq_cst);
}

void journal_answered(struct journal_slot *slot, uint32_t position,
        const struct journal_answer *answer)
{
    struct journal_record *record = &slot->records[position];

    if (!KEPT)
        return;
    record->message = slot->items[position];
    record->epoch = slot->epoch;
    record->state = (uint8_t)answer->state;
    record->outcome = (uint8_t)answer->outcome;
    record->reason = (uint8_t)answer->reason;
    record->free = answer->free;
    record->id_len = 0;
    if (answer->id.len > 0 && answer->id.len <= sizeof record->id) {
        memcpy(record->id, answer->id.at, answer->id.len);
        record->id_len = (uint8_t)answer->id.len;
    }
    atomic_thread_fence(memory_order_release);
    record->word = JOURNAL_ANSWERED;
}

bool journal_answer_counts(const struct journal_slot *slot, uint32_t position)
{
    const struct journal_record *record = &slot->records[position];

    return record->word == JOURNAL_ANSWERED && record->message == slot->items[position] &&
            record->epoch == slot->epoch && record->state >= FAN_MESSAGE_RETRY &&
            record->state <= FAN_MESSAGE_SKIPPED && record->id_len <= sizeof record->id;
}

uint32_t journal_opened(const struct journal_slot *slot)
{
    return slot->opened < JOURNAL_POSITIONS ? slot->opened : JOURNAL_POSITIONS;
}

enum fan_message_state journal_says(const struct journal_slot *slot, uint32_t position,
        bool same_boot, bool evidence)
{
    const struct journal_record *record = &slot->records[position];

    if (record->word == JOURNAL_NOTHING)
        return evidence && same_boot && position >= slot->begun ? FAN_MESSAGE_RETRY
                                                                : FAN_MESSAGE_PENDING;
    if (!journal_answer_counts(slot, position))
        return FAN_MESSAGE_PENDING;
    return evidence ? fan_evidence_of((enum fan_message_state)record->state)
                    : (enum fan_message_state)record->state;
}

int journal_died_writing(const struct journal_slot *slot)
{
    uint32_t position = slot->writing - 1;

    if (slot->writing == 0 || position >= journal_opened(slot) ||
            slot->records[position].word != JOURNAL_NOTHING)
        return -1;
    return (int)position;
}

uint32_t journal_begun(const struct journal_slot *slot)
{
    uint32_t begun = slot->begun, from = JOURNAL_POSITIONS;

    while (from > begun && slot->records[from - 1].word == JOURNAL_NOTHING)
        from--;
    return from;
}

static bool is_journal(const struct head *head, size_t size)
{
    return memcmp(head->magic, MAGIC, sizeof head->magic) == 0 &&
            head->slot_size == sizeof(struct journal_slot) && head->slots <= SLOTS_MOST &&
            size == size_for(head->slots);
}

/* The whole of a file; NULL: it cannot be read. */
static char *read_whole(int fd, size_t size)
{
    char *copy = aligned_alloc(JOURNAL_RECORD,
            (size + JOURNAL_RECORD - 1) / JOURNAL_RECORD * JOURNAL_RECORD);
    size_t have = 0;
    ssize_t got = 1;

    if (!copy)
        fan_die("out of memory: a dead sender's journal");
    while (have < size && got > 0) {
        got = pread(fd, copy + have, size - have, (off_t)have);
        have += got > 0 ? (size_t)got : 0;
    }
    if (have == size && !FAN_FAULTY("sender.read_journal"))
        return copy;
    free(copy);
    return NULL;
}

/* Read a file that we have the lock of; false: it is no journal, was never begun, or cannot be
 * read. */
static bool read_left(struct journal_left *left)
{
    const struct head *head;
    struct stat info;
    char boot[FAN_BOOT_ID];

    if (fstat(left->fd, &info) || info.st_size < HEAD_SIZE ||
            (size_t)info.st_size > size_for(SLOTS_MOST))
        return false;
    left->copy = read_whole(left->fd, (size_t)info.st_size);
    if (!left->copy)
        return false;
    head = (const struct head *)left->copy;
    if (!is_journal(head, (size_t)info.st_size)) {
        free(left->copy);
        return false;
    }
    fan_boot_id(boot);
    left->owner = head->owner;
    left->same_boot = boot[0] && strncmp(boot, head->boot, sizeof boot) == 0;
    left->slots_len = head->slots;
    left->slots = (const struct journal_slot *)(left->copy + HEAD_SIZE);
    return true;
}

/* Keep a file that is no journal, or another build's, out of the way. */
static void set_aside(const char *path, const char *name)
{
    char aside[600];

    fan_log(NULL, FAN_WARN, "journal.refused", "%s is no journal that this build reads", name);
    snprintf(aside, sizeof aside, "%s.refused", path);
    if (rename(path, aside))
        unlink(path);
}

static bool try_file(const char *dir, const char *name, struct journal_left *out)
{
    size_t len = strlen(name);

    if (len < 8 || strcmp(name + len - 8, ".journal") != 0)
        return false;
    *out = (struct journal_left){ .fd = -1 };
    snprintf(out->path, sizeof out->path, "%s/%s", dir, name);
    out->fd = open(out->path, O_RDWR | O_CLOEXEC);
    if (out->fd < 0)
        return false;
    if (flock(out->fd, LOCK_EX | LOCK_NB)) { /* its writer lives */
        close(out->fd);
        return false;
    }
    if (read_left(out))
        return true;
    set_aside(out->path, name);
    close(out->fd);
    return false;
}

bool journal_find_left(const char *dir, struct journal_left *out)
{
    DIR *list = opendir(dir);
    const struct dirent *entry;
    bool found = false;

    if (!list)
        return false;
    while (!found && (entry = readdir(list)))
        found = try_file(dir, entry->d_name, out);
    closedir(list);
    return found;
}

void journal_left_close(struct journal_left *left, bool done)
{
    free(left->copy);
    if (done)
        unlink(left->path);
    close(left->fd);
}

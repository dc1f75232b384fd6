/*
 * What a dead sender left, torn or hostile: reading it ends, stays within its bounds, and says only
 * what a record says of its own message and epoch.
 *
 * The first byte chooses: an input that is the file, or patches of a journal that was in order,
 * each of them an offset (4 bytes), a length (1) and the bytes; 0xffffffff cuts the file off.
 *
 * LINKS: actors/sender
 */
#include "actors/sender/journal.h"
#include "proto/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

enum { SLOTS = 2, OWNER = 7, HEAD = 4096, PATH = 96 };

static char folder[64], path[PATH];
static char sound[HEAD + SLOTS * sizeof(struct journal_slot)];

static void drop(void)
{
    char aside[PATH + 16];

    snprintf(aside, sizeof aside, "%s.refused", path);
    unlink(path);
    unlink(aside);
}

static void remove_folder(void)
{
    drop();
    rmdir(folder);
}

static void hold(struct journal *journal, uint32_t chunk)
{
    struct journal_slot *slot = journal_take(journal);

    slot->account = 1;
    slot->chunk = chunk;
    slot->epoch = 3;
    slot->size = 9;
    slot->opened = 6;
    for (uint32_t p = 0; p < slot->size; p++)
        slot->items[p] = (int64_t)chunk * 512 + p;
    journal_begin(slot);
    for (uint32_t p = 0; p < 4; p++)
        journal_started(slot, p);
    journal_answered(slot, 0,
            &(struct journal_answer){ FAN_MESSAGE_SENT, FAN_ACCEPTED, 0, false, FAN_LIT("SM123") });
    journal_answered(slot, 2,
            &(struct journal_answer){ FAN_MESSAGE_RETRY, FAN_RETRY_LATER, 0, true, FAN_NO_BYTES });
}

/* Keep the bytes of a journal as a sender writes it. */
static void make_sound(void)
{
    const char *room = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    struct journal *journal;
    int fd;

    snprintf(folder, sizeof folder, "%s/fanfare-fuzz-XXXXXX", room);
    FAN_ASSERT(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/sender-%016x.journal", folder, OWNER);
    atexit(remove_folder);
    FAN_ASSERT(journal_create(folder, OWNER, SLOTS, &journal, NULL) == FAN_OK);
    hold(journal, 42);
    hold(journal, 43);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    FAN_ASSERT(read(fd, sound, sizeof sound) == (ssize_t)sizeof sound);
    close(fd);
    journal_remove(&journal);
}

static void write_file(const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FAN_ASSERT(write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

static void write_patched(const uint8_t *at, size_t len)
{
    static char bytes[sizeof sound];
    size_t size = sizeof bytes;

    memcpy(bytes, sound, sizeof bytes);
    while (len >= 5) {
        uint32_t offset = at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
        size_t count = at[4];

        at += 5;
        len -= 5;
        if (offset == UINT32_MAX) {
            size = size * count / 255;
            continue;
        }
        count = count < len ? count : len;
        for (size_t i = 0; i < count; i++)
            bytes[(offset + i) % sizeof bytes] = (char)at[i];
        at += count;
        len -= count;
    }
    write_file(bytes, size);
}

static void read_slot(const struct journal_slot *slot, bool same_boot)
{
    uint32_t opened = journal_opened(slot), begun = journal_begun(slot);

    FAN_ASSERT(begun <= JOURNAL_POSITIONS && opened <= JOURNAL_POSITIONS);
    for (uint32_t p = 0; p < opened; p++) {
        const struct journal_record *record = &slot->records[p];
        int under = journal_says(slot, p, same_boot, false);
        int after = journal_says(slot, p, same_boot, true);

        FAN_ASSERT(!under || (record->message == slot->items[p] && record->epoch == slot->epoch));
        FAN_ASSERT(under <= FAN_MESSAGE_SKIPPED && record->word <= UINT8_MAX);
        FAN_ASSERT(!after || after == FAN_MESSAGE_SENT || after == FAN_MESSAGE_FAILED ||
                after == FAN_MESSAGE_RETRY);
        FAN_ASSERT(same_boot || under || !after); /* what is missing proves nothing */
        FAN_ASSERT(p < begun || record->word == JOURNAL_NOTHING);
        FAN_ASSERT(!under || record->id_len <= sizeof record->id);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct journal_left left;

    if (!folder[0])
        make_sound();
    if (len == 0)
        return 0;
    if (at[0] & 1)
        write_patched(at + 1, len - 1);
    else
        write_file(at + 1, len - 1);
    if (journal_find_left(folder, &left)) {
        for (uint32_t i = 0; i < left.slots_len; i++) {
            read_slot(&left.slots[i], left.same_boot);
            read_slot(&left.slots[i], !left.same_boot);
        }
        journal_left_close(&left, true);
    }
    drop();
    return 0;
}

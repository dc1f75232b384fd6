#include "actors/ingester/spool_reader.h"

#include "broker/runtime/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_AT_ONCE = 256 * 1024, /* bytes */
    ASIDE_MOST = 1000,         /* records that this process sets aside; the rest is only counted */
};

struct spool_reader {
    struct spool *spool;
    struct spool_place place;
    int fd;                   /* of place.segment; -1: not open */
    uint64_t salt;            /* of that segment */
    size_t lost;              /* bytes from place.offset on that are known to begin no record */
    struct fan_buffer window; /* what follows place.offset, as far as it was read */
    struct fan_bytes last;    /* the record that was read last, in @window */
    struct spool_place last_place;
    size_t consumed; /* bytes of @window that are behind us */
    uint64_t kept;   /* segments below it are gone */
    int cursor_fd;
    int aside;
};

/* The cursor's file: place and checksum, as this machine writes numbers. */
struct cursor {
    struct spool_place place;
    uint64_t check;
};

static uint64_t check_of(const struct spool_place *place)
{
    return spool_crc32c((struct fan_bytes){ (const char *)place, sizeof *place });
}

static void close_segment(struct spool_reader *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
    fan_buffer_clear(&self->window);
    self->consumed = self->lost = 0;
    self->last = FAN_NO_BYTES;
}

void spool_reader_seek(struct spool_reader *self, struct spool_place place)
{
    close_segment(self);
    self->place = place;
}

struct spool_reader *spool_reader_open(struct spool *spool)
{
    struct spool_reader *self = calloc(1, sizeof *self);
    struct cursor cursor = { 0 };
    char path[600];

    if (!self)
        fan_die("out of memory: the spool");
    self->spool = spool;
    self->fd = -1;
    fan_buffer_init(&self->window, SPOOL_RECORD_MAX + 2 * READ_AT_ONCE);
    snprintf(path, sizeof path, "%s/cursor", spool_dir(spool));
    self->cursor_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (pread(self->cursor_fd, &cursor, sizeof cursor, 0) == (ssize_t)sizeof cursor &&
            cursor.check == check_of(&cursor.place))
        self->place = cursor.place;
    if (self->place.offset < SPOOL_SEGMENT_HEAD)
        self->place.offset = SPOOL_SEGMENT_HEAD;
    spool_begin_behind(spool, self->place);
    return self;
}

void spool_reader_close(struct spool_reader **reader)
{
    struct spool_reader *self = *reader;

    if (!self)
        return;
    close_segment(self);
    if (self->cursor_fd >= 0)
        close(self->cursor_fd);
    fan_buffer_fini(&self->window);
    free(self);
    *reader = NULL;
}

struct spool_place spool_reader_place(const struct spool_reader *self)
{
    return self->place;
}

void spool_reader_applied(struct spool_reader *self, struct spool_place place)
{
    struct cursor cursor = { .place = place, .check = check_of(&place) };
    uint64_t segment = self->kept;

    spool_note_applied(self->spool, place);
    /* What is read again does no harm; that a full disk gets room must not depend on it. */
    if (pwrite(self->cursor_fd, &cursor, sizeof cursor, 0) < 0)
        fan_log(NULL, FAN_DEBUG, "cursor.unwritten", "%s", strerror(errno));
    if (place.segment == segment)
        return; /* nothing is finished */
    while (spool_first_segment(self->spool, segment, &segment) && segment < place.segment)
        spool_drop_segment(self->spool, segment++);
    self->kept = place.segment;
}

/* ---- what is damaged ---- */

static void set_aside(struct spool_reader *self, struct spool_place place, struct fan_bytes bytes)
{
    char path[700];
    int fd;

    fan_log(NULL, FAN_ERROR, "record.refused",
            "spool record %" PRIx64 "-%" PRIu64
            " cannot be applied (checksum %08x); it is kept in bad/",
            place.segment, place.offset, spool_crc32c(bytes));
    if (self->aside++ >= ASIDE_MOST)
        return;
    snprintf(path, sizeof path, "%s/bad", spool_dir(self->spool));
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return;
    snprintf(path, sizeof path, "%s/bad/%" PRIx64 "-%" PRIu64 ".rec", spool_dir(self->spool),
            place.segment, place.offset);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write(fd, bytes.at, bytes.len) != (ssize_t)bytes.len)
        unlink(path);
    close(fd);
}

void spool_reader_set_aside(struct spool_reader *self)
{
    if (self->last.at)
        set_aside(self, self->last_place, self->last);
}

/* ---- reading ---- */

/* Nobody writes to this segment any more. A newer one than the end's is just being begun. */
static bool is_finished(const struct spool_reader *self)
{
    struct spool_place end = spool_end(self->spool);

    return self->place.segment < end.segment ||
            (self->place.segment == end.segment && end.offset == UINT64_MAX);
}

static struct fan_bytes unread(const struct spool_reader *self)
{
    struct fan_bytes window = fan_buffer_bytes(&self->window);

    return (struct fan_bytes){ window.at + self->consumed, window.len - self->consumed };
}

/* Read on. false: there is no more. */
static bool refill(struct spool_reader *self)
{
    ssize_t n;
    char *to;

    fan_buffer_drop(&self->window, self->consumed);
    self->consumed = 0;
    self->last = FAN_NO_BYTES;
    to = fan_buffer_reserve(&self->window, READ_AT_ONCE);
    if (!to)
        return false;
    n = pread(self->fd, to, READ_AT_ONCE, (off_t)(self->place.offset + self->window.len));
    if (n > 0)
        fan_buffer_grew(&self->window, (size_t)n);
    return n > 0;
}

static void leave_segment(struct spool_reader *self)
{
    spool_reader_seek(self, (struct spool_place){ self->place.segment + 1, SPOOL_SEGMENT_HEAD });
}

/* Whether the segment that was just opened can be read. One without a whole head was begun by a
 * process that was killed, or is just being begun. One whose head is no head is not ours to delete:
 * another version of us may have written it. */
static bool has_head(struct spool_reader *self, bool *broken)
{
    char head[SPOOL_SEGMENT_HEAD];
    ssize_t n = pread(self->fd, head, sizeof head, 0);
    struct fan_bytes bytes = { head, sizeof head };

    *broken = n == (ssize_t)sizeof head && !spool_head_read(bytes, &self->salt);
    return n == (ssize_t)sizeof head && !*broken;
}

/* Open the segment that is to be read, or the first one behind it. */
static bool open_segment(struct spool_reader *self)
{
    uint64_t segment;

    while (self->fd < 0) {
        bool finished, broken;

        if (!spool_first_segment(self->spool, self->place.segment, &segment))
            return false;
        if (segment != self->place.segment)
            self->place = (struct spool_place){ segment, SPOOL_SEGMENT_HEAD };
        finished = is_finished(self);
        self->fd = spool_open_segment(self->spool, segment);
        if (self->fd < 0)
            return false;
        if (has_head(self, &broken))
            return true;
        close_segment(self);
        if (!finished && !broken)
            return false;
        if (broken)
            spool_put_segment_aside(self->spool, segment);
        leave_segment(self);
    }
    return true;
}

static void move_on(struct spool_reader *self, size_t size)
{
    self->last = (struct fan_bytes){ unread(self).at, size };
    self->last_place = self->place;
    self->consumed += size;
    self->place.offset += size;
    self->lost = 0;
}

/* Pass over what is no record. */
static void pass_over(struct spool_reader *self, size_t size)
{
    set_aside(self, self->place, (struct fan_bytes){ unread(self).at, size });
    move_on(self, size);
}

/* Find the next record behind a head that is damaged, as far as the window goes. false: there is
 * none in it */
static bool look_for_record(struct spool_reader *self)
{
    struct fan_bytes rest = unread(self);
    struct spool_record record;
    size_t size;

    for (;;) {
        struct fan_bytes from = { rest.at + self->lost, rest.len - self->lost };

        self->lost += spool_record_find(from);
        from = (struct fan_bytes){ rest.at + self->lost, rest.len - self->lost };
        if (from.len < SPOOL_RECORD_HEAD) {
            self->lost--; /* looked at again when more was read */
            return false;
        }
        if (spool_record_read(from, self->salt, &record, &size) == SPOOL_WHOLE || size > 0)
            return true;
    }
}

/* Come to a record behind what is damaged. false: none follows yet */
static bool recover(struct spool_reader *self, bool finished)
{
    while (!look_for_record(self)) {
        if (self->lost > SPOOL_RECORD_MAX)
            pass_over(self, self->lost);
        else if (!refill(self)) {
            if (finished)
                pass_over(self, unread(self).len);
            return finished;
        }
    }
    pass_over(self, self->lost);
    return true;
}

bool spool_reader_next(struct spool_reader *self, struct spool_record *out)
{
    while (open_segment(self)) {
        bool finished = is_finished(self); /* asked first: its last record may just come */
        size_t size;

        switch (spool_record_read(unread(self), self->salt, out, &size)) {
        case SPOOL_WHOLE:
            move_on(self, size);
            return true;
        case SPOOL_BROKEN:
            if (size)
                pass_over(self, size);
            else if (!recover(self, finished))
                return false;
            break;
        case SPOOL_PART:
            if (refill(self))
                break;
            if (!finished)
                return false;
            leave_segment(self); /* at its end, or where its writer was killed */
        }
    }
    return false;
}

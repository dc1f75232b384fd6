/* A file on its way in: written, hashed and recognised part by part. */
#include "actors/lib/media/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    FREE_PERCENT = 5,             /* of the disk, left to others */
    FLUSH_BYTES = 2 * 1024 * 1024 /* the disk starts so early that the end need not wait for all */
};

struct hashing {
    crypto_hash_sha256_state state;
};

enum fan_err media_disk_failed(struct fan_why *why, const char *doing)
{
    int error = errno;

    if (error == ENOSPC || error == EDQUOT)
        return fan_fail(why, FAN_UNAVAILABLE, "the disk of the media folder is full");
    return fan_fail(why, FAN_UNAVAILABLE, "cannot %s in the media folder: %s", doing,
            strerror(error));
}

const char *media_incoming_path(const struct fan_media_incoming *incoming, struct fan_arena *arena)
{
    return fan_arena_printf(arena, "%s/incoming/%s", incoming->media->dir, incoming->name);
}

static enum fan_err has_room(const struct fan_media *media, struct fan_why *why)
{
    struct statvfs disk;

    if (statvfs(media->dir, &disk) == 0 && disk.f_bavail < disk.f_blocks / 100 * FREE_PERCENT)
        return fan_fail(why, FAN_UNAVAILABLE,
                "less than %d %% of the disk of the media folder are free", FREE_PERCENT);
    return FAN_OK;
}

enum fan_err fan_media_begin(struct fan_media *media, struct fan_media_incoming **out,
        struct fan_why *why)
{
    struct fan_media_incoming *incoming;
    unsigned char random[12];
    struct fan_arena *arena;
    enum fan_err err = has_room(media, why);

    if (err)
        return err;
    incoming = calloc(1, sizeof *incoming);
    if (!incoming || !(incoming->hashing = malloc(sizeof *incoming->hashing)))
        fan_die("out of memory: a file on its way in");
    incoming->media = media;
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(incoming->name, sizeof incoming->name, random, sizeof random);
    arena = fan_arena_new();
    incoming->fd =
            open(media_incoming_path(incoming, arena), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    fan_arena_free(&arena);
    if (incoming->fd < 0) {
        err = media_disk_failed(why, "make a file");
        free(incoming->hashing);
        free(incoming);
        return err;
    }
    crypto_hash_sha256_init(&incoming->hashing->state);
    *out = incoming;
    return FAN_OK;
}

void fan_media_drop(struct fan_media_incoming **incoming)
{
    struct fan_media_incoming *self = *incoming;
    struct fan_arena *arena;

    if (!self)
        return;
    arena = fan_arena_new();
    unlink(media_incoming_path(self, arena)); /* gone already, when it was kept */
    fan_arena_free(&arena);
    close(self->fd);
    free(self->hashing);
    free(self);
    *incoming = NULL;
}

/* Keep the first bytes until they tell what it is. */
static enum fan_err recognise(struct fan_media_incoming *self, struct fan_bytes part, bool last,
        struct fan_why *why)
{
    size_t have = self->object.bytes < FAN_MEDIA_HEAD ? (size_t)self->object.bytes : FAN_MEDIA_HEAD;
    size_t more = part.len < FAN_MEDIA_HEAD - have ? part.len : FAN_MEDIA_HEAD - have;
    struct fan_bytes head = { (const char *)self->head, have + more };

    if (self->object.type)
        return FAN_OK;
    if (more)
        memcpy(self->head + have, part.at, more);
    if (head.len < FAN_MEDIA_HEAD && !last)
        return FAN_OK;
    self->object.type = fan_media_type_find(head);
    if (!self->object.type)
        return fan_fail(why, FAN_INVALID,
                "the file is no PNG, JPEG, WebP, GIF, MP3, AAC, AMR, OGG, WAV, M4A, MP4, 3GP or "
                "PDF: its first bytes say so, whatever its name is");
    return FAN_OK;
}

static enum fan_err within_cap(const struct fan_media_incoming *self, size_t more,
        struct fan_why *why)
{
    enum fan_media_kind kind =
            self->object.type ? fan_media_rule_of(self->object.type)->kind : FAN_MEDIA_IMAGE;

    if (self->object.bytes + (int64_t)more <= fan_media_cap(kind))
        return FAN_OK;
    return fan_fail(why, FAN_TOO_LARGE, "a file of this kind (%s) may have %lld MiB",
            fan_media_kind_name(kind), (long long)(fan_media_cap(kind) >> 20));
}

static enum fan_err write_all(struct fan_media_incoming *self, struct fan_bytes part,
        struct fan_why *why)
{
    while (part.len) {
        ssize_t n = write(self->fd, part.at, part.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return media_disk_failed(why, "write");
        part.at += n;
        part.len -= (size_t)n;
    }
    return FAN_OK;
}

enum fan_err fan_media_add(struct fan_media_incoming *self, struct fan_bytes part,
        struct fan_why *why)
{
    enum fan_err err;

    FAN_ASSERT(!self->ended);
    if (!part.len)
        return FAN_OK;
    err = recognise(self, part, false, why);
    if (!err)
        err = within_cap(self, part.len, why);
    if (!err)
        err = write_all(self, part, why);
    if (err)
        return err;
    crypto_hash_sha256_update(&self->hashing->state, (const unsigned char *)part.at, part.len);
    self->object.bytes += (int64_t)part.len;
    if (self->object.bytes - self->flushed >= FLUSH_BYTES) {
        sync_file_range(self->fd, self->flushed, 0, SYNC_FILE_RANGE_WRITE);
        self->flushed = self->object.bytes;
    }
    return FAN_OK;
}

static enum fan_err measure(struct fan_media_incoming *self, struct fan_why *why)
{
    struct fan_media_object *object = &self->object;
    bool known;
    void *at;

    if (fan_media_rule_of(object->type)->kind != FAN_MEDIA_IMAGE)
        return FAN_OK;
    at = mmap(NULL, (size_t)object->bytes, PROT_READ, MAP_PRIVATE, self->fd, 0);
    if (at == MAP_FAILED)
        return media_disk_failed(why, "read");
    known = fan_media_measure(object->type, (struct fan_bytes){ at, (size_t)object->bytes },
            &object->width, &object->height);
    munmap(at, (size_t)object->bytes);
    if (!known)
        return fan_fail(why, FAN_INVALID,
                "the picture is damaged: it does not say how large it is");
    return FAN_OK;
}

enum fan_err fan_media_end(struct fan_media_incoming *self, struct fan_media_object *out,
        struct fan_why *why)
{
    enum fan_err err = FAN_OK;

    if (self->object.bytes == 0)
        return fan_fail(why, FAN_INVALID, "the file is empty");
    err = recognise(self, FAN_NO_BYTES, true, why);
    if (!err)
        err = measure(self, why);
    if (!err && fdatasync(self->fd) != 0)
        err = media_disk_failed(why, "write");
    if (err)
        return err;
    crypto_hash_sha256_final(&self->hashing->state, self->object.hash);
    self->ended = true;
    *out = self->object;
    return FAN_OK;
}

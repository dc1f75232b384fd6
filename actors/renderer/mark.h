/*
 * mark — what a renderer tells about the copy that it is writing, should it die of that.
 *
 * One page of a file, mapped and locked for the renderer's life. A store into it costs no system
 * call and survives the death of the process, because the page belongs to the kernel; whoever gets
 * the lock knows that the writer is dead. After another boot a page may be older than what
 * happened, so it is not believed.
 */
#ifndef FAN_ACTORS_RENDERER_MARK_H
#define FAN_ACTORS_RENDERER_MARK_H

#include "proto/bytes.h"
#include "proto/err.h"

struct mark;

/** Make this process's mark in @dir, locked. fails FAN_UNAVAILABLE: the file cannot be made */
enum fan_err mark_create(const char *dir, uint64_t owner, struct mark **out,
        struct fan_why *why) FAN_MUST_CHECK;
/** Remove it: a renderer that stopped in good order is not asked about. @mark may hold NULL */
void mark_remove(struct mark **mark);

/* ---- what is being written; @mark may be NULL ---- */

void mark_chunk(struct mark *mark, fan_id account, fan_id chunk);
void mark_writing(struct mark *mark, uint32_t position);
/** None is any more. */
void mark_written(struct mark *mark);

/* ---- what the dead left ---- */

/* A dead renderer's mark, held by its lock. */
struct mark_left {
    char path[512];
    int fd;
    uint64_t owner;
    fan_id account, chunk;
    int position; /* of the copy that was being written; -1: none, or it is not to be believed */
};

/** Find a mark in @dir whose writer is dead, and lock it; ours is passed over. false: there is
 * none. */
bool mark_find_left(const char *dir, const struct mark *ours, struct mark_left *out);
/** Done with it: it is deleted, or (!done) left for another try. */
void mark_left_close(struct mark_left *left, bool done);

#endif

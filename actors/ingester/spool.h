/*
 * spool — what came in, on this process's own disk before anybody is told that we have it.
 *
 * A folder that belongs to one process (locked for its life) with segments of records. The loop's
 * thread appends; another one reads behind it (spool_reader.h), also what is not on the disk yet:
 * applying a record early does no harm. A process begins a segment of its own, so that nothing is
 * ever written behind a record that a killed one left half written; so it does when the disk failed
 * to take something, and then nobody who still waited is told that it is safe.
 */
#ifndef FAN_ACTORS_INGESTER_SPOOL_H
#define FAN_ACTORS_INGESTER_SPOOL_H

#include "actors/ingester/spool_format.h"
#include "broker/runtime/loop.h"
#include "proto/err.h"

struct spool;

/* A place in the spool. */
struct spool_place {
    uint64_t segment;
    uint64_t offset;
};

struct spool_options {
    const char *dir;
    uint64_t cap;          /* bytes on the disk, of which 95 % are used */
    uint64_t segment;      /* bytes after which the next segment begins */
    uint32_t free_percent; /* of the disk that is left to others */
    uint32_t sync_ms; /* between two waits for the disk; what comes meanwhile shares the next */
};

/**
 * Open the spool.
 *
 * fails  FAN_CONFLICT     another process holds it
 *        FAN_UNAVAILABLE  the folder cannot be used; the text says why
 */
enum fan_err spool_open(struct fan_loop *loop, const struct spool_options *options,
        struct spool **out, struct fan_why *why) FAN_MUST_CHECK;
/** The reader must be closed before. */
void spool_close(struct spool **spool);

/** The record is on the disk (@safe), or may not be there after a power cut. */
typedef void spool_done(void *context, bool safe);

/**
 * Append a record. @done is called later, from the loop, unless this fails.
 *
 * fails  FAN_TOO_LARGE    more than SPOOL_RECORD_MAX
 *        FAN_UNAVAILABLE  the spool or the disk is full, or the disk fails
 */
enum fan_err spool_append(struct spool *spool, const struct spool_record *record, spool_done *done,
        void *context, struct fan_why *why) FAN_MUST_CHECK;

/** Bytes on the disk. Any thread. */
uint64_t spool_bytes(const struct spool *spool);

/** About how many of them were not yet applied; 0: none. Any thread. */
uint64_t spool_waiting(struct spool *spool);

/* ---- for the reader; any thread ---- */

const char *spool_dir(const struct spool *spool);

/** What is written from now on comes behind @place, whose segment may be gone. Before any append.
 */
void spool_begin_behind(struct spool *spool, struct spool_place place);

/** Everything before @place was applied. */
void spool_note_applied(struct spool *spool, struct spool_place place);

/** Where the next record will be written. */
struct spool_place spool_end(struct spool *spool);

/** Wait until the end lies behind @place, at most so long. */
void spool_wait(struct spool *spool, struct spool_place place, uint32_t wait_ms);

/** End all waiting, for good. */
void spool_wake(struct spool *spool);

/** The first segment from @from on; false: there is none. */
bool spool_first_segment(const struct spool *spool, uint64_t from, uint64_t *out);

/** Open a segment to read. -1: it cannot be */
int spool_open_segment(const struct spool *spool, uint64_t segment);

/** All of it was applied: delete it. */
void spool_drop_segment(struct spool *spool, uint64_t segment);

/** Nobody here can read it: keep it in bad/, for people to look at. */
void spool_put_segment_aside(struct spool *spool, uint64_t segment);

#endif

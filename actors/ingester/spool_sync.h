/*
 * spool_sync — a thread that does nothing but wait for the disk.
 *
 * What is asked while it waits is done together afterwards: one fdatasync for all that was written
 * to a file meanwhile.
 */
#ifndef FAN_ACTORS_INGESTER_SPOOL_SYNC_H
#define FAN_ACTORS_INGESTER_SPOOL_SYNC_H

#include "broker/runtime/loop.h"

struct spool_sync;

/** Everything asked with a ticket up to this one is on the disk (@safe), or may not be. Called from
 *  the loop, in the order of the tickets. */
typedef void spool_sync_fn(void *context, uint64_t ticket, bool safe);

struct spool_sync *spool_sync_new(struct fan_loop *loop, spool_sync_fn *fn, void *context);

/** Wait for what was asked, and end the thread; nobody is called back. */
void spool_sync_free(struct spool_sync **sync);

/**
 * Bring to the disk what was written to @fd.
 *
 * close_it  and close @fd afterwards
 */
void spool_sync_ask(struct spool_sync *sync, int fd, bool close_it, uint64_t ticket);

#endif

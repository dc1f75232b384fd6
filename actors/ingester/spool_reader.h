/*
 * spool_reader — reads the spool in order, and remembers how far it was applied.
 *
 * The place is kept in a small file beside the segments, written after the database has committed
 * and without waiting for the disk. If that file is old, torn or lost, records are read and applied
 * again; that changes nothing, because applying one is idempotent: its key is known by then, and
 * progress only grows.
 */
#ifndef FAN_ACTORS_INGESTER_SPOOL_READER_H
#define FAN_ACTORS_INGESTER_SPOOL_READER_H

#include "actors/ingester/spool.h"

struct spool_reader;

struct spool_reader *spool_reader_open(struct spool *spool);
void spool_reader_close(struct spool_reader **reader);

/**
 * Read the next record; its texts are borrowed until the next call.
 *
 * What is damaged is set aside and passed over.
 *
 * false  there is nothing more yet
 */
bool spool_reader_next(struct spool_reader *reader, struct spool_record *out);

/** Where the next record begins. */
struct spool_place spool_reader_place(const struct spool_reader *reader);

/** Go back to a place that was not yet said to be applied. */
void spool_reader_seek(struct spool_reader *reader, struct spool_place place);

/** Everything before @place was applied: it is not needed any more. */
void spool_reader_applied(struct spool_reader *reader, struct spool_place place);

/** Keep the record that was read last beside the spool, for people to look at. */
void spool_reader_set_aside(struct spool_reader *reader);

#endif
